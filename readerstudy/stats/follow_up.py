"""Follow-up with censoring: checked data and the product-limit estimate.

Where an event and a censoring fall on one time, the event comes first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from readerstudy.stats.validation import (
    FloatArray,
    as_binary,
    as_vector,
    missing_rows,
    same_length,
)


@dataclass(frozen=True)
class FollowUp:
    """Checked follow-up."""

    time: FloatArray
    event: npt.NDArray[np.bool_]
    extra: FloatArray
    n_dropped: int


def follow_up(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    extra: FloatArray | None = None,
    *,
    name: str = "extra",
    missing: str,
) -> FollowUp:
    """Check follow-up and one more variable (marker, group codes or terms) of the same rows."""
    span, happened = as_vector(time, "time"), as_binary(event, "event")
    more = np.zeros(span.size) if extra is None else extra
    same_length(time=span, event=happened, **{name: more})
    bad = span[(span < 0) | np.isinf(span)]
    if bad.size:
        raise ValueError(f"time must be finite and at least 0, got {bad[0]:g}")
    drop = missing_rows(missing, time=span, event=happened, **{name: more})
    keep = ~drop
    if not keep.any():
        raise ValueError("time holds no complete observation")
    return FollowUp(span[keep], happened[keep] == 1, more[keep], int(drop.sum()))


def product_limit(
    time: FloatArray, happened: npt.NDArray[np.bool_], *, events_first: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return times, product-limit estimate and the square root of Greenwood's sum.

    With ``events_first=False`` the others leave before ``happened`` is counted at equal times:
    that is the curve of the censoring, whose "others" are the events.
    """
    steps, count = np.unique(time[happened], return_counts=True)
    ordered, others = np.sort(time), np.sort(time[~happened])
    at_risk = time.size - np.searchsorted(ordered, steps)
    if not events_first:
        at_risk -= np.searchsorted(others, steps, "right") - np.searchsorted(others, steps)
    survival = np.cumprod(1 - count / at_risk)
    with np.errstate(divide="ignore"):
        greenwood = np.cumsum(count / (at_risk * (at_risk - count)))
    return steps, np.asarray(survival, dtype=float), np.asarray(np.sqrt(greenwood), dtype=float)
