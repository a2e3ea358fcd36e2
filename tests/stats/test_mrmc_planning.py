"""Power and sample size against RJafroc and pROC."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from readerstudy.stats.mrmc import obuchowski_rockette
from readerstudy.stats.mrmc_planning import (
    mrmc_cases_needed,
    mrmc_power,
    n_auc,
    n_auc_difference,
    pilot_components,
)
from tests.stats.golden import close, reference
from tests.stats.golden_mrmc import columns, designs, van_dyke

PILOT = {
    "test:reader": 0.0002,
    "error": 0.0008,
    "cov1": 0.00035,
    "cov2": 0.00034,
    "cov3": 0.00024,
    "n_cases": 114,
}
RANDOM = {"RRRC": "readers and cases", "FRRC": "cases", "RRFC": "readers"}


@pytest.mark.parametrize("key", RANDOM)
def test_power_as_in_rjafroc(key: str) -> None:
    expected = reference("mrmc")["power"]
    for design, power in zip(expected["grid"], expected[key], strict=True):
        result = mrmc_power(
            PILOT, effect=0.05, n_readers=design["J"], n_cases=design["K"], random=RANDOM[key]
        )
        assert result.power == close(power, 1e-7)


def test_power_of_a_pilot_result_uses_its_components() -> None:
    pilot = obuchowski_rockette(**columns(van_dyke()), covariance="jackknife")
    values = dict(pilot.variance_components) | {"n_cases": 114}
    plan = {"effect": 0.05, "n_readers": 8, "n_cases": 200}
    assert mrmc_power(pilot, **plan).power == close(mrmc_power(values, **plan).power)


def test_study_as_large_as_the_pilot_has_the_pilots_error() -> None:
    """With the pilot's readers and cases the planned denominator is that of the pilot."""
    pilot = obuchowski_rockette(**columns(van_dyke()), covariance="jackknife")
    plan = mrmc_power(pilot, effect=0.05, n_readers=5, n_cases=114)
    assert plan.noncentrality == close(0.05**2 * 5 / (2 * pilot.denominator))
    assert plan.df2 == close(pilot.df2)


def test_pilot_with_cov3_above_cov2_counts_no_excess() -> None:
    """Hillis 2011, equation 9 takes max(cov2 - cov3, 0); the component of a result does not."""
    pilot = obuchowski_rockette(**columns(van_dyke()))
    swapped = dict(pilot.variance_components)
    swapped["cov2"], swapped["cov3"] = swapped["cov3"], swapped["cov2"]
    gap = swapped["cov3"] - swapped["cov2"]
    object.__setattr__(pilot, "variance_components", swapped)
    raised = swapped | {"test:reader": swapped["test:reader"] + gap, "n_cases": 114}
    plan = {"effect": 0.05, "n_readers": 8, "n_cases": 200}
    assert mrmc_power(pilot, **plan).power == close(mrmc_power(raised, **plan).power)


def test_fewest_cases_reach_the_power_and_one_less_does_not() -> None:
    for random in RANDOM.values():
        plan = mrmc_cases_needed(PILOT, effect=0.06, n_readers=10, power=0.85, random=random)
        less = mrmc_power(PILOT, effect=0.06, n_readers=10, n_cases=plan.n_cases - 1, random=random)
        assert plan.power >= 0.85 > less.power
        assert f"10 readers and {plan.n_cases} cases" in plan.summary()


def test_power_beyond_any_number_of_cases_is_undefined() -> None:
    plan = mrmc_cases_needed(PILOT, effect=0.01, n_readers=3, power=0.9)
    assert math.isnan(plan.power)
    assert "with 3 readers no number of cases" in plan.reason


