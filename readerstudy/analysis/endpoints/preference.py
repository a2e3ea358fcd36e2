"""Endpoint "preference": how often one of the images beside each other is chosen."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import (
    NAN,
    Axis,
    Block,
    Cell,
    Column,
    Number,
    Passage,
    Row,
    Section,
    Table,
    Test,
    count,
    number_of,
    undefined,
)
from readerstudy.analysis.endpoints.choices import RIGHT, Choices, choices_of
from readerstudy.analysis.endpoints.mrmc_more import unused_methods
from readerstudy.analysis.endpoints.parts import in_words, parts
from readerstudy.analysis.endpoints.preference_views import (
    CLUSTERED,
    EXACT,
    Found,
    share_of,
    views_of,
)
from readerstudy.analysis.endpoints.versions import OVER_READERS
from readerstudy.analysis.endpoints.words import interval, listed, many, p_value, percent
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

USED = {
    "clustered_proportion",
    "clustered_against",
    "binomial_against",
    "proportion",
    "equivalence_to_chance",
    "adjust_pvalues",
    *OVER_READERS,
}


def preference(data: Dataset, entry: PlannedAnalysis) -> Section:
    """Return the section of choices between images beside each other.

    Raises
    ------
    ValueError
        If nothing was chosen that can be counted.
    """
    found = choices_of(data, entry)
    decided = found.decided
    if not len(decided):
        raise ValueError(f"every answer to “{found.text}” is “equal”: no image is preferred")
    views = views_of(found)
    main = views[0]
    blocks: list[Block] = [Passage(text) for text in _notes(found)]
    blocks += [_reader_table(found, main), _view_table(found, views)]
    if sides := _side_table(decided):
        blocks.append(sides)
    blocks += _arm_table(data, found) + _subgroups(data, entry)
    if unused := unused_methods(entry, USED):
        blocks.append(unused)
    return Section(
        entry.code,
        entry.title,
        "",
        lead=tuple(_lead(found, main[1])),
        blocks=tuple(blocks),
        tests=tuple(_tests(found, main[1])),
    )


def _notes(found: Choices) -> list[str]:
    texts = list(found.notes)
    if found.silent:
        texts.append(f"No choice that counts from {listed(list(found.silent))}.")
    if ties := int(found.is_tie.sum()):
        share = 100 * ties / len(found)
        texts.append(
            f"{many(ties, 'answer')} of {len(found):,} ({share:.1f} %) said “equal”. They are left "
            "out of the share that decides; a row below counts them half for each side."
        )
    return texts


def _p(found: Found) -> Number:
    reason = found.reason or "the standard error is 0"
    return Number(found.p, "p", reason=reason if math.isnan(found.p) else "")


def _even(found: Choices) -> str:
    return f"{100 * found.chance:.3g} %"


def _cells(found: Choices, share: Found) -> dict[str, Cell]:
    return {
        "chosen": count(int((found.value == 1).sum())),
        "other": count(int((found.value == 0).sum())),
        "equal": count(int(found.is_tie.sum())),
        "share": share.number,
        "p": _p(share),
    }


def _reader_table(found: Choices, main: tuple[str, Found]) -> Table:
    rows = []
    for number, reader in enumerate(found.readers):
        own = found.of(found.reader == number)
        share = share_of(own.decided, reader=reader, question=found.entry.question)
        p: Cell = _p(share) if "binomial_against" in found.entry.methods else "not planned"
        rows.append(Row({"reader": reader, **_cells(own, share), "p": p}))
    for reader in found.silent:
        none = undefined("this reader chose nothing that counts here", "percent")
        cells: dict[str, Cell] = {n: count(0) for n in ("chosen", "other", "equal")}
        rows.append(Row({"reader": reader, **cells, "share": none, "p": _none(none.reason)}))
    rows.append(Row({"reader": "All readers", **_cells(found, main[1])}, strong=True))
    margin = found.entry.margin
    chance = found.chance
    what = f"{found.aim.what[:1].upper()}{found.aim.what[1:]}"
    return Table(
        code="preference",
        title=f"{found.aim.title}, per reader",
        columns=(
            Column("reader", "Reader", "text"),
            Column("chosen", what),
            Column("other", found.aim.other),
            Column("equal", "Equal"),
            Column("share", "Share without ties, %", "estimate"),
            Column("plot", "Share, %", "plot", source="share"),
            Column("p", f"p against {_even(found)}"),
        ),
        rows=tuple(rows),
        method=f"Readers: Wilson interval, {EXACT}, or {CLUSTERED} where a reader has several "
        f"sets of one patient. All readers: {main[0]}: {main[1].method}",
        n=found.n_words(),
        axis=Axis(
            0.0,
            1.0,
            reference=chance,
            band=(chance - margin, chance + margin) if margin else None,
            title=f"by lot {_even(found)}",
        ),
    )


def _none(reason: str) -> Number:
    return undefined(reason, "p")


def _view_table(found: Choices, views: list[tuple[str, Found]]) -> Table:
    margin = found.entry.margin
    rows = []
    for place, (name, share) in enumerate(views):
        reason = share.reason or "not for this row"
        cells: dict[str, Cell] = {
            "view": name,
            "share": share.number,
            "df": share.df or "—",
            "p": _p(share),
            "within": Number(
                share.p_within, "p", reason=reason if math.isnan(share.p_within) else ""
            ),
        }
        rows.append(Row(cells, strong=place == 0))
    columns = [
        Column("view", "What the interval allows for", "text"),
        Column("share", "Share, %", "estimate"),
        Column("df", "df", "text"),
        Column("p", f"p against {_even(found)}"),
    ]
    if margin is not None:
        columns.append(Column("within", f"p, within ±{100 * margin:g} points"))
    return Table(
        code="views",
        title="All readers together",
        columns=tuple(columns),
        rows=tuple(rows),
        method="The first row decides. " + "; ".join(f"{n}: {s.method}" for n, s in views),
        n=found.n_words(),
        width="half",
    )


def _side_table(decided: Choices) -> Table | None:
    """Return how often the left image was chosen, whatever it was; None where it is not known."""
    known = decided.of(~np.isnan(decided.left))
    if not len(known):
        return None
    rows = []
    for number, reader in enumerate(known.readers):
        own = known.of(known.reader == number)
        if len(own):
            k, n = int(own.left.sum()), len(own)
            share = stats.proportion(k, n, level=known.level)
            rows.append(
                Row({"reader": reader, "left": count(k), "other": count(n - k),
                     "share": number_of(share, "percent")})
            )  # fmt: skip
    return Table(
        code="sides",
        title="Chosen on the left",
        columns=(
            Column("reader", "Reader", "text"),
            Column("left", "Left"),
            Column("other", "Elsewhere"),
            Column("share", "Left, %", "estimate"),
        ),
        rows=tuple(rows),
        method="Wilson interval, no test; sides are drawn by lot, so a share far from an even one "
        "is a habit of the reader and not a property of the images",
        n=known.n_words(),
        width="half",
    )


def _arm_table(data: Dataset, found: Choices) -> list[Block]:
    arms = list(dict.fromkeys(found.arm))
    if len(arms) < 2:
        return []
    rows = []
    for arm in arms:
        own = found.of(np.array([one == arm for one in found.arm]))
        share = share_of(own.decided, arm=arm)
        rows.append(Row({"arm": data.protocol.arm_name(arm), **_cells(own, share)}))
    return [_part_table("arms", "By arm", "arm", rows)]


def _part_table(code: str, title: str, first: str, rows: list[Row]) -> Table:
    return Table(
        code=code,
        title=title,
        columns=(
            Column(first, "Part", "text"),
            Column("chosen", "Chosen"),
            Column("other", "Not chosen"),
            Column("equal", "Equal"),
            Column("share", "Share without ties, %", "estimate"),
        ),
        rows=tuple(rows),
        method="Clustered as planned, these readers; no test",
        n=f"{len(rows)} parts",
        width="half",
    )


def _subgroups(data: Dataset, entry: PlannedAnalysis) -> list[Block]:
    blocks: list[Block] = []
    for name in entry.subgroups:
        rows = []
        for label, part in parts(data, name):
            try:
                own = choices_of(part, entry)
            except ValueError as error:
                cells: dict[str, Cell] = {n: count(0) for n in ("chosen", "other", "equal")}
                rows.append(
                    Row({"part": label, **cells, "share": undefined(str(error), "percent")})
                )
                continue
            rows.append(Row({"part": label, **_cells(own, share_of(own.decided))}))
        code = f"subgroup_{name.replace(':', '_')}"
        blocks.append(_part_table(code, f"By {in_words(name)}", "part", rows))
    return blocks


def _tests(found: Choices, main: Found) -> list[Test]:
    entry, even = found.entry, _even(found)
    tests = [_test(found, "main", f"{found.aim.title}, all readers", main)]
    if entry.margin is not None:
        within = replace(
            main,
            p=main.p_within,
            method="two one-sided tests (Schuirmann 1987)",
            statistic=NAN,
            symbol="",
        )
        far = f"the share lies {100 * entry.margin:g} points or more from {even}"
        tests.append(replace(_test(found, "equivalence", found.aim.title, within), null=far))
    if "binomial_against" in entry.methods:
        for number, reader in enumerate(found.readers):
            own = share_of(found.of(found.reader == number).decided)
            tests.append(_test(found, f"reader:{reader}", f"{found.aim.title}, {reader}", own))
    return tests


def _test(found: Choices, code: str, what: str, share: Found) -> Test:
    unit = {"subject": "patient", "reader": "reader"}.get(found.entry.unit, "set of images")
    return Test(
        code=code,
        what=what,
        name=share.method or "not computed",
        unit=unit,
        n=found.n_words(),
        null=f"images are chosen as by lot: {found.aim.what} in {_even(found)}",
        assumptions="sets of images independent of each other; sides drawn by lot",
        p=share.p,
        symbol=share.symbol,
        statistic=share.statistic,
        df=share.df,
        reason=(share.reason or "the standard error is 0") if math.isnan(share.p) else "",
        warnings=share.warnings,
    )


def _lead(found: Choices, main: Found) -> list[str]:
    if not main.number.defined:
        return [f"{found.aim.title}: not computed, because {main.reason}."]
    first = (
        f"Readers {found.aim.verb} {found.aim.what} in **{percent(main.number.value)} %** of "
        f"choices ({interval(main.number, scale=100, places=1)}; against {_even(found)} "
        f"{p_value(main.p)})."
    )
    if not main.p < found.entry.alpha:
        what = "guessing" if found.aim is RIGHT else "an even choice"
        first += f" A difference from {what} is **not shown**."
    margin = found.entry.margin
    if margin is None or math.isnan(main.p_within):
        return [first]
    shown = "shown" if main.p_within < found.entry.alpha else "not shown"
    return [
        first,
        f"That the share lies within {100 * margin:g} points of {_even(found)} is **{shown}** "
        f"({p_value(main.p_within)}).",
    ]
