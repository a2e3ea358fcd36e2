"""Stop a run whose loss goes astray."""

from __future__ import annotations

import math

from synthesis.training.learner import TrainingDivergedError


class DivergenceGuard:
    """Refuses losses that are not numbers, or have grown far beyond the best so far."""

    _SMOOTHING = 0.9
    _PATIENCE = 20
    _FACTOR = 10.0

    def __init__(self) -> None:
        self.smooth = math.nan
        self.best = math.inf
        self.seen = 0

    def check(self, step: int, losses: dict[str, float]) -> None:
        """Take in the losses of a step.

        Raises
        ------
        TrainingDivergedError
            If one is NaN or infinite, or their course says that training went astray.
        """
        bad = [name for name, value in losses.items() if not math.isfinite(value)]
        if bad:
            raise TrainingDivergedError(_diverged(step, f"{bad[0]} is {losses[bad[0]]}"))
        if "loss" in losses:
            self._check_course(step, losses["loss"])

    def _check_course(self, step: int, loss: float) -> None:
        self.smooth = loss if self.seen == 0 else self._mix(loss)
        self.seen += 1
        self.best = min(self.best, self.smooth)
        if self.seen > self._PATIENCE and self.smooth > self._FACTOR * max(self.best, 1e-12):
            reason = f"the loss rose to {self.smooth:.3g} from {self.best:.3g}"
            raise TrainingDivergedError(_diverged(step, reason))

    def _mix(self, loss: float) -> float:
        return self._SMOOTHING * self.smooth + (1 - self._SMOOTHING) * loss


def _diverged(step: int, reason: str) -> str:
    return (
        f"Training diverged at step {step}: {reason}. Start a new run with a smaller "
        "learning_rate, and check the images for extreme values."
    )
