"""AUC, DeLong tests and curve points against pROC, published numbers and identities."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.stats.placements import beaten, moments
from readerstudy.stats.roc import (
    auc,
    clustered_auc,
    delong_test,
    delong_test_unpaired,
    hanley_mcneil_se,
    partial_auc,
    roc_curve,
    youden,
)
from tests.stats.golden import close, golden, reference

SETS = ("continuous", "grades", "below_half", "small")
GRADES = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 5), st.integers(0, 8)),
    min_size=4,
    max_size=60,
).filter(lambda rows: 2 <= sum(r[0] for r in rows) <= len(rows) - 2)


def _split(rows: list[tuple[int, ...]]) -> tuple[np.ndarray, ...]:
    return tuple(np.array(column) for column in zip(*rows, strict=True))


def _by_definition(truth: np.ndarray, *scores: np.ndarray) -> tuple[list[float], np.ndarray]:
    """DeLong 1988 from the full matrix of comparisons, as the paper writes it."""
    kernels = []
    for score in scores:
        x, y = score[truth == 1][:, None], score[truth == 0][None, :]
        kernels.append((x > y) + 0.5 * (x == y))
    v10 = np.array([k.mean(axis=1) for k in kernels])
    v01 = np.array([k.mean(axis=0) for k in kernels])
    covariance = np.cov(v10) / v10.shape[1] + np.cov(v01) / v01.shape[1]
    return [k.mean() for k in kernels], np.atleast_2d(covariance)


@pytest.fixture(params=SETS)
def proc(request: pytest.FixtureRequest) -> dict[str, Any]:
    return reference("roc")["sets"][request.param]


@pytest.mark.parametrize("score", ["a", "b"])
def test_auc_with_delong_interval_as_in_proc(proc: dict[str, Any], score: str) -> None:
    result = auc(proc["data"]["y"], proc["data"][score])
    expected = proc[score]
    assert result.value == close(expected["auc"])
    assert result.variance == close(expected["variance"])
    assert [result.low, result.high] == close(expected["ci"])


@pytest.mark.parametrize("score", ["a", "b"])
def test_youden_threshold_as_in_proc(proc: dict[str, Any], score: str) -> None:
    result = youden(proc["data"]["y"], proc["data"][score])
    expected = proc[score]
    thresholds = [float(t) for t in np.ravel(expected["thresholds"])]
    assert result.thresholds.tolist() == pytest.approx(thresholds)
    first = float(np.ravel(expected["sensitivity"])[0])
    assert result.sensitivity.value == close(first)
    assert [p.specificity.value for p in result.points] == close(
        list(np.ravel(expected["specificity"]))
    )


@pytest.mark.parametrize("score", ["a", "b"])
def test_partial_areas_as_in_proc(proc: dict[str, Any], score: str) -> None:
    truth, values, expected = proc["data"]["y"], proc["data"][score], proc[score]
    assert partial_auc(truth, values, max_fpr=0.2).raw == close(expected["fpr_0.2"])
    assert partial_auc(truth, values, max_fpr=0.2).value == close(expected["fpr_0.2_corrected"])
    raw = partial_auc(truth, values, max_fpr=0.35, corrected=False)
    assert raw.value == close(expected["fpr_0.35"])
    assert partial_auc(truth, values, min_sensitivity=0.9).raw == close(expected["sens_0.9"])


def test_paired_delong_test_as_in_proc(proc: dict[str, Any]) -> None:
    data, expected = proc["data"], proc["paired"]
    result = delong_test(data["y"], data["a"], data["b"])
    assert result.covariance == close(proc["covariance"])
    assert result.z == close(expected["z"])
    assert result.pvalue == close(expected["p"])
    assert [result.low, result.high] == close(expected["ci"])


def test_unpaired_delong_test_as_in_proc() -> None:
    file = reference("roc")
    a, b = file["sets"]["continuous"]["data"], file["sets"]["grades"]["data"]
    expected = file["unpaired"]
    t = delong_test_unpaired(a["y"], a["a"], b["y"], b["a"], reference="t")
    assert (t.z, t.df, t.pvalue) == (
        close(expected["t"]),
        close(expected["df"]),
        close(expected["p"]),
    )
    z = delong_test_unpaired(a["y"], a["a"], b["y"], b["a"])
    assert z.z == t.z
    assert math.isinf(z.df)
    assert z.pvalue == pytest.approx(math.erfc(abs(z.z) / math.sqrt(2)), rel=1e-12)
    assert z.covariance == 0.0


def test_published_ct_ratings_of_hanley_and_mcneil() -> None:
    """Radiology 1982;143:29, table 1: W = 0.893 and SE 0.032 from 58 normal, 51 abnormal."""
    normal, abnormal = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
    truth = np.repeat([0, 1], [58, 51])
    score = np.concatenate([np.repeat(np.arange(1, 6), c) for c in (normal, abnormal)])
    result = auc(truth, score)
    assert round(result.value, 3) == 0.893
    assert round(hanley_mcneil_se(result.value, 51, 58).value, 4) == 0.0325


def _check_curve(truth: list[int], score: list[float], e: dict[str, Any]) -> None:
    result, curve, best = auc(truth, score), roc_curve(truth, score), youden(truth, score)
    assert result.value == close(e["auc"])
    assert result.variance == close(e["var_delong"])
    assert [result.low, result.high] == close(e["ci_delong"])
    logit = auc(truth, score, ci="logit")
    assert [logit.low, logit.high] == close(e["ci_delong_logit"])
    assert result.z == close(e["z_auc_vs_half"])
    assert result.pvalue == pytest.approx(e["p_auc_vs_half_wald"], rel=1e-8)
    se = hanley_mcneil_se(result.value, result.n_positive, result.n_negative)
    assert float(se) == close(e["se_hanley_mcneil"])
    points = e["roc_points"]
    assert curve.threshold[1:-1].tolist() == close(points["threshold"][1:-1])
    assert curve.sensitivity.tolist() == close(points["sensitivity"])
    assert curve.specificity.tolist() == close(points["specificity"])
    assert best.j == close(e["youden"]["j"])
    assert len(best.points) == e["youden"]["n_ties"]
    assert best.points[0].rule == e["youden"]["rule_at_threshold"]
    assert [best.sensitivity.low, best.sensitivity.high] == close(e["youden"]["sens_exact_ci"][0])
    assert [best.specificity.low, best.specificity.high] == close(e["youden"]["spec_exact_ci"][0])
    areas = e["partial_auc"]
    assert partial_auc(truth, score, max_fpr=0.1).raw == close(areas["spec_0.9_1"])
    assert partial_auc(truth, score, max_fpr=0.1).value == close(areas["spec_0.9_1_mcclish"])
    by_sensitivity = partial_auc(truth, score, min_sensitivity=0.8)
    assert by_sensitivity.raw == close(areas["sens_0.8_1"])
    assert by_sensitivity.value == close(areas["sens_0.8_1_mcclish"])


def test_golden_hanley_mcneil() -> None:
    file = golden("roc_hanley_mcneil_1982")
    _check_curve(file["data"]["y"], file["data"]["score"], file["expected"])


@pytest.mark.parametrize("score", ["glu", "bmi"])
def test_golden_pima(score: str) -> None:
    file = golden("roc_pima")
    _check_curve(file["data"]["y"], file["data"][score], file["expected"][score])


def test_golden_pima_paired() -> None:
    file = golden("roc_pima")
    data, e = file["data"], file["expected"]["paired"]
    result = delong_test(data["y"], data["glu"], data["bmi"])
    assert result.covariance == close(e["cov_delong"])
    assert (result.difference, result.se) == (close(e["diff"]), close(e["se_diff"]))
    assert (result.z, result.pvalue) == (close(e["z"]), close(e["p_value"]))
    assert [result.low, result.high] == close(e["ci_diff"])


def test_golden_clustered() -> None:
    file = golden("clustered_auc")
    data, e = file["data"], file["expected"]
    result = clustered_auc(data["y"], data["score"], data["patient"])
    assert (result.value, result.se) == (close(e["auc"]), close(e["se_clustered"]))
    assert [result.low, result.high] == close(e["ci_clustered"])
    assert result.se_unclustered == close(e["se_naive_delong"])
    assert (result.design_effect, result.n_clusters) == (
        close(e["design_effect"]),
        e["n_patients"],
    )


def test_golden_standard_errors_of_published_aucs() -> None:
    """The class sizes are not printed; they are the only whole numbers that fit both rows."""
    file = golden("seed_wang_likert_auc")
    positives = {"glioma": 1025, "rec_g": 158, "rec_m": 180}
    for name, expected in file["expected"]["hanley_mcneil_se"].items():
        value, n = file["data"]["auc"][name][:2]
        m = positives[name.rsplit("_", 1)[0]]
        assert hanley_mcneil_se(value, m, n - m).se == close(expected)


@given(GRADES)
def test_moments_equal_the_definition(rows: list[tuple[int, ...]]) -> None:
    truth, a, b, _ = _split(rows)
    values, covariance = _by_definition(truth, a, b)
    found = moments([a.astype(float), b.astype(float)], truth == 1)
    assert found.auc == pytest.approx(values, abs=1e-12)
    assert found.covariance == pytest.approx(covariance, abs=1e-12)
    apart = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    assert found.difference_variance == pytest.approx(apart, abs=1e-12)


@pytest.mark.parametrize("step", [1.0, 0.25, 1e-9])
def test_counted_grades_equal_sorted_scores(step: float) -> None:
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 2, 700)
    a = step * rng.integers(-2, 4, 700)
    b = step * (rng.integers(0, 3, 700) + truth)
    noise = np.append(np.arange(400) * 1e-3, np.zeros(300)) + 10.0
    values, covariance = _by_definition(truth, a, b)
    found = moments([a, b], truth == 1)
    assert found.auc == pytest.approx(values, abs=1e-12)
    assert found.covariance == pytest.approx(covariance, abs=1e-12)
    values, covariance = _by_definition(truth, a, noise)
    found = moments([a, noise], truth == 1)
    assert found.covariance == pytest.approx(covariance, abs=1e-12)


@pytest.mark.parametrize("rare", [3, 300])
def test_rare_values_between_the_samples_are_not_lost(rare: int) -> None:
    """A few hundred odd values hide from the sample that looks for grades."""
    rng = np.random.default_rng(8)
    truth = rng.integers(0, 2, 9000)
    score = 0.5 * rng.integers(0, 4, 9000)
    hidden = np.arange(1, 1 + 8 * rare, 8)
    score[hidden] = 10.0 + rng.random(rare)
    values, covariance = _by_definition(truth, score, -score)
    found = moments([score, -score], truth == 1)
    assert found.auc == pytest.approx(values, abs=1e-12)
    assert found.covariance == pytest.approx(covariance, abs=1e-14)


@given(GRADES)
def test_label_swap_and_sign_turn_the_auc(rows: list[tuple[int, ...]]) -> None:
    truth, a, _, _ = _split(rows)
    value = auc(truth, a).value
    assert auc(1 - truth, a).value == pytest.approx(1 - value, abs=1e-12)
    assert auc(truth, -a).value == pytest.approx(1 - value, abs=1e-12)


@given(GRADES, st.randoms(use_true_random=False))
def test_order_and_monotone_maps_change_nothing(rows: list[tuple[int, ...]], random: Any) -> None:
    truth, a, b, _ = _split(rows)
    shuffled = list(rows)
    random.shuffle(shuffled)
    other_truth, other_a, other_b, _ = _split(shuffled)
    before = delong_test(truth, a, b)
    after = delong_test(other_truth, np.exp(other_a), 3.0 * other_b - 7.0)
    assert after.difference == pytest.approx(before.difference, abs=1e-12)
    assert after.covariance == pytest.approx(before.covariance, abs=1e-12)
    assert after.se == pytest.approx(before.se, abs=1e-12, nan_ok=True)


@given(GRADES)
def test_binary_auc_is_balanced_accuracy(rows: list[tuple[int, ...]]) -> None:
    truth, a, _, _ = _split(rows)
    call = a > 2
    balanced = (call[truth == 1].mean() + (~call[truth == 0]).mean()) / 2
    assert auc(truth, call).value == pytest.approx(balanced, abs=1e-12)


@given(GRADES)
def test_clusters_of_one_exam_give_delong(rows: list[tuple[int, ...]]) -> None:
    truth, a, b, _ = _split(rows)
    patients = list(range(len(rows)))
    plain, clustered = auc(truth, a), clustered_auc(truth, a, patients)
    assert clustered.value == pytest.approx(plain.value, abs=1e-12)
    assert clustered.se == pytest.approx(plain.se, abs=1e-12, nan_ok=True)
    pair, clustered_pair = delong_test(truth, a, b), delong_test(truth, a, b, cluster=patients)
    assert clustered_pair.se == pytest.approx(pair.se, abs=1e-12, nan_ok=True)
    assert clustered_pair.covariance == pytest.approx(pair.covariance, abs=1e-12)


def test_doubling_every_patient_keeps_the_clustered_error() -> None:
    """Copies of an exam carry no information: the standard error must not shrink."""
    truth, score = [0, 0, 1, 1, 0, 1, 0, 1], [1, 2, 2, 4, 3, 3, 1, 5]
    once = clustered_auc(truth, score, range(8))
    twice = clustered_auc(truth * 2, score * 2, [*range(8), *range(8)])
    assert twice.se == pytest.approx(once.se, rel=1e-12)
    assert auc(truth * 2, score * 2).se < 0.8 * once.se


def test_clustered_difference_by_hand() -> None:
    """Two patients with both classes each; Obuchowski's sums worked out on paper."""
    truth, a, b = [1, 0, 1, 0], [2, 1, 3, 2], [1, 2, 4, 3]
    result = delong_test(truth, a, b, cluster=["x", "x", "y", "y"])
    # placements of the positives: a .75 and 1, b 0 and 1; of the negatives: a 1 and .75, b .5, .5
    assert (result.auc_a, result.auc_b) == (0.875, 0.5)
    # sums less AUC by patient, a: (-.125 + .125, .125 - .125); b: (-.5 + 0, .5 + 0)
    assert result.variance_a == pytest.approx(0.0, abs=1e-15)
    assert result.variance_b == pytest.approx(2 * (0.25 + 0.25) / 4)


