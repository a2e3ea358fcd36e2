"""Scores stored with each image as it is made: against the acquired one, beside doing nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from readerstudy.cases.models import Case
from synthesis.data.subjects import brain_mask
from synthesis.manifest import Pixels
from synthesis.metrics import compare_with_reasons
from synthesis.metrics.presets import Comparison
from synthesis.models import GenerationRun, Score
from synthesis.scales import Array, Mask, mapping_of, ras, shown, unchanged_map

FIRST_PRESETS = ("plain", "brasyn")
FIRST_MAP_PRESETS = ("quantitative", "wang2023")


def store_first_scores(
    run: GenerationRun, source: Case, levels: Pixels, inputs: Mapping[str, Array], case: Case
) -> None:
    """Score a new image in the scale in which it is stored: grey levels, or a map in its unit.

    Parameters
    ----------
    run : GenerationRun
    source, case : Case
        What it was made from, and its own.
    levels : int16 ndarray (z, y, x)
        As the generator gave them; a map is levels times the slope of its mapping.
    inputs : mapping of str to ndarray (z, y, x)
        Of the network.
    """
    real = source.series.filter(role=run.role).first()
    if real is None or tuple(real.shape) != levels.shape:
        return
    scale, mask = mapping_of(run), brain_mask(inputs.values())
    truth = shown(ras(real), mask, scale)
    candidates = {"synthetic": levels * scale.slope if scale.in_unit else levels}
    nothing = _nothing(run, inputs, mask)
    if nothing is not None:
        candidates["do nothing"] = nothing
    presets = FIRST_MAP_PRESETS if scale.in_unit else FIRST_PRESETS
    for candidate, image in candidates.items():
        for preset in presets:
            comparison = compare_with_reasons(image, truth, mask, preset=preset)
            Score.objects.bulk_create(_rows(run, case, candidate, comparison))


def _nothing(run: GenerationRun, inputs: Mapping[str, Array], mask: Mask) -> Array | None:
    scale = mapping_of(run)
    if scale.in_unit:
        return unchanged_map(run.checkpoint, inputs, mask)
    return shown(inputs["t1"] if "t1" in inputs else next(iter(inputs.values())), mask, scale)


def _rows(run: GenerationRun, case: Case, candidate: str, comparison: Comparison) -> list[Score]:
    return [
        Score(
            run=run,
            case_code=case.code,
            candidate=candidate,
            preset=comparison.preset,
            metric=metric,
            value=value if np.isfinite(value) else None,
            reason=comparison.reasons.get(metric, "")[:200]
            or ("infinite: the images are equal" if np.isinf(value) else ""),
        )
        for metric, value in comparison.values.items()
    ]
