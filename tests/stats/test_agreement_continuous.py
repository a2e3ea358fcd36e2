"""ICC, rwg, Kendall's W, Bland-Altman limits and concordance correlation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from readerstudy.stats import bland_altman, concordance_correlation, icc, kendall_w, rwg
from tests.stats.golden import close, golden, reference

NAN = math.nan
SHROUT = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
FORMS = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
# Peak flow in l/min, first readings: Bland & Altman, Lancet 1986, table 1.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]

scores = arrays(
    np.float64,
    st.tuples(st.integers(4, 12), st.integers(2, 4)),
    elements=st.integers(0, 60).map(lambda v: v / 4),
)


def varies(ratings):
    return np.ptp(ratings) > 0 and np.ptp(ratings.mean(axis=1)) > 1e-6


def test_icc_of_shrout_and_fleiss():
    """Shrout & Fleiss 1979, table 4: .17 .29 .71 .44 .62 .91; F 1.79 and 11.03 (table 3)."""
    found = {form: icc(SHROUT, form=form) for form in FORMS}
    assert [found[f].value for f in FORMS] == pytest.approx(
        [0.17, 0.29, 0.71, 0.44, 0.62, 0.91], abs=5e-3
    )
    assert found["ICC(1,1)"].f == pytest.approx(1.79, abs=5e-3)
    assert found["ICC(2,1)"].f == pytest.approx(11.03, abs=5e-3)
    assert found["ICC(2,1)"].ms_raters == pytest.approx(32.49, abs=5e-3)


@pytest.mark.parametrize(
    ("key", "data"),
    [("icc_shrout", SHROUT), ("icc_grades", "grades"), ("icc_measured", "measured")],
)
@pytest.mark.parametrize("form", FORMS)
def test_icc_against_psych(key, data, form):
    values = reference("agreement")
    ratings = values[data] if isinstance(data, str) else data
    wanted = values[key][f"ICC{form[4]}{'k' if form[6] == 'k' else ''}"]
    found = icc(ratings, form=form)
    assert (found.value, found.f) == (close(wanted["value"]), close(wanted["f"]))
    assert (found.df1, found.df2) == (wanted["df1"], wanted["df2"])
    assert found.pvalue == close(wanted["p"])
    assert (found.low, found.high) == (close(wanted["low"]), close(wanted["high"]))


def test_icc_missing_and_bad_input():
    gappy = [*SHROUT, [1, NAN, 3, 4]]
    with pytest.raises(ValueError, match="1 missing"):
        icc(gappy)
    found = icc(gappy, missing="omit")
    assert (found.n, found.n_dropped) == (6, 1)
    assert found.value == close(icc(SHROUT).value)
    for call, message in (
        (lambda: icc(SHROUT, form="ICC(4,1)"), "ICC"),
        (lambda: icc([[1], [2]]), "2 raters"),
        (lambda: icc([[1, 2]]), "2 complete subjects"),
        (lambda: icc([["a", "b"], ["b", "a"]]), "numbers"),
        (lambda: icc([1, 2, 3]), "shape"),
    ):
        with pytest.raises(ValueError, match=message):
            call()


def test_icc_degenerate():
    constant = icc([[0.1, 0.1]] * 4)
    assert math.isnan(constant.value)
    assert "do not vary" in constant.reason
    perfect = icc([[1, 1], [2, 2], [4, 4]])
    assert (perfect.value, perfect.low, perfect.high) == (1.0, 1.0, 1.0)
    assert perfect.warnings
    shifted = [[1, 3], [2, 4], [5, 7]]
    assert icc(shifted, form="ICC(3,1)").value == close(1.0)
    assert icc(shifted).value < 1.0
    opposed = icc([[1, 2], [2, 1], [1, 2], [2, 1]], form="ICC(1,1)")
    assert opposed.value == close(-1.0)
    assert any("negative" in w for w in opposed.warnings)


@given(scores.filter(varies))
def test_icc_does_not_depend_on_order_or_units(ratings):
    for form in FORMS:
        here = icc(ratings, form=form)
        there = icc(3.0 * ratings[::-1, ::-1] + 10.0, form=form)
        assert here.value == pytest.approx(there.value, rel=1e-8, abs=1e-9)


@given(scores.filter(varies))
def test_icc_of_the_mean_is_spearman_brown_of_one(ratings):
    k = ratings.shape[1]
    for model in "123":
        one = icc(ratings, form=f"ICC({model},1)").value
        many = icc(ratings, form=f"ICC({model},k)").value
        assert many == pytest.approx(k * one / (1 + (k - 1) * one), rel=1e-8, abs=1e-9)


def test_golden_icc():
    """The one-way and consistency forms; irr's own degrees of freedom differ for ICC(2,.)."""
    data = golden("agr_seeded_40x3")
    for key, wanted in data["expected"]["icc"].items():
        form = f"ICC({key[3]},{'k' if key.endswith('k') else '1'})"
        found = icc(data["data"]["ratings"], form=form)
        assert (found.value, found.f) == (close(wanted["icc"]), close(wanted["F"]))
        if form != "ICC(2,k)":
            assert (found.low, found.high) == (close(wanted["ci_low"]), close(wanted["ci_high"]))
        if key[3] != "2":
            assert (found.df2, found.pvalue) == (wanted["df2"], close(wanted["p_value"]))


