"""Means of clustered observations, signed ranks and clustered tables, against R 4.2.2."""

from __future__ import annotations

import math

import numpy as np
import pytest

from readerstudy import stats

X = [3, 2, 3, 1, 0, 2, 2, 3, 3, 1, 2, 2, 0, 1, 3, 2, 2, 1, 3, 3]
CLUSTER = np.repeat(range(7), [3, 2, 4, 1, 5, 2, 3])
GROUP = [1, 1, 2, 1, 2, 1, 1, 2, 2, 2, 1, 2, 1, 2, 1, 2, 1, 1, 2, 2]
LEVEL = list("abcabbcaabccaabcbacb")


def test_mean_is_the_cluster_robust_regression_on_a_constant():
    # m <- lm(x ~ 1); sandwich with the factor G/(G-1), qt(.975, G-1)
    found = stats.clustered_mean(X, CLUSTER)
    assert found.value == pytest.approx(1.95)
    assert found.se == pytest.approx(0.25995993281017, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((1.31390095958395, 2.58609904041605))
    assert (found.n, found.n_clusters, found.df) == (20, 7, 6)


def test_mean_without_clusters_is_students():
    found = stats.clustered_mean(X, range(20))
    # t.test(x)$conf.int
    assert (found.low, found.high) == pytest.approx((1.4826018076807, 2.4173981923193))
    assert found.design_effect == pytest.approx(1.0)


def test_difference_is_the_cluster_robust_regression_on_an_indicator():
    # lm(x ~ I(g == 1)), the same sandwich
    found = stats.clustered_mean_difference(X, GROUP, CLUSTER)
    assert (found.value, found.se) == pytest.approx((-0.3, 0.3834057902536), abs=1e-10)
    assert (found.t, found.pvalue) == pytest.approx((-0.78246079643595, 0.46369615550638))
    turned = stats.clustered_mean_difference(X, GROUP, CLUSTER, groups=(2, 1))
    assert turned.value == pytest.approx(0.3)
    assert found.n_shared == 6


def test_difference_of_pairs_is_the_paired_t_test():
    a, b = np.array(X[:8], float), np.array(X[8:16], float)
    found = stats.clustered_mean_difference([*a, *b], ["a"] * 8 + ["b"] * 8, [*range(8)] * 2)
    paired = stats.paired_t(a, b)
    assert (found.t, found.pvalue, found.low) == pytest.approx(
        (paired.t, paired.pvalue, paired.low)
    )


def test_means_that_are_not_defined_say_why():
    assert stats.clustered_mean([], []).reason == "no observation is left"
    single = stats.clustered_mean([1, 2], ["a", "a"])
    assert (single.value, single.reason[:17]) == (1.5, "one cluster only:")
    assert math.isnan(single.low)
    constant = stats.clustered_mean([2, 2, 2], list("abc"))
    assert (constant.se, constant.low) == (0.0, 2.0)
    assert any("not credible" in one for one in constant.warnings)
    empty = stats.clustered_mean_difference([1, 2], ["a", "a"], [1, 2], groups=("a", "b"))
    assert empty.reason == "one of the groups is empty"
    same = stats.clustered_mean_difference([1, 1, 1, 1], "abab", [1, 1, 2, 2])
    assert math.isnan(same.pvalue)
    assert "no test" in same.reason
    with pytest.raises(ValueError, match="two levels, got 3"):
        stats.clustered_mean_difference([1, 2, 3], "abc", [1, 2, 3])
    with pytest.raises(ValueError, match="missing"):
        stats.clustered_mean([1, math.nan], [1, 2])
    assert stats.clustered_mean([1, 2, math.nan], [1, 2, 3], missing="omit").n_dropped == 1


def test_interval_of_the_mean_covers_with_clusters():
    rng, covered = np.random.default_rng(3), 0
    for _ in range(400):
        centre = np.repeat(rng.normal(size=30), 4)
        found = stats.clustered_mean(centre + rng.normal(size=120), np.repeat(range(30), 4))
        covered += found.low < 0.0 < found.high
    assert 0.92 < covered / 400 < 0.98


def test_signed_ranks_as_wilcox_test():
    # Hollander & Wolfe 1973, p. 29: depression scale; wilcox.test(a, b, paired = TRUE)
    a = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    b = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]
    found = stats.signed_rank(a, b)
    assert (found.statistic, found.pvalue, found.exact) == (40, pytest.approx(0.0390625), True)
    tied = [3, 2, 3, 1, 0, 2, 2, 3, 3, 1, 2, 2], [2, 2, 1, 1, 1, 0, 2, 1, 3, 0, 1, 1]
    corrected = stats.signed_rank(*tied)  # exact = FALSE
    plain = stats.signed_rank(*tied, continuity=False)  # correct = FALSE
    assert (corrected.statistic, corrected.pvalue) == (33, pytest.approx(0.036358553172791))
    assert plain.pvalue == pytest.approx(0.030382821976577)
    assert (corrected.n, corrected.n_zero) == (12, 4)


def test_signed_ranks_without_a_difference_say_so():
    assert stats.signed_rank([1, 2], [1, 2]).reason == "no pair differs"
    assert stats.signed_rank([], []).reason == "no pair differs"
    with pytest.raises(ValueError, match="length"):
        stats.signed_rank([1], [1, 2])


def test_clustered_table_as_the_formula_written_out_in_r():
    # U <- (g - mean(g)) * (Y - colMeans(Y)); S <- rowsum(U, cl); t(tot) solve(S'S) tot
    found = stats.clustered_chi_square(GROUP, LEVEL, CLUSTER)
    assert (found.statistic, found.df) == (pytest.approx(1.00806451612903), 2)
    assert found.pvalue == pytest.approx(0.60408989577073)


def test_clustered_table_of_single_observations_is_near_pearson():
    # Park 2021, table 1: enhancement of real and synthetic mutant tumours, 38 each.
    real, synthetic = [19, 8, 11], [9, 5, 24]
    group = ["real"] * 38 + ["synthetic"] * 38
    level = [n for row in (real, synthetic) for n, k in enumerate(row) for _ in range(k)]
    found = stats.clustered_chi_square(group, level, range(76))
    pearson = stats.chi_square([real, synthetic])
    assert found.statistic == pytest.approx(pearson.statistic, rel=0.1)
    assert found.table.tolist() == [real, synthetic]


def test_clustered_table_keeps_its_size_where_pearson_does_not():
    rng, clustered, naive = np.random.default_rng(9), 0, 0
    for _ in range(300):
        level = np.repeat(rng.integers(3, size=60), 4)  # four equal reads of each case
        group = np.repeat(np.arange(60) % 2, 4)
        found = stats.clustered_chi_square(group, level, np.repeat(range(60), 4))
        clustered += found.pvalue < 0.05
        naive += stats.chi_square(found.table).pvalue < 0.05
    assert clustered / 300 < 0.09
    assert naive / 300 > 0.3


@pytest.mark.parametrize(
    ("group", "level", "cluster", "reason"),
    [
        ("aa", "xy", "12", "one group only"),
        ("", "", "", "no observation"),
        ("ab", "xx", "12", "all observations are on one level"),
        ("abab", "xyxy", "1111", "1 clusters are too few for 1 degrees of freedom"),
    ],
)
def test_clustered_tables_that_cannot_be_tested(group, level, cluster, reason):
    found = stats.clustered_chi_square(group, level, cluster)
    assert math.isnan(found.pvalue)
    assert found.reason == reason
