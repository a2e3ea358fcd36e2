"""When the reading will be done at the present pace: a date with a prediction interval.

The reads of each whole day so far are taken as independent draws from one distribution. The sum
over the next k days then lies, with the stated level, within k·m ± t·s·√(k + k²/n) (the prediction
interval of a sum of k new observations; m and s are mean and standard deviation of the n days seen,
t the quantile of Student's distribution with n − 1 degrees of freedom).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scipy import stats

LEVEL = 0.8
LEAST_DAYS = 5
MOST_DAYS = 28  # older days say little about the present pace
HORIZON = 3650


@dataclass(frozen=True)
class Projection:
    """Expected end of the reading; ``reason`` says why there is none.

    ``latest`` is None where the pace varies so much that no end can be promised.
    """

    end: date | None = None
    earliest: date | None = None
    latest: date | None = None
    days: int = 0
    a_day: float = 0.0
    reason: str = ""


def project(counts: Sequence[int], *, left: int, today: date) -> Projection:
    """Project the end from the reads of the whole days before ``today``.

    Parameters
    ----------
    counts : sequence of int
        Reads of each day since the launch, oldest first, without today.
    left : int
        Reads that are open.
    """
    seen = list(counts)[-MOST_DAYS:]
    if not left:
        return Projection(reason="Every case is read")
    if len(seen) < LEAST_DAYS:
        return Projection(reason=f"No projection before {LEAST_DAYS} whole days of reading")
    if not any(seen):
        return Projection(reason=f"Nothing was read in the last {len(seen)} days")
    mean, spread = statistics.mean(seen), statistics.stdev(seen)
    quantile = float(stats.t.ppf((1 + LEVEL) / 2, len(seen) - 1))

    def half(days: int) -> float:
        return quantile * spread * math.sqrt(days + days**2 / len(seen))

    def after(reads: Callable[[int], float]) -> date | None:
        found = next((k for k in range(HORIZON) if reads(k) >= left), None)
        return None if found is None else today + timedelta(days=found)

    return Projection(
        end=after(lambda k: k * mean),
        earliest=after(lambda k: k * mean + half(k)),
        latest=after(lambda k: k * mean - half(k)),
        days=len(seen),
        a_day=mean,
    )