def test_identical_scores_differ_by_nothing() -> None:
    truth, score = [0, 0, 1, 1, 1], [1, 3, 2, 4, 4]
    result = delong_test(truth, score, [10 * s for s in score])
    assert (result.difference, result.se, result.pvalue) == (0.0, 0.0, 1.0)
    assert math.isnan(result.z)
    assert result.reason


def test_two_perfect_opposites_have_no_test() -> None:
    result = delong_test([0, 0, 1, 1], [1, 2, 3, 4], [4, 3, 2, 1])
    assert result.difference == 1.0
    assert math.isnan(result.pvalue)
    assert result.reason


def test_perfect_separation_has_no_interval() -> None:
    result = auc([0, 0, 1, 1], [1, 2, 3, 4])
    assert (result.value, result.variance) == (1.0, 0.0)
    assert math.isnan(result.low)
    assert result.reason
    assert "do not overlap" in result.warnings[0]


def test_constant_score_is_one_half_without_variance() -> None:
    result = auc([0, 1, 0, 1], [3, 3, 3, 3])
    assert (result.value, result.variance) == (0.5, 0.0)
    assert math.isnan(result.z)
    assert result.reason


@pytest.mark.parametrize("truth", [[1, 1, 1], [0, 0, 0], []])
def test_one_class_is_undefined(truth: list[int]) -> None:
    score = list(range(len(truth)))
    for result in (
        auc(truth, score),
        auc(truth, score, ci="bootstrap"),
        clustered_auc(truth, score, score),
        partial_auc(truth, score, max_fpr=0.1),
    ):
        assert math.isnan(result.value)
        assert "one class" in result.reason
        json.dumps(result.to_dict(), allow_nan=False)
    assert math.isnan(youden(truth, score).j)
    assert math.isnan(delong_test(truth, score, score).difference)
    assert roc_curve(truth, score).reason


