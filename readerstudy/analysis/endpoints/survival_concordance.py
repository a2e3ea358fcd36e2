"""Who fails sooner: Harrell's C of scores, paired differences over patients, hazard ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from readerstudy import stats
from readerstudy.analysis.document import NAN, Number, Test, undefined
from readerstudy.analysis.endpoints.resampling import FloatArray, percentiles
from readerstudy.analysis.endpoints.survival_data import Marker, Patients
from readerstudy.analysis.endpoints.words import many

BUDGET = 8e10
"""Products of patients, patients, draws and matrices above which limits are linearised."""
BLOCK = 200


Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pairs:
    """The comparable pairs of the patients whom a marker knows, and how it orders them.

    ``agree`` holds 1 where the patient with the event (row) has the higher value, one half for
    equal values; ``comparable`` where the pair counts.
    """

    agree: Matrix
    comparable: Matrix

    @property
    def c(self) -> float:
        total = float(self.comparable.sum())
        return float(self.agree.sum()) / total if total else NAN

    def influence(self) -> FloatArray:
        """Return the change of C with the weight of each patient."""
        total = float(self.comparable.sum())
        by_patient = self.agree.sum(axis=0) + self.agree.sum(axis=1)
        pairs = self.comparable.sum(axis=0) + self.comparable.sum(axis=1)
        return np.asarray((by_patient - self.c * pairs) / total, dtype=float)


def pairs_of(patients: Patients, marker: Marker) -> Pairs:
    """Return the pairs of a marker over all patients; pairs with an unknown value do not count."""
    values = np.array([marker.values.get(code, NAN) for code in patients.codes])
    known = ~np.isnan(values)
    time, event = patients.time, patients.event > 0.0
    later = (time[:, None] < time[None, :]) | ((time[:, None] == time[None, :]) & ~event[None, :])
    comparable = event[:, None] & later & known[:, None] & known[None, :]
    filled = np.where(known, values, 0.0)
    order = (1.0 + np.sign(filled[:, None] - filled[None, :])) / 2.0
    return Pairs(np.where(comparable, order, 0.0).astype(np.float32), comparable.astype(np.float32))


def concordance(patients: Patients, marker: Marker, level: float) -> Number:
    """Return Harrell's C of one marker with the interval of `stats.harrell_c`."""
    rows = patients.rows(marker.values)
    if len(rows) < 2:
        return undefined("fewer than two patients with a score and follow-up", "area")
    risk = [marker.values[patients.codes[row]] for row in rows]
    if len(set(risk)) < 2:
        return undefined("all scores are equal", "area")
    found = stats.harrell_c(patients.time[rows], patients.event[rows], risk, level=level)
    return Number(found.c, "area", found.low, found.high, level, found.reason or "")


@dataclass(frozen=True)
class Averaged:
    """Mean C of several markers, and of the difference of two such means."""

    value: float
    low: float
    high: float
    se: float
    method: str

    def number(self, form: str, level: float) -> Number:
        """Return the mean, or the difference, as a number."""
        reason = "" if not math.isnan(self.low) else "no interval: the spread is not estimable"
        if math.isnan(self.value):
            reason = "no pair of patients can be compared"
        return Number(self.value, form, self.low, self.high, level, reason)


def mean_concordance(
    patients: Patients,
    plus: Sequence[Marker],
    minus: Sequence[Marker] = (),
    *,
    level: float,
    draws: int,
    seed: int,
) -> Averaged:
    """Return the mean C of markers, less that of others, with limits over draws of patients.

    Patients are drawn with all their scores, so that both sides are paired. Where that would take
    too long the limits are normal, with the linearised variance.
    """
    sides = [[pairs_of(patients, marker) for marker in side] for side in (plus, minus) if side]
    if any(math.isnan(one.c) for side in sides for one in side):
        return Averaged(NAN, NAN, NAN, NAN, "")
    signs = (1.0, -1.0)
    value = sum(
        s * float(np.mean([o.c for o in one])) for s, one in zip(signs, sides, strict=False)
    )
    stacks = [_merged(side) for side in sides]
    matrices = 2 * sum(len(stack) for stack, _ in stacks)
    n = len(patients.codes)
    if n * n * draws * matrices > BUDGET:
        return _linearised(sides, value, level)
    drawn = sum(
        s * _drawn(stack, divisor, draws, seed)
        for s, (stack, divisor) in zip(signs, stacks, strict=False)
    )
    low, high = percentiles(np.asarray(drawn), level)
    kept = np.asarray(drawn)[np.isfinite(drawn)]
    se = float(kept.std(ddof=1)) if len(kept) > 1 else NAN
    how = f"percentile bootstrap of patients, {draws:,} draws, seed {seed}"
    return Averaged(value, low, high, se, how)


