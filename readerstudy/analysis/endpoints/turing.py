"""Right calls of real and synthetic against guessing: the endpoint of a visual Turing test.

Per reader the four counts, the share of right calls with its interval, the exact test against
guessing, d′ and criterion (Han et al., ISBI 2018, table 1; Park et al., Sci Rep 2021). All readers
together with the case or patient as cluster, and whether that lies within the planned margin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from readerstudy.analysis.document import (
    PLANNED,
    Axis,
    Block,
    Cell,
    Column,
    Number,
    Row,
    Section,
    Table,
    Test,
    undefined,
)
from readerstudy.analysis.endpoints.turing_calls import Calls, calls_of
from readerstudy.analysis.endpoints.turing_curves import curve_blocks
from readerstudy.analysis.endpoints.turing_margin import Margin, margin_of, margin_table
from readerstudy.analysis.endpoints.turing_overall import overall_table
from readerstudy.analysis.endpoints.turing_parts import part_blocks
from readerstudy.analysis.endpoints.turing_rows import (
    CHANCE,
    Share,
    confusion_cells,
    confusion_columns,
    detection_cells,
    detection_columns,
    p_cell,
    share_of,
)
from readerstudy.analysis.endpoints.turing_sessions import session_blocks
from readerstudy.analysis.endpoints.words import interval, many, p_value, percent
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

ALL = "All readers"
BINOMIAL = "exact binomial test against 50 % (two-sided, all outcomes not more probable)"
CLUSTERED = "Wald test with the variance between clusters (Rao & Scott, Biometrics 1992)"
COMPUTED = (
    "proportion",
    "binomial_against",
    "clustered_against",
    "clustered_proportion",
    "clustered_comparison",
    "equivalence_to_chance",
    "dprime",
    "auc",
    "clustered_auc",
    "roc_curve",
    "obuchowski_rockette",
    "u_statistic",
    "adjust_pvalues",
)


def turing(data: Dataset, entry: PlannedAnalysis) -> Section:
    """Return the section of a Turing test.

    Raises
    ------
    ValueError
        If nothing was called, or the question cannot be right or wrong.
    """
    calls = calls_of(data, entry)
    if not len(calls):
        raise ValueError(f"no read answers “{calls.question.text}”{calls.left.words()}")
    share, margin = share_of(calls), margin_of(calls)
    parts, part_tests = part_blocks(data, calls)
    curves, curve_tests = curve_blocks(data, calls)
    sessions, session_words = session_blocks(calls)
    blocks: list[Block] = [_readers(data, calls), overall_table(calls, share, margin)]
    blocks += [table for table in (margin_table(calls), _not_computed(entry)) if table]
    return Section(
        code=entry.code,
        title=entry.title,
        tag=PLANNED,
        lead=(_lead(calls, share, margin), *_bias(calls), *session_words),
        blocks=(*blocks, *parts, *sessions, *curves),
        tests=(*_tests(calls, share, margin), *part_tests, *curve_tests),
    )


def _lead(calls: Calls, share: Share, margin: Margin | None) -> str:
    """Return the sentence that answers the question."""
    what = "The consensus" if calls.entry.consensus else _who(calls)
    verb = "chose the right image" if calls.is_choice else "told real from synthetic"
    unit = "cases" if calls.entry.consensus else "reads"
    limits = interval(share.number, scale=100, places=1)
    first = f"{what} {verb} in **{percent(share.number.value)} % of {unit}** ({limits})."
    return f"{first} {_against(calls, share)}{_within(margin)}"


def _who(calls: Calls) -> str:
    return "The reader" if len(calls.readers) == 1 else "Readers"


def _against(calls: Calls, share: Share) -> str:
    if math.isnan(share.p):
        return f"Whether that is better than guessing is not tested: {share.reason}"
    told = p_value(share.p)
    if share.p >= calls.entry.alpha:
        return f"That is **not shown to differ from guessing** ({told})"
    better = share.number.value > CHANCE
    return f"That is {'better' if better else '**worse**'} than guessing ({told})"


def _within(margin: Margin | None) -> str:
    if margin is None:
        return "; no margin around guessing was planned."
    words = f"of {100 * margin.margin:g} points around 50 %"
    if math.isnan(margin.p):
        return f"; whether it lies within the margin {words} is not tested: {margin.reason}."
    if margin.within:
        return f" and was **within the planned margin** {words} ({p_value(margin.p)})."
    return f" and was **not shown to be within the planned margin** {words} ({p_value(margin.p)})."


def _bias(calls: Calls) -> tuple[str, ...]:
    """Return how often each class was called synthetic: accuracy alone hides it."""
    if calls.is_choice:
        return ()
    signal, noise = calls.signal, calls.noise
    told = []
    for name, right in (("synthetic", signal), ("real", noise)):
        hits, misses = calls.cell(right, signal), calls.cell(right, noise)
        if hits + misses:
            told.append(f"{percent(hits / (hits + misses))} % of {name} cases")
    return (f"{_who(calls)} called {' and '.join(told)} synthetic.",) if told else ()


def _readers(data: Dataset, calls: Calls) -> Table:
    """Return the table of each reader, in each arm where there are several."""
    by_place = calls.parts(lambda call: (call.arm, call.reader))
    by_arm = calls.parts(lambda call: call.arm)
    none = calls.where(lambda _: False)
    rows = []
    for arm in calls.arms:
        rows += [
            _row(data, by_place.get((arm, reader), none), reader, arm) for reader in calls.readers
        ]
        if len(calls.readers) > 1:
            rows.append(_row(data, by_arm.get(arm, none), ALL, arm))
    arms = (Column("arm", "Arm", "text"),) if len(calls.arms) > 1 else ()
    columns = (
        Column("reader", "Reader, experience", "text"),
        *arms,
        *confusion_columns(calls),
        Column("correct", "Correct, %"),
        Column("interval", f"{100 * calls.level:g} % interval", "interval", "correct"),
        Column("plot", "", "plot", "correct"),
        Column("p", "p against 50 %"),
        *detection_columns(calls),
    )
    margin = calls.entry.margin
    return Table(
        code="readers",
        title="Right or wrong, per reader" if calls.is_choice else "Real or synthetic, per reader",
        columns=columns,
        rows=tuple(rows),
        method=_method(calls),
        n=calls.n_words(),
        notes=_reader_notes(calls),
        axis=axis_of(rows, margin),
    )


def _row(data: Dataset, calls: Calls, reader: str, arm: str) -> Row:
    is_all = reader == ALL
    behind = {} if is_all or calls.entry.consensus else {"reader": reader}
    if len(calls.arms) > 1:
        behind["arm"] = arm
    share = share_of(calls, **behind)
    cells: dict[str, Cell] = {
        "reader": reader if is_all else _named(data, reader),
        "arm": data.protocol.arm_name(arm),
        **confusion_cells(calls, **behind),
        "correct": share.number,
        "p": p_cell(share.p, share.reason),
        **detection_cells(calls, with_interval=not calls.repeats_clusters),
    }
    return Row(cells, strong=is_all)


def _named(data: Dataset, code: str) -> str:
    """Return a reader by code and years of experience, never by name."""
    years = next((one.years for one in data.readers if one.code == code), None)
    return code if years is None else f"{code}, {years} y"


def axis_of(rows: Sequence[Row], margin: float | None) -> Axis:
    """Return an axis of shares that holds every interval and the margin, in tenths."""
    numbers = [one for row in rows if isinstance(one := row.cells["correct"], Number)]
    lows = [n.low if n.has_interval else n.value for n in numbers if n.defined]
    highs = [n.high if n.has_interval else n.value for n in numbers if n.defined]
    band = (CHANCE - margin, CHANCE + margin) if margin is not None else None
    least = min([*lows, *(band or (CHANCE,))])
    most = max([*highs, *(band or (CHANCE,))])
    low, high = math.floor(10 * least) / 10, math.ceil(10 * most) / 10
    title = f"guessing and margin ±{100 * margin:g}" if margin is not None else "guessing"
    return Axis(max(low, 0.0), min(high, 1.0), CHANCE, band, title)


def _method(calls: Calls) -> str:
    unit = {"subject": "patient", "reading": "reading", "reader": "reader"}
    by = unit.get(calls.entry.unit, "case")
    positive = "of a choice, d′ / √2" if calls.is_choice else "positive class synthetic"
    alone = (
        "Readers: Wilson interval, exact binomial test"
        if not any(part.repeats_clusters for part in _alone(calls))
        else f"Readers: interval and test clustered by {by}, as a reader read it more than once"
    )
    return (
        f"{alone}. All: interval and test clustered by {by} (Rao & Scott 1992; Wilson limits at "
        f"the effective number of reads). d′ and c with log-linear correction (Hautus 1995), "
        f"{positive}."
    )


def _alone(calls: Calls) -> list[Calls]:
    return list(calls.parts(lambda call: (call.arm, call.reader)).values())


def _reader_notes(calls: Calls) -> tuple[str, ...]:
    notes = []
    silent = [reader for reader in calls.readers if reader not in {c.reader for c in calls.calls}]
    if silent:
        notes.append(f"No call by {', '.join(silent)}: the share is not defined.")
    if calls.is_choice and calls.question.equal:
        notes.append("“Equal” is counted as not right; guessing is 50 % for choices alone.")
    if calls.entry.unit == "reading":
        notes.append(
            "As planned, reads are taken as independent, though readers read the same cases."
        )
    return tuple(notes)


def _tests(calls: Calls, share: Share, margin: Margin | None) -> tuple[Test, ...]:
    """Return the test that decides, that of the margin, and one for each reader."""
    tests = [_test(calls, share, "main", "Right calls of all readers against 50 %")]
    if margin is not None:
        tests.append(margin.test(calls))
    if len(calls.readers) > 1 or len(calls.arms) > 1:
        for (arm, reader), part in calls.parts(lambda call: (call.arm, call.reader)).items():
            arms = f" in {arm}" if len(calls.arms) > 1 else ""
            what = f"Right calls of {reader}{arms} against 50 %"
            tests.append(_test(part, share_of(part), f"reader {reader}{arms}", what))
    return tuple(tests)


def _test(calls: Calls, share: Share, code: str, what: str) -> Test:
    if share.is_clustered:
        name, assumes = CLUSTERED, "clusters are independent; enough of them for a normal law"
    else:
        name, assumes = BINOMIAL, "calls of different cases are independent"
    return Test(
        code=code,
        what=what,
        name=name,
        unit=calls.unit if share.is_clustered else "read, one of each case",
        n=f"{many(len(calls), 'read')}, {many(calls.n_clusters, 'cluster')}",
        null="half of the calls are right, as by guessing",
        assumptions=assumes,
        p=share.p,
        symbol=share.symbol or "k",
        statistic=share.statistic if share.is_clustered else float(calls.n_right),
        reason=share.reason if math.isnan(share.p) else "",
    )


def _not_computed(entry: PlannedAnalysis) -> Table | None:
    """Return a row for each method of the plan that this endpoint has no use for."""
    names = [name for name in entry.methods if name not in COMPUTED]
    if entry.margin is None and "equivalence_to_chance" in entry.methods:
        names.append("equivalence_to_chance")
    if not names:
        return None
    reason = {"equivalence_to_chance": "no margin around guessing was planned"}
    other = "it does not apply to right and wrong calls against guessing"
    return Table(
        code="not_computed",
        title="Planned methods that were not computed",
        columns=(Column("method", "Method", "text"), Column("result", "Result")),
        rows=tuple(
            Row({"method": name, "result": undefined(f"not computed: {reason.get(name, other)}")})
            for name in names
        ),
        method="Names of readerstudy.stats, as in the plan.",
        n=many(len(names), "method"),
        width="half",
    )
