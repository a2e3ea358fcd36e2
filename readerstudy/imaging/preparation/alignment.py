"""Finding the rigid or affine transform between two images, repeatably."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import SimpleITK as sitk  # noqa: N813

from readerstudy.imaging.geometry import Matrix
from readerstudy.imaging.preparation.itk import matrix_of

Kind = Literal["rigid", "similarity", "affine"]
KINDS: tuple[Kind, ...] = ("rigid", "similarity", "affine")
BINS = 40
_SAMPLES = 25_000
_RELAXATION = 0.6
_FIRST_STEP_MM: dict[Kind, float] = {"rigid": 2.0, "similarity": 0.7, "affine": 0.5}
_SMALLEST_STEP_MM = 0.004
_AWAY_MM = 8.0
_TRIED_COARSELY = 3
_FREEDOM: dict[Kind, tuple[Kind, ...]] = {
    "rigid": (),
    "similarity": ("similarity",),
    "affine": ("similarity", "affine"),
}


@dataclass(frozen=True)
class Level:
    """One resolution of a search.

    Attributes
    ----------
    spacing_mm : float
        Edge of the voxels on which both images are compared.
    smoothing_mm : float
        Standard deviation of the Gaussian before.
    iterations : int
    """

    spacing_mm: float
    smoothing_mm: float
    iterations: int


_JUDGED_AT = Level(4.0, 2.0, 0)


@dataclass(frozen=True, eq=False)
class Alignment:
    """A transform and how it was found.

    Attributes
    ----------
    matrix : ndarray, shape (4, 4)
        LPS point of the fixed image to LPS point of the moving image.
    metric_before, metric : float
        Mutual information in nats at the start given by the headers and at the end; larger is
        better.
    standing : float
        How far the found place stands out: 1 - (mean metric 8 mm away) / (metric found). Near
        0 where the images have nothing in common.
    iterations : int
        Of the finest level.
    """

    matrix: Matrix
    metric_before: float
    metric: float
    standing: float
    iterations: int


def align(
    fixed: Any,
    moving: Any,
    *,
    kind: Kind,
    starts: Sequence[Matrix],
    levels: Sequence[Level],
    seed: int,
    fixed_mask: Any = None,
    judged: Any = None,
) -> Alignment:
    """Maximise Mattes' mutual information from the best of several starts.

    Parameters
    ----------
    fixed, moving : SimpleITK.Image
        32-bit floats.
    kind : {"rigid", "similarity", "affine"}
    starts : sequence of ndarray, shape (4, 4)
        Rigid matrices, fixed point to moving point. All are tried coarsely.
    levels : sequence of Level
        From coarse to fine.
    seed : int
        Of the random samples. With one thread, as here, a run repeats to the bit.
    fixed_mask : SimpleITK.Image, optional
        Where the fixed image is compared.
    judged : SimpleITK.Image, optional
        Where it is judged how far the found place stands out; `fixed_mask` when left out.

    Returns
    -------
    Alignment

    Notes
    -----
    Mattes et al., IEEE Trans Med Imaging 2003; 22:120-128. Regular-step gradient descent with
    scales from physical shifts, about the centre of the fixed mask. An affine search runs as
    rigid, then as similarity, on the coarse levels.
    """
    with one_thread():
        pyramid = [_Stage(fixed, moving, fixed_mask, level, seed) for level in levels]
        mask = fixed_mask if judged is None else judged
        judge = _Stage(fixed, moving, mask, _JUDGED_AT, seed)
        return _align(pyramid, judge, kind, starts)


_threads_are_set = threading.RLock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let SimpleITK add up in one order; with several threads the last digits vary."""
    with _threads_are_set:
        before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
        try:
            yield
        finally:
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


def _align(
    pyramid: Sequence[_Stage], judge: _Stage, kind: Kind, starts: Sequence[Matrix]
) -> Alignment:
    coarse = pyramid[0]
    ranked = sorted(starts, key=coarse.value_at)[:_TRIED_COARSELY]
    tried = [coarse.search(start, "rigid") for start in ranked]
    matrix, metric, iterations = min(tried, key=lambda found: found[1])
    for number, stage in enumerate(pyramid):
        for each in _FREEDOM[kind] if number == 0 else (kind,):
            matrix, metric, iterations = stage.search(matrix, each)
    finest = pyramid[-1]
    before = finest.value_at(starts[0])
    return Alignment(matrix, -before, -metric, _standing(judge, matrix), iterations)


def _standing(stage: _Stage, matrix: Matrix) -> float:
    found = stage.value_at(matrix, "affine")
    around = []
    for axis in range(3):
        for way in (-_AWAY_MM, _AWAY_MM):
            moved = matrix.copy()
            moved[axis, 3] += way
            around.append(stage.value_at(moved, "affine"))
    return 1 - float(np.mean(around)) / found if found < 0 else 0.0


