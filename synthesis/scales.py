"""The scale of a run's images, and acquired images brought to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.cases import canonical
from readerstudy.cases.models import Series
from synthesis.data.subjects import zscore
from synthesis.levels import ZSCORE_MAPPING, OutputMapping
from synthesis.models import Checkpoint, GenerationRun

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]


def unchanged_map(checkpoint: Checkpoint, inputs: Mapping[str, Array], brain: Mask) -> Array | None:
    """Return what doing nothing would show in place of a map with a unit.

    T1, or the first input of the network, with the mean and spread that the training targets had
    in their unit. None where the model card does not tell them, or the input is missing.
    """
    told = checkpoint.card.get("more", {})
    roles = checkpoint.card.get("architecture", {}).get("settings", {}).get("inputs", ())
    baseline = "t1" if "t1" in roles else next(iter(roles), "")
    if "target_mean" not in told or baseline not in inputs:
        return None
    z = zscore(inputs[baseline], name=baseline).z
    map_like = told["target_mean"] + told["target_sd"] * z
    return np.where(brain, map_like, 0).astype(np.float32)


def ras(series: Series) -> Array:
    """Return a stored series turned from LPS to RAS."""
    return np.ascontiguousarray(canonical.load_array(series)[:, ::-1, ::-1])


def mapping_of(run: GenerationRun) -> OutputMapping:
    """Return how this run turned z-scores into grey levels."""
    said = run.record.get("generation", {}).get("generator", {}).get("output_mapping")
    return OutputMapping(**said) if said else ZSCORE_MAPPING


def shown(raw: Array, brain: Mask, scale: OutputMapping) -> Array:
    """Return an acquired image on the scale of generated ones: a map is in its unit already."""
    if scale.in_unit:
        return np.where(brain, raw, 0).astype(np.float32)
    return scale.apply(zscore(raw, name="image").z, brain)
