"""All scores of a set of synthetic images against real ones, with intervals over patients."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synthesis.metrics.c2st import classifier_test
from synthesis.metrics.distributions import (
    Distances,
    distances,
    frechet_distance,
    frechet_limit,
    kernel_distance,
    mmd2,
    neighbour_scores,
)
from synthesis.metrics.diversity import Diversity, diversity
from synthesis.metrics.imagesets import ImageSet
from synthesis.metrics.memorisation import (
    Memorisation,
    memorisation,
    mirrored,
    pixel_vectors,
    unit,
)
from synthesis.metrics.paired import UndefinedMetricError

FloatArray = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
PRESET = "sets/1"
DRAWS, LEVEL_Z = 50, 1.959963984540054


@dataclass(frozen=True)
class SetScore:
    """One score of a set.

    Attributes
    ----------
    metric : str
    value, low, high : float
        NaN where undefined; the interval is one over patients.
    images, patients : int
        Synthetic images compared, and patients on both sides.
    reason : str
        Why it is undefined, or what to mind in reading it.
    """

    metric: str
    value: float
    low: float = math.nan
    high: float = math.nan
    images: int = 0
    patients: int = 0
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Featured:
    """A set with its features (n, d)."""

    images: ImageSet
    features: FloatArray

    def part(self, rows: Indices) -> Featured:
        """Return some of the images."""
        return Featured(self.images.part(rows), self.features[rows])


def score_sets(
    real: Featured, made: Featured, *, draws: int = DRAWS, seed: int = 0
) -> list[SetScore]:
    """Score synthetic images against real ones: distance, neighbours, classifier, diversity.

    Parameters
    ----------
    real, made : Featured
        By one extractor, on one grey scale.
    draws : int
        Halves of the patients drawn for the intervals.
    seed : int

    Returns
    -------
    list of SetScore
        Undefined ones with their reason.
    """
    patients = len({*real.images.patients, *made.images.patients})
    scores = [
        *_with_intervals(real, made, draws=draws, seed=seed),
        *_classifier(real, made, seed=seed),
        *_diversity(real, made, seed=seed),
    ]
    return [replace(one, images=len(made.images), patients=patients) for one in scores]


def _with_intervals(real: Featured, made: Featured, *, draws: int, seed: int) -> list[SetScore]:
    try:
        found = distances(real.features, made.features)
        values = _values(real.features, made.features, found)
    except UndefinedMetricError as undefined:
        return [SetScore(name, math.nan, reason=str(undefined)) for name in _NAMES]
    spread = _spread(real, made, found, draws=draws, seed=seed)
    scores = [
        SetScore(
            name,
            value,
            _clipped(name, value - LEVEL_Z * spread[name]),
            _clipped(name, value + LEVEL_Z * spread[name]),
            reason=_mind(name, real, made),
        )
        for name, value in values.items()
    ]
    return [*scores, _limit(real, made, seed)]


_NAMES = ("fid", "kid", "precision", "recall", "density", "coverage")


def _values(real: FloatArray, made: FloatArray, found: Distances) -> dict[str, float]:
    near = neighbour_scores(found)
    return {
        "fid": frechet_distance(real, made),
        "kid": kernel_distance(real, made).value if min(len(real), len(made)) > 2000
        else mmd2(real, made),
        **vars(near),
    }  # fmt: skip


def _spread(
    real: Featured, made: Featured, found: Distances, *, draws: int, seed: int
) -> dict[str, float]:
    """Standard errors from random halves of the patients, drawn without repeats.

    A bootstrap would repeat images: their distance to themselves is 0, which breaks scores made
    of nearest neighbours and biases FID upwards. The spread over halves is the standard error
    (the delete-half jackknife; Shao & Wu 1989).
    """
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {name: [] for name in _NAMES}
    for _ in range(draws):
        rows = _half(real.images.patients, made.images.patients, rng)
        try:
            part = _values(real.features[rows[0]], made.features[rows[1]], found.of(*rows))
        except UndefinedMetricError:
            continue
        for name, value in part.items():
            drawn[name].append(value)
    return {
        name: float(np.std(values, ddof=1)) if len(values) > draws / 2 else math.nan
        for name, values in drawn.items()
    }


def _half(
    real: tuple[str, ...], made: tuple[str, ...], rng: np.random.Generator
) -> tuple[Indices, Indices]:
    """Draw half of the patients; those on both sides are drawn for both at once."""
    sides = [np.array(real), np.array(made)]
    both = np.intersect1d(sides[0], sides[1])
    kept = [_some(both, rng)]
    kept += [_some(np.setdiff1d(side, both), rng) for side in sides]
    chosen = np.concatenate(kept)
    first, second = (np.flatnonzero(np.isin(side, chosen)) for side in sides)
    return first, second


def _some(names: npt.NDArray[np.str_], rng: np.random.Generator) -> npt.NDArray[np.str_]:
    return rng.permutation(names)[: (len(names) + 1) // 2]


def _clipped(name: str, limit: float) -> float:
    highest = 1.0 if name in ("precision", "recall", "coverage") else math.inf
    lowest = -math.inf if name == "kid" else 0.0
    return limit if math.isnan(limit) else min(max(limit, lowest), highest)


def _mind(name: str, real: Featured, made: Featured) -> str:
    fewest, dimension = min(len(real.features), len(made.features)), real.features.shape[1]
    if name == "fid" and fewest < 10 * dimension:
        return (
            f"{fewest} images for {dimension} features are few: the value is too high; see "
            "fid_limit and kid"
        )
    return ""


def _limit(real: Featured, made: Featured, seed: int) -> SetScore:
    try:
        return SetScore("fid_limit", frechet_limit(real.features, made.features, seed=seed))
    except UndefinedMetricError as undefined:
        return SetScore("fid_limit", math.nan, reason=str(undefined))


def _classifier(real: Featured, made: Featured, *, seed: int) -> list[SetScore]:
    try:
        test = classifier_test(
            real.features, made.features, real.images.patients, made.images.patients,
            distances(real.features, made.features), seed=seed,
        )  # fmt: skip
    except UndefinedMetricError as undefined:
        names = ("c2st_accuracy", "c2st_auc", "c2st_p", "neighbour_accuracy")
        return [SetScore(name, math.nan, reason=str(undefined)) for name in names]
    accuracy, auc = test.accuracy, test.auc
    few = "" if not math.isnan(test.p) else "fewer than four patients"
    return [
        SetScore("c2st_accuracy", accuracy.value, accuracy.low, accuracy.high),
        SetScore("c2st_auc", auc.value, auc.low, auc.high),
        SetScore("c2st_p", test.p, reason=few),
        SetScore("neighbour_accuracy", test.neighbour_accuracy),
    ]


def _diversity(real: Featured, made: Featured, *, seed: int) -> list[SetScore]:
    try:
        sides = [
            (np.asarray(s.images.images, dtype=np.float64), s.features, s.images.patients)
            for s in (real, made)
        ]
        found = diversity(*sides, seed=seed)
    except UndefinedMetricError as undefined:
        return [SetScore("pair_similarity", math.nan, reason=str(undefined))]
    return _diversity_scores(found)


def _diversity_scores(found: Diversity) -> list[SetScore]:
    warning = "more alike than real pairs by over 0.02: the generator may have collapsed"
    alone = "all images are of one patient, or smaller than a window of 11"
    empty = f"{found.bins.empty} of {found.bins.clusters} clusters of real images are empty"
    return [
        SetScore(
            "pair_similarity",
            found.similarity,
            reason=alone if math.isnan(found.similarity) else warning * found.collapsed,
        ),
        SetScore(
            "pair_similarity_real",
            found.real_similarity,
            reason=alone * math.isnan(found.real_similarity),
        ),
        SetScore("vendi", found.vendi),
        SetScore("vendi_real", found.real_vendi),
        SetScore(
            "different_bins",
            found.bins.different / found.bins.clusters,
            reason=empty if found.bins.empty else "",
        ),
        SetScore("histogram_distance", found.histogram),
    ]


@dataclass(frozen=True, eq=False)
class CopySearch:
    """Memorisation by pixels and by features, and the sets it speaks of."""

    made: ImageSet
    train: ImageSet
    by: Mapping[str, Memorisation]

    @property
    def flagged(self) -> list[int]:
        """Synthetic images that either measure finds too like a training image."""
        return sorted({int(i) for one in self.by.values() for i in one.flagged})

    def scores(self) -> list[SetScore]:
        """Return shares flagged, authenticity and the three-sample test, by measure."""
        scores = []
        for measure, found in self.by.items():
            named: Mapping[str, float] = {
                "copies": len(found.flagged) / len(self.made),
                "authenticity": found.authentic,
                "copying_z": found.z,
                "copying_p": found.p,
            }
            scores += [
                SetScore(f"{name}_{measure}", value, images=len(self.made))
                for name, value in named.items()
            ]
        return scores


def search_copies(
    made: ImageSet, train: ImageSet, held_out: ImageSet,
    features: Callable[[npt.NDArray[np.float32]], FloatArray],
) -> CopySearch:  # fmt: skip
    """Look for training images among synthetic ones, by pixels and by features, mirrored too.

    Parameters
    ----------
    made, train, held_out : ImageSet
        The held-out real images are of patients that did not train.
    features : callable
        Images (n, y, x) to features (n, d).

    Raises
    ------
    UndefinedMetricError
        If a set is too small, or a patient is on both sides.
    """
    shared = set(train.patients) & set(held_out.patients)
    if shared:
        raise UndefinedMetricError(f"patient {min(shared)} is both trained on and held out")
    sets = (made.images, train.images, held_out.images, mirrored(train.images).astype(np.float32))
    pixels = [pixel_vectors(one) for one in sets]
    tables = [features(one) for one in sets]
    middle = tables[1].mean(axis=0)
    directions = [unit(one - middle) for one in tables]
    return CopySearch(
        made,
        train,
        {
            "pixels": memorisation(*pixels[:3], flipped=pixels[3]),
            "features": memorisation(*directions[:3], flipped=directions[3]),
        },
    )