def test_one_class_is_undefined_in_the_unpaired_test_too() -> None:
    result = delong_test_unpaired([1, 1], [1, 2], [0, 1], [1, 2])
    assert math.isnan(result.difference)
    assert "one class" in result.reason
    assert "undefined" in result.summary()
    assert "undefined" in youden([1, 1], [1, 2]).summary()


def test_wald_limits_near_the_end_carry_a_warning() -> None:
    """Coverage falls to 89 % at an AUC of 0.96 with 50 + 50 cases (docs/algorithms/roc.md)."""
    truth = np.repeat([0, 1], 40)
    near_one = np.concatenate([np.arange(40), np.arange(37, 77)])
    assert "too short" in auc(truth, near_one).warnings[0]
    assert not auc(truth, near_one, ci="logit").warnings
    assert not auc(truth, np.concatenate([np.arange(40), np.arange(10, 50)])).warnings


def test_one_case_among_many_grades() -> None:
    score = np.arange(400) % 5
    result = auc(np.arange(400) == 7, score)
    assert result.value == pytest.approx((2 * 80 + 0.5 * 79) / 399)
    assert math.isnan(result.se)


def test_one_case_in_a_class_has_a_value_but_no_variance() -> None:
    result = auc([0, 0, 0, 1], [1, 2, 3, 2.5])
    assert result.value == pytest.approx(2 / 3)
    assert math.isnan(result.se)
    assert "one case" in result.reason
    assert "one case" in delong_test([0, 0, 0, 1], [1, 2, 3, 2.5], [1, 2, 2, 1]).reason


