"""How far a run is, and what learning rate goes with that."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

_RESERVE_FACTOR = 1.5
_LEAST_STEPS = 10  # whatever the clock says: a run without steps would be no network


def rate_factor(progress: float, *, schedule: str, warmup: float) -> float:
    """Return the share of the peak learning rate at ``progress`` in [0, 1].

    Rises linearly over the first ``warmup`` of the run. "cosine" falls to 0 at the end along half
    a cosine, "constant" stays.
    """
    rise = min(1.0, (progress + 1e-3) / warmup) if warmup > 0 else 1.0
    fall = 0.5 * (1.0 + math.cos(math.pi * min(progress, 1.0))) if schedule == "cosine" else 1.0
    return rise * fall


@dataclass
class Clock:
    """The share of a run that is done, by steps or by the clock, whichever is further.

    Attributes
    ----------
    max_steps : int
    max_minutes : float or None
    spent : float
        Seconds of earlier sessions.
    closing : float
        Seconds the end of the run (validation, files) is expected to take; kept free.
    """

    max_steps: int
    max_minutes: float | None
    spent: float = 0.0
    closing: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def elapsed(self) -> float:
        """Seconds over all sessions."""
        return self.spent + time.monotonic() - self.started

    def expect_closing(self, seconds: float) -> None:
        """Keep time free for the end, after a validation took ``seconds``."""
        self.closing = _RESERVE_FACTOR * seconds

    def progress(self, step: int) -> float:
        """Share of the run done after ``step`` steps, in [0, 1]."""
        by_steps = step / self.max_steps
        if self.max_minutes is None:
            return min(1.0, by_steps)
        if step < min(_LEAST_STEPS, self.max_steps):
            return by_steps
        usable = 60.0 * self.max_minutes - self.closing
        by_clock = self.elapsed() / usable if usable > 0 else 1.0
        return min(1.0, max(by_steps, by_clock))

    def left(self, step: int, *, seconds_per_step: float, validations: int) -> float:
        """Seconds until the end, by the pace of late and the length of the last validation."""
        each = self.closing / _RESERVE_FACTOR
        left = (self.max_steps - step) * seconds_per_step + max(1, validations) * each
        if self.max_minutes is not None:
            left = min(left, 60.0 * self.max_minutes - self.elapsed())
        return max(0.0, left)

    def expected_steps(self, step: int) -> int:
        """Steps the whole run will have taken, judged by its pace so far."""
        progress = self.progress(step)
        if progress <= 0 or step == 0:
            return self.max_steps
        return max(step, min(self.max_steps, round(step / progress)))
