"""One person's tissue fractions: individual cortex, sulci, ventricles and outer surface."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import ndtri

from synthesis.phantom.anatomy import TEMPLATE_GRID, Template
from synthesis.phantom.deformation import Deformation
from synthesis.phantom.fields import (
    PAD,
    double,
    gaussian,
    random_controls,
    random_field,
    sample,
    smoothstep,
)
from synthesis.phantom.grid import WORK_GRID, Float32, Grid

DETAILED = ("white_probit", "csf", "myelin", "surface")
OUTSIDE = {"white_probit": -2.9, "hull": -8.0, "surface": -4.0, "ventricle": -40.0}


@dataclass(frozen=True)
class Ageing:
    """What age does to one brain: wider sulci (about -1 to 1) and periventricular caps (0 to 1)."""

    atrophy: float
    caps: float


@dataclass(frozen=True)
class Head:
    """Template maps carried to one subject, on a box of ``WORK_GRID`` around the brain.

    Attributes
    ----------
    grid : Grid
        The box.
    corner : tuple of int
        First voxel of the box within ``WORK_GRID``.
    maps : Template
        The template maps, now in the subject's space.
    position : numpy.ndarray, shape (3, z, y, x)
        Template coordinates (z, y, x), mm.
    radial : numpy.ndarray, shape (3, z, y, x)
        Voxel index of the point of the outer surface above each voxel, for radial noise.
    """

    grid: Grid
    corner: tuple[int, int, int]
    maps: Template
    position: Float32
    radial: Float32


@dataclass(frozen=True)
class Fractions:
    """Healthy composition of each voxel, 0 to 1.

    Attributes
    ----------
    white : share of white matter within the parenchyma; nuclei lie between 0 and 1.
    csf : share of cerebrospinal fluid in the voxel.
    inside : soft head mask; 0 where skull stripping removed everything.
    sulcus : strength of the sulcal sheet, 0 to 1.
    """

    white: Float32
    csf: Float32
    inside: Float32
    sulcus: Float32


def carry_to_subject(template: Template, deformation: Deformation) -> Head:
    """Sample all template maps on the subject's grid and cut to the box of the brain."""
    coordinates = deformation.coordinates()
    window = _box(template, coordinates)
    position = np.stack([np.ascontiguousarray(part[window]) for part in coordinates])
    corner = (window[0].start, window[1].start, window[2].start)
    grid = _subgrid(deformation.grid, window)
    maps = _sample_maps(template, position, grid.shape)
    return Head(grid, corner, maps, position, _radial_index(maps.hull))


def _sample_maps(template: Template, position: Float32, shape: tuple[int, int, int]) -> Template:
    """Detailed maps at every voxel near the head, smooth ones at every second voxel."""
    origin = np.array(TEMPLATE_GRID.origin_mm, np.float32)[:, None]
    coarse = position[:, ::2, ::2, ::2].reshape(3, -1) - origin
    half = position[0, ::2, ::2, ::2].shape
    maps = {}
    for field in fields(template):
        if field.name not in DETAILED:
            values = sample(getattr(template, field.name), coarse, OUTSIDE.get(field.name, 0.0))
            maps[field.name] = double(values.reshape(half), shape)
    near = maps["hull"] > -5.0
    chosen = position[:, near] - origin
    for name in DETAILED:
        outside = OUTSIDE.get(name, 0.0)
        maps[name] = np.full(shape, outside, np.float32)
        maps[name][near] = sample(getattr(template, name), chosen, outside)
    return Template(**maps)


def _box(template: Template, coordinates: tuple[Float32, ...]) -> tuple[slice, slice, slice]:
    """Smallest box that holds the head and a margin, from every fourth voxel."""
    points = np.stack([part[::4, ::4, ::4].ravel() for part in coordinates], axis=1)
    hull = sample(template.hull, TEMPLATE_GRID.index(points), -8.0)
    inside = (hull > -6.0).reshape(coordinates[0][::4, ::4, ::4].shape)
    found = ndimage.find_objects(inside.astype(np.uint8))[0]
    window = [
        slice(max(4 * part.start - 6, 0), min(4 * part.stop + 3, count))
        for part, count in zip(found, WORK_GRID.shape, strict=True)
    ]
    return window[0], window[1], window[2]


