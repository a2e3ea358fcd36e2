"""Volumes of enhancing tumour: voxels counted by hand, and spheres that grow."""

from __future__ import annotations

import math

import numpy as np
import pytest

from readerstudy.stats import time_to_progression
from synthesis.metrics.volumetry import enhancement_by_subtraction, enhancing_volume_ml


def test_millilitres_of_the_enhancing_labels() -> None:
    labels = np.zeros((4, 10, 10), dtype=np.uint8)
    labels[0, :5] = 3
    labels[1, :2] = 4
    labels[2] = 1
    assert enhancing_volume_ml(labels, (5.0, 1.0, 1.0)) == pytest.approx((50 + 20) * 5 / 1000)
    assert enhancing_volume_ml(labels, (5.0, 1.0, 1.0), enhancing=[1]) == pytest.approx(0.5)


def sphere_visit(radius: float, *, blur: float) -> float:
    """Volume read by subtraction on a sphere that enhances by 3, seen through noise."""
    rng = np.random.default_rng(int(radius * 10 + blur * 1000))
    axes = np.meshgrid(*(np.arange(40) - 19.5,) * 3, indexing="ij")
    away = np.sqrt(sum(a**2 for a in axes))
    t1 = rng.normal(0, 0.1, away.shape).astype(np.float32)
    t1c = (t1 + 3.0 * (away < radius) + rng.normal(0, blur, away.shape)).astype(np.float32)
    return enhancing_volume_ml(3 * enhancement_by_subtraction(t1c, t1, away < 19), (1.0, 1.0, 1.0))


def test_a_growing_sphere_progresses_when_its_radius_says_so() -> None:
    # Volume grows with the cube: 40 % more is a radius of 1.4^(1/3) = 1.1187 times the smallest.
    radii = [10.0, 9.0, 9.5, 10.0, 10.2, 12.0]
    days = [56.0 * k for k in range(len(radii))]
    expected = next(k for k, r in enumerate(radii) if r >= 9.0 * 1.4 ** (1 / 3))
    acquired, synthetic = ([sphere_visit(r, blur=blur) for r in radii] for blur in (0.0, 0.3))
    assert acquired[0] == pytest.approx(4 / 3 * math.pi * 10**3 / 1000, rel=0.02)
    assert time_to_progression(days, acquired).visit == expected == 4
    assert time_to_progression(days, synthetic).visit == expected