def _merged(side: Sequence[Pairs]) -> tuple[list[Pairs], int]:
    """Add up markers with the same comparable pairs: the mean of their C has one ratio."""
    first = side[0]
    if all(np.array_equal(one.comparable, first.comparable) for one in side[1:]):
        total = np.sum([one.agree for one in side], axis=0, dtype=np.float32)
        return [Pairs(np.asarray(total), first.comparable)], len(side)
    return list(side), len(side)


def _drawn(stack: Sequence[Pairs], divisor: int, draws: int, seed: int) -> FloatArray:
    rng, n = np.random.default_rng(seed), len(stack[0].agree)
    found = []
    for start in range(0, draws, BLOCK):
        size = min(BLOCK, draws - start)
        places = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        weights = np.bincount(places.ravel(), minlength=size * n).reshape(size, n)
        w = weights.astype(np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append(np.sum([_ratio(w, one) for one in stack], axis=0) / divisor)
    return np.concatenate(found)


def _ratio(w: Matrix, one: Pairs) -> FloatArray:
    above = np.einsum("bi,bi->b", w @ one.agree, w, dtype=np.float64)
    below = np.einsum("bi,bi->b", w @ one.comparable, w, dtype=np.float64)
    return np.asarray(above / np.where(below > 0.0, below, NAN))


def _linearised(sides: Sequence[Sequence[Pairs]], value: float, level: float) -> Averaged:
    signs = (1.0, -1.0)
    influence = sum(
        s * np.mean([one.influence() for one in side], axis=0)
        for s, side in zip(signs, sides, strict=False)
    )
    se = float(np.sqrt(np.sum(np.square(influence))))
    half = float(special.ndtri(0.5 + level / 2.0)) * se
    how = "normal limits with the linearised variance over patients"
    return Averaged(value, value - half, value + half, se, how)


def difference_test(found: Averaged, patients: Patients, *, code: str, what: str) -> Test:
    """Return the Wald test that two mean C are equal."""
    z = found.value / found.se if found.se > 0.0 else NAN
    reason = "" if found.se > 0.0 else "the difference does not vary over patients"
    return Test(
        code=code,
        what=what,
        name="Wald test of the paired difference of Harrell’s C, spread over patients",
        unit="patient, drawn with all scores",
        n=f"{many(len(patients.codes), 'patient')}, {many(patients.n_events, 'event')}",
        null="both orders of the patients are equally concordant",
        assumptions="censoring has nothing to do with the event; readers are these readers",
        p=float(2.0 * special.ndtr(-abs(z))) if not math.isnan(z) else NAN,
        symbol="z",
        statistic=z,
        reason=reason,
    )


def hazard_ratio(
    patients: Patients, marker: Marker, others: Sequence[Marker], level: float
) -> tuple[Number, float, int, int]:
    """Return the hazard ratio of one unit of a marker, its p, patients and events."""
    known = set(marker.values)
    for other in others:
        known &= set(other.values)
    rows = patients.rows(known)
    events = int(patients.event[rows].sum()) if rows else 0
    terms = [marker, *others]
    x = np.array([[one.values[patients.codes[row]] for one in terms] for row in rows])
    reason = _no_cox(x, events, len(terms))
    if reason:
        return undefined(reason, "ratio"), NAN, len(rows), events
    try:
        found = stats.cox(patients.time[rows], patients.event[rows], x, level=level)
    except ValueError as error:
        return undefined(str(error), "ratio"), NAN, len(rows), events
    ratio = Number(
        float(found.hazard_ratio[0]),
        "ratio",
        float(found.hr_low[0]),
        float(found.hr_high[0]),
        level,
        found.reason or "",
    )
    return ratio, float(found.pvalue[0]), len(rows), events


def _no_cox(x: FloatArray, events: int, terms: int) -> str:
    if events < 2 * terms or len(x) <= terms + 1:
        return f"{events} events are too few for {terms} {'term' if terms == 1 else 'terms'}"
    if any(len(np.unique(column)) < 2 for column in x.T):
        return "a term does not vary"
    return ""
