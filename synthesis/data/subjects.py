"""Subjects on disk: `<folder>/<subject>/<sequence>.nii.gz`, skull-stripped and on one grid.

Volumes are turned to RAS orientation and handled as arrays of shape (z, y, x): z grows towards
superior, y towards anterior, x towards the patient's right. Background is exactly zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt

from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.nifti import load_nifti
from readerstudy.imaging.sequences import role_of
from synthesis.data.hashing import content_sha256

FloatVolume = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

LABEL_MAP = "mask"
_SUFFIXES = (".nii.gz", ".nii")
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_GRID_TOLERANCE_MM = 1e-3


class DataError(ValueError):
    """The images cannot be used as they are; the message says what to do."""


@dataclass(frozen=True)
class SubjectFiles:
    """Where the sequences of one subject lie: role ("t1", "t1c", "t2", "flair") to file."""

    name: str
    paths: dict[str, Path]


@dataclass(frozen=True)
class FoundSubjects:
    """Subjects that have every sequence asked for, and why the others were left out."""

    subjects: tuple[SubjectFiles, ...]
    skipped: dict[str, str]


@dataclass(frozen=True, eq=False)
class Loaded:
    """One file: values (z, y, x), affine of the RAS grid, sha256 of the bytes on disk."""

    values: FloatVolume
    affine: npt.NDArray[np.float64]
    file_sha256: str


@dataclass(frozen=True, eq=False)
class Normalised:
    """A volume after z-scoring, with what is needed to undo it: raw = z * sd + mean."""

    z: FloatVolume
    mean: float
    sd: float


@dataclass(frozen=True, eq=False)
class Subject:
    """One subject in memory.

    Attributes
    ----------
    name : str
        Folder name.
    raw : dict of str to float32 ndarray (z, y, x)
        Intensities as stored, in RAS orientation.
    mask : bool ndarray (z, y, x)
        Brain: voxels where any of the *input* sequences is not zero.
    affine : float64 ndarray (4, 4)
        Index (x, y, z) to millimetres, of the RAS grid.
    file_sha256 : dict of str to str
        Fingerprint of each file.
    """

    name: str
    raw: dict[str, FloatVolume]
    mask: Mask
    affine: npt.NDArray[np.float64]
    file_sha256: dict[str, str]

    def normalised(self, role: str) -> Normalised:
        """Return the sequence ``role`` as z-scores."""
        return zscore(self.raw[role], name=f"{self.name}/{role}")

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size (dz, dy, dx) in millimetres."""
        dx, dy, dz = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(dz), float(dy), float(dx)


def find_subjects(folder: Path, roles: Sequence[str]) -> FoundSubjects:
    """Find the subjects of a folder that have every sequence in ``roles``.

    Parameters
    ----------
    folder : Path
        Holds one folder per subject with files named after their sequence
        (``t1n.nii.gz``, ``t1c.nii.gz``, ``t2w.nii.gz``, ``t2f.nii.gz`` and common synonyms).
    roles : sequence of str
        Sequences needed.

    Raises
    ------
    DataError
        If the folder is missing or no subject in it is complete.
    """
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder.name!r} to take subjects from.")
    complete, skipped = [], {}
    for directory in sorted(p for p in folder.iterdir() if p.is_dir()):
        paths = _sequence_files(directory)
        missing = [role for role in roles if role not in paths]
        if missing:
            skipped[directory.name] = "no " + ", ".join(missing)
        else:
            complete.append(SubjectFiles(directory.name, {role: paths[role] for role in roles}))
    if not complete:
        raise DataError(_nobody_complete(folder, roles, skipped))
    return FoundSubjects(tuple(complete), skipped)


def _sequence_files(directory: Path) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for path in sorted(directory.iterdir()):
        role = role_of(path.name) if path.name.endswith(_SUFFIXES) else None
        if role is None:
            continue
        if role in paths:
            raise DataError(
                f"Subject {directory.name} has two files for {role}: {paths[role].name} and "
                f"{path.name}. Keep one of them."
            )
        paths[role] = path
    return paths


