"""Volumes and time to progression, against courses worked out by hand and spheres that grow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from synthesis.metrics.progression import (
    Course,
    ProgressionRule,
    compare_readouts,
    enhancement_by_subtraction,
    enhancing_volume_ml,
    time_to_progression,
)


def course(*volumes: float, every: float = 56.0) -> Course:
    return Course(tuple(every * k for k in range(len(volumes))), volumes)


def test_millilitres_of_the_enhancing_labels() -> None:
    labels = np.zeros((4, 10, 10), dtype=np.uint8)
    labels[0, :5] = 3
    labels[1, :2] = 4
    labels[2] = 1
    assert enhancing_volume_ml(labels, (5.0, 1.0, 1.0)) == pytest.approx((50 + 20) * 5 / 1000)
    assert enhancing_volume_ml(labels, (5.0, 1.0, 1.0), enhancing=[1]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("volumes", "visit", "nadir", "responded"),
    [
        ((10, 12, 13.9, 13.9), None, 10, False),
        ((10, 12, 14.0), 2, 10, False),
        ((10, 8, 6, 8.3, 8.4), 4, 6, False),  # 1.4 x 6 over the smallest, not over the first
        ((10, 3.5, 4.8, 4.9), 3, 3.5, True),
        ((0, 0, 0.9, 1.0), 3, 0, False),  # nothing to measure until 1 mL
        ((0.5, 0.8, 0.6), None, 0.5, False),  # 60 % more, but not measurable
        ((10, 3.6), None, 3.6, False),
    ],
)
def test_progression_is_forty_per_cent_over_the_smallest_volume(
    volumes: tuple[float, ...], visit: int | None, nadir: float, responded: bool
) -> None:
    read = time_to_progression(course(*volumes))
    assert (read.visit, read.nadir_ml, read.responded) == (visit, nadir, responded)
    assert read.progressed == (visit is not None)
    last = len(volumes) - 1
    assert read.days == 56.0 * (last if visit is None else visit)


def test_confirmation_asks_a_later_visit() -> None:
    rule = ProgressionRule(confirm_days=28)
    assert time_to_progression(course(10, 15, 11, 16, 16), rule).visit == 3
    assert not time_to_progression(course(10, 11, 15), rule).progressed
    short = Course((0, 56, 70, 84), (10, 15, 9, 15))
    assert time_to_progression(short, rule).visit == 1  # day 84 counts, day 70 is too soon


def test_thresholds_are_settings() -> None:
    assert time_to_progression(course(10, 12.5), ProgressionRule(growth=0.25)).progressed
    with pytest.raises(ValueError, match="growth"):
        ProgressionRule(growth=0)
    with pytest.raises(ValueError, match="negative"):
        ProgressionRule(measurable_ml=-1)


@pytest.mark.parametrize(
    ("days", "volumes", "match"),
    [
        ((0,), (1,), "two visits"),
        ((0, 1), (1,), "two visits"),
        ((0, 0), (1, 1), "order of time"),
        ((0, 1), (1, math.nan), "at least 0 mL"),
    ],
)
def test_impossible_courses_are_refused(
    days: tuple[float, ...], volumes: tuple[float, ...], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        Course(days, volumes)


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
    expected = next(k for k, r in enumerate(radii) if r >= 9.0 * 1.4 ** (1 / 3))
    acquired = course(*(sphere_visit(r, blur=0.0) for r in radii))
    synthetic = course(*(sphere_visit(r, blur=0.3) for r in radii))
    assert acquired.volumes_ml[0] == pytest.approx(4 / 3 * math.pi * 10**3 / 1000, rel=0.02)
    assert time_to_progression(acquired).visit == expected == 4
    assert time_to_progression(synthetic).visit == expected
    compared = compare_readouts({"p": acquired}, {"p": synthetic})
    assert compared.same_status == compared.same_visit == 1
    assert abs(compared.volumes.bias) < 0.05


def test_comparison_over_patients_against_lifelines() -> None:
    rng = np.random.default_rng(3)
    acquired, synthetic = {}, {}
    for number in range(31):
        volumes = np.cumprod(np.r_[8.0, rng.uniform(0.8, 1.5, 6)])
        acquired[f"p{number}"] = course(*volumes)
        synthetic[f"p{number}"] = course(*(volumes * rng.uniform(0.85, 1.15, 7)))
    compared = compare_readouts(acquired, synthetic)
    medians = []
    for courses in (acquired, synthetic):
        read = [time_to_progression(c) for c in courses.values()]
        fitted = KaplanMeierFitter().fit([r.days for r in read], [r.progressed for r in read])
        medians.append(fitted.median_survival_time_)
    assert [compared.median_days, compared.median_days_synthetic] == medians
    assert compared.median_difference_months == pytest.approx((medians[1] - medians[0]) / 30.4375)
    pairs = [
        (time_to_progression(acquired[p]), time_to_progression(synthetic[p])) for p in acquired
    ]
    gaps = [s.days - a.days for a, s in pairs if a.progressed and s.progressed]
    assert compared.paired_difference_days == pytest.approx(np.mean(gaps))
    assert compared.same_status == np.mean([a.progressed == s.progressed for a, s in pairs])
    differences = [
        s - a
        for p in acquired
        for a, s in zip(acquired[p].volumes_ml, synthetic[p].volumes_ml, strict=True)
    ]
    assert compared.volumes.bias == pytest.approx(np.mean(differences))


def test_only_the_same_patients_and_visits_are_compared() -> None:
    with pytest.raises(ValueError, match="same patients"):
        compare_readouts({"a": course(1, 2)}, {"b": course(1, 2)})
    with pytest.raises(ValueError, match="visits of a differ"):
        compare_readouts({"a": course(1, 2)}, {"a": course(1, 2, every=7)})
