"""The share of right calls of all readers: these readers, such readers, and as published."""

from __future__ import annotations

from typing import Any

from readerstudy import stats
from readerstudy.analysis.document import NAN, Cell, Column, Number, Row, Table, number_of
from readerstudy.analysis.endpoints.turing_calls import Calls
from readerstudy.analysis.endpoints.turing_margin import Margin
from readerstudy.analysis.endpoints.turing_rows import (
    CHANCE,
    Share,
    against_guessing,
    of_right,
    p_cell,
)


def overall_table(calls: Calls, share: Share, margin: Margin | None) -> Table:
    """Return the share of all readers under each view of what was sampled."""
    rows = [_decides(calls, share, margin)]
    if len(set(call.reader for call in calls.calls)) > 1:
        rows += [_random_readers(calls), _independent(calls)]
    columns = (
        Column("view", "What the interval allows for", "text"),
        Column("correct", "Correct, %"),
        Column("interval", f"{100 * calls.level:g} % interval", "interval", "correct"),
        Column("p", "p against 50 %"),
        Column("p_margin", "p, margin"),
        Column("effect", "Design effect"),
    )
    return Table(
        code="overall",
        title="All readers together",
        columns=columns if margin else tuple(c for c in columns if c.code != "p_margin"),
        rows=tuple(rows),
        method=(
            "First row, decides: fixed readers, clustered cases (Rao & Scott 1992). Readers like "
            "these: mean of the readers, Obuchowski & Rockette 1995 with Hillis’ degrees of "
            "freedom, proportion of right calls, t test; with missing reads the U-statistic "
            "(Gallas 2006)."
        ),
        n=calls.n_words(),
        width="half",
    )


def _decides(calls: Calls, share: Share, margin: Margin | None) -> Row:
    effect: Cell = "1, one read of each case"
    if share.is_clustered:
        found = against_guessing(calls)
        effect = Number(found.design_effect, "ratio", reason=found.reason or "")
    cells: dict[str, Cell] = {
        "view": f"These readers, {_others(calls)}",
        "correct": share.number,
        "p": p_cell(share.p, share.reason),
        "p_margin": p_cell(margin.p, margin.reason) if margin else "",
        "effect": effect,
    }
    return Row(cells, strong=True)


def _others(calls: Calls) -> str:
    return "other patients" if calls.entry.unit == "subject" else "other cases"


def _independent(calls: Calls) -> Row:
    """Return the analysis of the published papers, for comparison."""
    found = stats.proportion(calls.n_right, len(calls), ci="wilson", level=calls.level)
    test = stats.binomial_against(calls.n_right, len(calls), p0=CHANCE)
    planned = calls.entry.margin
    within: Cell = "no margin was planned"
    if planned is not None and planned < CHANCE:
        tost = stats.equivalence_to_chance(
            calls.n_right, len(calls), margin=planned, alpha=calls.entry.alpha
        )
        within = p_cell(tost.p_exact)
    cells: dict[str, Cell] = {
        "view": "Reads taken as independent, as published; they are not",
        "correct": number_of(found, "percent", behind=of_right(calls, {})),
        "p": p_cell(test.p_two_sided),
        "p_margin": within,
        "effect": "1, assumed",
    }
    return Row(cells)


def _random_readers(calls: Calls) -> Row:
    """Return the mean of the readers with readers and cases as samples."""
    number, p, reason, margin = _mean_of_readers(calls)
    cells: dict[str, Cell] = {
        "view": f"Readers like these, {_others(calls) if _is_complete(calls) else 'other cases'}",
        "correct": number,
        "p": p_cell(p, reason),
        "p_margin": p_cell(margin, reason or "no margin was planned"),
        "effect": "",
    }
    return Row(cells)


def _mean_of_readers(calls: Calls) -> tuple[Number, float, str, float]:
    """Return the mean share, p against guessing, why there is none, and p of the margin."""
    from scipy.stats import t as student

    if len(calls.arms) > 1:
        reason = "readers read cases in several arms: see the comparison of the arms"
        return Number(NAN, "percent", reason=reason), NAN, reason, NAN
    try:
        mean = _fit(calls).means[0]
    except ValueError as error:  # such as a case that a reader read in several sessions
        reason = str(error)
        return Number(NAN, "percent", reason=reason), NAN, reason, NAN
    number = number_of(mean, "percent")
    if not mean.se > 0:
        return number, NAN, mean.reason or "the standard error is 0", NAN
    p = float(2 * student.sf(abs(mean.value - CHANCE) / mean.se, mean.df))
    planned = calls.entry.margin
    if planned is None:
        return number, p, "", NAN
    nearest = planned - abs(mean.value - CHANCE)
    return number, p, "", float(student.sf(nearest / mean.se, mean.df))


def _fit(calls: Calls) -> Any:
    """Return the analysis over readers and cases; with missing reads by the U-statistic."""
    rows = calls.calls
    columns: dict[str, Any] = {
        "reader": [call.reader for call in rows],
        "test": ["all"] * len(rows),
        "case": [call.item.code for call in rows],
        "score": calls.success,
    }
    complete = _is_complete(calls)
    if calls.entry.unit == "subject" and complete:
        columns["cluster"] = calls.clusters
    analyse = stats.obuchowski_rockette if complete else stats.u_statistic
    return analyse(**columns, metric="proportion", level=calls.level)


def _is_complete(calls: Calls) -> bool:
    """Did every reader call every case, once?"""
    readers, items = {call.reader for call in calls.calls}, {c.item.code for c in calls.calls}
    return len(calls) == len(readers) * len(items)
