"""Use a trained segmentation network: label maps of a case at any voxel size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import nn

from synthesis.data.layout import bounding_box
from synthesis.data.subjects import FloatVolume, brain_mask, zscore
from synthesis.generate import load_generator
from synthesis.networks.segmentation import LABELLING, labels_of, region_probabilities
from synthesis.networks.threads import spare_cores, using_threads
from synthesis.training.checkpoints import CheckpointError, read_json

Labels = npt.NDArray[np.uint8]
Inputs = Mapping[str, npt.NDArray[Any]]
CARD_FILE = "model_card.json"
_ALIKE = 0.1


def segment(
    network: nn.Module,
    config: Any,
    inputs: Inputs,
    *,
    spacing_mm: Sequence[float] | None = None,
    trained_mm: Sequence[float] | None = None,
) -> Labels:
    """Segment a tumour: 0 none, 1 necrosis, 2 oedema, 3 enhancing (BraTS 2023).

    Each input is z-scored over its non-zero voxels; the brain is where any of them is not zero.
    Where the voxel size differs by more than a tenth from that of the training images, the inputs
    are brought to that size (linear) and the probabilities back.

    Parameters
    ----------
    network : Module
        On the device it shall run on.
    config : SegmentationConfig
    inputs : mapping of str to ndarray (z, y, x)
        Intensities in RAS orientation, skull-stripped, by sequence; further ones are ignored.
    spacing_mm, trained_mm : (dz, dy, dx), optional
        Voxel size of these images, and of the training images; without one of them the voxels are
        taken as they are.

    Returns
    -------
    uint8 ndarray (z, y, x)

    Raises
    ------
    ValueError
        If a sequence is missing or the shapes differ.
    """
    missing = [role for role in config.inputs if role not in inputs]
    if missing:
        raise ValueError(
            f"The network looks at {', '.join(config.inputs)}; {', '.join(missing)} is missing."
        )
    raw = {role: np.asarray(inputs[role]) for role in config.inputs}
    if len({values.shape for values in raw.values()}) != 1:
        raise ValueError("The inputs must be volumes (z, y, x) of one shape.")
    brain = brain_mask(raw.values())
    box = bounding_box(brain)
    stack = np.stack([zscore(values, name=role).z[box] for role, values in raw.items()])
    found = _at_size(network, config, stack, _zoom(spacing_mm, trained_mm))
    labels = np.zeros(brain.shape, dtype=np.uint8)
    labels[box] = labels_of(found, brain[box], threshold=config.threshold)
    return labels


def _zoom(spacing: Sequence[float] | None, trained: Sequence[float] | None) -> list[float]:
    if spacing is None or trained is None:
        return [1.0] * 3
    factors = [here / there for here, there in zip(spacing, trained, strict=True)]
    return [1.0 if abs(factor - 1) <= _ALIKE else factor for factor in factors]


def _at_size(network: nn.Module, config: Any, stack: FloatVolume, zoom: list[float]) -> FloatVolume:
    if zoom == [1.0] * 3:
        return _probabilities(network, config, stack)
    shape = stack.shape[1:]
    moved = np.stack([_resized(v, [max(1, round(n * f)) for n, f in zip(shape, zoom, strict=True)])
                      for v in stack])  # fmt: skip
    found = _probabilities(network, config, moved)
    return np.stack([_resized(part, shape) for part in found])


def _resized(volume: FloatVolume, shape: Sequence[int]) -> FloatVolume:
    """Sample a volume at other voxel centres over the same extent, linearly."""
    axes = [
        (np.arange(new) + 0.5) * old / new - 0.5
        for new, old in zip(shape, volume.shape, strict=True)
    ]
    grid = np.meshgrid(*axes, indexing="ij")
    out: FloatVolume = ndimage.map_coordinates(volume, grid, order=1, mode="nearest")
    return out


def _probabilities(network: nn.Module, config: Any, stack: FloatVolume) -> FloatVolume:
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode(), using_threads(min(torch.get_num_threads(), spare_cores())):
            return region_probabilities(network, config, stack.astype(np.float32))
    finally:
        network.train(was_training)


@dataclass(frozen=True, eq=False)
class SegmentationModel:
    """A trained segmentation network, ready to use.

    Attributes
    ----------
    network : Module
    config : SegmentationConfig
    weights_sha256 : str
    trained_mm : (float, float, float)
        Voxel size (dz, dy, dx) of its training images.
    """

    network: nn.Module
    config: Any
    weights_sha256: str
    trained_mm: tuple[float, float, float]

    def labels(self, inputs: Inputs, spacing_mm: Sequence[float]) -> Labels:
        """Segment a case: see `segment`."""
        return segment(
            self.network, self.config, inputs, spacing_mm=spacing_mm, trained_mm=self.trained_mm
        )


def load_segmenter(run: Path, *, device: str = "cpu") -> SegmentationModel:
    """Load the segmentation network of a finished run.

    Raises
    ------
    CheckpointError
        If the run is not finished, damaged, or not of a segmentation network.
    """
    loaded = load_generator(run, device=device)
    if loaded.config.inference != LABELLING:
        raise CheckpointError(
            f"{run.name} is a run of {loaded.preset}, which makes images. Name a run of a "
            "segmentation network: manage.py train segment-3d"
        )
    dz, dy, dx = read_json(run / CARD_FILE)["more"]["spacing_mm"]
    return SegmentationModel(loaded.network, loaded.config, loaded.weights_sha256, (dz, dy, dx))
