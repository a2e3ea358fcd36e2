"""To SimpleITK and back, without losing the place in the patient."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from readerstudy.imaging.geometry import Matrix, Volume


def to_image(volume: Volume, array: NDArray[Any] | None = None) -> Any:
    """SimpleITK image of a volume, or of another array on its grid, as 32-bit floats."""
    values = volume.array if array is None else array
    image = sitk.GetImageFromArray(np.ascontiguousarray(values, dtype=np.float32))
    return place(image, volume.affine_lps)


def place(image: Any, affine_lps: Matrix) -> Any:
    """Give an image its origin, spacing and direction."""
    steps = np.linalg.norm(affine_lps[:3, :3], axis=0)
    image.SetSpacing([float(step) for step in steps])
    image.SetOrigin(affine_lps[:3, 3].tolist())
    image.SetDirection((affine_lps[:3, :3] / steps).ravel().tolist())
    return image


def affine_of(image: Any) -> Matrix:
    """Matrix from voxel (x, y, z) to LPS millimetres."""
    affine = np.eye(4)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    affine[:3, :3] = direction * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return affine


def from_image(image: Any, like: Volume) -> Volume:
    """Volume of an image, with the facts of another volume."""
    return replace(like, array=sitk.GetArrayFromImage(image), affine_lps=affine_of(image))


def matrix_of(transform: Any) -> Matrix:
    """Matrix (4, 4) of a linear transform: point of the fixed image to point of the moving one."""
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    columns = [np.array(transform.TransformPoint(tuple(unit))) - origin for unit in np.eye(3)]
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack(columns)
    matrix[:3, 3] = origin
    return matrix


def transform_of(matrix: Matrix) -> Any:
    """Affine transform of a matrix (4, 4)."""
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(np.asarray(matrix)[:3, :3].ravel().tolist())
    transform.SetTranslation(np.asarray(matrix)[:3, 3].tolist())
    return transform
