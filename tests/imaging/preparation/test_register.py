"""Registration: a known transform comes back; what cannot be registered is never returned."""

from __future__ import annotations

import numpy as np
import pytest

from readerstudy.imaging.preparation.alignment import rotation_deg
from readerstudy.imaging.preparation.records import PreparationError
from readerstudy.imaging.preparation.register import (
    find_template_transform,
    find_transform,
    reduced,
    register,
)
from readerstudy.imaging.preparation.resample import grid_of, onto
from readerstudy.imaging.preparation.template import template
from tests.imaging.preparation.heads import as_volume, icbm_brain, make_head, rotation, scanned

FINE_MM, COARSE_MM = 2, 3
CORNERS = np.array([[x, y, z, 1.0] for x in (-60, 60) for y in (-80, 80) for z in (-50, 60)]).T


def known_transform(x_deg=5.0, y_deg=-4.0, z_deg=7.0, shift=(6.0, -4.0, 5.0), scale=1.0):
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(x_deg, y_deg, z_deg) * scale
    matrix[:3, 3] = shift
    return matrix


def pair(matrix, moving_contrast="t2", spacing_mm=FINE_MM):
    """A T1 and another contrast of the same brain, whose points lie at matrix · point."""
    fixed, other = (_brain(contrast, spacing_mm) for contrast in ("t1", moving_contrast))
    moved = onto(other, grid_of(other), matrix=np.linalg.inv(matrix), outside=0.0)
    return _scan(fixed, 1), _scan(moved, 2)


def mean_error_mm(error):
    """Mean distance at the corners of a box around the brain."""
    return float(np.linalg.norm((error @ CORNERS - CORNERS)[:3], axis=0).mean())


def _brain(contrast, spacing_mm):
    """The ICBM brain with 15 mm of air around it, near the middle of the coordinates."""
    array = icbm_brain(contrast, spacing_mm)[0]
    room = ((69, 21), (30, 18), (15, 15))
    cut = tuple(
        slice(low // spacing_mm, n - high // spacing_mm)
        for n, (low, high) in zip(array.shape, room, strict=True)
    )
    affine = np.diag([*[float(spacing_mm)] * 3, 1.0])
    affine[:3, 3] = (-113.0, -113.0, -87.0)
    return as_volume(array[cut], affine)


def _scan(volume, seed):
    noisy = scanned(volume.array, noise=0.03, bias=0.1, seed=seed)
    return as_volume(noisy, volume.affine_lps)


@pytest.mark.parametrize("contrast", ["t2", "flair"])
def test_a_known_rigid_transform_is_recovered_across_contrasts(contrast):
    truth = known_transform()
    fixed, moving = pair(truth, contrast)
    found = find_transform(moving, fixed)
    error = np.linalg.inv(truth) @ found.matrix
    assert mean_error_mm(error) < 0.5
    assert rotation_deg(error) < 0.5
    assert found.figures["metric"] > found.figures["metric_before"]


def test_a_known_affine_transform_is_recovered():
    truth = known_transform(scale=1.06)
    fixed, moving = pair(truth)
    found = find_transform(moving, fixed, kind="affine")
    error = np.linalg.inv(truth) @ found.matrix
    assert mean_error_mm(error) < 1.0


def test_headers_far_apart_are_no_obstacle():
    truth = known_transform()
    fixed, moving = pair(truth)
    away = np.eye(4)
    away[:3, 3] = (40.0, 150.0, -60.0)
    found = find_transform(as_volume(moving.array, away @ moving.affine_lps), fixed)
    error = np.linalg.inv(away @ truth) @ found.matrix
    assert mean_error_mm(error) < 0.5


def test_the_same_seed_gives_the_same_bits():
    fixed, moving = pair(known_transform(), spacing_mm=COARSE_MM)
    once, again = (register(moving, fixed, seed=3) for _ in range(2))
    assert once.record.figures["matrix"] == again.record.figures["matrix"]
    assert (once.volume.array == again.volume.array).all()


def test_the_result_lies_on_the_fixed_grid_and_tells_what_was_done():
    fixed, moving = pair(known_transform(), spacing_mm=COARSE_MM)
    coarse = as_volume(fixed.array[::2, ::2, ::2], fixed.affine_lps @ np.diag([2.0, 2.0, 2.0, 1.0]))
    done = register(moving, coarse, fixed_name="t1")
    assert grid_of(coarse).is_of(done.volume)
    assert done.record.parameters["to"] == "t1"
    assert done.record.tool == "SimpleITK"


@pytest.mark.parametrize("what", ["noise", "ball"])
def test_images_without_anything_in_common_are_refused(what):
    fixed, _ = pair(known_transform(), spacing_mm=COARSE_MM)
    rng = np.random.default_rng(0)
    z, y, x = np.indices((80, 100, 90))
    ball = 300.0 * ((z - 40) ** 2 + (y - 50) ** 2 + (x - 45) ** 2 < 35**2)
    array = {"noise": rng.random((80, 100, 90)) * 100, "ball": ball + rng.normal(0, 10, ball.shape)}
    moving = as_volume(array[what].astype(np.float32), np.diag([2.0, 2.0, 2.0, 1.0]))
    with pytest.raises(PreparationError, match="Registration failed"):
        find_transform(moving, fixed)


def test_an_empty_image_and_an_unknown_kind_are_refused():
    fixed, moving = pair(known_transform(), spacing_mm=COARSE_MM)
    empty = as_volume(np.zeros((20, 20, 20), np.float32), np.eye(4))
    with pytest.raises(PreparationError, match="foreground"):
        find_transform(empty, fixed)
    with pytest.raises(PreparationError, match="no transform"):
        find_transform(moving, fixed, kind="elastic")  # type: ignore[arg-type]


def test_a_head_finds_its_place_in_the_template():
    head = make_head("t1", turn=(8, -5, 6), scale=0.94)
    found = find_template_transform(head.volume)
    brain = onto(
        as_volume(head.brain.astype(np.float32), head.volume.affine_lps),
        grid_of(template()),
        matrix=found.matrix,
        outside=0.0,
    )
    truth = template().array > 25
    assert (
        2 * (truth & (brain.array > 0.5)).sum() / (truth.sum() + (brain.array > 0.5).sum()) > 0.95
    )
    rigid = reduced(found.matrix, "rigid")
    assert rigid[:3, :3] @ rigid[:3, :3].T == pytest.approx(np.eye(3), abs=1e-9)
    alike = reduced(found.matrix, "similarity")
    assert np.linalg.det(alike[:3, :3]) == pytest.approx(np.linalg.det(found.matrix[:3, :3]))
