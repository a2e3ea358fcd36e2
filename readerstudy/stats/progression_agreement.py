"""How time to progression and tumour volumes agree between synthetic and acquired images.

The question of Jayachandran Preetha 2021: do the course of a tumour's volume, and the day on which
it has progressed, come out the same on a synthetic T1 after contrast? There they differed by 0.1
months on average.

References
----------
Jayachandran Preetha C et al. Lancet Digit Health 2021;3:e784-e794, as told by Park JE et al. Korean
J Radiol 2022;23:500-504. The rule: :mod:`readerstudy.stats.progression`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.agreement_measured import (
    BlandAltman,
    Concordance,
    bland_altman,
    concordance_correlation,
)
from readerstudy.stats.progression import (
    Courses,
    ProgressionRule,
    ProgressionTimes,
    progression_times,
)
from readerstudy.stats.proportions import proportion
from readerstudy.stats.results import Estimate, Result
from readerstudy.stats.survival import kaplan_meier
from readerstudy.stats.survival_discrimination import ConcordanceResult, harrell_c
from readerstudy.stats.validation import FloatArray, IntArray, as_vector, check_level, same_length

DAYS_PER_MONTH = 365.25 / 12
Rows = npt.NDArray[np.intp]
_VISITS = (
    "limits of agreement and concordance of volumes take visits of a patient as independent; the "
    "interval of the bias is over patients"
)


@dataclass(frozen=True, kw_only=True)
class ProgressionComparison(Result):
    """Time to progression on synthetic against acquired images; ``n`` counts patients.

    Differences are synthetic less acquired; times are days.

    Attributes
    ----------
    progressed, progressed_synthetic, progressed_both : int
    same_status : Estimate
        Share of patients with the same answer to "progressed" (Wilson).
    same_time : Estimate
        Share of those who progressed on both, with progression on the same day.
    median, median_synthetic : float
        Kaplan-Meier; NaN where the curve does not reach one half.
    median_difference : Estimate
        With a percentile interval over resampled patients.
    times : BlandAltman
        Paired differences of those who progressed on both.
    times_concordance : Concordance
        Lin's, of the same pairs.
    c_index : ConcordanceResult
        Harrell's C of the synthetic time (early is high risk) for the acquired one with its
        censoring: 1 if they order all patients alike.
    volumes : BlandAltman
        Of all visits, mL; its own intervals take visits as independent.
    volumes_concordance : Concordance
    volume_bias : Estimate
        The same bias with an interval over resampled patients.
    rule : ProgressionRule
    """

    progressed: int
    progressed_synthetic: int
    progressed_both: int
    same_status: Estimate
    same_time: Estimate
    median: float
    median_synthetic: float
    median_difference: Estimate
    times: BlandAltman
    times_concordance: Concordance
    c_index: ConcordanceResult
    volumes: BlandAltman
    volumes_concordance: Concordance
    volume_bias: Estimate
    rule: ProgressionRule

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe dict."""
        return {**super().to_dict(), "rule": asdict(self.rule)}

    def summary(self) -> str:
        """Return the difference of the medians in months, in one line."""
        months = self.median_difference.value / DAYS_PER_MONTH
        return (
            f"median time to progression {self.median:g} days acquired, "
            f"{self.median_synthetic:g} synthetic (difference {months:.3g} months), "
            f"same status in {100 * self.same_status.value:.3g} %, n = {self.n}"
        )


def compare_progression(
    acquired: Courses,
    synthetic: Courses,
    *,
    rule: ProgressionRule | None = None,
    level: float = 0.95,
    n_boot: int = 1000,
    seed: int = 0,
) -> ProgressionComparison:
    """Compare time to progression and volumes on acquired and on synthetic images.

    Only visits that have both volumes count, and patients with at least two such visits.

    Parameters
    ----------
    acquired, synthetic : mapping of str to (days, volumes_ml)
        By patient.
    rule : ProgressionRule, optional
    level : float
        Confidence level of all intervals.
    n_boot, seed : int
        Resamples of patients for the medians and the bias of volumes.

    Raises
    ------
    ValueError
        If no patient can be compared, or a course is impossible.

    Examples
    --------
    >>> acquired = {"a": ([0, 60], [10, 15]), "b": ([0, 60, 90], [10, 9, 9])}
    >>> synthetic = {"a": ([0, 60], [11, 15]), "b": ([0, 60, 90], [10, 8, 9])}
    >>> found = compare_progression(acquired, synthetic)
    >>> found.progressed, found.progressed_synthetic, found.same_status.value
    (1, 0, 0.5)
    """
    check_level(level)
    pairs = _common(acquired, synthetic)
    if not pairs:
        raise ValueError("no patient has two visits with both volumes")
    chosen = rule or ProgressionRule()
    real, made = (
        progression_times({name: (p[:, 0], p[:, place]) for name, p in pairs.items()}, rule=chosen)
        for place in (1, 2)
    )
    for name, why in {**real.left_out, **made.left_out}.items():
        raise ValueError(f"{name}: {why}")
    draws = _Draws(len(pairs), level, n_boot, seed)
    dropped = len({*acquired, *synthetic}) - len(pairs)
    return ProgressionComparison(
        **_of_times(real, made, draws),
        **_of_volumes(list(pairs.values()), draws),
        rule=chosen,
        method=f"volumetric RANO, synthetic against acquired: {chosen.words}",
        n=len(pairs),
        n_dropped=dropped,
        warnings=(_VISITS,),
        reason=f"{dropped} patients have fewer than two visits with both volumes"
        if dropped
        else None,
    )


