"""Spearman's rank correlation against R and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from readerstudy.stats import spearman

X = [0.81, 0.92, 0.77, 0.85, 0.88, 0.77, 0.95, 0.70]
Y = [1, 3, 2, 2, 3, 1, 3, 0]
RHO = 0.894841565444661


def test_ties_take_their_mean_rank_as_in_r():
    # R: cor(x, y, method = "spearman")
    assert spearman(X, Y).value == pytest.approx(RHO, abs=1e-12)


def test_it_is_invariant_under_what_keeps_the_order():
    found = spearman(np.exp(X), [-y for y in Y])
    assert found.value == pytest.approx(-RHO, abs=1e-12)


def test_the_interval_covers_the_known_correlation_of_a_normal_sample():
    rng = np.random.default_rng(4)
    true = 6 / math.pi * math.asin(0.6 / 2)  # Pearson 1907, of a bivariate normal with r = 0.6
    covered = 0
    for seed in range(60):
        x = rng.normal(size=80)
        y = 0.6 * x + 0.8 * rng.normal(size=80)
        found = spearman(x, y, n_boot=400, seed=seed)
        covered += found.low <= true <= found.high
    assert covered >= 50  # 95 % of 60 are 57; below 50 has p < 0.001 under 95 %


def test_pairs_of_one_patient_are_drawn_together():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=20), rng.normal(size=20)
    doubled = spearman(np.repeat(x, 3), np.repeat(y, 3), cluster=np.repeat(np.arange(20), 3))
    alone = spearman(x, y)
    assert doubled.n_clusters == 20
    assert doubled.value == pytest.approx(alone.value, abs=1e-9)
    assert doubled.high - doubled.low == pytest.approx(alone.high - alone.low, rel=0.15)


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([1, 2, 3], [1, 2, 3], "3 pairs; a correlation needs 4"),
        ([1, 2, 3, math.nan, 5], [1, 1, 1, 1, 1], "every value of the second measure is the same"),
    ],
)
def test_what_is_undefined_says_why(x, y, reason):
    found = spearman(x, y)
    assert math.isnan(found.value)
    assert found.reason == reason


def test_missing_values_are_counted_and_lengths_compared():
    assert spearman([*X, math.nan], [*Y, 4]).n_dropped == 1
    with pytest.raises(ValueError, match="same length"):
        spearman(X, Y[:-1])
