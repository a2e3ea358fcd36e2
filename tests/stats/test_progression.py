"""Time to progression against courses worked out by hand and growth curves in closed form."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import concordance_index

from readerstudy.stats import (
    ProgressionRule,
    compare_progression,
    kaplan_meier,
    logrank,
    progression_rows,
    progression_times,
    time_to_progression,
)

EVERY = 56.0


def course(*volumes: float, every: float = EVERY) -> tuple[list[float], list[float]]:
    return [every * k for k in range(len(volumes))], list(volumes)


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
def test_progression_is_forty_per_cent_over_the_smallest_volume(volumes, visit, nadir, responded):
    read = time_to_progression(*course(*volumes))
    assert (read.visit, read.nadir_ml, read.responded) == (visit, nadir, responded)
    assert read.event == (visit is not None)
    last = len(volumes) - 1
    assert read.time == EVERY * (last if visit is None else visit)
    assert read.n == len(volumes)


@pytest.mark.parametrize("k", range(1, 40))
def test_the_threshold_itself_is_progression_whatever_its_last_bits(k):
    smallest = k / 7
    assert time_to_progression(*course(smallest * 10, 14 * smallest)).event


def test_forty_per_cent_of_volume_is_a_quarter_of_two_diameters():
    """Macdonald: 25 % of the product of diameters, in a body that keeps its shape."""
    assert pytest.approx(ProgressionRule().growth, abs=0.003) == 1.25**1.5 - 1


def test_confirmation_asks_a_later_visit():
    rule = ProgressionRule(confirm_days=28)
    assert time_to_progression(*course(10, 15, 11, 16, 16), rule=rule).visit == 3
    assert not time_to_progression(*course(10, 11, 15), rule=rule).event
    short = time_to_progression([0, 56, 70, 84], [10, 15, 9, 15], rule=rule)
    assert short.visit == 1  # day 84 counts, day 70 is too soon
    assert "confirmed after 28 days" in short.method


@pytest.mark.parametrize("months", [1, 2, 3])
def test_a_tumour_under_treatment_progresses_on_the_visit_that_its_curve_says(months):
    """V(t) = V0 ((1 - f) exp(-k t) + f exp(g t)): smallest at ln(k (1 - f) / (g f)) / (k + g)."""
    f, k, g, first = 0.2, 0.02, 0.005, 20.0
    days = np.arange(0, 400, 30.4 * months)
    curve = first * ((1 - f) * np.exp(-k * days) + f * np.exp(g * days))
    lowest_day = math.log(k * (1 - f) / (g * f)) / (k + g)
    read = time_to_progression(days, curve)
    seen = [v for d, v in zip(days, curve, strict=True) if d < read.time]
    assert read.nadir_ml == min(seen)
    assert abs(days[int(np.argmin(curve))] - lowest_day) <= 30.4 * months
    over = [d for d, v in zip(days, curve, strict=True) if d > lowest_day and v >= 1.4 * min(seen)]
    assert read.time == over[0]
    assert read.responded == (min(seen) <= 0.35 * first)


def test_order_of_visits_their_first_day_and_missing_volumes():
    read = time_to_progression([300, 100, 200, 250], [15.0, 10.0, math.nan, 11.0])
    assert (read.time, read.event, read.n, read.n_dropped) == (200.0, True, 3, 1)


def test_thresholds_are_parameters():
    assert time_to_progression(*course(10, 12.5), rule=ProgressionRule(growth=0.25)).event
    with pytest.raises(ValueError, match="growth"):
        ProgressionRule(growth=0)
    with pytest.raises(ValueError, match="negative"):
        ProgressionRule(measurable_ml=-1)
    with pytest.raises(ValueError, match="growth"):
        ProgressionRule(growth=math.nan)


@pytest.mark.parametrize(
    ("days", "volumes", "match"),
    [
        ((0,), (1,), "two visits"),
        ((0, 1), (1,), "same length"),
        ((0, 0), (1, 1), "one day"),
        ((0, 1), (1, -1), "at least 0 mL"),
        ((0, 1), (1, math.nan), "two visits"),
        ((0, 1), (1, math.inf), "finite"),
    ],
)
def test_impossible_courses_are_refused(days, volumes, match):
    with pytest.raises(ValueError, match=match):
        time_to_progression(days, volumes)


def test_times_go_into_the_functions_of_survival():
    courses = {
        "b": course(10, 15),
        "a": course(10, 9, 9),
        "c": course(10, 10, 20),
        "alone": ([0], [1]),
    }
    times = progression_times(courses)
    assert times.patients == ("a", "b", "c")
    assert times.time.tolist() == [112, 56, 112]
    assert times.event.tolist() == [0, 1, 1]
    assert "two visits" in times.left_out["alone"]
    fitted = KaplanMeierFitter().fit(times.time, times.event)
    assert kaplan_meier(times.time, times.event).median == fitted.median_survival_time_


def test_rows_have_a_line_for_each_patient_and_source():
    acquired = {"a": course(10, 15), "b": course(10, 9, 9)}
    synthetic = {"a": course(10, 12), "b": course(10, 9, 19)}
    rule = ProgressionRule(growth=0.3)
    table = pd.DataFrame(
        progression_rows({"acquired": acquired, "synthetic": synthetic}, rule=rule)
    )
    assert table["source"].tolist() == ["acquired"] * 2 + ["synthetic"] * 2
    assert table["time"].tolist() == [56, 112, 56, 112]
    assert table["event"].tolist() == [1, 0, 0, 1]
    assert set(table["growth"]) == {0.3}
    assert logrank(table["time"], table["event"], table["source"].tolist()).df == 1


def cohort(patients: int, error: float, seed: int = 3):
    rng = np.random.default_rng(seed)
    acquired, synthetic = {}, {}
    for number in range(patients):
        volumes = np.cumprod(np.r_[8.0, rng.uniform(0.8, 1.5, 6)])
        acquired[f"p{number}"] = course(*volumes)
        synthetic[f"p{number}"] = course(*(volumes * rng.uniform(1 - error, 1 + error, 7)))
    return acquired, synthetic


def test_comparison_over_patients_against_lifelines():
    acquired, synthetic = cohort(31, 0.15)
    compared = compare_progression(acquired, synthetic, n_boot=200)
    read = [progression_times(courses) for courses in (acquired, synthetic)]
    medians = [KaplanMeierFitter().fit(r.time, r.event).median_survival_time_ for r in read]
    assert [compared.median, compared.median_synthetic] == medians
    assert compared.median_difference.value == medians[1] - medians[0]
    assert (
        compared.median_difference.low <= medians[1] - medians[0] <= compared.median_difference.high
    )
    real, made = read
    both = (real.event == 1) & (made.event == 1)
    gaps = (made.time - real.time)[both]
    assert compared.progressed_both == both.sum() == compared.times.n
    assert compared.times.bias == pytest.approx(gaps.mean())
    assert compared.times.sd == pytest.approx(gaps.std(ddof=1))
    assert compared.same_status.value == np.mean(real.event == made.event)
    assert compared.same_time.value == np.mean(gaps == 0)
    assert compared.c_index.c == pytest.approx(concordance_index(real.time, made.time, real.event))
    differences = np.concatenate([np.subtract(synthetic[p][1], acquired[p][1]) for p in acquired])
    assert compared.volumes.bias == pytest.approx(differences.mean())
    assert compared.volume_bias.value == pytest.approx(differences.mean())
    assert compared.volumes.n == 31 * 7
    assert compared.n == 31
    assert "months" in compared.summary()
    assert compared.to_dict()["rule"]["growth"] == 0.4


def test_equal_readings_agree_in_everything():
    acquired, _ = cohort(12, 0.0)
    compared = compare_progression(acquired, acquired, n_boot=50)
    assert compared.same_status.value == compared.same_time.value == 1
    assert compared.median_difference.value == compared.median_difference.high == 0
    assert compared.times.bias == compared.volumes.sd == 0
    assert compared.times_concordance.value == pytest.approx(1)
    assert compared.volumes_concordance.value == pytest.approx(1)


def test_only_visits_with_both_volumes_count():
    acquired = {"a": ([0, 56, 112], [10, 15, 20]), "b": course(10, 9), "c": course(10, 10)}
    synthetic = {"a": ([0, 112], [10, 20]), "b": ([0, 56], [10, math.nan]), "d": course(1, 1)}
    compared = compare_progression(acquired, synthetic, n_boot=20)
    assert (compared.n, compared.n_dropped) == (1, 3)
    assert compared.median == compared.median_synthetic == 112
    assert compared.volumes.n == 2
    assert math.isnan(compared.median_difference.low)
    assert "fewer than two visits" in compared.reason
    with pytest.raises(ValueError, match="no patient"):
        compare_progression({"a": course(1, 2)}, {"b": course(1, 2)})


def test_without_progression_what_is_undefined_says_so():
    calm = {"a": course(10, 10), "b": course(10, 11)}
    compared = compare_progression(calm, calm, n_boot=20)
    assert compared.progressed_both == 0
    assert math.isnan(compared.median)
    assert math.isnan(compared.same_time.value)
    assert compared.same_time.reason
    assert compared.median_difference.reason
    assert compared.times.reason
