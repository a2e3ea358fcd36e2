"""Bootstrap of the AUC: exact small distributions, agreement with DeLong, clusters, seeds."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from readerstudy.stats.roc import auc, bootstrap_auc, bootstrap_auc_difference, delong_test
from tests.stats.golden import reference


def _exact_bootstrap_variance(positive: list[float], negative: list[float]) -> float:
    """Variance of the AUC over every possible stratified resample."""
    values = []
    for x in itertools.product(positive, repeat=len(positive)):
        for y in itertools.product(negative, repeat=len(negative)):
            wins = [(a > b) + 0.5 * (a == b) for a in x for b in y]
            values.append(np.mean(wins))
    return float(np.var(values))


@pytest.mark.parametrize("copies", [1, 100])
def test_standard_error_is_that_of_all_resamples(copies: int) -> None:
    """100 copies push the sample onto the counting path; its variance is 100 times smaller."""
    positive, negative = [2.0, 3.0, 3.0], [1.0, 2.0, 3.0]
    truth = np.repeat([1, 0], 3 * copies)
    score = np.concatenate([np.tile(positive, copies), np.tile(negative, copies)])
    result = bootstrap_auc(truth, score, n_boot=20000, seed=5)
    if copies == 1:
        exact = _exact_bootstrap_variance(positive, negative)
    else:
        # for large samples the bootstrap variance is DeLong's up to (n - 1) / n
        exact = auc(truth, score).variance
    assert result.variance == pytest.approx(exact, rel=0.05)


def test_interval_agrees_with_delong_on_a_large_sample() -> None:
    data = reference("roc")["sets"]["grades"]["data"]
    delong = auc(data["y"], data["a"])
    for interval in ("percentile", "bca"):
        boot = bootstrap_auc(data["y"], data["a"], n_boot=4000, seed=2, interval=interval)
        assert boot.value == pytest.approx(delong.value, abs=1e-12)
        assert boot.low == pytest.approx(delong.low, abs=0.01)
        assert boot.high == pytest.approx(delong.high, abs=0.01)


def test_counting_and_weighting_agree() -> None:
    """A tiny monotone change moves the grades to the path for continuous scores."""
    data = reference("roc")["sets"]["grades"]["data"]
    score = np.array(data["a"])
    spread = score + 1e-6 * np.arange(score.size)
    counted = bootstrap_auc(data["y"], score, n_boot=4000, seed=3)
    weighted = bootstrap_auc(data["y"], spread, n_boot=4000, seed=3)
    assert weighted.se == pytest.approx(counted.se, rel=0.06)


def test_difference_agrees_with_delong() -> None:
    data = reference("roc")["sets"]["grades"]["data"]
    delong = delong_test(data["y"], data["a"], data["b"])
    boot = bootstrap_auc_difference(data["y"], data["a"], data["b"], n_boot=4000, seed=4)
    assert boot.difference == pytest.approx(delong.difference, abs=1e-12)
    assert boot.se == pytest.approx(delong.se, rel=0.06)
    assert boot.covariance == pytest.approx(delong.covariance, rel=0.15)
    assert boot.z == pytest.approx(boot.difference / boot.se)


def test_patients_are_drawn_whole() -> None:
    """Copies of each exam must not shrink the error when patients are the unit."""
    rng = np.random.default_rng(6)
    truth = np.repeat([0, 1], 40)
    score = rng.normal(size=80) + truth
    once = bootstrap_auc(truth, score, n_boot=3000, seed=1, cluster=list(range(80)))
    thrice = bootstrap_auc(
        np.tile(truth, 3), np.tile(score, 3), n_boot=3000, seed=1, cluster=list(range(80)) * 3
    )
    assert thrice.se == pytest.approx(once.se, rel=0.05)
    assert "patients" in thrice.method


def test_replicates_without_a_class_are_counted() -> None:
    truth, score = [0, 0, 1, 1], [1, 3, 2, 4]
    result = bootstrap_auc(truth, score, n_boot=500, seed=1, cluster=["a", "a", "b", "b"])
    assert result.n_failed > 0
    assert f"{result.n_failed} of 500" in result.warnings[0]
    pair = bootstrap_auc_difference(truth, score, [1, 2, 2, 1], n_boot=500, seed=1, cluster=truth)
    assert pair.n_failed > 0


def test_seed_repeats_and_is_named() -> None:
    truth, score = [0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 4, 5]
    first = bootstrap_auc(truth, score, n_boot=300, seed=11)
    assert first == bootstrap_auc(truth, score, n_boot=300, seed=11)
    assert first.low != bootstrap_auc(truth, score, n_boot=300, seed=12).se
    assert "seed 11" in first.method
    assert "not seeded" in bootstrap_auc(truth, score, n_boot=10, seed=None).method
    assert auc(truth, score, ci="bootstrap", n_boot=300, seed=11) == first


def test_no_variation_gives_a_reason() -> None:
    perfect = bootstrap_auc([0, 0, 1, 1], [1, 2, 3, 4], n_boot=50)
    assert (perfect.value, perfect.se) == (1.0, 0.0)
    assert math.isnan(perfect.low)
    assert perfect.reason
    same = bootstrap_auc_difference([0, 0, 1, 1], [1, 3, 2, 4], [1, 3, 2, 4], n_boot=50)
    assert (same.difference, same.pvalue) == (0.0, 1.0)
    assert same.reason
    always_lacks = {"n_boot": 2, "seed": 1, "cluster": ["a", *"bcdefghijk"]}
    truth = [1] + [0] * 10
    while True:
        alone = bootstrap_auc(truth, range(11), **always_lacks)
        if alone.n_failed == 2:
            break
        always_lacks["seed"] += 1
    assert alone.reason == "no replicate had both classes"
    pair = bootstrap_auc_difference(truth, range(11), range(11), **always_lacks)
    assert pair.reason == alone.reason


def test_one_class_gives_a_reason() -> None:
    result = bootstrap_auc_difference([1, 1], [1, 2], [2, 1])
    assert math.isnan(result.difference)
    assert "one class" in result.reason


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="n_boot must be at least 2, got 1"):
        bootstrap_auc([0, 1], [1, 2], n_boot=1)
    with pytest.raises(ValueError, match="not available with cluster"):
        bootstrap_auc([0, 1], [1, 2], interval="bca", cluster=[1, 2])
    with pytest.raises(ValueError, match="cluster="):
        bootstrap_auc([0, 1], [1, 2], case_ids=["a", "a"])