def test_auc_below_one_half_is_not_flipped() -> None:
    assert auc([0, 0, 1, 1], [3, 4, 1, 3.5]).value == 0.25


def test_missing_scores_are_refused_or_counted() -> None:
    truth, score = [0, 0, 1, 1, 1], [1, math.nan, 2, 3, 0]
    with pytest.raises(ValueError, match="score has 1 missing"):
        auc(truth, score)
    result = auc(truth, score, missing="omit")
    assert (result.n, result.n_dropped) == (4, 1)
    assert result.value == pytest.approx(2 / 3)


def test_repeated_cases_are_refused_unless_forced() -> None:
    truth, score, ids = [0, 1, 0, 1], [1, 2, 3, 4], ["a", "a", "b", "b"]
    with pytest.raises(ValueError, match="clustered_auc"):
        auc(truth, score, case_ids=ids)
    with pytest.raises(ValueError, match="cluster="):
        delong_test(truth, score, score, case_ids=ids)
    with pytest.raises(ValueError, match="clustered_proportion"):
        youden(truth, score, case_ids=ids)
    forced = auc(truth, score, case_ids=ids, assume_independent=True)
    assert forced.value == auc(truth, score).value


def test_shared_cases_are_refused_by_the_unpaired_test() -> None:
    truth, score = [0, 1, 0, 1], [1, 2, 3, 4]
    with pytest.raises(ValueError, match="delong_test"):
        delong_test_unpaired(truth, score, truth, score, case_ids=([1, 2, 3, 4], [4, 5, 6, 7]))
    result = delong_test_unpaired(truth, score, truth, score, case_ids=([1, 2, 3, 4], [5, 6, 7, 8]))
    assert result.difference == 0.0


