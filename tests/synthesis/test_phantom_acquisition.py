"""Noise, receive field, sampling and storage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synthesis.phantom import acquisition
from synthesis.phantom.grid import WORK_GRID, Grid


def test_noise_alone_is_rayleigh() -> None:
    rng = np.random.default_rng(1)
    got = acquisition.add_rician_noise(rng, np.zeros((60, 60, 60), np.float32), 3.0)
    assert float(got.mean()) == pytest.approx(3.0 * math.sqrt(math.pi / 2), rel=0.01)


@pytest.mark.parametrize("level", [0.0, 2.0, 20.0])
def test_second_moment_is_signal_squared_plus_twice_the_variance(level: float) -> None:
    rng = np.random.default_rng(2)
    signal = np.full((60, 60, 60), level, np.float32)
    got = acquisition.add_rician_noise(rng, signal, 1.5).astype(np.float64)
    assert float(np.mean(got**2)) == pytest.approx(level**2 + 2 * 1.5**2, rel=0.01)


def test_negative_signal_is_seen_as_magnitude() -> None:
    rng = np.random.default_rng(3)
    got = acquisition.add_rician_noise(rng, np.full((20, 20, 20), -50.0, np.float32), 0.1)
    assert float(got.mean()) == pytest.approx(50.0, rel=1e-3)


@pytest.mark.parametrize("spacing", [(2.0, 1.0, 1.0), (4.0, 4.0, 4.0), (0.8, 1.3, 5.0)])
def test_sampling_keeps_a_constant(spacing: tuple[float, float, float]) -> None:
    matrix = acquisition.sampling_matrix(50, int(50 / spacing[0]), 0.5, spacing[0], 0.4)
    np.testing.assert_allclose(matrix @ np.ones(50, np.float32), 1.0, rtol=1e-5)


def test_sampling_keeps_a_ramp_in_place() -> None:
    """The value of a ramp is its own position, so each new voxel must show its centre."""
    grid = WORK_GRID.resampled((3.0, 2.0, 1.5))
    z, y, x = WORK_GRID.axes()
    ramp = (z + 2 * y - x).astype(np.float32) * np.ones(WORK_GRID.shape, np.float32)
    got = acquisition.resample(ramp, (0, 0, 0), WORK_GRID, grid, (0.4, 0.4, 0.4))
    nz, ny, nx = grid.axes()
    inner = (slice(3, -3),) * 3
    np.testing.assert_allclose(got[inner], (nz + 2 * ny - nx)[inner], atol=2e-2)


def test_a_box_of_the_volume_gives_the_same_as_the_whole() -> None:
    rng = np.random.default_rng(4)
    whole = np.zeros(WORK_GRID.shape, np.float32)
    box = rng.random((20, 30, 25)).astype(np.float32)
    whole[40:60, 50:80, 60:85] = box
    grid = WORK_GRID.resampled((4.0, 4.0, 4.0))
    one = acquisition.resample(box, (40, 50, 60), WORK_GRID, grid, (0.3, 0.3, 0.3))
    two = acquisition.resample(whole, (0, 0, 0), WORK_GRID, grid, (0.3, 0.3, 0.3))
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_bias_field_is_smooth_positive_and_as_strong_as_asked() -> None:
    grid = Grid((40, 54, 44), (4.0, 4.0, 4.0), (0.0, 0.0, 0.0))
    fields = [acquisition.bias_field(np.random.default_rng(s), grid, 0.1) for s in range(20)]
    logarithm = np.log(np.stack(fields))
    assert float(logarithm.std()) == pytest.approx(0.1, rel=0.35)
    assert float(np.abs(np.diff(logarithm, axis=1)).max()) < 0.05


def test_storage_has_zero_outside_and_at_least_one_inside() -> None:
    volume = np.array([[[0.0, 0.5, 2.0, 1e9]]], np.float32)
    brain = np.array([[[True, True, False, True]]])
    got = acquisition.to_int16(volume, brain, 100.0, 0.5)
    assert got.dtype == np.int16
    assert got.ravel().tolist() == [1, 100, 0, 32000]
