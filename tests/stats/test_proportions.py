"""One proportion, two proportions, clustered proportions."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.stats import clustered_proportion, proportion, two_proportions
from tests.stats.golden import close, golden, reference

NAN = math.nan
shares = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("k", "n", "wilson", "exact"),
    [
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ],
)
def test_newcombe_1998_table_one(k, n, wilson, exact):
    """Newcombe, Stat Med 1998;17:857, table I, methods 3 and 5."""
    for kind, limits in (("wilson", wilson), ("exact", exact)):
        found = proportion(k, n, ci=kind)
        assert (found.low, found.high) == pytest.approx(limits, abs=5.1e-5)


def test_proportion_against_r():
    for wanted in reference("contingency")["binomials"]:
        k, n = wanted["k"], wanted["n"]
        exact, wilson = proportion(k, n, ci="exact"), proportion(k, n)
        assert (exact.low, exact.high) == (close(wanted["low"]), close(wanted["high"]))
        assert [wilson.low, wilson.high] == close(wanted["wilson"])


def test_proportion_against_statsmodels():
    from statsmodels.stats.proportion import proportion_confint

    for kind, peer in (("exact", "beta"), ("wilson", "wilson"), ("agresti-coull", "agresti_coull")):
        found = proportion(17, 19, ci=kind, level=0.9)
        low, high = proportion_confint(17, 19, alpha=0.1, method=peer)
        assert found.low == close(low)
        if kind != "agresti-coull":
            assert found.high == close(high)
    assert "not clipped" in proportion(7, 7, ci="agresti-coull").method
    assert proportion(7, 7, ci="agresti-coull").high == close(1.05010879551787)


def test_no_observations():
    found = proportion(0, 0)
    assert math.isnan(found.value)
    assert "0 of 0" in found.reason
    assert json.loads(json.dumps(found.to_dict()))["value"] is None
    assert "undefined" in found.summary()
    empty = two_proportions(0, 0, 3, 5)
    assert math.isnan(empty.difference)
    assert empty.p2 == close(0.6)
    assert empty.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: proportion(5, 4), "k must be at most n"),
        (lambda: proportion(-1, 4), "k must be"),
        (lambda: proportion(1.5, 4), "1.5"),
        (lambda: proportion(1, NAN), "n must be"),
        (lambda: proportion(1, 4, ci="wald"), "wald"),
        (lambda: proportion(1, 4, level=1.0), "level"),
        (lambda: proportion(1, 3, case_ids=["a", "a", "b"]), "clustered_proportion"),
        (lambda: proportion(1, 3, case_ids=["a", "b"]), "one entry per observation"),
        (lambda: two_proportions(5, 4, 1, 2), "k1 must be at most n1"),
        (lambda: two_proportions(1, 2, 1, 2, case_ids=([1, 2], [2, 3])), "mcnemar"),
        (lambda: two_proportions(1, 2, 1, 2, case_ids=[1, 2, 2, 3]), "mcnemar"),
        (lambda: two_proportions(1, 2, 1, 2, case_ids=([1, 1], [2, 3])), "clustered"),
        (lambda: two_proportions(1, 2, 1, 2, case_ids=([1], [2, 3])), "pair of sequences"),
        (lambda: clustered_proportion([1, 2], [1, 2]), "0 or 1"),
        (lambda: clustered_proportion([1, 0], [1]), "same length"),
        (lambda: clustered_proportion([1, NAN], [1, 2]), "missing"),
    ],
)
def test_bad_input_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_independence_can_be_claimed_aloud():
    forced = two_proportions(1, 2, 1, 2, case_ids=([1, 2], [2, 3]), assume_independent=True)
    assert forced.difference == 0.0
    assert proportion(1, 2, case_ids=["a", "a"], assume_independent=True).value == 0.5
    assert two_proportions(1, 2, 1, 2, case_ids=([1, 2], [3, 4])).difference == 0.0


@pytest.mark.parametrize(
    ("cells", "limits"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ],
)
def test_newcombe_1998_two_proportions(cells, limits):
    """Newcombe, Stat Med 1998;17:873, table II, method 10."""
    found = two_proportions(*cells)
    assert (found.low, found.high) == pytest.approx(limits, abs=5.1e-5)


def test_both_zero_or_both_one():
    for k1, k2 in ((0, 0), (10, 8)):
        found = two_proportions(k1, 10, k2, 8)
        assert math.isnan(found.z_pooled)
        assert math.isnan(found.p_pooled)
        assert "both proportions" in found.reason
        assert found.low < 0 < found.high
    apart = two_proportions(10, 10, 0, 10)
    assert apart.z_pooled > 4
    assert math.isnan(apart.z_unpooled)
    assert "unpooled" in apart.reason


@given(shares, shares)
def test_swapping_the_samples_changes_only_the_sign(one, other):
    here, there = two_proportions(*one, *other), two_proportions(*other, *one)
    assert here.difference == close(-there.difference)
    assert (here.low, here.high) == (close(-there.high), close(-there.low))
    assert here.p_pooled == pytest.approx(there.p_pooled, nan_ok=True)
    assert here.low - 1e-12 <= here.difference <= here.high + 1e-12


@given(shares, st.sampled_from(["wilson", "exact", "agresti-coull"]))
def test_counting_failures_mirrors_the_interval(share, kind):
    k, n = share
    here, there = proportion(k, n, ci=kind), proportion(n - k, n, ci=kind)
    assert (here.low, here.high) == (close(1 - there.high), close(1 - there.low))
    assert here.low <= here.value <= here.high


def test_clustered_by_hand():
    """Clusters 2/2, 0/2, 2/2 and p = 2/3: squares 4/9, 16/9, 4/9; variance 3/2 (24/9)/36 = 1/9."""
    found = clustered_proportion([1, 1, 0, 0, 1, 1], ["a", "a", "b", "b", "c", "c"])
    assert found.se == close(1 / 3)
    assert found.se_naive == close(math.sqrt(2 / 9 / 6))
    assert found.design_effect == close(3.0)
    assert (found.n, found.n_clusters) == (6, 3)
    assert (found.low, found.high) == (close(2 / 3 - 1.959963984540054 / 3), 1.0)
    assert any("3 clusters" in w for w in found.warnings)


def test_clustered_takes_columns_and_reports_missing():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"right": [1, 0, NAN, 1], "case": ["a", "a", "b", "b"]})
    found = clustered_proportion("right", "case", data=frame, missing="omit")
    assert (found.n, found.n_dropped) == (3, 1)
    assert found.value == close(2 / 3)


def test_clustered_degenerate():
    one = clustered_proportion([1, 0], ["a", "a"])
    assert math.isnan(one.se)
    assert "one cluster" in one.reason
    alike = clustered_proportion([1, 1, 1], ["a", "a", "b"])
    assert (alike.value, alike.low, alike.high) == (1.0, 1.0, 1.0)
    assert alike.reason
    assert any("no width" in w for w in alike.warnings)
    even = clustered_proportion([1, 0, 0] * 3, list("aaabbbccc"))
    assert (even.se, even.design_effect) == (0.0, 0.0)
    assert "same share" in even.reason
    nothing = clustered_proportion([NAN], ["a"], missing="omit")
    assert math.isnan(nothing.value)
    assert nothing.reason


@given(st.lists(st.integers(0, 1), min_size=3, max_size=40).filter(lambda v: 0 < sum(v) < len(v)))
def test_one_observation_per_cluster_is_the_simple_proportion(values):
    n = len(values)
    found = clustered_proportion(values, list(range(n)))
    assert found.se == close(found.se_naive * math.sqrt(n / (n - 1)))
    assert found.design_effect == close(n / (n - 1))


@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=5, max_size=40),
    st.randoms(use_true_random=False),
)
def test_order_of_observations_does_not_matter(pairs, random):
    moved = list(pairs)
    random.shuffle(moved)
    here = clustered_proportion(*zip(*pairs, strict=True))
    there = clustered_proportion(*zip(*moved, strict=True))
    assert (here.value, here.se) == pytest.approx((there.value, there.se), nan_ok=True)


def test_golden_two_proportions():
    data = golden("twoprop_01")
    x1, n1, x2, n2 = (data["data"][k] for k in ("x1", "n1", "x2", "n2"))
    cells = [((x1, n1, x2, n2), data["expected"])]
    park = golden("seed_park_accuracy_turing")
    cells += [((40, 44, 37, 44), park["expected"]["reader1"])]
    cells += [((41, 44, 38, 44), park["expected"]["reader2"])]
    for arguments, wanted in cells:
        found = two_proportions(*arguments)
        assert found.difference == close(wanted["diff"])
        assert [found.z_pooled, found.p_pooled] == close([wanted["z_pooled"], wanted["p_pooled"]])
        assert [found.z_unpooled, found.p_unpooled] == close(
            [wanted["z_unpooled"], wanted["p_unpooled"]]
        )
        assert [found.low, found.high] == close(wanted["newcombe_ci"])


def test_golden_clustered_proportion():
    data = golden("clustered_proportion")
    found = clustered_proportion(np.array(data["data"]["correct"]), data["data"]["patient"])
    wanted = data["expected"]
    assert (found.value, found.se) == (close(wanted["p"]), close(wanted["se_clustered"]))
    assert [found.low, found.high] == close(wanted["ci_wald"])
    assert found.se_naive == close(wanted["se_naive"])
    assert found.design_effect == close(wanted["design_effect"])
    assert found.n_clusters == wanted["n_patients"]