def _of_times(real: ProgressionTimes, made: ProgressionTimes, draws: _Draws) -> dict[str, Any]:
    both = (real.event == 1) & (made.event == 1)
    pair, level = (made.time[both], real.time[both]), draws.level
    return {
        "progressed": int(real.event.sum()),
        "progressed_synthetic": int(made.event.sum()),
        "progressed_both": int(both.sum()),
        "same_status": _share(real.event == made.event, level),
        "same_time": _share(pair[0] == pair[1], level),
        "median": _median(real.time, real.event),
        "median_synthetic": _median(made.time, made.event),
        "median_difference": _median_difference(real, made, draws),
        "times": bland_altman(*pair, level=level),
        "times_concordance": concordance_correlation(*pair, level=level),
        "c_index": harrell_c(real.time, real.event, -made.time, level=level),
    }


def _of_volumes(pairs: Sequence[FloatArray], draws: _Draws) -> dict[str, Any]:
    visits = np.concatenate(pairs)
    pair, level = (visits[:, 2], visits[:, 1]), draws.level
    return {
        "volumes": bland_altman(*pair, level=level),
        "volumes_concordance": concordance_correlation(*pair, level=level),
        "volume_bias": _volume_bias(pairs, draws),
    }


def _common(acquired: Courses, synthetic: Courses) -> dict[str, FloatArray]:
    """Return day, acquired and synthetic volume of the visits that have both, by patient."""
    pairs = {}
    for name in sorted(set(acquired) & set(synthetic)):
        real, made = (
            {float(day): float(ml) for day, ml in _visits(courses[name]) if not math.isnan(ml)}
            for courses in (acquired, synthetic)
        )
        days = sorted(set(real) & set(made))
        if len(days) > 1:
            pairs[name] = np.array([(day, real[day], made[day]) for day in days])
    return pairs


def _visits(course: tuple[npt.ArrayLike, npt.ArrayLike]) -> Iterator[tuple[float, float]]:
    days, volumes = as_vector(course[0], "days"), as_vector(course[1], "volumes_ml")
    same_length(days=days, volumes_ml=volumes)
    if len(np.unique(days)) < len(days):
        raise ValueError("two visits of a course are on one day; keep one of them")
    yield from zip(days.tolist(), volumes.tolist(), strict=True)


def _share(alike: npt.NDArray[np.bool_], level: float) -> Estimate:
    if not len(alike):
        return Estimate(
            value=math.nan, n=0, method="proportion", level=level, reason="no patient to count"
        )
    return proportion(int(alike.sum()), len(alike), level=level)


def _median(time: FloatArray, event: IntArray) -> float:
    return kaplan_meier(time, event, times=[0.0]).median


def _median_difference(real: ProgressionTimes, made: ProgressionTimes, draws: _Draws) -> Estimate:
    def difference(rows: Rows) -> float:
        median_made = _median(made.time[rows], made.event[rows])
        return median_made - _median(real.time[rows], real.event[rows])

    return draws.estimate(difference, "difference of Kaplan-Meier medians")


def _volume_bias(pairs: Sequence[FloatArray], draws: _Draws) -> Estimate:
    sums = np.array([(p[:, 2] - p[:, 1]).sum() for p in pairs])
    counts = np.array([len(p) for p in pairs])

    def bias(rows: Rows) -> float:
        return float(sums[rows].sum() / counts[rows].sum())

    return draws.estimate(bias, "mean difference of volumes")


@dataclass(frozen=True)
class _Draws:
    """Resamples of patients, the same for every statistic."""

    patients: int
    level: float
    n_boot: int
    seed: int

    def estimate(self, statistic: Callable[[Rows], float], name: str) -> Estimate:
        """Return a statistic of rows of patients with its percentile interval."""
        value = statistic(np.arange(self.patients))
        rng = np.random.default_rng(self.seed)
        sets = rng.integers(self.patients, size=(self.n_boot, self.patients))
        drawn = np.array([statistic(rows) for rows in sets])
        known = drawn[~np.isnan(drawn)]
        enough = self.patients > 1 and len(known) > self.n_boot / 2 and not math.isnan(value)
        tails = [(1 - self.level) / 2, (1 + self.level) / 2]
        low, high = np.quantile(known, tails) if enough else (math.nan, math.nan)
        return Estimate(
            value=value,
            low=float(low),
            high=float(high),
            level=self.level,
            n=self.patients,
            method=f"{name}, percentile interval over patients, seed {self.seed}",
            reason=None if enough else "undefined here, or in half of the resamples",
        )
