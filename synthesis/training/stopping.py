"""Stop a run that no longer gets better, and keep the weights that were best."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from synthesis.training.config import ConfigError
from synthesis.training.learner import Score


class EarlyStop:
    """Watches one named score; says when it has not improved for some validations.

    Parameters
    ----------
    metric : str or None
        Name of the score; None watches nothing.
    patience : int
        Validations in a row without a new best after which the run ends.
    """

    def __init__(self, metric: str | None, patience: int) -> None:
        self.metric = metric
        self.patience = patience
        self.best = math.nan
        self.best_step = 0
        self.since = 0
        self.weights: dict[str, Tensor] | None = None

    def take(self, step: int, scores: Iterable[Score], network: nn.Module) -> None:
        """Take in a validation; keep a copy of the weights if it is the best so far.

        Raises
        ------
        ConfigError
            If no score has the name.
        """
        if self.metric is None:
            return
        score = _named(self.metric, scores)
        if self._is_better(score):
            self.best, self.best_step, self.since = score.value, step, 0
            self.weights = {
                name: value.detach().cpu().clone() for name, value in network.state_dict().items()
            }
        else:
            self.since += 1

    def _is_better(self, score: Score) -> bool:
        if math.isnan(score.value):
            return False
        if self.weights is None:
            return True
        return score.value > self.best if score.rises else score.value < self.best

    @property
    def reached(self) -> bool:
        """Has the score stood still for long enough?"""
        return self.metric is not None and self.since >= self.patience

    @torch.no_grad()
    def put_back(self, network: nn.Module) -> None:
        """Give a network the best weights; does nothing where none are kept."""
        if self.weights is not None:
            network.load_state_dict(self.weights)

    def facts(self, *, early: bool) -> dict[str, Any] | None:
        """Return what the model card says of it; None if nothing is watched."""
        if self.metric is None:
            return None
        return {
            "metric": self.metric,
            "patience": self.patience,
            "best": None if math.isnan(self.best) else self.best,
            "best_step": self.best_step,
            "stopped_early": early,
        }

    def state(self) -> dict[str, Any]:
        """Return what a resumed run needs."""
        names = ("best", "best_step", "since", "weights")
        return {name: getattr(self, name) for name in names}

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state`."""
        vars(self).update(state)


def _named(metric: str, scores: Iterable[Score]) -> Score:
    known = {score.metric: score for score in scores}
    if metric not in known:
        raise ConfigError(
            f"stop_metric must be one of the scores of this training: {', '.join(known)}. "
            f"Got {metric!r}."
        )
    return known[metric]