class _Stage:
    """Both images at one resolution."""

    def __init__(self, fixed: Any, moving: Any, mask: Any, level: Level, seed: int) -> None:
        self.fixed = _at(fixed, level)
        self.moving = _at(moving, level)
        self.mask = None if mask is None else _mask_on(mask, self.fixed)
        self.level = level
        self.seed = seed
        self.centre = _centre(self.mask, self.fixed)
        inside = None if self.mask is None else sitk.GetArrayViewFromImage(self.mask)
        self.count = float(np.prod(self.fixed.GetSize()) if inside is None else inside.sum())

    def value_at(self, start: Matrix, kind: Kind = "rigid") -> float:
        """Metric, smaller is better; 0 where too little overlaps."""
        method = self._method()
        method.SetInitialTransform(_build(kind, start, self.centre), inPlace=False)
        try:
            return float(method.MetricEvaluate(self.fixed, self.moving))
        except RuntimeError:
            return 0.0

    def search(self, start: Matrix, kind: Kind) -> tuple[Matrix, float, int]:
        """Descend from a start; return matrix, metric and iterations."""
        method = self._method()
        method.SetOptimizerAsRegularStepGradientDescent(
            learningRate=_FIRST_STEP_MM[kind],
            minStep=_SMALLEST_STEP_MM,
            numberOfIterations=self.level.iterations,
            relaxationFactor=_RELAXATION,
            gradientMagnitudeTolerance=1e-7,
        )
        method.SetOptimizerScalesFromPhysicalShift()
        transform = _build(kind, start, self.centre)
        method.SetInitialTransform(transform, inPlace=False)
        try:
            found = method.Execute(self.fixed, self.moving)
        except RuntimeError:
            return start, 0.0, 0
        matrix, before = matrix_of(found), self.value_at(start, kind)
        value = self.value_at(matrix, kind)
        better = value <= before
        return (matrix, value, method.GetOptimizerIteration()) if better else (start, before, 0)

    def _method(self) -> Any:
        method = sitk.ImageRegistrationMethod()
        method.SetNumberOfThreads(1)
        method.SetMetricAsMattesMutualInformation(BINS)
        if self.mask is not None:
            method.SetMetricFixedMask(self.mask)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(min(1.0, _SAMPLES / self.count), self.seed + 1)
        return method


def _at(image: Any, level: Level) -> Any:
    """Smooth, and sample evenly in millimetres; never finer than the image is."""
    spacing = np.array(image.GetSpacing())
    sigma = np.sqrt(np.maximum(0.0, level.smoothing_mm**2 - (spacing / 2.355) ** 2))
    for axis in range(3):
        if sigma[axis] > 0.05 and image.GetSize()[axis] >= 4:
            blur = sitk.RecursiveGaussianImageFilter()
            blur.SetDirection(axis)
            blur.SetSigma(float(sigma[axis]))
            image = blur.Execute(image)
    step = np.maximum(spacing, level.spacing_mm)
    size = np.maximum(1, np.round(np.array(image.GetSize()) * spacing / step)).astype(int)
    work = sitk.ResampleImageFilter()
    work.SetSize([int(length) for length in size])
    work.SetOutputSpacing([float(value) for value in step])
    direction = np.array(image.GetDirection()).reshape(3, 3)
    origin = np.array(image.GetOrigin()) + direction @ ((step - spacing) / 2)
    work.SetOutputOrigin(origin.tolist())
    work.SetOutputDirection(image.GetDirection())
    work.SetDefaultPixelValue(0.0)
    work.SetInterpolator(sitk.sitkLinear)
    return work.Execute(image)


def _mask_on(mask: Any, image: Any) -> Any:
    work = sitk.ResampleImageFilter()
    work.SetReferenceImage(image)
    work.SetInterpolator(sitk.sitkNearestNeighbor)
    return sitk.Cast(work.Execute(mask), sitk.sitkUInt8)


def _centre(mask: Any, image: Any) -> list[float]:
    if mask is None:
        middle = [(length - 1) / 2 for length in image.GetSize()]
        return list(image.TransformContinuousIndexToPhysicalPoint(middle))
    inside = np.argwhere(sitk.GetArrayFromImage(mask))
    index = inside.mean(axis=0)[::-1]
    return list(image.TransformContinuousIndexToPhysicalPoint([float(value) for value in index]))


def _build(kind: Kind, matrix: Matrix, centre: list[float]) -> Any:
    """Transform of a kind about a centre, equal to a matrix as far as the kind can be."""
    shape: Any = {
        "rigid": sitk.Euler3DTransform,
        "similarity": sitk.Similarity3DTransform,
        "affine": lambda: sitk.AffineTransform(3),
    }[kind]()
    shape.SetCenter(centre)
    linear = np.asarray(matrix)[:3, :3]
    if kind == "rigid":
        linear = nearest_rotation(linear)
    elif kind == "similarity":
        scale = float(np.cbrt(np.linalg.det(linear)))
        linear = nearest_rotation(linear) * scale
    shape.SetMatrix(linear.ravel().tolist(), *(() if kind == "affine" else (1e-4,)))
    target = np.asarray(matrix)[:3, :3] @ np.array(centre) + np.asarray(matrix)[:3, 3]
    shape.SetTranslation((target - np.array(centre)).tolist())
    return shape


def nearest_rotation(linear: Matrix) -> Matrix:
    """Rotation nearest to a 3 by 3 matrix (polar decomposition)."""
    left, _, right = np.linalg.svd(linear)
    rotation: Matrix = left @ right
    if np.linalg.det(rotation) < 0:
        left[:, -1] *= -1
        rotation = left @ right
    return rotation


def rotation_deg(matrix: Matrix) -> float:
    """Angle of the rotation in a matrix, in degrees."""
    rotation = nearest_rotation(np.asarray(matrix)[:3, :3])
    cosine = (np.trace(rotation) - 1) / 2
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))