def test_no_planned_variance_is_undefined() -> None:
    nothing = dict.fromkeys(PILOT, 0.0) | {"n_cases": 10}
    result = mrmc_power(nothing, effect=0.1, n_readers=3, n_cases=20)
    assert math.isnan(result.power)
    assert result.reason
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_readers": 1}, "n_readers must be at least 2"),
        ({"n_cases": 1}, "n_cases at least 2"),
        ({"n_cases": 10.5}, "n_cases must be a whole number"),
        ({"alpha": 0.0}, "alpha must lie between"),
        ({"random": "tests"}, "random must be one of"),
        ({"pilot": {"error": 1.0}}, "pilot lacks test:reader, cov1"),
    ],
)
def test_bad_plans_are_named(change: dict[str, Any], message: str) -> None:
    plan: dict[str, Any] = {"pilot": PILOT, "effect": 0.05, "n_readers": 5, "n_cases": 100}
    plan |= change
    with pytest.raises(ValueError, match=message):
        mrmc_power(plan.pop("pilot"), **plan)
    with pytest.raises(ValueError, match="power must lie between"):
        mrmc_cases_needed(PILOT, effect=0.05, n_readers=5, power=1.0)


def test_nested_pilot_is_refused() -> None:
    pilot = obuchowski_rockette(**columns(designs()["reader_in_test"]))
    with pytest.raises(ValueError, match="readers who read all"):
        mrmc_power(pilot, effect=0.05, n_readers=5, n_cases=100)


def test_one_auc_as_in_proc() -> None:
    for row in reference("roc")["sizes"]:
        result = n_auc(row["auc"], power=row["power"], alpha=row["alpha"], ratio=row["ratio"])
        assert result.n_positive == close(row["positive"])
        assert result.n_negative == close(row["positive"] * row["ratio"])
        assert result.positives == math.ceil(row["positive"])
        assert result.n == result.positives + result.negatives


@pytest.mark.parametrize("name", ["continuous", "grades", "below_half"])
def test_two_aucs_as_in_proc(name: str) -> None:
    file = reference("roc")["sets"][name]
    data = file["data"]
    result = n_auc_difference(data["y"], data["a"], data["b"], power=0.9)
    assert result.n_positive == close(file["plan"]["positive"])
    assert result.n_negative == close(file["plan"]["negative"])
    assert "positive and" in result.summary()


def test_nothing_to_find_is_undefined() -> None:
    assert "null hypothesis" in n_auc(0.5).reason
    same = n_auc_difference([0, 0, 1, 1], [1, 3, 2, 4], [1, 3, 2, 4])
    assert math.isnan(same.n_positive)
    assert "undefined" in same.summary()
    assert "one class" in n_auc_difference([1, 1], [1, 2], [2, 1]).reason
    with pytest.raises(ValueError, match="repeat a case id"):
        n_auc_difference([0, 1], [1, 2], [2, 1], case_ids=["a", "a"])


def test_bad_sizes_are_named() -> None:
    with pytest.raises(ValueError, match="auc must lie between 0 and 1"):
        n_auc(1.0)
    with pytest.raises(ValueError, match="ratio must be above 0"):
        n_auc(0.7, ratio=0)
    with pytest.raises(ValueError, match="power must lie between"):
        n_auc(0.7, power=80)


def test_components_taken_out_of_a_pilot_plan_as_the_pilot_itself_does() -> None:
    rng = np.random.default_rng(5)
    rows = [(r, t, c) for r in range(4) for t in range(2) for c in range(40)]
    truth = [int(c < 20) for _, _, c in rows]
    score = [rng.normal(0.9 * y + 0.1 * t, 1) for (_, t, _), y in zip(rows, truth, strict=True)]
    reader, test, case = zip(*rows, strict=True)
    pilot = obuchowski_rockette(reader=reader, test=test, case=case, truth=truth, score=score)
    settings = {"effect": 0.05, "n_readers": 6, "n_cases": 80}
    taken = mrmc_power(pilot_components(pilot), **settings)
    assert taken.power == pytest.approx(mrmc_power(pilot, **settings).power, abs=1e-12)
