"""Agreement of each pair of readers who measured numbers, and of cases on a scale."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import Column, Figure, Number, Row, Table, count, undefined
from readerstudy.analysis.endpoints.agreement_panel import Panel

BANDS = (
    (0.9, "very good (0.90 and above)"),
    (0.7, "good (0.70 to 0.89)"),
    (0.5, "fair (0.50 to 0.69)"),
    (-math.inf, "poor (below 0.50)"),
)
"""Levels of within-group agreement of Wang et al., Radiology 2023."""
LEAST_SHOWN = 10


def measured_pairs(panel: Panel, unit: str, arm: str, code: str) -> Table:
    """Return mean difference, limits of agreement and concordance of each pair of readers."""
    rows = tuple(_measured_row(panel, *pair) for pair in panel.pairs())
    clustered = "; cases of one patient are taken as independent here" * panel.is_clustered
    return Table(
        code=code,
        title=f"Pairs of readers{arm}",
        columns=(
            Column("pair", "Readers", "text"),
            Column("n", "Cases"),
            Column("bias", f"Mean difference{f', {unit}' if unit else ''}", "estimate"),
            Column("lower", "Lower limit of agreement", "estimate"),
            Column("upper", "Upper limit of agreement", "estimate"),
            Column("ccc", "Concordance", "estimate"),
        ),
        rows=rows,
        method=(
            "First less second reader: mean with t interval, 95 % limits of agreement "
            "(Bland & Altman 1999); Lin’s concordance correlation (1989)" + clustered
        ),
        n=f"{len(panel.items):,} cases, {len(panel.readers)} readers",
    )


def _measured_row(panel: Panel, i: int, j: int) -> Row:
    both = panel.of((i, j))
    name = " and ".join(both.readers)
    n = count(len(both.items), reader=",".join(both.readers), arm=panel.arm)
    if len(both.items) < 3:
        reason = "fewer than three cases were measured by both"
        cells = dict.fromkeys(("bias", "lower", "upper", "ccc"), undefined(reason))
        return Row({"pair": name, "n": n, **cells})
    a, b = both.ratings.T
    found = stats.bland_altman(a, b, level=panel.level)
    ccc = stats.concordance_correlation(a, b, level=panel.level)
    limits = {
        side: Number(
            getattr(found, f"{side}_limit"),
            "number",
            getattr(found, f"{side}_limit_low"),
            getattr(found, f"{side}_limit_high"),
            panel.level,
        )
        for side in ("lower", "upper")
    }
    bias = Number(found.bias, "number", found.low, found.high, panel.level)
    agreement = Number(ccc.value, "kappa", ccc.low, ccc.high, panel.level, ccc.reason or "")
    return Row({"pair": name, "n": n, "bias": bias, **limits, "ccc": agreement})


def per_case(panel: Panel, arm: str, code: str) -> tuple[Table, Table, Figure] | None:
    """Return how many cases lie in each band of within-group agreement, which least, a figure."""
    found = stats.rwg(panel.measured, n_options=len(panel.scores))
    known = np.flatnonzero(~np.isnan(found.per_subject))
    if not len(known):
        return None
    values = found.per_subject[known]
    method = f"{found.method.split(', mean over')[0]}; {found.n_truncated} cases set to 0"
    n = f"{len(known):,} cases with two ratings or more"
    return (
        _bands(values, arm, code, method, n),
        _least(panel, found.per_subject, arm, code, method=method, n=n),
        _figure(values, arm, code, method, n),
    )


def _bands(values: Any, arm: str, code: str, method: str, n: str) -> Table:
    rows, above = [], math.inf
    for least, words in BANDS:
        inside = int(((values >= least) & (values < above)).sum())
        share = stats.proportion(inside, len(values))
        rows.append(
            Row(
                {
                    "band": words,
                    "cases": count(inside),
                    "share": Number(share.value, "percent", share.low, share.high),
                }
            )
        )
        above = least
    return Table(
        code=f"{code}_bands",
        title=f"Within-group agreement of single cases{arm}",
        columns=(
            Column("band", "Agreement", "text"),
            Column("cases", "Cases"),
            Column("share", "Share, %", "estimate"),
        ),
        rows=tuple(rows),
        method=f"{method}; bands of Wang et al., Radiology 2023; Wilson intervals",
        n=n,
        width="half",
    )


def _least(panel: Panel, per_case: Any, arm: str, code: str, *, method: str, n: str) -> Table:
    known = np.flatnonzero(~np.isnan(per_case))
    order = known[np.argsort(per_case[known], kind="stable")][:LEAST_SHOWN]
    rows = []
    for row in order:
        item = panel.items[row]
        rows.append(
            Row(
                {
                    "case": item,
                    "given": _given(panel, panel.measured[row]),
                    "rwg": Number(float(per_case[row]), "kappa", behind={"item": item}),
                }
            )
        )
    return Table(
        code=f"{code}_least",
        title=f"Cases on which readers agreed least{arm}",
        columns=(
            Column("case", "Case", "text"),
            Column("given", "Scores, by reader", "text"),
            Column("rwg", "Within-group agreement"),
        ),
        rows=tuple(rows),
        method=f"{method}; all cases are in the figure and in the export",
        n=n,
        width="half",
    )


def _given(panel: Panel, row: Any) -> str:
    pairs = zip(panel.readers, row, strict=True)
    return ", ".join(f"{reader} {value:g}" for reader, value in pairs if not math.isnan(value))


def _figure(values: Any, arm: str, code: str, method: str, n: str) -> Figure:
    import altair as alt

    levels, counts = np.unique(np.round(values, 6), return_counts=True)
    rows = [{"rwg": float(a), "cases": int(b)} for a, b in zip(levels, counts, strict=True)]
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar(color="#24588F", size=10)
        .encode(
            x=alt.X(
                "rwg:Q", title="Within-group agreement of a case", scale=alt.Scale(domain=[0, 1])
            ),
            y=alt.Y("cases:Q", title="Cases"),
            tooltip=["rwg:Q", "cases:Q"],
        )
        .properties(width=320, height=220)
    )
    whole = int(counts[-1]) if levels[-1] == 1.0 else 0
    return Figure(
        code=f"{code}_figure",
        title=f"Within-group agreement, case by case{arm}",
        spec=chart.to_dict(),
        alt=f"Bars of cases by within-group agreement; {whole} of {len(values)} cases at 1.",
        method=method,
        n=n,
    )