def test_unpaired_test_without_variance() -> None:
    result = delong_test_unpaired([0, 0, 1, 1], [1, 2, 3, 4], [0, 0, 1, 1], [1, 1, 1, 1])
    assert result.difference == 0.5
    assert math.isnan(result.pvalue)
    assert result.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: auc([0, 2], [1, 2]), "truth must be 0 or 1, got 2"),
        (lambda: auc([0, 1], [1, 2, 3]), "same length"),
        (lambda: auc([[0, 1]], [[1, 2]]), "one-dimensional"),
        (lambda: auc([0, 1], ["a", "b"]), "score must hold numbers"),
        (lambda: auc([0, 1], [1, 2], ci="wald"), "ci must be one of"),
        (lambda: auc([0, 1], [1, 2], level=95), "level must lie between 0 and 1, got 95"),
        (lambda: partial_auc([0, 1], [1, 2]), "either max_fpr or min_sensitivity"),
        (lambda: partial_auc([0, 1], [1, 2], max_fpr=1.2), "max_fpr must be above 0"),
        (lambda: partial_auc([0, 1], [1, 2], min_sensitivity=1.0), "min_sensitivity"),
        (lambda: hanley_mcneil_se(1.2, 5, 5), "auc must lie between 0 and 1, got 1.2"),
        (lambda: hanley_mcneil_se(0.7, -1, 5), "n_positive must be a whole number"),
    ],
)
def test_bad_input_is_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_hanley_mcneil_without_cases_is_undefined() -> None:
    result = hanley_mcneil_se(0.7, 0, 5)
    assert math.isnan(result.se)
    assert "empty" in result.reason
    assert "undefined" in result.summary()