def _subgrid(grid: Grid, window: tuple[slice, slice, slice]) -> Grid:
    start = [part.start for part in window]
    shape = [part.stop - part.start for part in window]
    z, y, x = (grid.origin_mm[i] + grid.spacing_mm[i] * start[i] for i in range(3))
    return Grid((shape[0], shape[1], shape[2]), grid.spacing_mm, (z, y, x))


def _radial_index(hull: Float32) -> Float32:
    """Index of the surface point above each voxel, so that folds run inwards from the surface."""
    smooth = gaussian(np.ascontiguousarray(hull[::2, ::2, ::2]), 2.0)
    depth = np.clip(smooth, 0.0, None)
    depth *= 0.9 * np.exp(-np.square(depth / 16.0))
    slopes = tuple(np.gradient(smooth, 2.0))
    depth /= np.sqrt(sum(part * part for part in slopes)) + np.float32(1e-2)
    axes: tuple[Float32, ...] = tuple(np.indices(hull.shape, dtype=np.float32, sparse=True))
    shape = (hull.shape[0], hull.shape[1], hull.shape[2])
    return np.stack(
        [axis - double(depth * part, shape) for axis, part in zip(axes, slopes, strict=True)]
    )


def radial_noise(
    rng: np.random.Generator, head: Head, wavelength: float, where: NDArray[np.bool_]
) -> Float32:
    """Unit noise constant along lines from the surface inwards, on the voxels of ``where``."""
    step = max(wavelength / 4.0, 1.5)
    controls = random_controls(rng, head.grid.shape, wavelength, step)
    index = head.radial[:, where] / np.float32(step) + np.float32(PAD)
    values = sample(controls, index)
    out = np.zeros(head.grid.shape, np.float32)
    out[where] = values / np.float32(max(float(values.std()), 1e-6))
    return out


def make_fractions(rng: np.random.Generator, head: Head, ageing: Ageing) -> Fractions:
    """Draw one person's cortex from the tissue probabilities.

    The white matter is ``probit(p) + a N > 0`` with a radial Gaussian field N: for a = 1 this is
    truncated-Gaussian simulation, whose mean over people is p itself; ``a`` grows where the
    average is blurred. The sulci follow from the drawn white matter: the ridge of the distance
    to it, half way between two banks, holds the fluid (as in the ACE step of CRUISE).
    """
    maps = head.maps
    cortex = 1.0 - maps.deep
    brain = maps.hull > -1.0
    noise = radial_noise(rng, head, 9.0, brain)
    level = maps.white_probit + maps.folding * noise
    present = smoothstep(maps.surface / 1.0 + 0.5)
    white = _edge(level, 1.5) * present
    core = np.maximum(white * cortex, maps.deep * (1.0 - maps.csf) * present)
    distance, ridge = _distance_and_ridge(core)
    sulcus = _sulcal_sheet(rng, head, distance, ridge, ageing)
    csf = _csf(rng, head, (distance, sulcus, noise), ageing)
    csf = 1.0 - (1.0 - csf) * (1.0 - _folia(rng, head)) * (1.0 - _vessel_spaces(rng, head, ageing))
    cortical = white * (0.4 + 0.6 * maps.myelin)
    blended = maps.deep * maps.myelin + cortex * cortical
    return Fractions(blended, csf, _inside(rng, head), sulcus)


def _edge(level: Float32, width: float) -> Float32:
    """Soft set level > 0 whose border is about ``width`` voxels wide whatever the slope."""
    slope = np.sqrt(sum(np.square(part) for part in np.gradient(level)))
    return np.clip(0.5 + level / (np.float32(width) * np.maximum(slope, 0.22)), 0.0, 1.0)


