"""Survival against R and lifelines, closed forms without censoring, ties and degenerate data."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy import stats
from tests.stats.golden import close, golden, reference

FOLLOW_UP = st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=4, max_size=40)


@pytest.fixture(scope="module")
def veteran():
    return golden("survival_veteran")


@pytest.fixture(scope="module")
def fresh():
    return reference("survival")


@pytest.mark.parametrize("ci", ["log-log", "log"])
def test_kaplan_meier_of_the_veterans_equals_r(veteran, ci):
    data, expected = veteran["data"], veteran["expected"]["km"]
    result = stats.kaplan_meier(data["time"], data["status"], times=data["times"], ci=ci)
    key, tolerance = ci.replace("-", ""), veteran["tolerance"]
    assert result.survival.tolist() == close(expected["surv"], tolerance)
    assert result.se.tolist() == close(expected["se"], tolerance)
    assert result.low.tolist() == close(expected[f"{key}_lower"], tolerance)
    assert result.high.tolist() == close(expected[f"{key}_upper"], tolerance)
    assert result.n_risk.tolist() == expected["n_risk"]
    assert result.median == expected["median"]
    assert [result.median_low, result.median_high] == expected[f"median_ci_{key}"]
    assert (result.n, result.n_events) == (137, 128)


@pytest.mark.parametrize(("ci", "key"), [("log-log", "km_loglog"), ("log", "km_log")])
def test_kaplan_meier_with_many_ties_equals_r(fresh, ci, key):
    expected = fresh[key]
    result = stats.kaplan_meier(fresh["time"], fresh["event"], times=expected["times"], ci=ci)
    for name in ("survival", "se", "low", "high", "n_risk"):
        assert getattr(result, name).tolist() == close(expected[name]), name
    assert [result.median, result.median_low, result.median_high] == close(
        [expected["median"], expected["median_low"], expected["median_high"]]
    )


def test_median_on_a_flat_half_is_the_middle_as_in_r(fresh):
    assert stats.kaplan_meier([1, 2, 3, 4], [1, 1, 1, 1]).median == fresh["flat_median"] == 2.5


def test_logrank_equals_r(veteran, fresh):
    data, expected = veteran["data"], veteran["expected"]["logrank"]
    result = stats.logrank(data["time"], data["status"], data["group"])
    assert [result.chi2, result.pvalue] == close(
        [expected["chisq"], expected["p"]], veteran["tolerance"]
    )
    assert result.observed.tolist() == expected["observed"]
    assert result.expected.tolist() == close(expected["expected"])
    arms = stats.logrank(fresh["time"], fresh["event"], fresh["arm"])
    assert (arms.chi2, arms.df) == (close(fresh["logrank"]["chi2"]), fresh["logrank"]["df"])
    assert list(arms.groups) == fresh["logrank"]["groups"]
    assert arms.expected.tolist() == close(fresh["logrank"]["expected"])


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_equals_r(veteran, fresh, ties):
    data, expected = veteran["data"], veteran["expected"][f"cox_{ties}"]
    x = np.column_stack([data["x1"], data["x2"], data["group"]])
    fit = stats.cox(data["time"], data["status"], x, names=expected["terms"], ties=ties)
    tolerance = veteran["tolerance"]
    for name, key in {
        "beta": "beta",
        "se": "se",
        "z": "z",
        "pvalue": "p",
        "hazard_ratio": "hr",
    }.items():
        assert getattr(fit, name).tolist() == close(expected[key], tolerance), name
    assert list(zip(fit.hr_low, fit.hr_high, strict=True)) == [
        tuple(close(pair, tolerance)) for pair in expected["hr_ci"]
    ]
    assert [fit.loglik_null, fit.loglik] == close(expected["loglik"], tolerance)
    assert [fit.lr_chi2, fit.lr_df, fit.lr_p] == close(expected["lr"], tolerance)
    arms = np.column_stack([fresh["age"], fresh["marker"], [arm == "none" for arm in fresh["arm"]]])
    again = stats.cox(fresh["time"], fresh["event"], arms, ties=ties)
    assert again.beta.tolist() == close(fresh[ties]["beta"], 1e-7)
    assert again.se.tolist() == close(fresh[ties]["se"], 1e-7)
    assert [again.loglik_null, again.loglik] == close(fresh[ties]["loglik"])


def test_harrell_c_equals_r(veteran, fresh):
    data, expected = veteran["data"], veteran["expected"]["harrell_c_x1"]
    result = stats.harrell_c(data["time"], data["status"], data["x1"])
    assert [result.c, result.se] == close([expected["c"], expected["se"]], veteran["tolerance"])
    counts = expected["counts"]
    assert (result.concordant, result.discordant, result.tied_risk) == (
        counts["concordant"],
        counts["discordant"],
        counts["tied.x"],
    )
    tied = stats.harrell_c(fresh["time"], fresh["event"], fresh["marker"])
    assert [tied.c, tied.se] == close([fresh["concordance"]["c"], fresh["concordance"]["se"]])
    assert [tied.concordant, tied.discordant, tied.tied_risk] == fresh["concordance"]["counts"]


def test_harrell_c_equals_lifelines_which_wants_the_risk_turned_round(fresh):
    lifelines = pytest.importorskip("lifelines.utils")
    result = stats.harrell_c(fresh["time"], fresh["event"], fresh["marker"])
    peer = lifelines.concordance_index(fresh["time"], -np.array(fresh["marker"]), fresh["event"])
    assert result.c == pytest.approx(peer)


def test_time_dependent_auc_equals_timeroc(veteran):
    data, expected = veteran["data"], veteran["expected"]["timeroc_cumulative_dynamic_ipcw_x1"]
    result = stats.time_dependent_auc(
        data["time"], data["status"], data["x1"], times=expected["times"], n_boot=400, seed=3
    )
    assert result.auc.tolist() == close(expected["auc"], veteran["tolerance"])
    # the bootstrap error is within a fifth of the asymptotic one of timeROC
    assert result.se.tolist() == pytest.approx(expected["se"], rel=0.2)
    assert "seed 3" in result.method


def test_time_dependent_auc_counts_an_event_before_a_censoring_at_one_time():
    # at t = 2 one event and one censoring; the censored subject is still at risk for the event,
    # the event is not at risk for the censoring: G(2) = 1 - 1/3, G(3-) = 2/3, G(1-) = G(2-) = 1
    time, event, marker = [1, 2, 2, 3, 4], [1, 1, 0, 1, 0], [5, 1, 3, 4, 2]
    result = stats.time_dependent_auc(time, event, marker, times=[3])
    weights = np.array([1, 1, 1.5])
    higher = np.array([1, 0, 1])
    assert result.auc[0] == pytest.approx((weights @ higher) / weights.sum())


@given(st.lists(st.tuples(st.integers(1, 8), st.integers(0, 5)), min_size=3, max_size=30))
def test_time_dependent_auc_without_censoring_is_the_ordinary_auc(rows):
    time, marker = np.array(rows, dtype=float).T
    horizon = float(np.sort(time)[time.size // 2 - 1])
    result = stats.time_dependent_auc(time, np.ones(time.size), marker, times=[horizon])
    dead = (time <= horizon).astype(int)
    if dead.all():
        assert math.isnan(result.auc[0])
    else:
        pairs = np.sign(marker[dead == 1][:, None] - marker[dead == 0])
        assert result.auc[0] == pytest.approx((pairs.mean() + 1) / 2)


@given(st.lists(st.integers(1, 9), min_size=2, max_size=40))
def test_without_censoring_survival_is_the_empirical_share(times):
    time = np.array(times, dtype=float)
    result = stats.kaplan_meier(time, np.ones(time.size))
    share = np.array([(time > t).mean() for t in result.times])
    assert result.survival == pytest.approx(share)
    inside = share > 0
    binomial = np.sqrt(share * (1 - share) / time.size)
    assert result.se[inside] == pytest.approx(binomial[inside])


@given(FOLLOW_UP)
def test_survival_never_rises_and_limits_hold_it(rows):
    time, event = [t for t, _ in rows], [int(e) for _, e in rows]
    result = stats.kaplan_meier(time, event)
    assert (np.diff(result.survival) <= 1e-12).all()
    known = ~np.isnan(result.low)
    assert (result.low[known] <= result.survival[known] + 1e-12).all()
    assert (result.high[known] >= result.survival[known] - 1e-12).all()


@given(FOLLOW_UP, st.data())
def test_logrank_does_not_depend_on_labels_or_units(rows, data):
    time = np.array([t for t, _ in rows], dtype=float)
    event = np.array([e for _, e in rows], dtype=int)
    group = data.draw(st.lists(st.integers(0, 1), min_size=time.size, max_size=time.size))
    if len(set(group)) < 2:
        return
    plain = stats.logrank(time, event, group)
    other = stats.logrank(time * 30.4, event, ["b" if g == 0 else "a" for g in group])
    assert plain.chi2 == pytest.approx(other.chi2, nan_ok=True)
    assert plain.observed.sum() == pytest.approx(plain.expected.sum())


@given(st.integers(0, 500))
def test_cox_changes_sign_with_the_term_and_ignores_units(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=30)
    time, event = rng.exponential(np.exp(-x)) + 0.01, np.ones(30)
    forth = stats.cox(time, event, x)
    back = stats.cox(time * 12, event, -1000 * x + 1e6)
    assert forth.beta[0] == pytest.approx(-1000 * back.beta[0], rel=1e-5)
    assert forth.loglik == pytest.approx(back.loglik)


def test_logrank_equals_statsmodels(fresh):
    from statsmodels.duration.survfunc import survdiff

    result = stats.logrank(fresh["time"], fresh["event"], fresh["arm"])
    peer = survdiff(np.array(fresh["time"]), np.array(fresh["event"]), np.array(fresh["arm"]))
    assert (result.chi2, result.pvalue) == pytest.approx(peer)


def test_logrank_without_a_comparison_is_undefined():
    # the only event time has all at risk fail together
    result = stats.logrank([1, 1, 2, 2], [0, 0, 1, 1], [0, 0, 0, 1])
    assert math.isnan(result.chi2)
    assert "nothing to compare" in result.reason


def test_cox_model_of_two_groups_is_close_to_the_logrank_test():
    """The log-rank test is the score test of the Cox model: Wald and LR differ a little."""
    rng = np.random.default_rng(5)
    group = np.repeat([0, 1], 100)
    time, event = rng.exponential(1 / (1 + 0.4 * group)), rng.random(200) < 0.8
    test = stats.logrank(time, event, group)
    fit = stats.cox(time, event, group)
    assert fit.z[0] ** 2 == pytest.approx(test.chi2, rel=0.05)
    assert fit.lr_chi2 == pytest.approx(test.chi2, rel=0.05)


@given(FOLLOW_UP, st.integers(0, 1000))
def test_c_of_the_turned_marker_is_the_rest(rows, seed):
    time, event = [t for t, _ in rows], [int(e) for _, e in rows]
    marker = np.random.default_rng(seed).integers(0, 4, len(time))
    c = stats.harrell_c(time, event, marker)
    back = stats.harrell_c(time, event, -marker)
    mapped = stats.harrell_c(time, event, np.exp(marker))
    if math.isnan(c.c):
        assert "no pair can be compared" in c.reason
    else:
        assert c.c == pytest.approx(1 - back.c)
        assert (c.c, c.se) == pytest.approx((mapped.c, mapped.se))


def test_c_without_censoring_is_kendalls_tau_rescaled():
    # times all different: C = (tau_a + 1) / 2
    time, risk = np.arange(1, 7), np.array([6, 5, 2, 4, 3, 1])
    pairs = [np.sign(risk[i] - risk[j]) for i in range(6) for j in range(i + 1, 6)]
    result = stats.harrell_c(time, np.ones(6), risk)
    assert result.c == pytest.approx((np.mean(pairs) + 1) / 2)


def test_no_events_are_undefined_with_the_reason():
    time, event = [1, 2, 3, 4], [0, 0, 0, 0]
    curve = stats.kaplan_meier(time, event, times=[2, 9])
    assert curve.survival[0] == 1
    assert math.isnan(curve.median)
    assert "the median is not reached" in curve.reason
    assert math.isnan(curve.survival[1])
    assert "follow-up ends at 4" in curve.reason
    assert math.isnan(stats.logrank(time, event, [0, 0, 1, 1]).chi2)
    fit = stats.cox(time, event, [1, 2, 2, 1])
    assert np.isnan(fit.beta).all()
    assert "no event happened" in fit.reason
    assert "no pair can be compared" in stats.harrell_c(time, event, [1, 2, 3, 4]).reason
    auc = stats.time_dependent_auc(time, event, [1, 2, 3, 4], times=[2], n_boot=100, seed=1)
    assert math.isnan(auc.auc[0])
    assert "no case or no control at time 2" in auc.reason
    assert auc.to_dict()["auc"] == [None]


def test_everybody_dead_is_survival_zero_with_open_limits():
    result = stats.kaplan_meier([1, 2], [1, 1], times=[2, 5])
    assert result.survival.tolist() == [0.0, 0.0]
    assert np.isnan(result.low).all()
    assert "limits are undefined where survival is 0 or 1" in result.reason


@pytest.mark.parametrize(
    "x",
    [
        [6, 5, 4, 3, 2, 1],
        [1, 1, 1, 0, 0, 0],
        [[6, 0.1], [5, 0.3], [4, 0.2], [3, 0.2], [2, 0.5], [1, 0.4]],
    ],
)
def test_infinite_hazard_ratios_are_found_before_the_fit(x):
    fit = stats.cox([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], x)
    assert np.isnan(fit.beta).all()
    assert "runs to infinity" in fit.reason


def test_tied_events_of_different_terms_are_not_monotone():
    fit = stats.cox([1, 1, 2, 3], [1, 1, 0, 0], [2, 1, 1, 0])
    assert np.isfinite(fit.beta).all() or "runs to infinity" in fit.reason
    finite = stats.cox([1, 1, 2, 3, 4, 4], [1, 1, 1, 0, 1, 0], [1, 0, 1, 0, 1, 0])
    assert np.isfinite(finite.beta).all()


def test_group_never_at_risk_is_left_out_with_a_warning():
    result = stats.logrank([1, 5, 6, 7, 8], [0, 1, 1, 1, 0], ["x", "a", "b", "a", "b"])
    assert result.df == 1
    assert "group 'x' was never at risk" in result.warnings[0]
    assert result.chi2 == pytest.approx(
        stats.logrank([5, 6, 7, 8], [1, 1, 1, 0], ["a", "b", "a", "b"]).chi2
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.kaplan_meier([1, -2], [1, 1]), "time must be finite and at least 0, got -2"),
        (lambda: stats.kaplan_meier([1, 2], [1, 3]), "event must be 0 or 1, got 3"),
        (lambda: stats.kaplan_meier([1, math.nan], [1, 1]), "time has 1 missing"),
        (lambda: stats.kaplan_meier([1, 2], [1, 1], ci="plain"), "ci must be one of"),
        (lambda: stats.logrank([1, 2], [1, 1], [1, 1]), "at least two groups"),
        (lambda: stats.cox([1, 2, 3], [1, 1, 1], [2, 2, 2]), "'x1' is constant"),
        (lambda: stats.cox([1, 2, 3], [1, 1, 1], [2, 1, 2], ties="exact"), "ties must be one of"),
        (lambda: stats.harrell_c([1, 2], [1, 1], [1]), "same length"),
        (lambda: stats.kaplan_meier([], []), "no complete observation"),
        (
            lambda: stats.time_dependent_auc([1, 2], [1, 0], [1, 2], times=[1], n_boot=5),
            "n_boot must be 0 or at least 100",
        ),
    ],
)
def test_bad_input_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_missing_rows_are_dropped_and_counted_on_request():
    result = stats.harrell_c([1, 2, 3, math.nan], [1, 1, 0, 1], [3, 2, 1, 5], missing="omit")
    assert (result.n, result.n_dropped, result.c) == (3, 1, 1.0)
    assert math.isnan(result.low)
    assert "standard error is 0" in result.reason


def test_leukaemia_trial_of_freireich_as_in_the_textbooks():
    """Cox 1972; Collett: log-rank 16.79, S(10) .753 (.096), median 23, Efron coefficient 1.572."""
    treated = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapse = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    curve = stats.kaplan_meier(treated, relapse, times=[10])
    assert curve.survival[0] == pytest.approx(0.753, abs=5e-4)
    assert curve.se[0] == pytest.approx(0.0963, abs=5e-5)
    assert curve.median == 23
    time, event, arm = treated + placebo, relapse + [1] * 21, [0] * 21 + [1] * 21
    assert stats.logrank(time, event, arm).chi2 == pytest.approx(16.79, abs=5e-3)
    fit = stats.cox(time, event, arm)
    assert (fit.beta[0], fit.se[0]) == pytest.approx((1.572, 0.412), abs=5e-4)
    breslow = stats.cox(time, event, arm, ties="breslow")
    assert breslow.beta[0] == pytest.approx(1.509, abs=5e-4)