def test_rwg_by_hand():
    """Variance 1/3 against (25 - 1)/12 = 2 gives 5/6; 4 exceeds the null and gives 0."""
    found = rwg([[4, 4, 5], [1, 3, 5], [2, NAN, NAN]], n_options=5)
    assert found.per_subject.tolist() == pytest.approx([5 / 6, 0.0, NAN], nan_ok=True)
    assert found.mean == close(5 / 12)
    assert (found.n, found.n_dropped, found.n_truncated) == (2, 1, 1)
    assert "fewer than two" in found.reason


def test_rwg_null_variances():
    """Uniform: (A² - 1)/12. Triangular on 5 options, shares 1 2 3 2 1 of 9: variance 12/9."""
    assert rwg([[1, 2]], n_options=5).null_variance == 2.0
    assert rwg([[1, 2]], n_options=4).null_variance == 1.25
    assert rwg([[1, 2]], n_options=5, null="triangular").null_variance == close(4 / 3)
    assert rwg([[1, 2]], n_options=5, null=0.9).null_variance == 0.9


def test_rwg_takes_four_shapes_of_input():
    pandas = pytest.importorskip("pandas")
    matrix = [[4, 4, 5], [2, 3, NAN]]
    wanted = rwg(matrix, n_options=5).per_subject.tolist()
    ragged = rwg([[4, 4, 5], [2, 3]], n_options=5)
    mapped = rwg({"p1": [4, 4, 5], "p2": [2, 3]}, n_options=5)
    frame = pandas.DataFrame({"who": ["p1", "p1", "p2", "p1", "p2"], "grade": [4, 4, 2, 5, 3]})
    long = rwg("grade", subject="who", data=frame, n_options=5)
    array = rwg(np.array(matrix), n_options=5)
    for found in (ragged, mapped, long, array):
        assert found.per_subject.tolist() == close(wanted)
    assert mapped.subjects == long.subjects == ("p1", "p2")


def test_rwg_bad_input():
    for kwargs, message in (
        ({"n_options": 1}, "n_options"),
        ({"n_options": 5, "null": "skewed"}, "null"),
        ({"n_options": 5, "null": -1.0}, "variance above 0"),
    ):
        with pytest.raises(ValueError, match=message):
            rwg([[1, 2]], **kwargs)
    alone = rwg([[1], [2]], n_options=5)
    assert math.isnan(alone.mean)
    assert alone.reason


def test_golden_rwg():
    data = golden("rwg_bh1996")
    given_data = data["data"]
    found = rwg(given_data["x"], subject=given_data["group"], n_options=given_data["A"])
    assert found.per_subject.tolist() == close(data["expected"]["rwg"])
    assert found.mean == close(data["expected"]["mean"])


@pytest.mark.parametrize("name", ["grades", "measured"])
def test_kendall_against_vegan(name):
    data = reference("agreement")
    found, wanted = kendall_w(data[name]), data[f"kendall_{name}"]
    assert (found.value, found.chi2) == (close(wanted["W"]), close(wanted["Chi2"]))
    assert (found.f, found.pvalue_f) == (close(wanted["F"]), close(wanted["Prob.F"]))


def test_kendall_against_friedman():
    from scipy.stats import friedmanchisquare

    ratings = np.array(SHROUT)
    peer = friedmanchisquare(*ratings)
    found = kendall_w(ratings)
    assert (found.chi2, found.pvalue) == (close(peer.statistic), close(peer.pvalue))


def test_kendall_degenerate():
    assert kendall_w([[1, 10], [2, 20], [3, 30]]).value == 1.0
    constant = kendall_w([[1, 2], [1, 2], [1, 2]])
    assert math.isnan(constant.value)
    assert "same rating" in constant.reason
    few = kendall_w([[1, 2], [2, 1]])
    assert math.isnan(few.pvalue_f)
    assert few.reason


