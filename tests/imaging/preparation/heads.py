"""Heads whose brain is known: a brain inside fluid, skull, scalp, eyes, face and neck."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from readerstudy.imaging.geometry import Volume

SPACING_MM = 3.0
# Brightness of fluid, bone, marrow, fat, muscle, eye and air, as shares of white matter.
CONTRASTS = {
    "t1": {"csf": 0.22, "bone": 0.08, "marrow": 0.7, "fat": 1.25, "muscle": 0.5, "eye": 0.25},
    "t2": {"csf": 2.4, "bone": 0.1, "marrow": 0.5, "fat": 1.3, "muscle": 0.35, "eye": 2.4},
    "flair": {"csf": 0.2, "bone": 0.1, "marrow": 0.45, "fat": 0.9, "muscle": 0.4, "eye": 0.3},
}


@dataclass(frozen=True, eq=False)
class Head:
    """A head and the brain in it."""

    volume: Volume
    brain: NDArray[np.bool_]


def as_volume(array: NDArray[np.float32], affine: NDArray[np.float64]) -> Volume:
    return Volume(array, affine, "nifti", {}, "0" * 64)


@lru_cache(maxsize=8)
def icbm_brain(
    contrast: str = "t1", spacing_mm: int = 3
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """The ICBM average in a box with room for a head; grey values of a contrast."""
    from readerstudy.imaging.preparation.template import template

    step = slice(None, None, spacing_mm)
    t1 = template().array[step, step, step].astype(np.float32)
    room_mm = ((84, 36), (45, 33), (30, 30))
    t1 = np.pad(t1, [(low // spacing_mm, high // spacing_mm) for low, high in room_mm])
    brain = ndimage.binary_fill_holes(t1 > 25)
    share = t1 / 223.0
    if contrast != "t1":
        top = CONTRASTS[contrast]["csf"]
        levels = {"t2": (top, 1.35, 1.0), "flair": (top, 1.15, 1.0)}[contrast]
        share = np.interp(share, (0.25, 0.72, 1.0), levels).astype(np.float32)
    return np.where(brain, share, 0).astype(np.float32), brain


def head_around(
    share: NDArray[np.float32],
    brain: NDArray[np.bool_],
    contrast: str,
    *,
    spacing_mm: float = SPACING_MM,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Add fluid, skull, scalp, eyes, face and neck to a brain (z, y, x) in LPS order."""
    rng = np.random.default_rng(seed)
    level = CONTRASTS[contrast]
    reach = round(16 / spacing_mm)
    padded = ndimage.binary_closing(np.pad(brain, reach + 2), iterations=reach)
    inner = slice(reach + 2, -reach - 2)
    hull = padded[inner, inner, inner]
    away = ndimage.distance_transform_edt(~hull, sampling=spacing_mm)
    slow = _smooth_noise(rng, brain.shape, 20 / spacing_mm)
    fluid_mm, skull_mm = 1.5 + 0.7 * slow, 6.5 + 1.2 * slow
    scalp_mm = 5.0 + _smooth_noise(rng, brain.shape, 25 / spacing_mm)
    z, y, x = (axis * spacing_mm for axis in np.indices(brain.shape))
    middle = np.array(ndimage.center_of_mass(brain)) * spacing_mm
    z, y, x = z - middle[0], y - middle[1], x - middle[2]
    head = np.zeros(brain.shape, np.float32)
    texture = 1 + 0.15 * _smooth_noise(rng, brain.shape, 2)
    below = z < -25
    face = below & ((x / 62) ** 2 + ((y + 45) / 55) ** 2 + ((z + 60) / 75) ** 2 < 1)
    neck = (z < -45) & ((x / 60) ** 2 + ((y - 5) / 65) ** 2 < 1)
    soft = face | neck
    rim = soft & ~ndimage.binary_erosion(soft, iterations=round(6 / spacing_mm))
    head[soft] = level["muscle"] * texture[soft]
    head[rim] = level["fat"]
    airway = (np.abs(x) < 9) & (np.abs(y + 60) < 22) & (z < -30)
    head[airway & soft] = 0
    shell = away - fluid_mm - skull_mm
    scalp = (shell > 0) & (shell <= scalp_mm) & ~soft
    head[scalp] = level["fat"] * texture[scalp]
    temporal = scalp & (np.abs(z + 20) < 25) & (np.abs(x) > 50)
    head[temporal] = level["muscle"] * texture[temporal]
    bone = (away > fluid_mm) & (shell <= 0)
    head[bone] = level["bone"]
    depth = (away - fluid_mm) / skull_mm
    marrow = bone & (np.abs(depth - 0.5) < 0.17) & (slow > 0.3)
    head[marrow] = level["marrow"]
    for side in (-1, 1):
        ball = (x - 32 * side) ** 2 + (y + 72) ** 2 + (z + 33) ** 2
        around = (ball < 19**2) & (away > fluid_mm + 2)
        head[around] = level["fat"]
        head[ball < 12**2] = level["eye"]
    fluid = hull & ~brain | (away > 0) & (away <= fluid_mm)
    head[fluid] = level["csf"]
    cord = (x**2 + (y - 22) ** 2 < 8**2) & (z < -60)
    head[(x**2 + (y - 22) ** 2 < 12**2) & (z < -60) & ~brain] = level["csf"]
    head[cord] = 0.9
    head[brain] = share[brain]
    return head


