"""Logistic regression against R, closed forms of the 2x2 table, and separated data."""

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from readerstudy import stats
from readerstudy.stats.regression import SELECTION
from tests.stats.golden import close, golden, reference

CELL = st.integers(1, 40)
TERMS = ("age", "rim", "size", "middle", "high", "noise")


def expand(a, b, c, d):
    """Return y and x of the table a, b (x = 1: events, others), c, d (x = 0)."""
    return [1] * a + [0] * b + [1] * c + [0] * d, [1] * (a + b) + [0] * (c + d)


@pytest.fixture(scope="module")
def pima():
    case = golden("logistic_pima")
    terms = case["expected"]["multivariable"]["terms"][1:]
    x = np.column_stack([case["data"][name] for name in terms])
    return case, case["data"]["y"], x, terms


@pytest.fixture(scope="module")
def fresh():
    case = reference("regression")
    return case, case["y"], np.column_stack([case["x"][name] for name in TERMS])


def test_pima_model_equals_r(pima):
    case, y, x, terms = pima
    expected, tolerance = case["expected"]["multivariable"], case["tolerance"]
    fit = stats.logistic(y, x, names=terms)
    assert fit.terms == tuple(expected["terms"])
    for name, key in {
        "beta": "beta",
        "se": "se",
        "z": "z",
        "pvalue": "p_wald",
        "odds_ratio": "odds_ratio",
    }.items():
        assert getattr(fit, name).tolist() == close(expected[key], tolerance)
    assert list(zip(fit.or_low, fit.or_high, strict=True)) == [
        tuple(close(pair, tolerance)) for pair in expected["or_ci_wald"]
    ]
    for name, key in {
        "loglik": "loglik",
        "loglik_null": "loglik_null",
        "aic": "aic",
        "bic": "bic",
        "lr_chi2": "lr_chi2",
        "lr_df": "lr_df",
        "lr_p": "lr_p",
        "cox_snell": "cox_snell_r2",
        "nagelkerke": "nagelkerke_r2",
        "mcfadden": "mcfadden_r2",
    }.items():
        assert getattr(fit, name) == close(expected[key], tolerance), name
    assert fit.fitted[:10].tolist() == close(expected["fitted_first10"], tolerance)


def test_exact_profile_limits_equal_the_roots_of_the_profile_deviance_in_r(fresh):
    case, y, x = fresh
    expected = case["fit"]
    fit = stats.logistic(y, x, names=TERMS, ci="profile_exact")
    assert fit.beta_low.tolist() == close(expected["profile_low"], 1e-8)
    assert fit.beta_high.tolist() == close(expected["profile_high"], 1e-8)
    assert fit.beta.tolist() == close(expected["beta"], 1e-9)
    # glm takes the weights of its last step but one: the errors are right to 7 digits
    assert fit.se.tolist() == close(expected["se"], 1e-7)
    assert fit.pvalue.tolist() == close(expected["p"], 1e-7)
    assert [fit.loglik, fit.aic, fit.bic] == close(
        [expected["loglik"], expected["aic"], expected["bic"]]
    )


def test_elimination_of_pima_equals_r(pima):
    case, y, x, terms = pima
    expected = case["expected"]["backward_lrt_p05"]
    result = stats.backward_elimination(y, x, names=terms)
    assert [(step.removed, step.lrt_p) for step in result.path] == [
        (step["removed"], close(step["lrt_p"], case["tolerance"])) for step in expected["path"]
    ]
    assert list(result.kept) == expected["final_terms"]
    assert result.final.beta.tolist() == close(expected["final"]["beta"], case["tolerance"])
    assert result.final.aic == close(expected["final"]["aic"], case["tolerance"])


def test_elimination_of_whole_factors_equals_r(fresh):
    case, y, x = fresh
    factors = {"grade": ["middle", "high"]}
    result = stats.backward_elimination(y, x, names=TERMS, factors=factors)
    assert [(step.removed, step.lrt_p) for step in result.path] == [
        (step["removed"], close(step["lrt_p"])) for step in case["elimination"]["path"]
    ]
    assert list(result.kept) == case["elimination"]["kept"]
    assert [step.lrt_df for step in result.path] == [
        2 if step.removed == "grade" else 1 for step in result.path
    ]
    assert SELECTION in result.warnings


def test_firth_on_endometrial_data_equals_logistf():
    """Quasi-complete separation by NV; standard errors as published by Heinze and Schemper."""
    case = golden("firth_endometrial")
    data, expected = case["data"], case["expected"]
    x = np.column_stack([data[name] for name in ("NV", "PI", "EH")])
    fit = stats.logistic(data["HG"], x, names=["NV", "PI", "EH"], ci="profile")
    assert fit.separated
    assert fit.firth
    tolerance = case["tolerance"]
    assert fit.beta.tolist() == close(expected["beta"], tolerance)
    assert fit.pvalue.tolist() == close(expected["p_plr"], tolerance)
    assert fit.beta_low.tolist() == close(expected["ci_low_profile"], tolerance)
    assert fit.beta_high.tolist() == close(expected["ci_high_profile"], tolerance)
    # the file calls the pair null and full; the larger is that of the full model
    full, null = sorted(expected["loglik_penalised_null_full"], reverse=True)
    assert [fit.loglik, fit.loglik_null] == close([full, null], tolerance)
    # Heinze and Schemper 2002, Table II: 1.551 for neovasculation
    assert fit.se[1] == pytest.approx(1.551, abs=5e-4)


