"""Numbers of one set of calls, as cells of a table: counts, share of right calls, d′."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from readerstudy import stats
from readerstudy.analysis.document import NAN, Cell, Column, Number, count, number_of
from readerstudy.analysis.endpoints.turing_calls import NOTHING, Calls
from readerstudy.analysis.facts import EQUAL, REAL, SYNTHETIC
from readerstudy.stats.turing import Detection
from readerstudy.stats.turing_clustered import ClusteredAgainst

CHANCE = 0.5


@dataclass(frozen=True)
class Share:
    """The share of right calls and its test against guessing.

    ``is_clustered`` says which: clustered by case or patient where calls share one, else Wilson
    limits and the exact binomial test.
    """

    number: Number
    p: float
    reason: str
    is_clustered: bool
    symbol: str = ""
    statistic: float = NAN


def share_of(calls: Calls, **behind: str) -> Share:
    """Return the share of right calls with the method that fits how calls share cases."""
    return _clustered(calls, behind) if calls.repeats_clusters else _single(calls, behind)


def _single(calls: Calls, behind: Mapping[str, str]) -> Share:
    found = stats.proportion(calls.n_right, len(calls), ci="wilson", level=calls.level)
    test = stats.binomial_against(calls.n_right, len(calls), p0=CHANCE)
    number = number_of(found, "percent", behind=of_right(calls, behind))
    return Share(number, test.p_two_sided, test.reason or "", is_clustered=False)


def _clustered(calls: Calls, behind: Mapping[str, str]) -> Share:
    found = against_guessing(calls)
    number = number_of(found, "percent", behind=of_right(calls, behind))
    reason = found.reason or ""
    return Share(number, found.p_two_sided, reason, True, "z", found.z)


def against_guessing(calls: Calls) -> ClusteredAgainst:
    """Return the share of right calls of some readers together, clustered as planned."""
    margin = calls.entry.margin
    usable = margin if margin is not None and margin < CHANCE else None
    return stats.clustered_against(
        calls.success, calls.clusters, p0=CHANCE, margin=usable, level=calls.level
    )


def of_right(calls: Calls, behind: Mapping[str, str]) -> dict[str, str]:
    """Return the filter of the right reads behind a share."""
    return {"question": calls.question.code, "right": "yes", **behind}


def confusion_columns(calls: Calls) -> tuple[Column, ...]:
    """Return the columns of the four counts, or of a choice between two images."""
    silent = calls.n_given(NOTHING) > 0
    last = (Column("not_evaluable", "Not evaluable"),) if silent else ()
    if calls.is_choice:
        equal = (Column("equal", "Called equal"),) if calls.question.equal else ()
        return (Column("right", "Right"), Column("wrong", "Wrong"), *equal, *last)
    return (
        Column("real_as_real", "Real as real"),
        Column("real_as_synthetic", "Real as synthetic"),
        Column("synthetic_as_real", "Synthetic as real"),
        Column("synthetic_as_synthetic", "Synthetic as synthetic"),
        *last,
    )


def confusion_cells(calls: Calls, **behind: str) -> dict[str, Cell]:
    """Return the counts by the code of their column."""
    asked = {"question": calls.question.code, **behind}
    silent = calls.n_given(NOTHING)
    if calls.is_choice:
        equal = calls.n_given(EQUAL)
        wrong = len(calls) - calls.n_right - equal - silent
        wrong_reads = {} if calls.question.equal else {**asked, "right": "no"}
        return {
            "right": count(calls.n_right, **asked, right="yes"),
            "wrong": count(wrong, **wrong_reads),
            "equal": count(equal, **asked, answer=EQUAL),
            "not_evaluable": count(silent, **asked, answer="not_evaluable"),
        }
    levels = {REAL: calls.noise, SYNTHETIC: calls.signal}
    cells: dict[str, Cell] = {
        f"{truth}_as_{said}": count(
            calls.cell(levels[truth], levels[said]), **asked, origin=truth, answer=levels[said]
        )
        for truth in levels
        for said in levels
    }
    return {**cells, "not_evaluable": count(silent, **asked, answer="not_evaluable")}


def detection_of(calls: Calls) -> Detection:
    """Return d′ and criterion, "synthetic" as the signal; of a choice between places d′/√2.

    Reads that were not evaluable or called equal take no part.
    """
    signal, noise = calls.signal, calls.noise
    return stats.dprime(
        calls.cell(signal, signal),
        calls.cell(signal, noise),
        calls.cell(noise, signal),
        calls.cell(noise, noise),
        level=calls.level,
    )


def detection_cells(calls: Calls, *, with_interval: bool = True) -> dict[str, Cell]:
    """Return d′ and criterion; over several readers without the interval of one reader."""
    found = detection_of(calls)
    scale = 1 / math.sqrt(2) if calls.is_choice else 1.0
    limits = (found.low, found.high) if with_interval else (NAN, NAN)
    reason = found.reason or ""
    low, high = (scale * limit for limit in limits)
    dprime = Number(scale * found.dprime, "kappa", low, high, calls.level, reason)
    return {"dprime": dprime, "criterion": Number(found.criterion, "kappa", reason=reason)}


def detection_columns(calls: Calls) -> tuple[Column, ...]:
    """Return the columns of d′ and criterion."""
    bias = "Criterion c, to the first place" if calls.is_choice else "Criterion c"
    return Column("dprime", "d′"), Column("criterion", bias)


def p_cell(p: float, reason: str = "") -> Number:
    """Return a p-value as a cell."""
    return Number(p, "p", reason=reason if math.isnan(p) else "")


def number(value: Any, form: str, reason: str = "") -> Number:
    """Return a number without an interval; its reason where it is undefined."""
    return Number(float(value), form, reason=reason if math.isnan(float(value)) else "")
