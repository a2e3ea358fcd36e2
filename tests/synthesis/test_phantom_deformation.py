"""Displacements: exact where a closed form exists, and never folding."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synthesis.phantom import deformation
from synthesis.phantom.deformation import Mass, Shape, Surfaces
from synthesis.phantom.grid import WORK_GRID, Grid

SMALL = Grid((90, 90, 90), (1.0, 1.0, 1.0), (-30.0, -55.0, -45.0))
DEEP = np.full(SMALL.shape, 40.0, np.float32)  # brain wherever one looks
NOWHERE = Surfaces(-DEEP, DEEP, SMALL)  # no ventricle anywhere


def still(ventricle_mm: tuple[float, float] = (0.0, 0.0)) -> Shape:
    nothing = np.zeros_like(deformation.control_points())
    return Shape(np.eye(3), nothing, nothing, ventricle_mm)


def drawn(seed: int) -> Shape:
    rng = np.random.default_rng(seed)
    matrix = deformation.affine_matrix(rng, 0.93)
    head = deformation.random_displacement(rng, deformation.HEAD_SCALES)
    brain = deformation.random_displacement(rng, deformation.BRAIN_SCALES)
    return Shape(matrix, head, brain, (2.5, 0.5))


def ball_ventricle() -> Surfaces:
    z, y, x = SMALL.axes()
    distance = np.sqrt((z - 15) ** 2 + (y + 10) ** 2 + x**2)
    return Surfaces((14.0 - distance).astype(np.float32), DEEP, SMALL)


def test_no_change_is_the_identity() -> None:
    made = deformation.build_deformation(still(), NOWHERE)
    assert float(np.abs(made.controls).max()) < 1e-3
    np.testing.assert_allclose(made.jacobian(), 1.0, atol=1e-3)


def test_jacobian_of_a_scaling_is_its_determinant() -> None:
    calm = still()
    shape = Shape(np.diag([1.1, 1.0, 0.9]), calm.head, calm.brain, (0.0, 0.0))
    made = deformation.build_deformation(shape, NOWHERE)
    np.testing.assert_allclose(made.jacobian()[5:-5, 5:-5, 5:-5], 1.1 * 0.9, rtol=1e-3)


def test_rotation_keeps_volume() -> None:
    matrix = deformation.affine_matrix(np.random.default_rng(3), 1.0)
    turn = matrix / np.linalg.norm(matrix, axis=0)
    np.testing.assert_allclose(turn.T @ turn, np.eye(3), atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_drawn_heads_do_not_fold(seed: int) -> None:
    mass = Mass((20.0, 10.0, 30.0), 18.0, 0.5)
    made = deformation.build_deformation(drawn(seed), ball_ventricle(), (mass,))
    assert float(made.jacobian().min()) > 0.0


def test_subject_to_template_and_back() -> None:
    made = deformation.build_deformation(drawn(7), ball_ventricle())
    points = np.array([[10.0, 20.0, 30.0], [-30.0, -50.0, -12.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(made.to_template(made.to_subject(points)), points, atol=1e-3)


def test_points_and_grid_agree() -> None:
    made = deformation.build_deformation(drawn(8), NOWHERE)
    voxel = (70, 100, 60)
    on_grid = [float(part[voxel]) for part in made.coordinates()]
    point = np.array([[float(WORK_GRID.axis(i)[voxel[i]]) for i in range(3)]])
    np.testing.assert_allclose(made.to_template(point)[0], on_grid, atol=1e-2)


def test_mass_moves_a_point_by_the_closed_form() -> None:
    points = np.array([0.0, 0.0, 6.0], np.float32).reshape(3, 1, 1, 1)
    got = deformation.mass_displacement(points, (Mass((0.0, 0.0, 0.0), 10.0, 0.4),))
    expected = -0.4 * 6.0 * math.exp(-36.0 / 200.0)
    np.testing.assert_allclose(got.ravel(), [0.0, 0.0, expected], atol=1e-5)


def test_mass_pushes_tissue_outwards() -> None:
    """Tissue that was 8 mm from the centre is further away once the mass has grown."""
    mass = Mass((5.0, -10.0, 20.0), 15.0, 0.5)
    made = deformation.build_deformation(still(), NOWHERE, (mass,))
    before = np.array([[5.0, -10.0, 28.0]])
    after = made.to_subject(before)
    assert after[0, 2] > 31.0


def test_a_mass_does_not_push_the_skull() -> None:
    """Where the template has no brain, the same mass moves tissue by 0.15 of what it would."""
    mass = Mass((5.0, -10.0, 0.0), 15.0, 0.5)
    outside = Surfaces(-DEEP, -DEEP, SMALL)
    point = np.array([[5.0, -10.0, 10.0]])
    soft = deformation.build_deformation(still(), NOWHERE, (mass,)).to_template(point) - point
    rigid = deformation.build_deformation(still(), outside, (mass,)).to_template(point) - point
    assert rigid[0, 2] == pytest.approx(0.15 * soft[0, 2], rel=0.02)


def test_widening_moves_the_ventricle_wall_outwards() -> None:
    made = deformation.build_deformation(still((4.0, 4.0)), ball_ventricle())
    wall = np.array([[15.0, -10.0, 14.0]])
    assert made.to_subject(wall)[0, 2] > 15.5


@pytest.mark.parametrize("strength", [1.0, -0.1])
def test_mass_strength_must_be_below_one(strength: float) -> None:
    with pytest.raises(ValueError, match="mass strength"):
        deformation.build_deformation(still(), NOWHERE, (Mass((0, 0, 0), 9.0, strength),))
