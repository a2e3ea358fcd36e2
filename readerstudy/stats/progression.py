"""Time to progression read from volumes of enhancing tumour.

The rule is the volumetric one of modified RANO (Ellingson 2017): 40 % growth over the smallest
volume so far, the first included, is progression; 65 % less than at the start is a response. 40 %
of volume is what 25 % of the product of two diameters comes to in a body that keeps its shape,
since 1.25^(3/2) = 1.40. Every number is a parameter and goes with the result. How two readings
agree is in :mod:`readerstudy.stats.progression_agreement`.

References
----------
Ellingson BM, Wen PY, Cloughesy TF. Neurotherapeutics 2017;14:307-320. Wen PY et al. (RANO 2.0).
J Clin Oncol 2023;41:5187-5199. Jayachandran Preetha C et al. Lancet Digit Health 2021;3:e784-e794.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.results import Result
from readerstudy.stats.validation import FloatArray, IntArray, as_vector, same_length

GROWTH = 0.40
SHRINKAGE = 0.65
MEASURABLE_ML = 1.0
_ROUNDING = 1 - 1e-12
Courses = Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]]
"""Days and volumes (mL) of each patient."""


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
        0 takes the first such visit. Otherwise the next visit at least this many days after must be
        progression over the same smallest volume; the day is that of the first. RANO asks for 28.
        A last visit that nothing follows is not confirmed.
    """

    growth: float = GROWTH
    shrinkage: float = SHRINKAGE
    measurable_ml: float = MEASURABLE_ML
    confirm_days: float = 0.0

    def __post_init__(self) -> None:
        if not self.growth > 0 or not 0 < self.shrinkage <= 1:
            raise ValueError("growth must be above 0 and shrinkage in (0, 1].")
        if not self.measurable_ml >= 0 or not self.confirm_days >= 0:
            raise ValueError("measurable_ml and confirm_days must not be negative.")

    def threshold_ml(self, smallest_ml: float) -> float:
        """Return the volume from which on a visit is progression."""
        return max((1 + self.growth) * smallest_ml, self.measurable_ml) * _ROUNDING

    @property
    def words(self) -> str:
        """The rule in one line."""
        confirmed = f", confirmed after {self.confirm_days:g} days" if self.confirm_days else ""
        return (
            f"progression at {100 * self.growth:g} % over the smallest volume, at least "
            f"{self.measurable_ml:g} mL{confirmed}"
        )


