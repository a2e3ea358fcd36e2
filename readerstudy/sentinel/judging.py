"""From cues to verdicts: what blocks, what is told for information, what cannot be said. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from readerstudy.sentinel import cues as families
from readerstudy.sentinel.cues import Cue
from readerstudy.sentinel.separation import CueResult, Limits, separate

SAME, CLEAN, FOUND, VARIES = "same", "clean", "found", "varies"
UNDEFINED, INFORMATION = "undefined", "information"


@dataclass(frozen=True)
class Judged:
    """One cue and its verdict.

    ``verdict`` is "same" (never varies), "clean", "found" (blocks), "varies" (should be the same
    for all and is not, without a proven link to the classes), "undefined" or "information".
    """

    family: str
    what: str
    auc: float
    low: float
    high: float
    p: float
    verdict: str
    reason: str = ""


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
    labels : sequence of {0, 1}
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
    return float(abs(np.median(values[truth == 1]) - np.median(values[truth == 0])))


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


def power_missing(labels: Sequence[int], limits: Limits) -> str:
    """Return why no cue at all could be proven with so few cases; empty if one could."""
    n, ones = len(labels), sum(labels)
    if not 0 < ones < n:
        return "the study has one class only"
    # A classifier finds a difference in either direction, so that two relabellings reach it.
    if 2 / math.comb(n, ones) >= limits.p:
        return f"{n} cases are too few: even a perfect cue could be chance at p = {limits.p:g}"
    return ""


def simplified(judged: Sequence[Judged]) -> list[Judged]:
    """Join the cues of a family that never vary into one, so that a list stays readable."""
    kept: list[Judged] = []
    for one in judged:
        last = next((k for k in kept if k.family == one.family and k.verdict == SAME), None)
        if one.verdict == SAME and last is not None:
            kept[kept.index(last)] = replace(last, what=f"{last.what}; {one.what}")
        else:
            kept.append(one)
    return kept
