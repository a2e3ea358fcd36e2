"""Splines, random fields and grids."""

from __future__ import annotations

import numpy as np
import pytest

from synthesis.phantom import fields
from synthesis.phantom.grid import WORK_GRID, Grid


@pytest.mark.parametrize("step", [1.5, 2.0, 4.0])
def test_splines_sum_to_one_and_reproduce_lines(step: float) -> None:
    matrix = fields.bspline_matrix(37, step).toarray()
    np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-5)
    controls = (np.arange(matrix.shape[1]) - fields.PAD) * step
    np.testing.assert_allclose(matrix @ controls, np.arange(37), atol=1e-3)


def test_doubling_restores_a_linear_volume() -> None:
    z, y, x = np.meshgrid(np.arange(9.0), np.arange(7.0), np.arange(11.0), indexing="ij")
    volume = (z + 10 * y - 3 * x).astype(np.float32)
    half = np.ascontiguousarray(volume[::2, ::2, ::2])
    np.testing.assert_allclose(fields.double(half, (9, 7, 11)), volume, atol=1e-4)


def test_smoothstep_has_flat_ends_and_a_middle_of_one_half() -> None:
    got = fields.smoothstep(np.array([-1.0, 0.0, 0.5, 1.0, 2.0], np.float32))
    np.testing.assert_allclose(got, [0.0, 0.0, 0.5, 1.0, 1.0], atol=1e-7)


def test_random_field_has_unit_spread_and_the_asked_smoothness() -> None:
    rng = np.random.default_rng(5)
    coarse = fields.random_field(rng, (60, 60, 60), 30.0)
    fine = fields.random_field(rng, (60, 60, 60), 8.0)
    assert float(coarse.std()) == pytest.approx(1.0, rel=1e-3)
    assert np.abs(np.diff(coarse, axis=0)).mean() < 0.5 * np.abs(np.diff(fine, axis=0)).mean()


def test_sampling_between_voxels_is_linear() -> None:
    volume = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    index = np.array([[0.5], [0.5], [0.5]], np.float32)
    assert float(fields.sample(volume, index)[0]) == pytest.approx(3.5)


def test_affine_takes_array_order_to_ras() -> None:
    grid = Grid((10, 20, 30), (2.0, 1.5, 1.0), (-5.0, -7.0, -9.0))
    voxel = np.array([4, 3, 2, 1])  # i = x, j = y, k = z
    np.testing.assert_allclose(grid.affine @ voxel, [-9 + 4, -7 + 4.5, -5 + 4, 1])


def test_resampled_grid_covers_the_same_box() -> None:
    coarse = WORK_GRID.resampled((2.0, 1.0, 1.0))
    assert coarse.shape == (80, 216, 176)
    for axis in range(3):
        old = WORK_GRID.origin_mm[axis] - WORK_GRID.spacing_mm[axis] / 2
        new = coarse.origin_mm[axis] - coarse.spacing_mm[axis] / 2
        assert old == pytest.approx(new)


@pytest.mark.parametrize("spacing", [(0.0, 1.0, 1.0), (1.0, 1.0, 50.0)])
def test_impossible_spacing_is_refused(spacing: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"from 0\.3 to 12"):
        WORK_GRID.resampled(spacing)
