"""The frame of a case: one system of axes in which all its series lie, and grids along them.

The frame follows the acquisition of the first series of a case, so that an oblique image is shown
as acquired; other series are put where they belong beside it. Positions in the frame are
millimetres (x, y, z) to the left, back and top of the frame's own axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.geometry import Matrix, Volume
from readerstudy.imaging.orientation import is_oblique, to_lps

Plane = Literal["axial", "coronal", "sagittal"]
Triple = tuple[float, float, float]

SAME_SPACING_MM = 1e-3
SAME_PLACE_VOXELS = 0.02
AVERAGE_SHIFT = (1 - float(np.sqrt(1 / 3))) / 2

PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
_ORDER: dict[Plane, tuple[int, int, int]] = {
    "axial": (0, 1, 2),
    "coronal": (1, 0, 2),
    "sagittal": (2, 0, 1),
}


@dataclass(frozen=True)
class Grid:
    """A grid along the axes of the case frame.

    Attributes
    ----------
    shape : tuple of int
        Voxels along (z, y, x).
    spacing_mm : tuple of float
        Millimetres along (z, y, x).
    origin_mm : tuple of float
        Position (x, y, z) in the frame of the centre of voxel (0, 0, 0).
    """

    shape: tuple[int, int, int]
    spacing_mm: Triple
    origin_mm: Triple

    @property
    def centre_mm(self) -> NDArray[np.float64]:
        """Position (x, y, z) in the frame of the middle of the grid."""
        steps = np.array(self.spacing_mm[::-1])
        return np.array(self.origin_mm) + steps * (np.array(self.shape[::-1]) - 1) / 2


def case_frame(volume: Volume, mask: NDArray[np.bool_]) -> Matrix:
    """Frame of a case from its first series.

    Parameters
    ----------
    volume : Volume
        In LPS order, oblique or not.
    mask : ndarray of bool, shape of the volume
        Foreground.

    Returns
    -------
    ndarray, shape (4, 4)
        Frame millimetres (x, y, z, 1) to patient LPS millimetres: a rotation, and as origin the
        voxel next to the middle of the box around the foreground. With a voxel as origin, a grid
        whose voxels lie at whole steps from it needs no interpolation.
    """
    left, _, right = np.linalg.svd(volume.affine_lps[:3, :3] / _lengths(volume.affine_lps))
    middle = [_middle(mask, axis) for axis in range(3)]
    frame = np.eye(4)
    frame[:3, :3] = left @ right
    frame[:3, 3] = volume.position_mm(*middle)
    return frame


def _lengths(affine: Matrix) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.linalg.norm(affine[:3, :3], axis=0)
    return lengths


def _middle(mask: NDArray[np.bool_], axis: int) -> int:
    used = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {axis})))
    if not used.size:
        return mask.shape[axis] // 2
    return int(used[0] + used[-1] + 1) // 2


def in_frame(volume: Volume, frame_to_lps: Matrix) -> Volume:
    """The same voxels with their positions in the case frame, in LPS order of its axes."""
    affine = np.linalg.inv(frame_to_lps) @ volume.affine_lps
    return to_lps(replace(volume, affine_lps=affine))


def reach_mm(volume: Volume, mask: NDArray[np.bool_]) -> tuple[Triple, Triple]:
    """Lowest and highest position of the foreground along x, y and z.

    Parameters
    ----------
    volume : Volume
        In the case frame.
    mask : ndarray of bool, shape of the volume
        Not empty.

    Returns
    -------
    low, high : tuple of float
        Millimetres (x, y, z), including half a voxel on either side. Exact for oblique volumes
        too, since along a row of voxels each coordinate is largest at one of the row's ends.
    """
    z, y = np.nonzero(mask.any(axis=2))
    rows = mask[z, y]
    first, last = rows.argmax(axis=1), mask.shape[2] - 1 - rows[:, ::-1].argmax(axis=1)
    ends = np.stack([np.concatenate([first, last]), np.tile(y, 2), np.tile(z, 2)])
    positions = volume.affine_lps[:3, :3] @ ends + volume.affine_lps[:3, 3:]
    half = np.abs(volume.affine_lps[:3, :3]).sum(axis=1) / 2
    return _triple(positions.min(axis=1) - half), _triple(positions.max(axis=1) + half)


def centred_grid(
    half_mm: Sequence[float], spacing_mm: Triple, *, multiple: int, shift: float = 0.0
) -> Grid:
    """Smallest grid around the frame's origin that reaches a distance along each axis.

    Parameters
    ----------
    half_mm : sequence of float
        Distance (x, y, z) to be covered on both sides of the origin.
    spacing_mm : tuple of float
        Millimetres along (z, y, x).
    multiple : int
        The number of voxels along each axis is a multiple of it.
    shift : float
        Distance of the voxels from whole steps, as a share of the spacing.
    """
    counts = [
        int(np.ceil((2 * np.ceil(half / step) + 1) / multiple) * multiple)
        for half, step in zip(half_mm, spacing_mm[::-1], strict=True)
    ]
    return grid_of_shape((counts[2], counts[1], counts[0]), spacing_mm, shift=shift)


def grid_of_shape(shape: tuple[int, int, int], spacing_mm: Triple, *, shift: float = 0.0) -> Grid:
    """Grid of a given shape whose middle voxel (index n // 2) is the frame's origin."""
    origin = [
        (shift - count // 2) * step
        for count, step in zip(shape[::-1], spacing_mm[::-1], strict=True)
    ]
    return Grid(shape, spacing_mm, (origin[0], origin[1], origin[2]))


def lies_on(volume: Volume, spacing_mm: Triple) -> bool:
    """Whether a volume in the case frame has this spacing and its voxels at whole steps."""
    same = np.allclose(volume.spacing_mm, spacing_mm, rtol=0, atol=SAME_SPACING_MM)
    if not same or is_oblique(volume):
        return False
    steps = volume.affine_lps[:3, 3] / np.array(spacing_mm[::-1])
    return bool(np.abs(steps - np.rint(steps)).max() <= SAME_PLACE_VOXELS)


def to_plane(array: NDArray[Any], plane: Plane) -> NDArray[Any]:
    """Order a (z, y, x) array as a stack of slices in a plane, in radiological convention.

    axial: slices to superior, rows to posterior, columns to the left. coronal: slices to
    posterior, rows to inferior, columns to the left. sagittal: slices to the left, rows to
    inferior, columns to posterior.
    """
    turned = array.transpose(_ORDER[plane])
    return np.ascontiguousarray(turned if plane == "axial" else turned[:, ::-1])


def from_plane(stack: NDArray[Any], plane: Plane) -> NDArray[Any]:
    """Put slices as they are looked at back into (z, y, x): the inverse of `to_plane`."""
    upright = stack if plane == "axial" else stack[:, ::-1]
    return np.ascontiguousarray(upright.transpose(np.argsort(_ORDER[plane])))


def plane_of(shape: Sequence[int]) -> Plane:
    """The plane in which an image of shape (z, y, x) is looked at: axial, or that of one slice."""
    thin = [plane for plane in PLANES if shape[_ORDER[plane][0]] == 1]
    return thin[0] if len(thin) == 1 else "axial"


def plane_geometry(grid: Grid, plane: Plane) -> dict[str, Any]:
    """Shape, spacing and position of the first voxel of a stack ordered by `to_plane`.

    Returns
    -------
    dict
        ``shape`` and ``spacing_mm`` along (slice, row, column); ``origin_mm`` (x, y, z).
    """
    order = _ORDER[plane]
    x, y, z = grid.origin_mm
    top = z + (grid.shape[0] - 1) * grid.spacing_mm[0]
    return {
        "shape": [grid.shape[axis] for axis in order],
        "spacing_mm": [grid.spacing_mm[axis] for axis in order],
        "origin_mm": [x, y, z if plane == "axial" else top],
    }


def to_patient(frame_to_lps: Matrix, point_mm: Sequence[float]) -> Triple:
    """Position in patient LPS millimetres of a point of the case frame."""
    moved: NDArray[np.float64] = frame_to_lps @ np.array([*point_mm, 1.0])
    return _triple(moved[:3])


def _triple(values: NDArray[np.float64]) -> Triple:
    x, y, z = (float(value) for value in values)
    return x, y, z