def scanned(
    head: NDArray[np.float32],
    *,
    noise: float = 0.03,
    bias: float = 0.2,
    seed: int = 0,
    level: float = 400.0,
) -> NDArray[np.float32]:
    """Receive field exp(bias × smooth noise), Rician noise, brightness of white matter."""
    rng = np.random.default_rng(seed + 1)
    field = np.exp(bias * _smooth_noise(rng, head.shape, 25))
    real = head * field + noise * rng.standard_normal(head.shape)
    imaginary = noise * rng.standard_normal(head.shape)
    return (level * np.hypot(real, imaginary)).astype(np.float32)


def rotation(x_deg: float, y_deg: float, z_deg: float) -> NDArray[np.float64]:
    """Rotation about x, then y, then z."""
    a, b, c = np.radians([x_deg, y_deg, z_deg])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def tilted(
    array: NDArray[np.float32], turn: NDArray[np.float64], order: int
) -> NDArray[np.float32]:
    """The array (z, y, x) turned about its middle by a rotation of (x, y, z)."""
    flipped = turn[::-1, ::-1]
    middle = (np.array(array.shape) - 1) / 2
    return ndimage.affine_transform(
        array, flipped.T, middle - flipped.T @ middle, order=order, mode="constant"
    )


def make_head(
    contrast: str = "t1",
    *,
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0),
    noise: float = 0.03,
    bias: float = 0.2,
    seed: int = 0,
    scale: float = 1.0,
) -> Head:
    """A head around the ICBM brain, tilted in its box; `scale` changes its size by the voxels."""
    share, brain = icbm_brain(contrast)
    head = head_around(share, brain, contrast, seed=seed)
    if any(turn):
        matrix = rotation(*turn)
        head = tilted(head, matrix, 1)
        brain = tilted(brain.astype(np.float32), matrix, 1) >= 0.5
    affine = np.diag([SPACING_MM * scale] * 3 + [1.0])
    affine[:3, 3] = (-95.0, -120.0, -150.0)
    array = scanned(np.maximum(head, 0), noise=noise, bias=bias, seed=seed)
    return Head(as_volume(array, affine), brain)


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Overlap of two masks, 0 to 1 (Dice 1945)."""
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def smaller(head: Head, cut: tuple[slice, slice, slice]) -> Head:
    """Part of a head."""
    affine = head.volume.affine_lps.copy()
    starts = [part.start or 0 for part in cut]
    affine[:3, 3] = head.volume.position_mm(*starts)
    volume = replace(head.volume, array=head.volume.array[cut], affine_lps=affine)
    return Head(volume, head.brain[cut])


def _smooth_noise(
    rng: np.random.Generator, shape: tuple[int, ...], sigma: float
) -> NDArray[np.float32]:
    """Smooth noise of mean 0 and standard deviation 1."""
    step = max(1, int(sigma / 3))
    coarse = rng.standard_normal([length // step + 3 for length in shape]).astype(np.float32)
    coarse = ndimage.gaussian_filter(coarse, sigma / step)
    fine = ndimage.zoom(coarse, step, order=1)[tuple(slice(0, length) for length in shape)]
    return (fine - fine.mean()) / fine.std()
