"""Regions of a brain with a tumour, from label maps, and scores in each of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthesis.metrics.presets import MetricPreset, Pair, checked_pair, compare_pair, find_preset

Labels = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]
BRAIN, TUMOUR, CORE, ENHANCING, OUTSIDE = "brain", "tumour", "core", "enhancing", "outside"
REGIONS = (BRAIN, TUMOUR, CORE, ENHANCING, OUTSIDE)
SYNTHETIC, DO_NOTHING = "synthetic", "do nothing"
EMPTY = "the region is empty in this case"


@dataclass(frozen=True)
class LabelScheme:
    """Which number of a label map means what.

    Attributes
    ----------
    name : str
    necrosis, oedema, enhancing : tuple of int
        Numbers of necrosis and other core that does not enhance, of oedema and other tumour
        outside the core, and of enhancing tumour.
    """

    name: str
    necrosis: tuple[int, ...]
    oedema: tuple[int, ...]
    enhancing: tuple[int, ...]

    @property
    def known(self) -> tuple[int, ...]:
        """All numbers but that of the background."""
        return (*self.necrosis, *self.oedema, *self.enhancing)

    def numbers(self, region: str) -> tuple[int, ...]:
        """Return the numbers that make up the tumour, the core or the enhancing part."""
        parts = {
            TUMOUR: self.known,
            CORE: (*self.necrosis, *self.enhancing),
            ENHANCING: self.enhancing,
        }
        return parts[region]


SCHEMES = {
    scheme.name: scheme
    for scheme in (
        LabelScheme("brats2023", (1,), (2,), (3,)),
        LabelScheme("brats2012", (1,), (2,), (4,)),
    )
}


def scheme_of(labels: Iterable[Labels], name: str = "auto") -> LabelScheme:
    """Return the label scheme called ``name``; "auto" decides between 1, 2, 3 and 1, 2, 4.

    All label maps of a data set must be given at once: one without enhancing tumour does not
    tell.

    Raises
    ------
    ValueError
        If the name is unknown, or the maps hold numbers of neither or of both schemes.
    """
    if name != "auto":
        if name not in SCHEMES:
            raise ValueError(
                f"Unknown label scheme {name!r}. Known: auto, {', '.join(SCHEMES)}, or your own "
                "as necrosis=1 oedema=2 enhancing=4."
            )
        return SCHEMES[name]
    found = {int(number) for one in labels for number in np.unique(one)} - {0}
    if {3, 4} <= found or not found <= {1, 2, 3, 4}:
        raise ValueError(
            f"The label maps hold the numbers {sorted(found)}, of which no known scheme has all. "
            "Name the scheme."
        )
    return SCHEMES["brats2012" if 4 in found else "brats2023"]


def parse_scheme(text: str) -> LabelScheme:
    """Read a scheme such as ``"necrosis=1,3 oedema=2 enhancing=4"``.

    Raises
    ------
    ValueError
        If a part is missing, unknown, or shares a number with another.
    """
    parts: dict[str, tuple[int, ...]] = {}
    for word in text.split():
        name, _, numbers = word.partition("=")
        if name not in ("necrosis", "oedema", "enhancing") or not numbers:
            raise ValueError(f"{word!r} is not of the form enhancing=4 or necrosis=1,3")
        parts[name] = tuple(int(number) for number in numbers.split(","))
    every = [number for numbers in parts.values() for number in numbers]
    if len(parts) < 3 or len(set(every)) < len(every) or 0 in every:
        raise ValueError("give necrosis, oedema and enhancing, each its own numbers above 0")
    return LabelScheme(text, **parts)


def region_masks(
    brain: Mask, labels: Labels | None, regions: Iterable[str], scheme: LabelScheme | None
) -> dict[str, Mask]:
    """Return the voxels of each region; parts of the tumour need a label map.

    Parameters
    ----------
    brain : bool ndarray (z, y, x)
    labels : ndarray (z, y, x) or None
        On the same grid.
    regions : iterable of str
        Of `REGIONS`: brain, tumour, core, enhancing, outside (brain without tumour).
    scheme : LabelScheme or None
        Needed with labels.

    Raises
    ------
    ValueError
        If a region is unknown, or the shapes differ.
    """
    wanted = list(regions)
    if unknown := [name for name in wanted if name not in REGIONS]:
        raise ValueError(f"Unknown region {', '.join(unknown)}. Known: {', '.join(REGIONS)}.")
    if labels is None or scheme is None:
        return {BRAIN: brain} if BRAIN in wanted else {}
    if labels.shape != brain.shape:
        raise ValueError(
            f"The label map is of shape {labels.shape}, the images of {brain.shape}. Bring it to "
            "their grid first."
        )
    masks = {BRAIN: brain, OUTSIDE: brain & ~np.isin(labels, scheme.known)}
    for name in (TUMOUR, CORE, ENHANCING):
        masks[name] = np.isin(labels, scheme.numbers(name))
    return {name: masks[name] for name in wanted}


@dataclass(frozen=True)
class RegionScore:
    """One score of one image in one region.

    Attributes
    ----------
    candidate : str
        "synthetic" or "do nothing".
    region, preset, metric : str
    value : float
        NaN where undefined, infinite for the PSNR of equal images.
    reason : str
        Why it is undefined; empty otherwise.
    voxels : int
        Voxels of the region.
    """

    candidate: str
    region: str
    preset: str
    metric: str
    value: float
    reason: str
    voxels: int


def score_regions(
    candidates: Mapping[str, npt.ArrayLike],
    truth: npt.ArrayLike,
    masks: Mapping[str, Mask],
    *,
    presets: Iterable[str],
) -> list[RegionScore]:
    """Score each candidate image against the truth in each region, under each preset.

    Parameters
    ----------
    candidates : mapping of str to array (z, y, x)
        For example the synthetic image and, as "do nothing", the image before contrast.
    truth : array (z, y, x)
    masks : mapping of str to bool ndarray (z, y, x)
        See `region_masks`. An empty region gives undefined scores.
    presets : iterable of str

    Raises
    ------
    ValueError
        As `checked_pair` and `find_preset`.
    """
    chosen = [find_preset(name) for name in presets]
    scores: list[RegionScore] = []
    for candidate, image in candidates.items():
        whole = checked_pair(image, truth, None)
        for region, mask in masks.items():
            found = _in_region(whole, mask, chosen)
            scores += [RegionScore(candidate, region, *one) for one in found]
    return scores


def _in_region(
    whole: Pair, mask: Mask, presets: list[MetricPreset]
) -> list[tuple[str, str, float, str, int]]:
    """Return preset, metric, value, reason and voxels of each score."""
    if not mask.any():
        return [(p.label, metric, math.nan, EMPTY, 0) for p in presets for metric in p.metrics]
    pair = Pair(whole.prediction, whole.truth, mask)
    results = [compare_pair(pair, preset) for preset in presets]
    return [
        (result.preset, metric, value, result.reasons.get(metric, ""), result.voxels)
        for result in results
        for metric, value in result.values.items()
    ]
