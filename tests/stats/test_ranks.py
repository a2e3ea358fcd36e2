"""Mann-Whitney, Shapiro-Wilk, paired t, adjustment of p-values."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from readerstudy.stats import adjust_pvalues, mann_whitney, paired_t, shapiro_wilk
from tests.stats.golden import close, golden, reference

NAN = math.nan
grades = st.lists(st.integers(1, 4), min_size=2, max_size=6)
pvalues = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def test_mann_whitney_against_r():
    wanted = reference("contingency")["ranks"]
    plain = mann_whitney(wanted["x"], wanted["y"])
    assert (plain.statistic, plain.pvalue) == (close(wanted["u"]), close(wanted["exact"]))
    for continuity, key in ((True, "corrected"), (False, "plain")):
        found = mann_whitney(
            wanted["grades_x"], wanted["grades_y"], method="asymptotic", continuity=continuity
        )
        assert found.statistic == close(wanted["grades_u"])
        assert found.pvalue == close(wanted[key])


@given(grades, grades)
def test_exact_p_with_ties_is_the_permutation_p(x, y):
    found = mann_whitney(x, y)
    pooled, n_x = np.array(x + y), len(x)
    if np.ptp(pooled) == 0:
        assert math.isnan(found.pvalue)
        assert "all values are equal" in found.reason
        return
    distances = []
    for chosen in combinations(range(len(pooled)), n_x):
        inside = np.isin(np.arange(len(pooled)), chosen)
        gap = np.sign(np.subtract.outer(pooled[inside], pooled[~inside]))
        distances.append(abs(gap.sum()))
    seen = abs(2 * found.statistic - n_x * len(y))
    assert found.pvalue == close(float(np.mean(np.array(distances) >= seen - 1e-9)))


@given(grades, grades)
def test_swapping_the_samples_mirrors_u(x, y):
    here, there = mann_whitney(x, y), mann_whitney(y, x)
    assert here.statistic + there.statistic == len(x) * len(y)
    assert here.auc == close(1 - there.auc)
    assert here.pvalue == pytest.approx(there.pvalue, nan_ok=True)


@given(grades, grades)
def test_monotone_map_changes_nothing(x, y):
    here = mann_whitney(x, y)
    there = mann_whitney(np.exp(x), np.exp(y))
    assert here.statistic == there.statistic
    assert here.pvalue == pytest.approx(there.pvalue, nan_ok=True)


def test_mann_whitney_degenerate_and_dropped():
    empty = mann_whitney([], [1, 2])
    assert math.isnan(empty.statistic)
    assert "empty" in empty.reason
    same = mann_whitney([3, 3], [3, 3, 3], method="asymptotic")
    assert same.statistic == 3.0
    assert math.isnan(same.pvalue)
    dropped = mann_whitney([1, NAN, 2], [3, 4], missing="omit")
    assert (dropped.n, dropped.n_dropped) == (4, 1)
    assert dropped.pvalue == close(1 / 3)


def test_shapiro_against_r():
    ranks = reference("contingency")["ranks"]
    found = shapiro_wilk(ranks["x"])
    assert [found.w, found.pvalue] == close(ranks["shapiro"], 1e-6)


def test_shapiro_degenerate():
    assert "fewer than 3" in shapiro_wilk([1, 2]).reason
    assert "equal" in shapiro_wilk([2, 2, 2, 2]).reason
    assert math.isnan(shapiro_wilk([2, 2, 2, 2]).pvalue)
    large = shapiro_wilk(np.random.default_rng(0).normal(size=5001))
    assert any("5000" in w for w in large.warnings)
    assert shapiro_wilk([1, 2, NAN, 4, 7], missing="omit").n_dropped == 1


def test_paired_t_against_r():
    ranks = reference("contingency")["ranks"]
    found, wanted = paired_t(ranks["x"][:11], ranks["y"]), ranks["t"]
    assert (found.t, found.df, found.pvalue) == (close(wanted["t"]), 10, close(wanted["p"]))
    assert [found.low, found.high] == close(wanted["ci"])


def test_constant_difference_has_no_test():
    found = paired_t([1.3, 2.3, 3.3], [1.1, 2.1, 3.1])
    assert found.difference == close(0.2)
    assert math.isnan(found.t)
    assert math.isnan(found.pvalue)
    assert "do not vary" in found.reason
    same = paired_t([1, 2], [1, 2])
    assert same.difference == 0.0
    assert math.isnan(same.t)
    assert "fewer than 2" in paired_t([1.0], [2.0]).reason
    assert math.isnan(paired_t([], []).difference)


def test_paired_t_of_columns():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"before": [1.0, 2, NAN, 5], "after": [2.0, 4, 4, 5]})
    found = paired_t("before", "after", data=frame, missing="omit")
    assert (found.n, found.n_dropped) == (3, 1)
    assert found.difference == close(-1.0)


@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=3, max_size=20))
def test_paired_t_is_the_one_sample_t_of_differences(pairs):
    a, b = np.array(pairs, dtype=float).T
    found, swapped = paired_t(a, b), paired_t(b, a)
    assert found.t == pytest.approx(-swapped.t, nan_ok=True)
    if found.sd > 0:
        peer = stats.ttest_1samp(a - b, 0.0)
        assert (found.t, found.pvalue) == (close(peer.statistic), close(peer.pvalue))


def test_adjustment_against_r():
    wanted = reference("contingency")["adjusted"]
    for method in ("bonferroni", "holm", "bh"):
        found = adjust_pvalues(wanted["raw"], method=method)
        assert found.adjusted.tolist() == close(wanted[method])
        assert found.family_size == 12


def test_nan_stays_and_does_not_count():
    found = adjust_pvalues([0.01, NAN, 0.04], method="bonferroni")
    assert found.adjusted.tolist() == pytest.approx([0.02, NAN, 0.08], nan_ok=True)
    assert (found.family_size, found.n_dropped) == (2, 1)
    assert "family is the other 2" in found.reason
    assert found.to_dict()["adjusted"] == [0.02, None, 0.08]
    nothing = adjust_pvalues([])
    assert nothing.family_size == 0
    assert nothing.reason


@given(pvalues)
def test_adjusted_p_keep_their_order_and_dominance(values):
    raw = np.array(values)
    holm, bonferroni, bh = (
        adjust_pvalues(raw, method=m).adjusted for m in ("holm", "bonferroni", "bh")
    )
    assert (bh <= holm + 1e-15).all()
    assert (holm <= bonferroni + 1e-15).all()
    assert (raw <= bh + 1e-15).all()
    for adjusted in (holm, bonferroni, bh):
        assert (np.diff(adjusted[np.argsort(raw)]) >= -1e-15).all()


def test_adjustment_against_statsmodels():
    from statsmodels.stats.multitest import multipletests

    raw = np.random.default_rng(2).random(15) ** 2
    for method, peer in (("bonferroni", "bonferroni"), ("holm", "holm"), ("bh", "fdr_bh")):
        found = adjust_pvalues(raw, method=method).adjusted
        assert found.tolist() == close(multipletests(raw, method=peer)[1].tolist())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mann_whitney([1, NAN], [2, 3]), "x has 1 missing"),
        (lambda: mann_whitney([1, 2], [2, 3], method="auto"), "auto"),
        (lambda: mann_whitney([1, 2], [2, 3], case_ids=([1, 2], [2, 3])), "paired_t"),
        (lambda: mann_whitney([1, 2], [2, 3], case_ids=([1, 1], [2, 3])), "repeat"),
        (lambda: mann_whitney([1] * 300 + [2], [2] * 300), "asymptotic"),
        (lambda: shapiro_wilk([[1, 2], [3, 4]]), "one-dimensional"),
        (lambda: shapiro_wilk(["a", "b"]), "numbers"),
        (lambda: shapiro_wilk([1, 2, math.inf]), "x must be finite"),
        (lambda: paired_t([1, 2], [1, -math.inf]), "b must be finite, got -inf"),
        (lambda: paired_t([1, 2], [1]), "same length"),
        (lambda: adjust_pvalues([0.1, 1.2]), "1.2"),
        (lambda: adjust_pvalues([0.1], method="hochberg"), "hochberg"),
    ],
)
def test_bad_input_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_golden_ranks():
    data = golden("mannwhitney_hollander")
    x, y, wanted = data["data"]["x"], data["data"]["y"], data["expected"]
    found = mann_whitney(x, y)
    assert (found.statistic, found.pvalue) == (
        close(wanted["U1"]),
        close(wanted["p_exact_no_ties"]),
    )
    assert found.auc == close(wanted["auc_effect"])
    assert mann_whitney(x, y, method="asymptotic").pvalue == close(wanted["p_normal_cc"])
    plain = mann_whitney(x, y, method="asymptotic", continuity=False)
    assert plain.pvalue == close(wanted["p_normal"])
    data = golden("shapiro_iris")
    normal = shapiro_wilk(data["data"]["x"])
    assert normal.w == close(data["expected"]["W"], data["tolerance"])
    assert normal.pvalue == close(data["expected"]["p"], data["tolerance"])


def test_golden_paired_t_and_adjustment():
    data = golden("paired_t_sleep")
    found, wanted = paired_t(data["data"]["a"], data["data"]["b"]), data["expected"]
    assert (found.t, found.df, found.pvalue) == (
        close(wanted["t"]),
        wanted["df"],
        close(wanted["p"]),
    )
    assert [found.low, found.high] == close(wanted["ci"])
    data = golden("padjust_8")
    for method, adjusted in data["expected"].items():
        assert adjust_pvalues(data["data"]["p"], method=method).adjusted.tolist() == close(adjusted)
