"""What somebody should look at: each alert is a fact, and the limit that it passes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from readerstudy.reading import drift
from readerstudy.reading.drift import Drift

BLOCKS, LOOK = "blocks", "look"


@dataclass(frozen=True)
class Alert:
    """A fact and its evidence; ``status`` as in the checklist."""

    statement: str
    evidence: str
    status: str = LOOK


def alerts_of(code: str, found: Drift) -> list[Alert]:
    """Return what stands out in the reading of one reader."""
    return [
        *_pace(code, found),
        *_scale(code, found),
        *_repeats(code, found),
        *_pauses(code, found),
    ]


def _pace(code: str, found: Drift) -> Iterable[Alert]:
    blocks = found.block_medians
    if len(blocks) > 1 and blocks[-1] < drift.FASTER * blocks[0]:
        yield Alert(
            f"{code} reads much faster than at first",
            f"Median {blocks[-1]:.0f} s in the last {drift.BLOCK} readings, {blocks[0]:.0f} s in "
            f"the first; limit: half",
        )


def _scale(code: str, found: Drift) -> Iterable[Alert]:
    for use in found.scales:
        level, count = use.top
        labels = {option.code: option.label for option in use.question.options.all()}
        if (
            len(labels) > 2
            and use.n >= drift.LEAST_FOR_ONE_LEVEL
            and count >= drift.ONE_LEVEL * use.n
        ):
            yield Alert(
                f"{code} uses one level of “{use.question.text}”",
                f"{count} of {use.n} answers are “{labels[level]}”; "
                f"limit {100 * drift.ONE_LEVEL:.0f} %",
            )
        if use.pvalue is not None and use.pvalue < drift.P_LIMIT:
            p = "< 0.001" if use.pvalue < 0.001 else f"= {use.pvalue:.3f}"
            yield Alert(
                f"{code} uses “{use.question.text}” otherwise than before",
                f"First against second half of {use.n} answers: chi-square, p {p}; "
                f"limit {drift.P_LIMIT:g}",
            )


def _repeats(code: str, found: Drift) -> Iterable[Alert]:
    for one in found.repeats:
        if one.n >= drift.LEAST_REPEATS and one.same < drift.SAME * one.n:
            kappa = f", kappa {one.kappa:.2f}" if one.kappa is not None else ""
            yield Alert(
                f"{code} differs from the own first answers",
                f"“{one.question.text}”: {one.same} of {one.n} hidden repeats the same{kappa}; "
                f"limit {100 * drift.SAME:.0f} %",
            )


def _pauses(code: str, found: Drift) -> Iterable[Alert]:
    if found.long_pauses >= drift.MANY_PAUSES:
        yield Alert(
            f"{code} is often away in the middle of a case",
            f"{found.long_pauses} cases with more than {drift.PAUSE_MINUTES} min idle or away; "
            f"limit {drift.MANY_PAUSES}",
        )