def _nobody_complete(folder: Path, roles: Sequence[str], skipped: dict[str, str]) -> str:
    reasons = "; ".join(f"{name}: {why}" for name, why in list(skipped.items())[:5])
    return (
        f"No subject in {folder.name!r} has all of {', '.join(roles)}. Expected "
        f"<subject>/<sequence>.nii.gz, for example case-01/t1n.nii.gz. {reasons}"
    ).strip()


def load_volume(path: Path, *, may_be_empty: bool = False) -> Loaded:
    """Read a NIfTI file as float32 in RAS orientation; a label map may be empty.

    Raises
    ------
    DataError
        If the file cannot be used as an image; the message is that of `load_nifti`.
    """
    try:
        volume = load_nifti(path, allow_constant=may_be_empty)
    except ImageError as error:
        raise DataError(f"Subject {path.parent.name}: {error}") from error
    values, affine = _to_ras(volume)
    return Loaded(values.astype(np.float32), affine, volume.source_sha256)


def _to_ras(volume: Volume) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    affine = _LPS_TO_RAS @ volume.affine_lps
    turn = nib.orientations.io_orientation(affine)
    xyz = volume.array.transpose(2, 1, 0)
    turned = nib.orientations.apply_orientation(xyz, turn)
    affine = affine @ nib.orientations.inv_ornt_aff(turn, xyz.shape)
    return np.ascontiguousarray(turned.transpose(2, 1, 0)), affine


def load_subject(files: SubjectFiles, *, inputs: Iterable[str]) -> Subject:
    """Read the sequences of one subject and check that they lie on one grid.

    Parameters
    ----------
    files : SubjectFiles
    inputs : iterable of str
        The roles that define the brain mask: a target must not, as it is unknown when the
        network is used.

    Raises
    ------
    DataError
        If a file is unusable, the grids differ or the images are empty.
    """
    loaded = {
        role: load_volume(path, may_be_empty=role == LABEL_MAP)
        for role, path in files.paths.items()
    }
    _same_grid(files.name, loaded)
    raw = {role: volume.values for role, volume in loaded.items()}
    return Subject(
        name=files.name,
        raw=raw,
        mask=brain_mask(raw[role] for role in inputs),
        affine=next(iter(loaded.values())).affine,
        file_sha256={role: volume.file_sha256 for role, volume in loaded.items()},
    )


def _same_grid(name: str, loaded: dict[str, Loaded]) -> None:
    first = next(iter(loaded))
    for role, volume in loaded.items():
        same = volume.values.shape == loaded[first].values.shape
        if not same or not np.allclose(
            volume.affine, loaded[first].affine, atol=_GRID_TOLERANCE_MM
        ):
            raise DataError(
                f"Subject {name}: {role} and {first} are on different grids. Register and "
                "resample all sequences to one grid first."
            )


def brain_mask(volumes: Iterable[npt.NDArray[np.generic]]) -> Mask:
    """Return where any of the volumes is not zero.

    Raises
    ------
    DataError
        If that is nowhere.
    """
    mask: Mask = np.logical_or.reduce([np.asarray(v) != 0 for v in volumes])
    if not mask.any():
        raise DataError("The input volumes are zero everywhere: there is nothing to work on.")
    return mask


def zscore(values: npt.NDArray[np.generic], *, name: str = "volume") -> Normalised:
    """Return z-scores over the non-zero voxels; zeros stay zero.

    ``z = (v - mean) / sd`` with the mean and the population standard deviation of the voxels
    that are not zero.

    Parameters
    ----------
    values : ndarray
        Skull-stripped intensities, background exactly zero.
    name : str
        What to call the volume in an error.

    Raises
    ------
    DataError
        If the non-zero voxels do not vary: no scale can be found.
    """
    inside = np.asarray(values) != 0
    voxels = np.asarray(values)[inside].astype(np.float64)
    sd = float(voxels.std()) if voxels.size else 0.0
    if sd == 0.0:
        raise DataError(f"{name} has no variation inside the brain and cannot be normalised.")
    mean = float(voxels.mean())
    z = np.zeros(np.shape(values), dtype=np.float32)
    z[inside] = (voxels - mean) / sd
    return Normalised(z, mean, sd)


def content_hashes(subject: Subject) -> dict[str, str]:
    """Return the sha256 of the values of each sequence, by role: see `content_sha256`."""
    return {role: content_sha256(values) for role, values in subject.raw.items()}