def test_firth_on_separated_data_equals_brute_force_in_r():
    case = reference("regression")["firth"]
    x = np.column_stack([case["x1"], case["x2"]])
    fit = stats.logistic(case["y"], x, ci="profile")
    assert fit.separated
    assert fit.loglik == pytest.approx(case["loglik"], rel=1e-10)
    assert fit.beta.tolist() == pytest.approx(case["beta"], abs=1e-5)
    assert fit.se.tolist() == pytest.approx(case["se"], abs=1e-5)
    assert fit.pvalue.tolist() == pytest.approx(case["p_lr"], rel=1e-5)
    assert fit.beta_low.tolist() == pytest.approx(case["low"], abs=1e-5)
    assert fit.beta_high.tolist() == pytest.approx(case["high"], abs=1e-5)


@given(CELL, CELL, CELL, CELL)
def test_one_binary_term_is_the_log_odds_ratio_with_woolf_error(a, b, c, d):
    fit = stats.logistic(*expand(a, b, c, d))
    assert fit.beta[1] == pytest.approx(math.log(a * d / (b * c)), abs=1e-8)
    assert fit.se[1] == pytest.approx(math.sqrt(1 / a + 1 / b + 1 / c + 1 / d), rel=1e-8)


@given(CELL, CELL, CELL, CELL)
def test_firth_on_a_table_adds_one_half_to_each_cell(a, b, c, d):
    """Firth's estimate of a saturated 2x2 table is the log odds ratio after Haldane."""
    fit = stats.logistic(*expand(a, b, c, d), firth=True)
    haldane = math.log((a + 0.5) * (d + 0.5) / ((b + 0.5) * (c + 0.5)))
    assert fit.beta[1] == pytest.approx(haldane, abs=1e-7)


def test_zero_cell_is_separation_and_firth_gives_haldane():
    # Park 2021, validation: clear margin in 6 of 11 mutants, in 0 of 33 wild types
    y, x = [1] * 11 + [0] * 33, [1] * 6 + [0] * 38
    fit = stats.logistic(y, x, ci="profile")
    assert fit.separated
    assert fit.beta[1] == pytest.approx(math.log(6.5 * 33.5 / (0.5 * 5.5)), abs=1e-7)
    assert math.isfinite(fit.or_high[1])
    assert any("separates the classes" in w for w in fit.warnings)


def test_separated_data_without_firth_are_undefined():
    fit = stats.logistic([0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6], firth=False)
    assert np.isnan(fit.beta).all()
    assert np.isnan(fit.or_high).all()
    assert 'pass firth="auto"' in fit.reason
    assert fit.to_dict()["beta"] == [None, None]
    with pytest.raises(ValueError, match="separates the classes"):
        stats.backward_elimination([0, 0, 0, 1, 1, 1], [1, 2, 3, 4, 5, 6], firth=False)


@pytest.mark.parametrize(
    ("x", "separated"),
    [
        ([1, 2, 3, 4, 5, 6], True),
        ([1, 2, 4, 3, 5, 6], False),
        ([1, 2, 3, 3, 5, 6], True),
        ([1, 5, 3, 4, 2, 6], False),
        ([1e6 + 1, 1e6 + 2, 1e6 + 3, 1e6 + 4, 1e6 + 5, 1e6 + 6], True),
    ],
)
def test_separation_is_found_complete_quasi_or_not(x, separated):
    assert stats.logistic([0, 0, 0, 1, 1, 1], x).separated is separated


def test_separation_by_a_combination_is_found():
    x = np.array([[0, 0], [1, 2], [2, 3], [1, 0], [2, 1], [3, 2]], dtype=float)
    y = (x[:, 0] > x[:, 1]).astype(int)
    assert not stats.logistic(y, x[:, 0]).separated
    assert stats.logistic(y, x).separated


@given(st.integers(0, 10_000))
def test_units_and_order_of_terms_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 2))
    y = (rng.random(60) < 1 / (1 + np.exp(-x[:, 0]))).astype(int)
    assume(0 < y.sum() < 60)
    plain = stats.logistic(y, x, names=["a", "b"])
    assume(not plain.separated)
    other = stats.logistic(y, x[:, ::-1] * [1000, 0.01] + [5e5, 3], names=["b", "a"])
    assert other.beta[1:] * [1000, 0.01] == pytest.approx(plain.beta[[2, 1]], rel=1e-6, abs=1e-9)
    assert other.loglik == pytest.approx(plain.loglik)
    assert other.fitted == pytest.approx(plain.fitted, abs=1e-7)


