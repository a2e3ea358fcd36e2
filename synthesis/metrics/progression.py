"""Volumetry of enhancing tumour and time to progression, on acquired and on synthetic images.

What Jayachandran Preetha 2021 (Lancet Digit Health 3:e784-94) asked of a synthetic T1 after
contrast: does the course of the tumour's volume, and the day on which it has progressed, come out
the same? Its own thresholds are not in the highlight that is known here, so the rule is the
volumetric one of neuro-oncology (modified RANO, Ellingson 2017, Neurotherapeutics 14:307-320): 40 %
growth over the smallest volume so far is progression, 65 % less than at the start a response.
Every number of it is a setting and goes into the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.survival import kaplan_meier
from synthesis.metrics.agreement import Agreement, bland_altman
from synthesis.metrics.segmentation import millilitres

Mask = npt.NDArray[np.bool_]
FloatVolume = npt.NDArray[np.float32]

ENHANCING_LABELS = (3, 4)  # BraTS since 2023, and before
GROWTH_FOR_PROGRESSION = 0.40
SHRINKAGE_FOR_RESPONSE = 0.65
MEASURABLE_ML = 1.0
SUBTRACTION_THRESHOLD = 1.0
DAYS_PER_MONTH = 365.25 / 12


@dataclass(frozen=True, kw_only=True)
class ProgressionRule:
    """When a course of volumes counts as progression or response.

    Attributes
    ----------
    growth : float
        Share by which a volume must exceed the smallest one before it, the first included.
    shrinkage : float
        Share by which a volume must fall below the first one to be a response.
    measurable_ml : float
        Least volume, mL, that can be progression; a tumour that was smaller before has progressed
        once it reaches this.
    confirm_days : float
        0 takes the first such visit. Otherwise a later visit at least this many days after must
        be progression over the same smallest volume; the day is that of the first. A last visit
        that nothing follows is not confirmed.
    """

    growth: float = GROWTH_FOR_PROGRESSION
    shrinkage: float = SHRINKAGE_FOR_RESPONSE
    measurable_ml: float = MEASURABLE_ML
    confirm_days: float = 0.0

    def __post_init__(self) -> None:
        if self.growth <= 0 or not 0 < self.shrinkage <= 1:
            raise ValueError("growth must be above 0 and shrinkage in (0, 1].")
        if self.measurable_ml < 0 or self.confirm_days < 0:
            raise ValueError("measurable_ml and confirm_days must not be negative.")

    def threshold_ml(self, smallest_ml: float) -> float:
        """Return the volume from which on a visit is progression."""
        return max((1 + self.growth) * smallest_ml, self.measurable_ml)


@dataclass(frozen=True)
class Course:
    """Visits of one patient: days since the first, volumes in mL, in the order of time."""

    days: tuple[float, ...]
    volumes_ml: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.days) != len(self.volumes_ml) or len(self.days) < 2:
            raise ValueError("A course needs a volume for every visit and at least two visits.")
        if any(b <= a for a, b in zip(self.days[:-1], self.days[1:], strict=True)):
            raise ValueError("The visits of a course must be in the order of time.")
        if not all(np.isfinite(v) and v >= 0 for v in self.volumes_ml):
            raise ValueError("Volumes must be numbers of at least 0 mL.")


@dataclass(frozen=True)
class Readout:
    """What a course comes to.

    Attributes
    ----------
    progressed : bool
        False: censored at the last visit.
    days : float
        To progression, or to the last visit.
    visit : int or None
        Index of the visit of progression.
    nadir_ml : float
        Smallest volume before progression, or of the whole course.
    responded : bool
        Some visit before progression was a response.
    rule : ProgressionRule
    """

    progressed: bool
    days: float
    visit: int | None
    nadir_ml: float
    responded: bool
    rule: ProgressionRule


@dataclass(frozen=True)
class ReadoutComparison:
    """Acquired against synthetic, over patients.

    Attributes
    ----------
    patients, progressed, progressed_synthetic : int
    same_status, same_visit : float
        Share of patients with the same answer to "progressed"; share, of those who progressed on
        both, with the same visit.
    median_days, median_days_synthetic : float
        Kaplan-Meier; NaN where the curve does not reach one half.
    median_difference_months : float
        Synthetic less acquired.
    paired_difference_days : float
        Mean of synthetic less acquired over patients who progressed on both; NaN if none.
    volumes : Agreement
        Of the volumes of all visits, mL. Its interval takes visits as independent.
    """

    patients: int
    progressed: int
    progressed_synthetic: int
    same_status: float
    same_visit: float
    median_days: float
    median_days_synthetic: float
    median_difference_months: float
    paired_difference_days: float
    volumes: Agreement


def enhancing_volume_ml(
    labels: npt.NDArray[np.generic],
    spacing_mm: Sequence[float],
    *,
    enhancing: Sequence[int] = ENHANCING_LABELS,
) -> float:
    """Return the volume of enhancing tumour of a segmentation, mL.

    Parameters
    ----------
    labels : ndarray (z, y, x)
    spacing_mm : (dz, dy, dx)
    enhancing : sequence of int
        Labels that are enhancing tumour.
    """
    return millilitres(np.isin(labels, tuple(enhancing)), spacing_mm)


def enhancement_by_subtraction(
    t1c: FloatVolume, t1: FloatVolume, region: Mask, *, threshold: float = SUBTRACTION_THRESHOLD
) -> Mask:
    """Return where contrast adds more than ``threshold`` standard deviations, in a region.

    A stand-in where no segmentation was made on the synthetic image: the difference of the
    z-scores after and before contrast, inside the tumour as outlined on other sequences (vessels
    and meninges enhance too).

    Parameters
    ----------
    t1c, t1 : float32 ndarray (z, y, x)
        z-scores.
    region : bool ndarray (z, y, x)
    threshold : float
    """
    added: Mask = region & (t1c - t1 > threshold)
    return added


def time_to_progression(course: Course, rule: ProgressionRule | None = None) -> Readout:
    """Read the day of progression off a course of volumes."""
    chosen = rule or ProgressionRule()
    for visit in range(1, len(course.days)):
        nadir = min(course.volumes_ml[:visit])
        if course.volumes_ml[visit] >= chosen.threshold_ml(nadir) and _confirmed(
            course, visit, nadir, chosen
        ):
            responded = _responded(course.volumes_ml[:visit], chosen)
            return Readout(True, course.days[visit], visit, nadir, responded, chosen)
    responded = _responded(course.volumes_ml, chosen)
    return Readout(False, course.days[-1], None, min(course.volumes_ml), responded, chosen)


def _confirmed(course: Course, visit: int, nadir: float, rule: ProgressionRule) -> bool:
    if rule.confirm_days == 0:
        return True
    later = [
        number
        for number in range(visit + 1, len(course.days))
        if course.days[number] - course.days[visit] >= rule.confirm_days
    ]
    return bool(later) and course.volumes_ml[later[0]] >= rule.threshold_ml(nadir)


def _responded(volumes: Sequence[float], rule: ProgressionRule) -> bool:
    first = volumes[0]
    return first >= rule.measurable_ml and any(
        v <= (1 - rule.shrinkage) * first for v in volumes[1:]
    )


def compare_readouts(
    acquired: Mapping[str, Course],
    synthetic: Mapping[str, Course],
    rule: ProgressionRule | None = None,
) -> ReadoutComparison:
    """Compare time to progression and volumes on acquired and synthetic images.

    Parameters
    ----------
    acquired, synthetic : mapping of str to Course
        By patient; the same patients, with the same visits.

    Raises
    ------
    ValueError
        If patients or visits differ.
    """
    names = sorted(acquired)
    if not names or names != sorted(synthetic):
        raise ValueError("Acquired and synthetic courses must be of the same patients.")
    for name in names:
        if acquired[name].days != synthetic[name].days:
            raise ValueError(f"The visits of {name} differ between acquired and synthetic.")
    true = [time_to_progression(acquired[name], rule) for name in names]
    made = [time_to_progression(synthetic[name], rule) for name in names]
    medians = [_median_days(readouts) for readouts in (true, made)]
    both = [(t, m) for t, m in zip(true, made, strict=True) if t.progressed and m.progressed]
    return ReadoutComparison(
        patients=len(names),
        progressed=sum(t.progressed for t in true),
        progressed_synthetic=sum(m.progressed for m in made),
        same_status=float(
            np.mean([t.progressed == m.progressed for t, m in zip(true, made, strict=True)])
        ),
        same_visit=_mean([float(t.visit == m.visit) for t, m in both]),
        median_days=medians[0],
        median_days_synthetic=medians[1],
        median_difference_months=(medians[1] - medians[0]) / DAYS_PER_MONTH,
        paired_difference_days=_mean([m.days - t.days for t, m in both]),
        volumes=_volumes(names, acquired, synthetic),
    )


def _median_days(readouts: Sequence[Readout]) -> float:
    return kaplan_meier([r.days for r in readouts], [int(r.progressed) for r in readouts]).median


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


def _volumes(
    names: Sequence[str], acquired: Mapping[str, Course], synthetic: Mapping[str, Course]
) -> Agreement:
    pair: list[Any] = [
        np.array([v for name in names for v in courses[name].volumes_ml])
        for courses in (synthetic, acquired)
    ]
    return bland_altman(*pair)