def _distance_and_ridge(core: Float32) -> tuple[Float32, Float32]:
    """Distance from a soft set, -sigma probit(G * set), and minus its Laplacian (the ridges)."""
    sigma = 1.6
    blurred = np.clip(gaussian(core, sigma), 1e-4, 1 - 1e-4)
    distance = np.float32(-sigma) * ndtri(blurred).astype(np.float32)
    return distance, -ndimage.laplace(gaussian(distance, 0.6))


def _sulcal_sheet(
    rng: np.random.Generator, head: Head, distance: Float32, ridge: Float32, ageing: Ageing
) -> Float32:
    opened = 0.72 + 0.22 * random_field(rng, head.grid.shape, 26.0) + 0.2 * ageing.atrophy
    threshold = 0.18 - 0.05 * ageing.atrophy
    sheet = smoothstep((ridge - threshold) / 0.5) * smoothstep(distance - 0.9)
    return sheet * smoothstep(opened) * (1.0 - head.maps.deep)


def _csf(
    rng: np.random.Generator, head: Head, drawn: tuple[Float32, ...], ageing: Ageing
) -> Float32:
    maps = head.maps
    distance, sulcus, noise = drawn
    shape = head.grid.shape
    thickness = 4.5 + 0.35 * random_field(rng, shape, 40.0) - 0.5 * ageing.atrophy
    shallow = smoothstep((4.5 - maps.surface) / 2.0) * (1.0 - maps.deep)
    beyond = smoothstep((distance - thickness) / 1.2 + 0.5) * shallow
    likely = smoothstep((maps.csf - 0.43 + 0.10 * ageing.atrophy - 0.05 * noise) / 0.35)
    outer = smoothstep(0.5 - (maps.surface + 0.3 * ageing.atrophy) / 1.2)
    return 1.0 - (1.0 - beyond) * (1.0 - sulcus) * (1.0 - likely) * (1.0 - outer)


def _folia(rng: np.random.Generator, head: Head) -> Float32:
    """Fluid between the leaves of the cerebellum: sheets that fan out from the fourth ventricle."""
    where = head.maps.cerebellum > 0.02
    z, y, x = head.position[:, where]
    back, up = -(y - np.square(x) / 90.0 + 46.0), z + 33.0
    warp = 1.8 * random_field(rng, head.grid.shape, 22.0)[where]
    wave = np.cos(np.arctan2(up, back) * 48.0 + warp)
    cortex = smoothstep((0.55 - head.maps.myelin[where]) / 0.4)
    cortex *= smoothstep((np.hypot(back, up) - 17.0) / 8.0) * head.maps.cerebellum[where]
    uneven = 0.14 + 0.14 * random_field(rng, head.grid.shape, 9.0)[where]
    out = np.zeros(head.grid.shape, np.float32)
    out[where] = cortex * smoothstep((wave - 0.35) / 0.6) * np.clip(uneven, 0, 0.6)
    return out


def _vessel_spaces(rng: np.random.Generator, head: Head, ageing: Ageing) -> Float32:
    """Perivascular spaces: thin radial threads of fluid in deep white matter and basal ganglia."""
    maps = head.maps
    where = (maps.hull > 9.0) & (maps.ventricle < -2.0) & (maps.cerebellum < 0.1)
    where &= (maps.white_probit > 0.8) | ((maps.deep > 0.8) & (maps.iron > 0.1))
    noise = radial_noise(rng, head, 5.0, where)
    share = smoothstep((noise - 2.0 + 0.5 * ageing.caps) / 1.2) * where
    return (0.10 + 0.25 * ageing.caps) * share


def _inside(rng: np.random.Generator, head: Head) -> Float32:
    """Head mask with an uneven margin, as brain extraction leaves it."""
    margin = 0.35 + 0.9 * random_field(rng, head.grid.shape, 45.0)
    margin += 0.25 * random_field(rng, head.grid.shape, 9.0)
    return smoothstep(head.maps.hull + np.clip(margin, -0.6, 3.2) + 0.5)