def test_partial_area_over_everything_is_the_auc() -> None:
    data = reference("roc")["sets"]["grades"]["data"]
    whole = auc(data["y"], data["a"]).value
    assert partial_auc(data["y"], data["a"], max_fpr=1.0).raw == pytest.approx(whole)
    assert partial_auc(data["y"], data["a"], max_fpr=1.0).value == pytest.approx(whole)
    assert partial_auc(data["y"], data["a"], min_sensitivity=0.0).raw == pytest.approx(whole)


def test_youden_reports_every_maximiser() -> None:
    result = youden([0, 1, 0, 1], [1, 2, 3, 4])
    assert result.thresholds.tolist() == [1.5, 3.5]
    assert [p.rule for p in result.points] == ["score >= 2", "score >= 4"]
    assert "2 thresholds" in result.warnings[0]
    assert "J = 0.5" in result.summary()


def test_threshold_between_neighbouring_floats_still_separates() -> None:
    low = 1.0
    high = np.nextafter(low, 2.0)
    curve = roc_curve([0, 1], [low, high])
    assert (np.array([low, high]) >= curve.threshold[1]).tolist() == [False, True]


def test_infinite_scores_are_ranked() -> None:
    positive, negative = beaten(np.array([np.inf, 1.0]), np.array([-np.inf, 1.0]))
    assert positive.tolist() == [2.0, 1.5]
    assert negative.tolist() == [2.0, 1.5]


def test_results_say_what_they_are() -> None:
    result = auc([0, 0, 1, 1], [1, 3, 2, 4], ci="logit")
    assert "logit" in result.summary()
    assert "DeLong 1988" in result.method
    difference = delong_test([0, 0, 1, 1], [1, 3, 2, 4], [1, 2, 2, 3])
    assert "p = " in difference.summary()
    exported = difference.to_dict()
    assert exported["difference"] == difference.difference
    json.dumps(exported, allow_nan=False)
