"""What makes steps fast: compiled networks and CUDA graphs, chosen by the settings of a run."""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable
from typing import TypeVar, cast

import torch

from synthesis.training.config import TrainingConfig

Function = TypeVar("Function", bound=Callable[..., object])

_REPORTS = 32


def accelerated(function: Function, config: TrainingConfig, *, twice: bool = False) -> Function:
    """Return a module or function as the settings want it run.

    With ``compile=true`` it goes through `torch.compile`; with ``cuda_graphs=true`` on a GPU the
    compiled code is recorded as a CUDA graph and replayed, which pays where a step is many small
    kernels. On a processor ``cuda_graphs`` has no effect.

    Parameters
    ----------
    function : Module or callable
        State and parameters stay those of the module given; save and load that one.
    config : TrainingConfig
    twice : bool
        Set it if the result is differentiated twice, as for R1 and path length. Compiled code
        cannot be (PyTorch 2.13), so the function is returned as it is. To compile such a penalty
        write it with `torch.func.grad` inside a function that is itself given here.
    """
    on_gpu = torch.device(config.device).type == "cuda"
    graphs = config.cuda_graphs and on_gpu
    if twice or not (config.compile or graphs):
        return function
    mode = "reduce-overhead" if graphs else "default"
    return cast(Function, torch.compile(function, mode=mode))


class Pace:
    """Images per second and the time left, from the steps between reports.

    Validations and saving are not part of the pace. The median of the last 32 reports is told, so
    that one slow moment does not move it.

    Parameters
    ----------
    images_per_step : int
    """

    def __init__(self, images_per_step: int) -> None:
        self.images_per_step = images_per_step
        self._per_step: deque[float] = deque(maxlen=_REPORTS)
        self._busy = 0.0
        self._steps = 0
        self._begun = time.monotonic()

    def begin(self) -> None:
        """Start the watch: just before a step."""
        self._begun = time.monotonic()

    def end(self) -> None:
        """Stop the watch: just after it."""
        self._busy += time.monotonic() - self._begun
        self._steps += 1

    def report(self) -> None:
        """Close the stretch since the last report."""
        if self._steps:
            self._per_step.append(self._busy / self._steps)
        self._busy, self._steps = 0.0, 0

    @property
    def seconds_per_step(self) -> float:
        """Median over the last reports; NaN before the first."""
        return statistics.median(self._per_step) if self._per_step else float("nan")

    @property
    def images_per_second(self) -> float:
        """Training images per second, over all processes."""
        return self.images_per_step / max(self.seconds_per_step, 1e-9)
