"""From answers to a model: univariable screen, backward elimination, held-out predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from readerstudy import stats
from readerstudy.analysis.endpoints.regression_data import (
    TOGETHER,
    Design,
    Patient,
    Sample,
    design_of,
)
from readerstudy.analysis.endpoints.resampling import FloatArray

LEAST = 10
SCREEN = 0.05
FOLDS = 5
OPTIMISM_DRAWS = 100


@dataclass(frozen=True)
class Model:
    """One fitted model with the way to it.

    Attributes
    ----------
    name : str
    design : Design
    screened : UnivariableResult of `readerstudy.stats`
    eliminated : EliminationResult or None
        None where no factor passed the screen.
    columns : list of int
        Columns of the design that stay.
    coefficients : ndarray
        Intercept first.
    """

    name: str
    design: Design
    screened: Any
    eliminated: Any
    columns: list[int]
    coefficients: FloatArray
    x: FloatArray
    y: FloatArray

    @property
    def final(self) -> Any:
        return None if self.eliminated is None else self.eliminated.final

    def predictor(self, x: FloatArray) -> FloatArray:
        """Return the linear predictor of rows of the design."""
        return np.asarray(self.coefficients[0] + x[:, self.columns] @ self.coefficients[1:])

    def probability(self, x: FloatArray) -> FloatArray:
        """Return the predicted probability of rows of the design."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.predictor(x))))


def too_few(patients: Sequence[Patient]) -> str:
    """Return why these patients do not carry a model; empty if they do."""
    events = sum(one.outcome for one in patients)
    others = len(patients) - events
    if min(events, others) < LEAST:
        return f"{events} with and {others} without the outcome: a model needs {LEAST} of each"
    return ""


def fit(name: str, sample: Sample, patients: Sequence[Patient], design: Design) -> Model:
    """Fit a model on what all readers together answered.

    Raises
    ------
    ValueError
        If patients or features are too few.
    """
    x, kept = design.matrix(sample, TOGETHER, patients)
    used = [patients[place] for place in kept]
    reason = too_few(used)
    if reason:
        raise ValueError(reason)
    varying = [column for column in range(x.shape[1]) if len(np.unique(x[:, column])) > 1]
    if not varying:
        raise ValueError("no answer varies among the patients")
    y = np.array([one.outcome for one in used], dtype=float)
    return _selected(name, replace(design, **_narrowed(design, varying)), x[:, varying], y)


def _narrowed(design: Design, columns: Sequence[int]) -> dict[str, Any]:
    names = tuple(design.names[column] for column in columns)
    factors = {
        factor: [name for name in labels if name in names]
        for factor, labels in design.factors.items()
    }
    return {
        "terms": tuple(design.terms[column] for column in columns),
        "names": names,
        "factors": {factor: labels for factor, labels in factors.items() if labels},
    }


def _selected(name: str, design: Design, x: FloatArray, y: FloatArray) -> Model:
    """Screen factors one by one, then remove the weakest until all are below the limit."""
    names = list(design.names)
    screened = stats.univariable(y, x, names=names, factors=design.factors)
    passed = [f for f in design.factors if _p_of(screened, f) < SCREEN]
    wanted = [column for factor in passed for column in design.factors[factor]]
    columns = [names.index(column) for column in wanted]
    if not columns:
        share = float(y.mean())
        alone = np.array([math.log(share / (1.0 - share))])
        return Model(name, design, screened, None, [], alone, x, y)
    found = stats.backward_elimination(
        y,
        x[:, columns],
        names=wanted,
        factors={factor: design.factors[factor] for factor in passed},
        threshold=SCREEN,
    )
    final = [names.index(term) for term in found.final.terms[1:]]
    return Model(name, design, screened, found, final, np.asarray(found.final.beta), x, y)


def _p_of(screened: Any, factor: str) -> float:
    """Return the likelihood-ratio p of a factor."""
    return float(screened.lrt_p[screened.factor.index(factor)])


def corrected_area(model: Model, *, draws: int, seed: int) -> tuple[float, float, int]:
    """Return the apparent area, the optimism-corrected one, and how many draws it rests on.

    The whole way to the model, screen and elimination, is gone again in each draw.
    """
    apparent = area(model.y, model.predictor(model.x))
    rng = np.random.default_rng(seed)
    gaps = []
    for _ in range(min(draws, OPTIMISM_DRAWS)):
        rows = rng.integers(len(model.y), size=len(model.y))
        y, x = model.y[rows], model.x[rows]
        varying = [column for column in range(x.shape[1]) if len(np.unique(x[:, column])) > 1]
        if len(np.unique(y)) < 2 or not varying:
            continue
        design = replace(model.design, **_narrowed(model.design, varying))
        again = _selected(model.name, design, x[:, varying], y)
        inside = area(y, again.predictor(x[:, varying]))
        gaps.append(inside - area(model.y, again.predictor(model.x[:, varying])))
    kept = [gap for gap in gaps if math.isfinite(gap)]
    optimism = float(np.mean(kept)) if kept else math.nan
    return apparent, apparent - optimism, len(kept)


def area(y: FloatArray, score: FloatArray) -> float:
    """Return the area under the ROC curve; 0.5 for a constant score."""
    if len(np.unique(score)) < 2:
        return 0.5
    return float(stats.auc(y, score).value)


def cross_validated(
    name: str, sample: Sample, real: Sequence[Patient], added: Sequence[Patient], *, seed: int
) -> dict[str, float]:
    """Return by item the predictor of a model that did not see the patient.

    ``added`` patients (synthetic ones) enter every training set and are never predicted.
    """
    rng = np.random.default_rng(seed)
    fold = np.empty(len(real), dtype=int)
    for outcome in (0, 1):
        places = np.array([n for n, one in enumerate(real) if one.outcome == outcome], dtype=int)
        fold[rng.permutation(places)] = np.arange(len(places)) % FOLDS
    found: dict[str, float] = {}
    for number in range(FOLDS):
        inside = [one for one, place in zip(real, fold, strict=True) if place != number]
        outside = [one for one, place in zip(real, fold, strict=True) if place == number]
        training = [*inside, *added]
        model = fit(name, sample, training, design_of(sample, training))
        x, kept = model.design.matrix(sample, TOGETHER, outside)
        values = model.predictor(x)
        found |= {outside[p].item: float(v) for p, v in zip(kept, values, strict=True)}
    return found