@dataclass(frozen=True, kw_only=True)
class Progression(Result):
    """What the course of one patient comes to; ``n`` counts visits.

    Attributes
    ----------
    time : float
        Days from the first visit to progression, or to the last visit.
    event : bool
        Progressed; False is censored at the last visit.
    visit : int or None
        Place of the visit of progression, in the order of days, from 0.
    nadir_ml : float
        Smallest volume before progression, or of the whole course.
    responded : bool
        Some visit before progression was a response.
    rule : ProgressionRule
    """

    time: float
    event: bool
    visit: int | None
    nadir_ml: float
    responded: bool
    rule: ProgressionRule

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-safe dict."""
        return {**super().to_dict(), "rule": asdict(self.rule)}

    def summary(self) -> str:
        """Return the day and whether it is an event, in one line."""
        what = "progression" if self.event else "censored"
        return f"{what} at {self.time:g} days, n = {self.n} visits, {self.method}"


def time_to_progression(
    days: npt.ArrayLike, volumes_ml: npt.ArrayLike, *, rule: ProgressionRule | None = None
) -> Progression:
    """Read the day of progression off a course of volumes.

    With V_k the volume of visit k and m_k = min(V_0 ... V_(k-1)), progression is the first k >= 1
    with V_k >= max((1 + growth) m_k, measurable_ml). Without it the patient is censored at the last
    visit.

    Parameters
    ----------
    days : array_like, shape (n,)
        Of the visits, from any day on, in any order, no two alike. The first is the baseline.
    volumes_ml : array_like, shape (n,)
        Of enhancing tumour, at least 0. A visit with NaN is left out and counted.
    rule : ProgressionRule, optional

    Returns
    -------
    Progression

    Raises
    ------
    ValueError
        For fewer than two visits with a volume, two visits on one day or a negative volume.

    Examples
    --------
    >>> found = time_to_progression([0, 56, 112, 168], [10.0, 6.0, 7.9, 8.5])
    >>> found.time, found.event, found.nadir_ml
    (168.0, True, 6.0)
    >>> time_to_progression([0, 56, 112], [10.0, 11.0, 13.9]).event
    False
    """
    chosen = rule or ProgressionRule()
    course = _course(days, volumes_ml)
    visit = _visit_of_progression(course, chosen)
    before = course.volumes[: len(course.volumes) if visit is None else visit]
    place = len(course.days) - 1 if visit is None else visit
    return Progression(
        time=float(course.days[place] - course.days[0]),
        event=visit is not None,
        visit=visit,
        nadir_ml=float(before.min()),
        responded=_responded(before, chosen),
        rule=chosen,
        method=f"volumetric RANO: {chosen.words}",
        n=len(course.days),
        n_dropped=course.dropped,
    )


@dataclass(frozen=True)
class _Course:
    days: FloatArray
    volumes: FloatArray
    dropped: int


def _course(days: npt.ArrayLike, volumes_ml: npt.ArrayLike) -> _Course:
    when, volumes = as_vector(days, "days"), as_vector(volumes_ml, "volumes_ml")
    same_length(days=when, volumes_ml=volumes)
    known = ~np.isnan(when) & ~np.isnan(volumes)
    order = np.argsort(when[known], kind="stable")
    when, volumes = when[known][order], volumes[known][order]
    if len(when) < 2:
        raise ValueError(f"a course needs at least two visits with a volume, got {len(when)}")
    if (np.diff(when) <= 0).any():
        raise ValueError("two visits of a course are on one day; keep one of them")
    if not np.isfinite(when).all() or not np.isfinite(volumes).all() or (volumes < 0).any():
        raise ValueError("days and volumes_ml must be finite, and volumes at least 0 mL")
    return _Course(when, volumes, int((~known).sum()))


def _visit_of_progression(course: _Course, rule: ProgressionRule) -> int | None:
    for visit in range(1, len(course.days)):
        least = rule.threshold_ml(float(course.volumes[:visit].min()))
        if course.volumes[visit] >= least and _confirmed(course, visit, least, rule):
            return visit
    return None


def _confirmed(course: _Course, visit: int, least: float, rule: ProgressionRule) -> bool:
    if rule.confirm_days == 0:
        return True
    later = np.flatnonzero(course.days - course.days[visit] >= rule.confirm_days)
    return bool(len(later)) and bool(course.volumes[later[0]] >= least)


def _responded(volumes: FloatArray, rule: ProgressionRule) -> bool:
    first = float(volumes[0])
    small = volumes[1:] <= (1 - rule.shrinkage) * first / _ROUNDING
    return first >= rule.measurable_ml and bool(small.any())


@dataclass(frozen=True)
class ProgressionTimes:
    """Times to progression of patients, as the functions of survival take them.

    Attributes
    ----------
    patients : tuple of str
        In the order of their names.
    time : ndarray, shape (n,)
        Days.
    event : ndarray of 0/1, shape (n,)
    readings : tuple of Progression
    left_out : dict of str to str
        Patients whose course cannot be read, and why.
    """

    patients: tuple[str, ...]
    time: FloatArray
    event: IntArray
    readings: tuple[Progression, ...]
    left_out: dict[str, str]


def progression_times(courses: Courses, *, rule: ProgressionRule | None = None) -> ProgressionTimes:
    """Read the time to progression of each patient.

    Parameters
    ----------
    courses : mapping of str to (days, volumes_ml)
    rule : ProgressionRule, optional

    Examples
    --------
    >>> times = progression_times({"a": ([0, 60], [10, 15]), "b": ([0, 60, 90], [10, 9, 9])})
    >>> times.time.tolist(), times.event.tolist()
    ([60.0, 90.0], [1, 0])
    """
    read: dict[str, Progression] = {}
    left_out: dict[str, str] = {}
    for name in sorted(courses):
        try:
            read[name] = time_to_progression(*courses[name], rule=rule)
        except ValueError as error:
            left_out[name] = str(error)
    return ProgressionTimes(
        tuple(read),
        np.array([one.time for one in read.values()], dtype=float),
        np.array([one.event for one in read.values()], dtype=np.int64),
        tuple(read.values()),
        left_out,
    )


def progression_rows(
    courses_by_source: Mapping[str, Courses], *, rule: ProgressionRule | None = None
) -> Iterator[dict[str, Any]]:
    """Yield a row for each patient and source, with what survival analysis takes.

    Columns: patient, source, time (days), event (1 progression, 0 censored), visits, nadir_ml,
    responded, and the four numbers of the rule.

    Parameters
    ----------
    courses_by_source : mapping of str to courses
        For example ``{"acquired": ..., "synthetic": ...}``.
    rule : ProgressionRule, optional
    """
    chosen = rule or ProgressionRule()
    for source, courses in courses_by_source.items():
        times = progression_times(courses, rule=chosen)
        for patient, one in zip(times.patients, times.readings, strict=True):
            yield {
                "patient": patient,
                "source": source,
                "time": one.time,
                "event": int(one.event),
                "visits": one.n,
                "nadir_ml": one.nadir_ml,
                "responded": int(one.responded),
                **asdict(chosen),
            }
