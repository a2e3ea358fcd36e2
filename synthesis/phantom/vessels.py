"""Vessels, choroid plexus and dura: what takes up contrast agent in a healthy head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import CubicSpline

from synthesis.phantom.anatomy import TEMPLATE_GRID, Template
from synthesis.phantom.cortex import Fractions, Head, radial_noise
from synthesis.phantom.courses import COURSES, Course
from synthesis.phantom.deformation import Deformation
from synthesis.phantom.fields import gaussian, random_field, sample, smoothstep
from synthesis.phantom.grid import Float32, Triple

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Vessels:
    """Share of each voxel, 0 to 1, on the box of the head."""

    artery: Float32
    vein: Float32
    plexus: Float32
    dura: Float32


def sagittal_sinus(template: Template) -> Course:
    """Course of the superior sagittal sinus: the midline edge of the hull, front to back."""
    centre = np.array([5.0, -17.0])
    angles = np.deg2rad(np.linspace(15.0, 192.0, 24))
    found: list[Triple] = []
    for angle in angles:
        reach = np.arange(40.0, 120.0, 0.5)
        z = centre[0] + reach * np.sin(angle)
        y = centre[1] + reach * np.cos(angle)
        ray = np.stack([z, y, np.zeros_like(z)], axis=1)
        depth = sample(template.hull, TEMPLATE_GRID.index(ray), -8.0)
        last = int(np.flatnonzero(depth > 0.5)[-1])
        found.append((0.0, float(y[last]), float(z[last])))
    return Course(
        "superior sagittal sinus", "vein", tuple(found), (0.8, 3.4), mirrored=False, snap=""
    )


def _dense(points: Points, spacing: float) -> Points:
    """Cubic spline through points (n, 3), sampled about every ``spacing`` mm."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    count = max(int(length[-1] / spacing), 4)
    return CubicSpline(length, points)(np.linspace(0.0, length[-1], count))


def _gradient_at(volume: Float32, points: Points) -> Points:
    slopes = []
    for axis in range(3):
        step = np.zeros(3)
        step[axis] = 1.0
        above = sample(volume, TEMPLATE_GRID.index(points + step))
        below = sample(volume, TEMPLATE_GRID.index(points - step))
        slopes.append((above - below) / 2.0)
    return np.stack(slopes, axis=1).astype(np.float64)


def _snap(points: Points, template: Template, target: str) -> Points:
    """Move points (z, y, x) towards fluid, or onto the hull, by a few millimetres at most."""
    moved = points.copy()
    for _ in range(8):
        if target == "csf":
            slope = _gradient_at(template.csf, moved)
            moved += 2.0 * slope / (0.25 + np.linalg.norm(slope, axis=1, keepdims=True)) * 0.25
        elif target == "hull":
            depth = sample(template.hull, TEMPLATE_GRID.index(moved), -8.0)[:, None]
            slope = _gradient_at(template.hull, moved)
            moved -= 0.6 * (depth - 0.5) * slope
    return moved


def _lay(
    rng: np.random.Generator, course: Course, template: Template, side: int
) -> tuple[Points, NDArray[np.float64]]:
    """Dense template points (z, y, x) of one course on one side, and the radius at each."""
    controls = np.array(course.points, dtype=np.float64)
    controls[:, 0] *= side
    inner = slice(1, -1)
    controls[inner] += rng.normal(0.0, 0.8, controls[inner].shape)
    points = _dense(controls, 4.0)[:, ::-1]
    points = _snap(points, template, course.snap)
    wiggle = rng.normal(0.0, 0.35, points.shape)
    dense = _dense(points + wiggle, 0.5)
    start, stop = course.radii
    calibre = np.exp(rng.normal(0.0, 0.15))
    return dense, np.linspace(start, stop, len(dense)) * calibre


def rasterise(index: Points, radius: NDArray[np.float64], shape: tuple[int, ...]) -> Float32:
    """Share of each voxel covered by balls of ``radius`` voxels along the points (n, 3).

    A ball thinner than a voxel covers at most its area share of a tube, (2 r)^2 pi / 4.
    """
    out = np.zeros(shape, np.float32)
    classes = np.ceil(radius + 0.5).astype(int)
    for reach in np.unique(classes):
        chosen = (classes == reach) & np.all(
            (index > reach) & (index < np.array(shape) - reach - 1), axis=1
        )
        _stamp(out, index[chosen].astype(np.float32), radius[chosen].astype(np.float32), int(reach))
    return out


def _stamp(out: Float32, index: Float32, radius: Float32, reach: int) -> None:
    steps = np.arange(-reach, reach + 1)
    offsets = np.stack(np.meshgrid(steps, steps, steps, indexing="ij")).reshape(3, -1).T
    cells = np.rint(index).astype(np.intp)[:, None, :] + offsets[None]
    distance = np.linalg.norm(cells - index[:, None, :], axis=2)
    cover = np.minimum(1.0, np.pi * radius * radius)[:, None]
    share = np.clip(radius[:, None] + 0.5 - distance, 0.0, 1.0) * cover
    flat = np.ravel_multi_index(tuple(np.moveaxis(cells, 2, 0)), out.shape)
    np.maximum.at(out.reshape(-1), flat.ravel(), share.astype(np.float32).ravel())


