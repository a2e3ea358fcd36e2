"""From cues to verdicts: what blocks, what is told for information, what cannot be said. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from readerstudy.sentinel import cues as families
from readerstudy.sentinel.cues import Cue
from readerstudy.sentinel.separation import CueResult, Limits, separate

SAME, CLEAN, FOUND, VARIES = "same", "clean", "found", "varies"
UNDEFINED, INFORMATION = "undefined", "information"
ORIGIN, GENERATORS = "origin", "generators"  # what is compared


@dataclass(frozen=True)
class Judged:
    """One cue and its verdict.

    ``verdict`` is "same" (never varies), "clean", "found" (blocks), "varies" (should be the same
    for all and is not, without a proven link to the classes), "undefined" or "information".
    ``comparison`` is "origin" (real against synthetic) or "generators" (one against the others).
    """

    family: str
    what: str
    auc: float
    low: float
    high: float
    p: float
    verdict: str
    reason: str = ""
    comparison: str = ORIGIN


def judge(
    found: Sequence[Cue],
    labels: Sequence[int],
    subjects: Sequence[str],
    *,
    limits: Limits,
    least_ms: float,
    content_blocks: bool,
    seed: int,
) -> list[Judged]:
    """Judge every cue; image content apart, so that it cannot hide or accuse anything else.

    Parameters
    ----------
    found : sequence of Cue
    labels : sequence of int
        Number of the class of each case.
    subjects : sequence of str
    limits : Limits
    least_ms : float
        Smallest difference between the medians of the classes that counts as a cue, in ms.
    content_blocks : bool
        Noise and extent of the images block as everything else does.
    seed : int
    """
    judged: list[Judged] = []
    for content in (False, True):
        group = [cue for cue in found if cue.is_content == content]
        told = {str(number): cue.values for number, cue in enumerate(group)}
        results = separate(told, labels, subjects, limits=limits, seed=seed)
        for cue, result in zip(group, results, strict=True):
            verdict, reason = _verdict(cue, result, labels, least_ms, content_blocks)
            judged.append(_judged(cue, result, verdict, reason))
    return judged


def _verdict(
    cue: Cue, result: CueResult, labels: Sequence[int], least_ms: float, content_blocks: bool
) -> tuple[str, str]:
    if result.constant:
        return SAME, result.reason
    if cue.is_content and not content_blocks:
        return INFORMATION, "image content" if result.blocks else result.reason
    if result.blocks:
        gap = _gap(cue, labels)
        if cue.family == families.TIME and gap < least_ms:
            return CLEAN, f"differs by {gap:.1f} ms, less than the {least_ms:g} ms that count"
        return FOUND, f"differs by {gap:.0f} ms" if cue.family == families.TIME else ""
    if cue.family in families.MUST_BE_SAME:
        return VARIES, result.reason or "should be the same for every case"
    return (UNDEFINED if math.isnan(result.auc) else CLEAN), result.reason


def _gap(cue: Cue, labels: Sequence[int]) -> float:
    """Return the difference between the medians of the classes, without its sign."""
    values, truth = cue.values[:, 0], np.asarray(labels)
    return float(np.ptp([np.median(values[truth == one]) for one in sorted(set(labels))]))


def _judged(cue: Cue, result: CueResult, verdict: str, reason: str) -> Judged:
    return Judged(
        family=cue.family,
        what=cue.what,
        auc=result.auc,
        low=result.low,
        high=result.high,
        p=result.p,
        verdict=verdict,
        reason=reason,
    )


def judge_generators(
    found: Sequence[Cue],
    generators: Sequence[str],
    subjects: Sequence[str],
    *,
    limits: Limits,
    least_ms: float,
    content_blocks: bool,
    seed: int,
) -> list[Judged]:
    """Judge every cue between generators; the generators are numbered and never named.

    Parameters
    ----------
    found : sequence of Cue
    generators : sequence of str
        Of each case in the rows of the cues; empty for real cases, which are left out.
    subjects, limits, least_ms, content_blocks, seed
        As for `judge`.

    Returns
    -------
    list of Judged
        Empty with fewer than two generators. What varies without a link to them is told by
        `judge` and not again.
    """
    names = sorted({name for name in generators if name})
    if len(names) < 2:
        return []
    made = [row for row, name in enumerate(generators) if name]
    labels = [names.index(generators[row]) for row in made]
    judged = judge(
        [replace(cue, values=cue.values[made]) for cue in found],
        labels,
        [subjects[row] for row in made],
        limits=limits,
        least_ms=least_ms,
        content_blocks=content_blocks,
        seed=seed,
    )
    weak = power_missing(labels, limits)
    return [_between(one, weak) for one in judged]


def _between(one: Judged, weak: str) -> Judged:
    verdict = CLEAN if one.verdict == VARIES else one.verdict
    if verdict == CLEAN and (weak or math.isnan(one.auc)):
        reason = one.reason if math.isnan(one.auc) else weak
        return replace(one, verdict=UNDEFINED, reason=reason, comparison=GENERATORS)
    reason = "" if one.verdict == VARIES else one.reason
    return replace(one, verdict=verdict, reason=reason, comparison=GENERATORS)


def power_missing(labels: Sequence[int], limits: Limits) -> str:
    """Return why no cue at all could be proven with so few cases; empty if one could."""
    n, sizes = len(labels), Counter(labels).values()
    if len(sizes) < 2:
        return "the study has one class only"
    # A classifier finds a difference in either direction, so that two relabellings reach it.
    if 2 / max(math.comb(n, size) for size in sizes) >= limits.p:
        return f"{n} cases are too few: even a perfect cue could be chance at p = {limits.p:g}"
    return ""


def simplified(judged: Sequence[Judged]) -> list[Judged]:
    """Join the cues of a family that never vary into one, so that a list stays readable."""
    kept: list[Judged] = []
    for one in judged:
        last = next((k for k in kept if _alike(k, one) and k.verdict == SAME), None)
        if one.verdict == SAME and last is not None:
            kept[kept.index(last)] = replace(last, what=f"{last.what}; {one.what}")
        else:
            kept.append(one)
    return kept


def _alike(one: Judged, other: Judged) -> bool:
    return (one.comparison, one.family) == (other.comparison, other.family)
