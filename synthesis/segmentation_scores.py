"""Scores of segmentations: in the synthetic against in the acquired image, and both against truth.

One segmenter looks at the acquired images of a case, and at the same images with the synthetic one
in place. What it finds is compared; where the case has a label map of its own, both findings are
compared with that too, so that one sees what the synthetic image costs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthesis.metrics.regions import CORE, ENHANCING, SYNTHETIC, TUMOUR, LabelScheme, scheme_of
from synthesis.metrics.segmentation import PRESET, Overlap, enhancement_errors, overlaps
from synthesis.run_images import Array, RunCase
from synthesis.score_rows import ACQUIRED, LABEL_MAP, REFERENCE, Row
from synthesis.segmenting import NotSegmentedError, Segmenter


@dataclass(frozen=True)
class Segmented:
    """The scores of one case, and what the segmenter found in its acquired images."""

    rows: list[Row]
    acquired: Array | None


def segmented(
    loaded: RunCase, role: str, segmenter: Segmenter, scheme: LabelScheme | None
) -> Segmented:
    """Segment a case twice and compare.

    Parameters
    ----------
    loaded : RunCase
    role : str
        The sequence that was made.
    segmenter : Segmenter
    scheme : LabelScheme or None
        Of label maps; None tells it from their numbers.

    Raises
    ------
    ReaderStudyError, ValueError
        If the segmenter fails, or label maps do not fit.
    """
    preset = f"{PRESET} {segmenter.name}"
    try:
        segmenter.check_case(loaded.source)
        made = _labels_of(segmenter, loaded, role, synthetic=True)
    except NotSegmentedError as error:
        return Segmented(_undefined(preset, f"synthetic image: {error}"), None)
    try:
        real = _labels_of(segmenter, loaded, role, synthetic=False)
    except NotSegmentedError as error:
        if loaded.labels is None:
            return Segmented(_undefined(preset, f"acquired image: {error}"), None)
        known = scheme or scheme_of([made, loaded.labels])
        return Segmented(list(_compared(preset, loaded, (made, loaded.labels), known)), None)
    known = segmenter.scheme or scheme or scheme_of([made, real])
    rows = list(_compared(preset, loaded, (made, real), known))
    if loaded.labels is not None:
        true = scheme or scheme_of([loaded.labels])
        rows += _against_label_map(preset + LABEL_MAP, loaded, {SYNTHETIC: made, ACQUIRED: real},
                                   (known, true))  # fmt: skip
    return Segmented(rows, real)


def _labels_of(segmenter: Segmenter, loaded: RunCase, role: str, *, synthetic: bool) -> Array:
    """Return the label map of a case; acquired and made image have one grey scale."""
    case = loaded.case if synthetic else loaded.source
    images = {**loaded.inputs, role: loaded.made if synthetic else loaded.truth}
    affine = np.asarray(loaded.source.series.get(role=role).affine_lps)
    return segmenter.labels(case.code, images, affine)


def _undefined(preset: str, reason: str) -> list[Row]:
    parts = (TUMOUR, CORE, ENHANCING)
    return [Row(SYNTHETIC, part, preset, "dice", math.nan, reason) for part in parts]


def _compared(
    preset: str, loaded: RunCase, maps: tuple[Array, Array], scheme: LabelScheme
) -> Iterator[Row]:
    for region, one in overlaps(*maps, loaded.spacing_mm, scheme).items():
        yield from _of_region(SYNTHETIC, region, preset, one)
        yield Row(ACQUIRED, region, preset, "volume_ml", one.true_volume_ml)
    made, real = (np.isin(labels, scheme.enhancing) for labels in maps)
    errors = enhancement_errors(made, real, loaded.spacing_mm)
    counts = {
        "false_positive_ml": math.fsum(errors.false_positive_ml),
        "false_positives": len(errors.false_positive_ml),
        "false_negative_ml": math.fsum(errors.false_negative_ml),
        "invented": errors.invented,
        "missed": errors.missed,
    }
    for metric, value in counts.items():
        yield Row(SYNTHETIC, ENHANCING, preset, metric, float(value))


def _of_region(candidate: str, region: str, preset: str, one: Overlap) -> Iterator[Row]:
    apart = "" if not math.isnan(one.hd95_mm) else "a segmentation is empty"
    yield Row(candidate, region, preset, "dice", one.dice)
    yield Row(candidate, region, preset, "hd95_mm", one.hd95_mm, apart)
    yield Row(candidate, region, preset, "volume_ml", one.volume_ml)
    yield Row(candidate, region, preset, "volume_error_ml", one.volume_error_ml)


def _against_label_map(
    preset: str, loaded: RunCase, found: Mapping[str, Any], schemes: tuple[LabelScheme, LabelScheme]
) -> Iterator[Row]:
    for candidate, labels in found.items():
        compared = overlaps(labels, loaded.labels, loaded.spacing_mm, *schemes)  # type: ignore[arg-type]
        for region, one in compared.items():
            yield from _of_region(candidate, region, preset, one)
            if candidate == SYNTHETIC:
                yield Row(REFERENCE, region, preset, "volume_ml", one.true_volume_ml)
