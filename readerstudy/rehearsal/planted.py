"""What an endless study of the same virtual readers would find, in closed form. Pure.

The dry run compares these values with what the analysis of its export gives. Readers are those
drawn (fixed), cases are a population; the area under the curve of the MRMC analysis speaks of a
population of readers as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.stats import multivariate_normal

from readerstudy.rehearsal.assumptions import Assumptions
from readerstudy.rehearsal.virtual_readers import (
    Skill,
    VirtualReader,
    confidence_steps,
    gained,
    thresholds,
)

Shares = npt.NDArray[np.float64]


def hit(separation: float, criterion: float) -> float:
    """Return the chance that a case with the signal is called so."""
    return float(special.ndtr(separation / 2 - criterion))


def rejection(separation: float, criterion: float) -> float:
    """Return the chance that a case without the signal is called so."""
    return float(special.ndtr(separation / 2 + criterion))


def accuracy(readers: Sequence[Skill], share_signal: float) -> float:
    """Return the mean share of right calls of real and synthetic over these readers."""
    return float(
        np.mean(
            [
                share_signal * hit(one.dprime, one.criterion)
                + (1 - share_signal) * rejection(one.dprime, one.criterion)
                for one in readers
            ]
        )
    )


def right_choices(readers: Sequence[Skill], places: int) -> float:
    """Return the mean share of right choices among images beside each other.

    With two it is Φ(d′/√2); with more, the chance that a normal value around d′ is the largest.
    """
    if places == 2:
        return float(np.mean([special.ndtr(one.dprime / math.sqrt(2)) for one in readers]))
    grid = np.linspace(-8, 8, 2001)
    density = np.exp(-(grid**2) / 2) / math.sqrt(2 * math.pi)
    shares = [
        np.trapezoid(density * special.ndtr(grid + one.dprime) ** (places - 1), grid)
        for one in readers
    ]
    return float(np.mean(shares))


def population_auc(
    stated: Assumptions, arm_number: int, *, origin: bool, levels: int | None
) -> float:
    """Return the mean area under the curve over a population of readers.

    Parameters
    ----------
    stated : Assumptions
    arm_number : int
        Number of the arm, from 0.
    origin : bool
        Real or synthetic is asked.
    levels : int or None
        Levels of the confidence on each side of the criterion; 1: the answer alone; None: fine
        enough to lose nothing.
    """
    centre = stated.dprime if origin else gained(stated, arm_number)
    spread = stated.reader_spread if origin else math.hypot(stated.reader_spread, stated.arm_spread)
    nodes, weights = np.polynomial.hermite_e.hermegauss(21)
    weights = weights / weights.sum()
    values = [
        wa
        * wb
        * graded_auc(centre + spread * a, stated.criterion + stated.reader_spread * b, levels)
        for a, wa in zip(nodes, weights, strict=True)
        for b, wb in zip(nodes, weights, strict=True)
    ]
    return float(sum(values))


def graded_auc(separation: float, criterion: float, levels: int | None) -> float:
    """Return the area under the curve of answers graded by confidence."""
    if levels is None:
        return float(special.ndtr(separation / math.sqrt(2)))
    steps = confidence_steps(levels)
    cuts = criterion + np.array([*(-step for step in reversed(steps)), 0.0, *steps])
    noise, signal = (_shares(cuts + half * separation) for half in (0.5, -0.5))
    above = np.concatenate((np.cumsum(signal[::-1])[::-1][1:], [0.0]))
    return float((noise * (above + signal / 2)).sum())


def _shares(cuts: npt.ArrayLike) -> Shares:
    """Return how a standard normal value falls between cuts."""
    edges = np.concatenate(([0.0], special.ndtr(np.asarray(cuts)), [1.0]))
    return np.diff(edges)


def nominal_kappa(stated: Assumptions) -> float:
    """Return kappa of any two readers on nominal answers.

    Each recognises the latent answer with chance √agreement and guesses evenly otherwise, so
    that kappa is the product of the two chances.
    """
    return stated.agreement


def ordinal_kappa(stated: Assumptions, readers: Sequence[Skill], levels: int) -> float:
    """Return the mean quadratic-weighted kappa over pairs of readers on ordered levels."""
    pairs = [
        _pair_kappa(stated.agreement, a.bias, b.bias, levels) for a, b in combinations(readers, 2)
    ]
    return float(np.mean(pairs))


def _pair_kappa(correlation: float, a: float, b: float, levels: int) -> float:
    cuts = np.array(thresholds(levels))
    edges_a, edges_b = (np.concatenate(([-9.0], cuts - bias, [9.0])) for bias in (a, b))
    joint = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], allow_singular=True)
    grid = np.array([[joint.cdf([x, y]) for y in edges_b] for x in edges_a])
    table = np.diff(np.diff(grid, axis=0), axis=1)
    table /= table.sum()
    distance = np.subtract.outer(np.arange(levels), np.arange(levels)) ** 2
    expected = np.outer(table.sum(axis=1), table.sum(axis=0))
    return float(1 - (table * distance).sum() / (expected * distance).sum())


def mean_level(readers: Sequence[Skill], levels: int) -> float:
    """Return the mean level, counted from 0, over these readers."""
    cuts = np.array(thresholds(levels))
    return float(np.mean([special.ndtr(one.bias - cuts).sum() for one in readers]))


def skills(readers: Sequence[VirtualReader]) -> list[Skill]:
    """Return the realised values of readers."""
    return [one.skill for one in readers]


def call_kappa(
    calls: Sequence[tuple[float, float]], *, correlation: float, share_signal: float
) -> float:
    """Return the mean kappa over pairs of readers who call two classes by their evidence.

    Parameters
    ----------
    calls : sequence of (float, float)
        Of each reader: how far the evidence of a case with, and of one without the signal, lies
        above the criterion on average.
    correlation : float
        Of the evidence of two readers within a class.
    share_signal : float
        Share of cases with the signal.
    """
    joint = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], allow_singular=True)
    kappas = []
    for a, b in combinations(calls, 2):
        both = yes_a = yes_b = 0.0
        for share, x, y in ((share_signal, a[0], b[0]), (1 - share_signal, a[1], b[1])):
            both += share * float(joint.cdf([x, y]))
            yes_a += share * float(special.ndtr(x))
            yes_b += share * float(special.ndtr(y))
        chance = yes_a * yes_b + (1 - yes_a) * (1 - yes_b)
        kappas.append((1 + 2 * both - yes_a - yes_b - chance) / (1 - chance))
    return float(np.mean(kappas))
