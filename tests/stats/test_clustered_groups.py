"""Shares of groups with clusters of any kind, against closed forms and R."""

from __future__ import annotations

import math

import numpy as np
import pytest

from readerstudy import stats

# R: p <- mean(y); e[c, k] <- sum over the reads of cluster c in group k of (y - p) / N[k];
#    d <- e[, -1] - e[, 1]; chi2 <- t(D) %*% solve(t(d) %*% d) %*% D for D, the shares beyond a
CLUSTER = [1, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 10]
GROUP = list("aabacbbcabccacbbbaccaabc")
SUCCESS = [1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0]
CHI2, P = 3.868141771208598, 0.144558517847487
Z_AB, P_AB = 1.715380055740472, 0.086275569582529


def test_clusters_in_several_groups_equal_the_matrices_evaluated_in_r():
    found = stats.clustered_comparison(SUCCESS, CLUSTER, GROUP)
    assert (found.chi2, found.pvalue) == pytest.approx((CHI2, P), abs=1e-12)
    assert found.df == 2
    pair = found.difference("a", "b")
    assert (pair.z, pair.pvalue) == pytest.approx((Z_AB, P_AB), abs=1e-12)
    assert (found.n_clusters, found.n_shared) == (10, 8)


def test_one_read_of_each_case_is_pearsons_chi_square():
    # R: prop.test(c(71, 55), c(100, 100), correct = FALSE)$p.value
    success = [1] * 71 + [0] * 29 + [1] * 55 + [0] * 45
    found = stats.clustered_comparison(success, range(200), ["d"] * 100 + ["w"] * 100)
    assert found.pvalue == pytest.approx(0.019112360626974, abs=1e-12)
    assert found.n_shared == 0


def test_every_case_read_once_in_both_groups_is_mcnemars_test():
    # R: mcnemar.test(matrix(c(30, 5, 14, 11), 2), correct = FALSE)$p.value
    both, first, second, neither = 30, 14, 5, 11
    a = [1] * (both + first) + [0] * (second + neither)
    b = [1] * both + [0] * first + [1] * second + [0] * neither
    found = stats.clustered_comparison(a + b, [*range(60), *range(60)], ["a"] * 60 + ["b"] * 60)
    assert found.pvalue == pytest.approx(0.038947455742026, abs=1e-12)
    assert found.differences[0].value == pytest.approx((first - second) / 60)


def test_repeating_every_read_changes_neither_share_nor_p():
    once = stats.clustered_comparison(SUCCESS, CLUSTER, GROUP)
    twice = stats.clustered_comparison(SUCCESS * 2, CLUSTER * 2, GROUP * 2)
    assert twice.pvalue == pytest.approx(once.pvalue, rel=1e-12)
    assert [s.value for s in twice.shares.values()] == [s.value for s in once.shares.values()]


def test_the_order_of_groups_turns_the_sign_and_nothing_else():
    found = stats.clustered_comparison(SUCCESS, CLUSTER, GROUP)
    turned = stats.clustered_comparison(SUCCESS, CLUSTER, GROUP, groups=["c", "b", "a"])
    there, back = found.difference("a", "c"), turned.difference("c", "a")
    assert back.value == pytest.approx(-there.value)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert turned.chi2 == pytest.approx(found.chi2)


def test_the_test_holds_its_size_and_the_interval_its_coverage_with_clusters():
    rng = np.random.default_rng(4)
    rejected = covered = 0
    runs = 400
    for _ in range(runs):
        case = rng.normal(0, 1.5, 80)
        reads = 1 / (1 + np.exp(-np.repeat(case, 4))) > rng.random(320)
        found = stats.clustered_comparison(
            reads.astype(int), np.repeat(np.arange(80), 4), np.repeat(["a", "b"], 160)
        )
        rejected += found.pvalue < 0.05
        covered += found.differences[0].low <= 0 <= found.differences[0].high
    # 99.9 % limits of a binomial with 400 draws at 0.05 and 0.95
    assert 4 <= rejected <= 36
    assert covered >= 364


def test_what_never_varies_has_no_test_and_says_so():
    found = stats.clustered_comparison([1, 1, 1, 1], [1, 2, 3, 4], list("aabb"))
    assert math.isnan(found.pvalue)
    assert found.reason == "no test: every read is a success"
    pair = found.differences[0]
    assert pair.value == 0
    assert pair.low < 0 < pair.high


def test_one_group_has_a_share_and_no_test():
    found = stats.clustered_comparison([1, 0, 1], [1, 2, 3], list("aaa"))
    assert found.shares["a"].value == pytest.approx(2 / 3)
    assert found.reason == "there is only one group"
    assert found.differences == ()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"success": []}, "same length"),
        ({"success": [0, 1, 2]}, "must be 0 or 1"),
        ({"success": [0, 1, math.nan]}, "missing values"),
        ({"groups": ["a"]}, "groups must be those of the data"),
    ],
)
def test_bad_input_is_refused_in_words(change, words):
    given = {"success": [0, 1, 1], "cluster": [1, 2, 3], "group": list("aab"), **change}
    with pytest.raises(ValueError, match=words):
        stats.clustered_comparison(**given)
    with pytest.raises(ValueError, match="at least one read"):
        stats.clustered_comparison([], [], [])
