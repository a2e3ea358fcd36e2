"""Profile-likelihood limits against R's confint, and its spline against R's spline."""

import math

import numpy as np
import pytest

from readerstudy import stats
from readerstudy.stats.logistic_profile import forsythe_spline
from tests.stats.golden import close, golden, reference

KNOTS = np.array([0, 0.4, 1.1, 1.5, 2.7, 3])
HEIGHTS = np.array([1, 0.2, -0.5, 2, 0.3, 4])


@pytest.fixture(scope="module")
def known():
    return reference("regression")


@pytest.fixture(scope="module")
def flat(known):
    """Thirteen rows, almost separated by a and b."""
    data = known["flat"]
    return data, data["y"], np.column_stack([data["a"], data["b"]])


def test_pima_limits_equal_r():
    case = golden("logistic_pima")
    expected = case["expected"]["multivariable"]
    terms = expected["terms"][1:]
    x = np.column_stack([case["data"][name] for name in terms])
    fit = stats.logistic(case["data"]["y"], x, names=terms, ci="profile")
    low, high = zip(*expected["or_ci_profile"], strict=True)
    assert fit.or_low.tolist() == pytest.approx(low, rel=case["tolerance"])
    assert fit.or_high.tolist() == pytest.approx(high, rel=case["tolerance"])
    assert "by spline as R's confint (Venables & Ripley 2002)" in fit.method


@pytest.mark.parametrize(("place", "level"), [(0, 0.95), (1, 0.8)])
def test_limits_equal_confint_at_each_level(known, place, level):
    x = np.column_stack([known["x"][name] for name in known["fit"]["terms"][1:]])
    fit = stats.logistic(known["y"], x, ci="profile", level=level)
    assert fit.beta_low.tolist() == close(known["confint"][place]["low"])
    assert fit.beta_high.tolist() == close(known["confint"][place]["high"])


def test_limits_of_the_intercept_alone_equal_confint():
    # R 4.2.2, MASS 7.3-58.2: confint(glm(c(1, 0, 0, 0, 0, 1, 0) ~ 1, binomial))
    fit = stats.logistic([1, 0, 0, 0, 0, 1, 0], np.empty((7, 0)), ci="profile")
    assert fit.beta_low[0] == pytest.approx(-2.85968803278687)
    assert fit.beta_high[0] == pytest.approx(0.618303799951723)


def test_a_profile_too_flat_is_nan_where_r_has_na(flat):
    """Only the places are R's: its refits at the far points diverge, so its numbers are not."""
    data, y, x = flat
    fit = stats.logistic(y, x, names=["a", "b"], ci="profile")
    assert not fit.separated
    assert np.isnan(fit.beta_low).tolist() == data["low"]
    assert np.isnan(fit.beta_high).tolist() == data["high"]
    assert "the profile of (Intercept), a, b is too flat" in fit.reason
    assert 'pass ci="profile_exact"' in fit.reason


def test_exact_limit_of_a_flat_profile_equals_the_root_in_r(flat):
    data, y, x = flat
    fit = stats.logistic(y, x, names=["a", "b"], ci="profile_exact")
    assert fit.reason is None
    assert "exact roots" in fit.method
    assert np.isfinite([fit.beta_low, fit.beta_high]).all()
    assert fit.beta_low[2] == close(data["exact_low_b"], 1e-7)


def test_firths_limits_are_exact_under_both_names(known):
    data = known["firth"]
    x = np.column_stack([data["x1"], data["x2"]])
    plain, exact = (stats.logistic(data["y"], x, ci=ci) for ci in ("profile", "profile_exact"))
    assert plain.beta_low.tolist() == exact.beta_low.tolist()
    assert plain.beta_high.tolist() == pytest.approx(data["high"], abs=1e-5)
    assert plain.pvalue.tolist() == exact.pvalue.tolist()
    assert plain.method == exact.method
    assert "exact penalised profile-likelihood limits" in plain.method


@pytest.mark.parametrize("count", [3, 4, 5, 6])
def test_spline_equals_r(known, count):
    x, y = KNOTS[:count], HEIGHTS[:count]
    at = np.linspace(x[0], x[-1], 3 * count)
    assert forsythe_spline(x, y, at).tolist() == close(known["spline"][count - 3], 1e-12)


def test_spline_reproduces_a_cubic():
    at = np.linspace(0, 3, 50)
    assert forsythe_spline(KNOTS, KNOTS**3 - KNOTS, at) == pytest.approx(at**3 - at, abs=1e-12)


@pytest.mark.parametrize("fit", [stats.logistic, stats.univariable, stats.backward_elimination])
def test_unknown_limits_are_refused(fit):
    with pytest.raises(ValueError, match="profile_exact"):
        fit([0, 1, 0, 1], [1, 2, 3, 1], ci="likelihood")


def test_elimination_and_single_factors_take_both_kinds(known):
    x = np.column_stack([known["x"]["age"], known["x"]["rim"]])
    for ci in ("profile", "profile_exact"):
        model = stats.logistic(known["y"], x, ci=ci)
        final = stats.backward_elimination(known["y"], x, ci=ci).final
        assert final.beta_low.tolist() == model.beta_low.tolist()
        alone = stats.univariable(known["y"], x[:, :1], ci=ci)
        assert math.isfinite(alone.or_high[0])


def test_few_separated_data_give_a_reason_and_no_error() -> None:
    """Where the penalised profile cannot be followed, the limit is undefined and says so."""
    rng = np.random.default_rng(4)
    undefined = 0
    for _ in range(25):
        x = rng.normal(size=(10, 2))
        y = (x[:, 0] > 0).astype(float)
        if y.sum() in (0, 10):
            continue
        fit = stats.logistic(y, x, names=["a", "b"], ci="profile", firth=True)
        if np.isnan([fit.or_low, fit.or_high]).any():
            undefined += 1
            assert "cannot be followed to its limit" in str(fit.reason)
    assert undefined