def _tubes(
    rng: np.random.Generator, template: Template, deformation: Deformation, head: Head
) -> dict[str, Float32]:
    laid: dict[str, list[tuple[Points, NDArray[np.float64]]]] = {}
    dominance = rng.choice([0.75, 1.25])
    for course in (*COURSES, sagittal_sinus(template)):
        for side in (1, -1) if course.mirrored else (1,):
            points, radius = _lay(rng, course, template, side)
            if course.snap == "hull":
                radius = radius * (dominance if side > 0 else 2.0 - dominance)
            laid.setdefault(course.kind, []).append((points, radius))
    out = {}
    for kind, parts in laid.items():
        points = deformation.to_subject(np.concatenate([part[0] for part in parts]))
        index = head.grid.index(points).T.astype(np.float64)
        radius = np.concatenate([part[1] for part in parts])
        out[kind] = rasterise(index, radius, head.grid.shape)
    return out


def _cortical_veins(rng: np.random.Generator, head: Head, fractions: Fractions) -> Float32:
    """Veins on the surface and down the sulci: zero lines of a radial field on the fluid sheets."""
    fluid = np.maximum(fractions.sulcus, fractions.csf * (head.maps.ventricle < -6.0))
    fluid = fluid * smoothstep((16.0 - head.maps.hull) / 8.0) * fractions.inside
    fluid *= smoothstep((head.maps.surface + 1.8) / 1.2)
    where = fluid > 0.05
    field = radial_noise(rng, head, 24.0, head.maps.hull > -5.0)
    slope = np.sqrt(sum(np.square(part) for part in np.gradient(field)))
    distance = np.abs(field) / np.maximum(slope, 0.02)
    radius = 0.45 + 0.3 * random_field(rng, head.grid.shape, 30.0)
    return np.clip(radius + 0.5 - distance, 0.0, 1.0) * where * smoothstep(fluid * 2.0)


def _falx(rng: np.random.Generator, head: Head) -> Float32:
    """Sheet in the midline plane, down to a free edge that sinks from front to back."""
    bend = 0.6 * random_field(rng, head.grid.shape, 60.0)
    where = np.abs(head.position[2]) < 4.0
    z, y, x = head.position[:, where]
    lowest = np.clip(16.0 + 0.28 * (45.0 - y), 10.0, 46.0)
    share = np.exp(-np.square((x - bend[where]) / 0.7))
    share *= smoothstep((lowest - head.maps.hull[where]) / 4.0)
    share *= (z > -5.0) & (head.maps.cerebellum[where] < 0.2)
    out = np.zeros(head.grid.shape, np.float32)
    out[where] = share
    return out


def _tentorium(head: Head) -> Float32:
    """Sheet over the cerebellum, open around the midbrain."""
    maps = head.maps
    window = ndimage.find_objects((maps.cerebellum > 0.02).astype(np.uint8))[0]
    z, y, x = head.position[(slice(None), *window)]
    edge = gaussian(np.ascontiguousarray(maps.cerebellum[window]), 0.7)
    slope = np.sqrt(sum(np.square(part) for part in np.gradient(edge)))
    sheet = np.exp(-np.square((edge - 0.45) / np.maximum(slope, 0.05) / 0.7)) * (slope > 0.08)
    roof = smoothstep((maps.hull[window] - 3.0) / 3.0) * (z > -34.0) * (y < -26.0)
    opening = np.hypot(x / 15.0, (y + 32.0) / 18.0)
    out = np.zeros(head.grid.shape, np.float32)
    out[window] = sheet * roof * smoothstep((opening - 1.0) / 0.2)
    return out


def make_vessels(
    rng: np.random.Generator,
    template: Template,
    deformation: Deformation,
    head: Head,
    fractions: Fractions,
) -> Vessels:
    """Lay the named vessels and draw the cortical veins of one subject.

    Tubes lie in fluid or outside the parenchyma: what would overlap tissue is cut, which gives
    the sinuses their triangular section between the hemispheres.
    """
    tubes = _tubes(rng, template, deformation, head)
    room = smoothstep(fractions.csf * 1.6)
    veins = np.maximum(
        tubes["vein"] * np.maximum(room, 0.15), _cortical_veins(rng, head, fractions)
    )
    dura = np.maximum(_falx(rng, head), _tentorium(head))
    lumps = smoothstep(0.6 + 0.45 * random_field(rng, head.grid.shape, 4.0, 1.5))
    return Vessels(
        artery=tubes["artery"] * np.maximum(room, 0.25),
        vein=veins,
        plexus=tubes["plexus"] * room * lumps,
        dura=dura * smoothstep(fractions.csf * 3.0),
    )