@given(CELL, CELL, CELL, CELL)
def test_swapping_the_outcome_changes_the_sign(a, b, c, d):
    y, x = expand(a, b, c, d)
    forth, back = stats.logistic(y, x), stats.logistic([1 - v for v in y], x)
    assert forth.beta == pytest.approx(-back.beta, abs=1e-8)


def test_likelihood_ratio_of_a_table_is_its_g_test():
    y, x = expand(20, 10, 5, 15)
    table = np.array([[20, 10], [5, 15]])
    expected = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    g = 2 * (table * np.log(table / expected)).sum()
    assert stats.logistic(y, x).lr_chi2 == pytest.approx(g)


def test_intercept_alone_is_the_log_odds():
    fit = stats.logistic([1, 0, 0, 0], np.empty((4, 0)))
    assert fit.beta[0] == pytest.approx(math.log(1 / 3))
    assert fit.terms == ("(Intercept)",)
    assert math.isnan(fit.lr_p)
    assert "no terms" in fit.reason


def test_univariable_is_one_model_per_factor(fresh):
    _, y, x = fresh
    result = stats.univariable(y, x, names=TERMS, factors={"grade": ["middle", "high"]})
    assert result.terms == TERMS
    assert result.factor == ("age", "rim", "size", "grade", "grade", "noise")
    alone = stats.logistic(y, x[:, [1]], names=["rim"])
    assert result.beta[1] == pytest.approx(alone.beta[1])
    assert result.lrt_p[1] == pytest.approx(alone.lr_p)
    both = stats.logistic(y, x[:, [3, 4]], names=["middle", "high"])
    assert result.odds_ratio[3:5] == pytest.approx(both.odds_ratio[1:])
    assert result.lrt_p[3] == result.lrt_p[4] == pytest.approx(both.lr_p)


def test_names_come_from_a_data_frame():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"age": [50.0, 60, 55, 70, 52, 66], "rim": [0, 1, 1, 0, 1, 0]})
    assert stats.logistic([0, 1, 0, 1, 1, 0], frame).terms == ("(Intercept)", "age", "rim")


def test_few_events_per_term_are_told():
    fit = stats.logistic(*expand(5, 6, 4, 7))
    assert any("9 observations of the rarer outcome for 1 terms" in w for w in fit.warnings)


def test_wald_limits_with_firth_are_warned_about():
    fit = stats.logistic(*expand(5, 6, 0, 7))
    assert any("use ci='profile'" in w for w in fit.warnings)


@pytest.mark.parametrize(
    ("y", "x", "message"),
    [
        ([1, 1, 1], [1, 2, 3], "y must hold both 0 and 1"),
        ([1, 0, 2], [1, 2, 3], "y must be 0 or 1, got 2"),
        ([1, 0, 1], [1, 1, 1], "term 'x1' is constant"),
        ([1, 0, 1, 0], [[1, 2], [2, 4], [3, 6], [0, 0]], "term 'x2' is constant or a linear"),
        ([1, 0], [[1, 2, 4], [3, 1, 0]], "3 terms but only 2 rows"),
        ([1, 0, 1], [1, math.nan, 3], "x has 1 missing"),
        ([1, 0, 1], [1, math.inf, 3], "x must be finite"),
        ([1, 0, 1], ["a", "b", "c"], "make indicator columns first"),
        ([1, 0, 1], [1, 2], "same length"),
    ],
)
def test_bad_input_is_refused_in_words(y, x, message):
    with pytest.raises(ValueError, match=message):
        stats.logistic(y, x)


def test_bad_names_and_factors_are_refused():
    y, x = [1, 0, 1, 0], [[1, 2], [2, 1], [3, 6], [0, 5]]
    with pytest.raises(ValueError, match="2 different names"):
        stats.logistic(y, x, names=["a", "a"])
    with pytest.raises(ValueError, match="unknown: z"):
        stats.backward_elimination(y, x, names=["a", "b"], factors={"f": ["a", "z"]})
    with pytest.raises(ValueError, match="each once"):
        stats.backward_elimination(y, x, names=["a", "b"], factors={"f": ["a"], "g": ["a"]})
    with pytest.raises(ValueError, match="threshold must lie between 0 and 1"):
        stats.backward_elimination(y, x, threshold=1.5)


def test_missing_rows_are_dropped_and_counted_on_request():
    fit = stats.logistic([1, 0, 1, 0, 1, 0], [1, 2, 3, 1, math.nan, 2], missing="omit")
    assert (fit.n, fit.n_dropped) == (5, 1)


def test_results_are_json_safe(fresh):
    _, y, x = fresh
    result = stats.backward_elimination(y, x, names=TERMS)
    again = json.loads(json.dumps(result.to_dict()))
    assert again["final"]["terms"][0] == "(Intercept)"
    assert again["path"][0]["removed"] == "size"


def test_module_loads_without_pandas_and_statsmodels():
    """A page that shows a proportion must not pay for the import of a regression library."""
    import subprocess
    import sys

    code = (
        "import sys; from readerstudy.stats import regression, survival, reclassification;"
        "from readerstudy.stats.published import checker, park2021, wang2023;"
        "sys.exit(any(m in sys.modules for m in ('pandas', 'statsmodels', 'lifelines')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
