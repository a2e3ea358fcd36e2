"""A tiny cohort whose contrast can be learnt, and one short run over it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import ndimage

from synthesis.training.config import TrainingConfig
from synthesis.training.loop import TrainingResult, train

if TYPE_CHECKING:
    from readerstudy.cases.models import Case
    from synthesis.models import Checkpoint

SHAPE = (12, 36, 32)
NAMES = {"t1": "t1n", "t2": "t2w", "flair": "t2f", "t1c": "t1c"}

Volumes = dict[str, npt.NDArray[np.float32]]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_volumes(seed: int) -> Volumes:
    """An ellipsoid with texture; where FLAIR is bright, contrast doubles T1."""
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    brain = grid[0] ** 2 / 1.4 + grid[1] ** 2 + grid[2] ** 2 < 0.8

    def texture() -> npt.NDArray[np.float64]:
        return ndimage.gaussian_filter(rng.standard_normal(SHAPE), 2.0) * 10

    lesion = texture() > 1.2
    t1 = 100 + 10 * texture()
    volumes = {
        "t1": t1,
        "t2": 80 + 10 * texture() + 30 * lesion,
        "flair": 90 + 5 * texture() + 60 * lesion,
        "t1c": t1 + 80 * lesion,
    }
    return {
        role: np.where(brain, np.clip(np.rint(v), 1, None), 0).astype(np.float32)
        for role, v in volumes.items()
    }


def write_nifti(
    path: Path, zyx: npt.NDArray[np.float32], affine: npt.NDArray[np.float64] | None = None
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    turned = np.ascontiguousarray(zyx.transpose(2, 1, 0)).astype(np.int16)
    nib.save(
        nib.Nifti1Image(turned, np.diag([1.0, 1.0, 2.0, 1.0]) if affine is None else affine), path
    )


def write_subject(folder: Path, volumes: Volumes) -> None:
    for role, zyx in volumes.items():
        write_nifti(folder / f"{NAMES[role]}.nii.gz", zyx)


def tiny_config(**changes: object) -> TrainingConfig:
    """A network of a few thousand weights and steps of a few milliseconds."""
    settings: dict[str, object] = {
        "threads": 1,
        "width": 4,
        "levels": 2,
        "batch": 2,
        "crop": [24, 24],
        "max_steps": 8,
        "validations": 2,
        "report_every": 2,
        "checkpoint_every": 3,
        "validation_fraction": 0.3,
        "learning_rate": 5e-3,
    }
    return TrainingConfig.for_preset("unet2d-t1c", **{**settings, **changes})


@pytest.fixture(scope="session")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three subjects on disk."""
    folder = tmp_path_factory.mktemp("cohort")
    for seed in range(3):
        write_subject(folder / f"case-{seed}", make_volumes(seed))
    return folder


@pytest.fixture(scope="session")
def finished(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """A run of eight steps."""
    return train(tiny_config(), cohort, tmp_path_factory.mktemp("runs") / "run", resume=False)


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three subjects that train no network."""
    folder = tmp_path_factory.mktemp("shown")
    for seed in range(10, 13):
        write_subject(folder / f"shown-{seed}", make_volumes(seed))
    return folder


@pytest.fixture
def checkpoint(finished: TrainingResult, tmp_path: Path) -> Checkpoint:
    """The run of the session, on record in this test's database."""
    from synthesis import bench
    from synthesis.folders import run_folder

    shutil.copytree(finished.run_dir, run_folder("toy"))
    return bench.store_checkpoint("toy", job=None)


@pytest.fixture
def sources(shown: Path) -> list[Case]:
    """The shown subjects as real cases."""
    from readerstudy.cases.ingest import import_folder
    from readerstudy.cases.models import Case
    from readerstudy.truth import register

    import_folder(shown)
    cases = list(Case.objects.order_by("code"))
    register.declare_real(cases=cases, actor=None)
    return cases