@given(scores.filter(lambda r: all(np.ptp(c) > 0 for c in r.T)))
def test_kendall_sees_only_ranks(ratings):
    found = kendall_w(ratings)
    assert -1e-12 <= found.value <= 1 + 1e-12
    assert kendall_w(np.exp(ratings / 5.0)).value == close(found.value)


def test_bland_altman_1986():
    """Published: bias -2.1 (95 % -22.0 to 17.8), SD 38.8, limits -79.7 and 75.5 with 2 SD."""
    found = bland_altman(WRIGHT, MINI)
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    assert (found.low, found.high) == (
        pytest.approx(-22.0, abs=0.1), pytest.approx(17.8, abs=0.1)
    )  # fmt: skip
    twice = bland_altman(WRIGHT, MINI, coverage=0.9544997361036416)
    assert twice.lower_limit == pytest.approx(-79.7, abs=0.1)
    assert twice.upper_limit == pytest.approx(75.5, abs=0.1)


def test_bland_altman_trend_against_a_regression():
    from scipy.stats import linregress

    rng = np.random.default_rng(1)
    a = rng.uniform(10, 90, 40)
    b = 0.8 * a + rng.normal(0, 1, 40)
    peer = linregress((a + b) / 2, a - b)
    found = bland_altman(a, b)
    assert (found.slope, found.slope_pvalue) == (close(peer.slope), close(peer.pvalue))
    assert any("constant limits" in w for w in found.warnings)


def test_bland_altman_degenerate_and_repeated_cases():
    one = bland_altman([3.0], [1.0])
    assert one.bias == 2.0
    assert math.isnan(one.low)
    assert one.reason
    same = bland_altman([1.0, 2.0, 3.0], [0.0, 1.0, 2.0])
    assert (same.bias, same.sd) == (1.0, 0.0)
    assert "trend is undefined" in same.reason
    with pytest.raises(ValueError, match="repeat a case id"):
        bland_altman([1, 2, 3], [1, 2, 4], case_ids=["p1", "p1", "p2"])
    assert bland_altman([1, 2, 3], [1, 2, 4], case_ids=[1, 1, 2], assume_independent=True).n == 3
    with pytest.raises(ValueError, match="coverage"):
        bland_altman([1, 2], [2, 3], coverage=2)
    assert bland_altman([1, NAN, 3, 5], [1, 2, 3, 4], missing="omit").n_dropped == 1


def test_concordance_by_hand():
    """Shift by 1 with variance 1.25 and covariance 1.25: 2.5/(2.5 + 1)."""
    found = concordance_correlation([1, 2, 3, 4], [2, 3, 4, 5])
    assert found.value == close(2.5 / 3.5)
    assert found.pearson == close(1.0)
    assert found.bias_correction == close(2.5 / 3.5)
    assert found.location_shift == close(-1 / math.sqrt(1.25))
    assert found.scale_shift == 1.0


def test_concordance_variance_matches_its_sampling_spread():
    rng = np.random.default_rng(4)
    halves, values = [], []
    for _ in range(800):
        a = rng.normal(size=80)
        b = 0.8 * a + 0.5 + rng.normal(0, 0.5, size=80)
        found = concordance_correlation(a, b)
        halves.append(math.atanh(found.high) - math.atanh(found.value))
        values.append(math.atanh(found.value))
    spread = float(np.std(values, ddof=1))
    assert np.mean(halves) / 1.959964 == pytest.approx(spread, rel=0.08)


def test_concordance_degenerate():
    assert math.isnan(concordance_correlation([2, 2, 2], [5, 5, 5]).value)
    half = concordance_correlation([2, 2, 2], [1, 5, 3])
    assert half.value == 0.0
    assert "does not vary" in half.reason
    exact = concordance_correlation([1, 2, 3], [1, 2, 3])
    assert exact.value == close(1.0)
    assert math.isnan(exact.low)
    assert exact.reason
    assert math.isnan(concordance_correlation([1.0], [2.0]).value)
    with pytest.raises(ValueError, match="same length"):
        concordance_correlation([1, 2], [1, 2, 3])


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=3, max_size=30))
def test_concordance_is_symmetric_and_bounded_by_correlation(pairs):
    a, b = np.array(pairs, dtype=float).T
    here, there = concordance_correlation(a, b), concordance_correlation(b, a)
    assert here.value == pytest.approx(there.value, nan_ok=True)
    if not math.isnan(here.pearson):
        assert abs(here.value) <= abs(here.pearson) + 1e-12
        assert here.value == pytest.approx(here.pearson * here.bias_correction, abs=1e-12)
