"""A volume and its place in the patient.

Coordinates are millimetres in the patient system of DICOM, LPS: x grows to the patient's left,
y to posterior, z to superior. Arrays are (z, y, x); voxel indices (i, j, k) are (x, y, z).
"""

from dataclasses import dataclass
from os import PathLike
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.errors import OrientationError, TooLargeError, VoxelValueError
from readerstudy.imaging.facts import Facts

Kind = Literal["nifti", "dicom", "mgh", "png"]
Array = NDArray[Any]
Matrix = NDArray[np.float64]

MAX_DECODED_BYTES = 512 * 2**20
SHEAR_TOLERANCE = 0.01
SPACING_LIMITS_MM = (0.01, 100.0)


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxel values with their place in the patient.

    Attributes
    ----------
    array : ndarray, shape (z, y, x)
        Exact values: the stored numbers, rescaled where the file says so.
    affine_lps : ndarray, shape (4, 4)
        Voxel index (i, j, k, 1) = (x, y, z, 1) to LPS millimetres.
    kind : {"nifti", "dicom", "mgh", "png"}
    facts : mapping
        Allowed acquisition facts, see `readerstudy.imaging.facts`.
    source_sha256 : str
        Digest of the file, or of the sorted digests of the files of a series.
    flags : tuple of str
        Codes of what a coordinator should know, see `readerstudy.imaging.flags`.
    """

    array: Array
    affine_lps: Matrix
    kind: Kind
    facts: Facts
    source_sha256: str
    flags: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (z, y, x)."""
        z, y, x = self.array.shape
        return z, y, x

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along (z, y, x), in millimetres."""
        x, y, z = np.linalg.norm(self.affine_lps[:3, :3], axis=0)
        return float(z), float(y), float(x)

    def position_mm(self, z: float, y: float, x: float) -> NDArray[np.float64]:
        """LPS position, in millimetres, of the voxel at array index (z, y, x)."""
        position: NDArray[np.float64] = (self.affine_lps @ np.array([x, y, z, 1.0]))[:3]
        return position


def check_affine(path: str | PathLike[str], affine: Matrix) -> None:
    """Refuse an orientation matrix that does not describe a regular box of voxels.

    Raises
    ------
    OrientationError
        Values not finite, spacing zero or implausible, axes parallel or not at right angles.
    """
    if not np.isfinite(affine).all():
        raise _wrong_matrix(path, "it holds values that are not numbers")
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    low, high = SPACING_LIMITS_MM
    if spacing.min() < low or spacing.max() > high:
        listed = ", ".join(f"{value:.3g}" for value in spacing)
        raise _wrong_matrix(path, f"voxel sizes of {listed} mm are not plausible")
    axes = affine[:3, :3] / spacing
    shear = np.abs(axes.T @ axes - np.eye(3)).max()
    if shear > SHEAR_TOLERANCE:
        raise _wrong_matrix(path, "its axes are not at right angles")


def _wrong_matrix(path: str | PathLike[str], why: str) -> OrientationError:
    advice = "Export the image again with its position and orientation."
    return OrientationError(path, f"wrong orientation matrix: {why}", advice)


def check_size(path: str | PathLike[str], shape: tuple[int, ...], bytes_per_voxel: int) -> None:
    """Refuse a claimed size above `MAX_DECODED_BYTES`, before any memory is asked for."""
    total = bytes_per_voxel
    for length in shape:
        total *= int(length)
    if total > MAX_DECODED_BYTES:
        size = "x".join(str(length) for length in shape)
        limit = MAX_DECODED_BYTES // 2**20
        reason = f"its header claims {size} voxels, more than the limit of {limit} MiB"
        raise TooLargeError(path, reason, "Check the file, or crop or down-sample the image.")


def check_values(path: str | PathLike[str], array: Array, *, allow_constant: bool) -> None:
    """Refuse values that are not finite, and an image without any contrast.

    Raises
    ------
    VoxelValueError
    """
    if array.dtype.kind == "f":
        bad = array.size - int(np.isfinite(array).sum())
        if bad:
            reason = f"{bad} of {array.size} voxels are not numbers (NaN or infinite)"
            raise VoxelValueError(path, reason, "Replace them, for example by 0 in the background.")
    if not allow_constant and array.min() == array.max():
        reason = "all voxels have the same value, so there is nothing to see"
        raise VoxelValueError(path, reason, "Check the export or the step that made the image.")
