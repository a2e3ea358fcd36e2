"""A small cohort for the translation of volumes: more sequences, a tumour, several visits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synthesis.training.config import TrainingConfig

SHAPE = (16, 40, 36)
FILES = {
    "t1": "t1n", "t2": "t2w", "flair": "t2f", "t1c": "t1c", "dwi": "dwi", "swi": "swi",
    "asl": "asl", "fa": "fa", "md": "md", "adc": "adc", "cbv": "cbv", "mask": "seg",
}  # fmt: skip
CONTRAST = ("t1", "t2", "flair", "t1c", "mask")

Volumes = dict[str, npt.NDArray[np.float32]]


def make_volumes(seed: int, shape: tuple[int, int, int] = SHAPE) -> Volumes:
    """An ellipsoid of two tissues with a spherical tumour that enhances where FLAIR is bright."""
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    brain = grid[0] ** 2 / 1.4 + grid[1] ** 2 + grid[2] ** 2 < 0.8
    grey = ndimage.gaussian_filter(rng.standard_normal(shape), 2.0) > 0
    centre = rng.uniform(-0.3, 0.3, 3)
    away = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
    tumour, core = away < 0.12, away < 0.03
    rim = tumour & ~core

    def noisy(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        seen = values + rng.normal(0, 3, shape)
        return np.where(brain, np.clip(np.rint(seen), 1, None), 0).astype(np.float32)

    t1 = 100 + 40 * ~grey - 20 * tumour
    layers = {
        "t1": t1,
        "t2": 80 + 30 * grey + 50 * tumour,
        "flair": 90 + 20 * grey + 60 * rim,
        "t1c": t1 + 90 * rim,
        "dwi": 70 + 20 * grey + 40 * core,
        "swi": 90 - 30 * core,
        "asl": 40 + 30 * grey + 40 * rim,
        "fa": 60 + 40 * ~grey - 30 * tumour,
        "md": 70 + 50 * core,
        "adc": 80 + 50 * core - 20 * rim,
    }
    volumes = {role: noisy(values.astype(np.float64)) for role, values in layers.items()}
    blood = 2 + 2 * grey + 6 * rim + rng.normal(0, 0.1, shape)  # mL/100 g
    volumes["cbv"] = np.where(brain, np.clip(blood, 0.1, None), 0).astype(np.float32)
    labels = np.where(core, 1, np.where(rim, 3, 0)) * brain
    return {**volumes, "mask": labels.astype(np.float32)}


def write_cohort(
    folder: Path,
    names: Sequence[str],
    *,
    roles: Sequence[str] = CONTRAST,
    first_seed: int = 0,
    shape: tuple[int, int, int] = SHAPE,
) -> Path:
    """Write ``<folder>/<name>/<sequence>.nii.gz`` on a grid of 1 mm."""
    for number, name in enumerate(names):
        for role, zyx in make_volumes(first_seed + number, shape).items():
            if role in roles:
                path = folder / name / f"{FILES[role]}.nii.gz"
                path.parent.mkdir(parents=True, exist_ok=True)
                xyz = np.ascontiguousarray(zyx.transpose(2, 1, 0))
                nib.save(nib.Nifti1Image(xyz, np.eye(4)), path)
    return folder


def volume_config(preset: str, **changes: object) -> TrainingConfig:
    """Short steps on one thread; the settings that matter to a test are given by it."""
    settings: dict[str, object] = {
        "threads": 1,
        "max_steps": 6,
        "validations": 2,
        "report_every": 2,
        "checkpoint_every": 2,
        "validation_fraction": 0.3,
    }
    return TrainingConfig.for_preset(preset, **{**settings, **changes})
