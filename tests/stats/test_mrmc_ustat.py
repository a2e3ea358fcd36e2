"""The U-statistic against iMRMC, brute force over all triples, and its identities."""

from __future__ import annotations

import json
import math
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.stats.mrmc import obuchowski_rockette, u_statistic
from tests.stats.golden import golden, reference
from tests.stats.golden_mrmc import columns, designs, golden_columns, van_dyke
from tests.stats.test_mrmc import near, small_study


@pytest.mark.parametrize("study", ["mrmc_seeded_2x3x60", "mrmc_kundel"])
def test_golden_imrmc(study: str) -> None:
    file = golden(study)
    e = file["expected"]["imrmc"]
    result = u_statistic(**golden_columns(file))
    tests = len(result.means)
    assert result.means.value == near(e["AUC.1"][:tests])
    assert result.means.se**2 == near(e["covAUC"][:tests])
    assert result.means.df == near(e["dfBDG"][:tests])
    assert result.means.low == near(e["botCIBDG"][:tests])
    assert result.means.high == near(np.minimum(e["topCIBDG"][:tests], 1.0))
    rows = result.differences
    assert rows.value == near(e["AUC1minusAUC2"][tests:])
    assert rows.se**2 == near(e["varAUC1minusAUC2"][tests:])
    assert rows.df == near(e["dfBDG.diff"][tests:])
    assert rows.pvalue == near(e["pValueBDG"][tests:])
    assert rows.low == near(e["botCIBDG"][tests:])
    for i, test in enumerate(result.tests):
        moments = result.moments[test, test]
        assert moments["covariance_biased"] == near(e["covAUC.biased"][i])
        assert moments["moments"] == near([e[f"M{k}"][i] for k in range(1, 9)])
        assert moments["coefficients"] == near([e[f"M{k}.coeff"][i] for k in range(1, 9)])


def test_split_plot_with_missing_reads_as_in_imrmc() -> None:
    """Readers 1 and 2 on one half of the cases, 3 to 5 on the other, every 13th read missing."""
    first, second, pair = reference("mrmc")["split_plot"]
    result = u_statistic(**columns(designs()["split_plot"]))
    assert result.means.value == near([first["AUC.1"], second["AUC.1"]])
    assert result.means.se**2 == near([first["covAUC"], second["covAUC"]])
    assert result.means.df == near([first["dfBDG"], second["dfBDG"]])
    assert result.means.low == near([first["botCIBDG"], second["botCIBDG"]])
    (row,) = result.differences
    assert row.value == near(pair["AUC1minusAUC2"])
    assert row.se**2 == near(pair["varAUC1minusAUC2"])
    assert row.df == near(pair["dfBDG.diff"])
    assert row.pvalue == near(pair["pValueBDG"])
    assert [row.low, row.high] == near([pair["botCIBDG"], pair["topCIBDG"]])
    assert result.moments[1, 2]["covariance"] == near(pair["covAUC"])
    assert result.moments[1, 2]["covariance_biased"] == near(pair["covAUC.biased"])
    assert result.design == "as read"


def _triples(study: dict[str, Any], test: int) -> list[tuple[int, int, int, float]]:
    """Every (reader, positive, negative, kernel) that was read in a test."""
    reads = {
        (r, c): (y, s)
        for r, t, c, y, s in zip(*(study[k] for k in study), strict=True)
        if t == test
    }
    return [
        (r, c, d, (s > z) + 0.5 * (s == z))
        for (r, c), (y, s) in reads.items()
        if y == 1
        for (q, d), (x, z) in reads.items()
        if q == r and x == 0
    ]


def _brute_force(study: dict[str, Any], a: int, b: int) -> float:
    """Product of the two means less an unbiased product: pairs of triples that share nothing."""
    first, second = _triples(study, a), _triples(study, b)
    apart = [
        x[3] * y[3]
        for x, y in product(first, second)
        if x[0] != y[0] and x[1] != y[1] and x[2] != y[2]
    ]
    means = [np.mean([x[3] for x in side]) for side in (first, second)]
    return float(means[0] * means[1] - np.mean(apart))


@given(st.integers(0, 10_000))
def test_variance_equals_brute_force_with_missing_reads(seed: int) -> None:
    study = small_study(seed, readers=3, cases=8)
    keep = np.random.default_rng(seed).random(len(study["score"])) < 0.8
    study = {name: values[keep] for name, values in study.items()}
    counts = [
        {
            (r, t)
            for r, t, y in zip(study["reader"], study["test"], study["truth"], strict=True)
            if y == truth
        }
        for truth in (0, 1)
    ]
    if counts[0] != counts[1] or len(counts[0]) < 6:
        return
    result = u_statistic(**study)
    for a, b in ((0, 0), (1, 1), (0, 1)):
        assert result.moments[a, b]["covariance"] == pytest.approx(
            _brute_force(study, a, b), abs=1e-12
        )


@given(st.integers(0, 10_000))
def test_continuous_and_graded_scores_take_equal_paths(seed: int) -> None:
    study = small_study(seed, cases=100)
    stretched = study | {"score": np.exp(study["score"])}
    shaken = study | {"score": study["score"] + 1e-9 * np.arange(len(study["score"]))}
    expected = u_statistic(**study)
    assert u_statistic(**stretched).differences.se == pytest.approx(
        expected.differences.se, rel=1e-9, nan_ok=True
    )
    untied = u_statistic(**shaken)
    for test in (0, 1):
        exact = _unbiased_by_cells(shaken, test)
        assert untied.moments[test, test]["covariance"] == pytest.approx(exact, abs=1e-12)


def _unbiased_by_cells(study: dict[str, Any], test: int) -> float:
    """Mean over readers of one test from the full kernels of a crossed study."""
    keep = study["test"] == test
    score = study["score"][keep].reshape(3, -1)
    truth = study["truth"][keep].reshape(3, -1)[0] == 1
    x, y = score[:, truth, None], score[:, None, ~truth]
    kernel = (x > y) + 0.5 * (x == y)
    j, m, n = kernel.shape
    total = kernel.sum(axis=0)
    squares = {
        (0, 0, 0): total.sum() ** 2,
        (0, 1, 0): (total.sum(axis=1) ** 2).sum(),
        (0, 0, 1): (total.sum(axis=0) ** 2).sum(),
        (0, 1, 1): (total**2).sum(),
        (1, 0, 0): (kernel.sum(axis=(1, 2)) ** 2).sum(),
        (1, 1, 0): (kernel.sum(axis=2) ** 2).sum(),
        (1, 0, 1): (kernel.sum(axis=1) ** 2).sum(),
        (1, 1, 1): (kernel**2).sum(),
    }
    apart = sum((-1) ** sum(shared) * value for shared, value in squares.items())
    pairs = j * (j - 1) * m * (m - 1) * n * (n - 1)
    return float(kernel.mean() ** 2 - apart / pairs)


@given(st.integers(0, 10_000))
def test_fixed_factors_equal_obuchowski_rockette(seed: int) -> None:
    """In crossed studies of two tests the unbiased variances of both methods are one."""
    study = small_study(seed)
    for random in ("cases", "readers"):
        ours = u_statistic(**study, random=random)
        expected = obuchowski_rockette(**study, random=random, covariance="unbiased")
        assert ours.differences.se == pytest.approx(expected.differences.se, rel=1e-8, nan_ok=True)
        assert ours.means.value == pytest.approx(expected.means.value, abs=1e-12)
    for name, value in obuchowski_rockette(
        **study, covariance="unbiased"
    ).variance_components.items():
        assert ours.variance_components[name] == pytest.approx(value, abs=1e-12)


def test_global_test_of_two_tests_is_the_difference() -> None:
    result = u_statistic(**columns(van_dyke()))
    (row,) = result.differences
    assert result.f == pytest.approx(row.t**2)
    assert result.df2 == row.df
    assert result.pvalue == pytest.approx(row.pvalue)
    fixed = u_statistic(**columns(van_dyke()), random="cases")
    assert fixed.chi2 == pytest.approx(fixed.differences[0].t ** 2)
    assert fixed.pvalue == pytest.approx(fixed.differences[0].pvalue)


def test_global_test_of_three_tests_ignores_their_order() -> None:
    study = small_study(7, tests=3, readers=5, cases=40)
    swapped = study | {"test": (study["test"] + 1) % 3}
    first, second = (u_statistic(**s, random="cases") for s in (study, swapped))
    assert first.df1 == 2
    assert second.chi2 == pytest.approx(first.chi2, rel=1e-8)


def test_nested_readers_need_no_declaration_when_labels_differ() -> None:
    rows = designs()["reader_in_test"]
    result = u_statistic(**columns(rows))
    shared = [(r if t == 1 else r - 3, t, c, y, s) for r, t, c, y, s in rows]
    declared = u_statistic(**columns(shared), nesting="reader in test")
    assert declared.differences.se == pytest.approx(result.differences.se)
    assert result.variance_components["cov1"] == 0.0


def test_negative_variance_is_reported_as_such() -> None:
    """Two readers who complement each other make the unbiased variance negative."""
    truth = [0, 0, 1, 1]
    scores = {1: [1, 4, 3, 6], 2: [4, 1, 6, 3]}
    study = {
        "reader": [r for r in scores for _ in truth],
        "test": [0] * 8,
        "case": list(range(4)) * 2,
        "truth": truth * 2,
        "score": [s for values in scores.values() for s in values],
    }
    assert _brute_force(study, 0, 0) < 0
    result = u_statistic(**study)
    assert math.isnan(result.means[0].se)
    assert "negative" in result.means[0].reason
    assert "negative" in result.reason
    json.dumps(result.to_dict(), allow_nan=False)


def test_one_reader_has_no_variance_over_readers() -> None:
    study = columns([row for row in van_dyke() if row[0] == 1])
    for random in ("readers and cases", "readers"):
        result = u_statistic(**study, random=random)
        assert math.isnan(result.pvalue)
        assert "two readers" in result.reason
    assert not math.isnan(u_statistic(**study, random="cases").pvalue)


def test_reader_without_a_class_is_left_out_there() -> None:
    rows = [row for row in van_dyke() if not (row[0] == 4 and row[1] == 1 and row[3])]
    result = u_statistic(**columns(rows))
    assert (1, 4) not in result.auc_by_test_reader
    assert (2, 4) in result.auc_by_test_reader
    assert "left out there: 4" in result.warnings[0]
    assert math.isnan(result.variance_components["reader"])


def test_identical_tests_have_no_statistic() -> None:
    rows = [row for row in van_dyke() if row[1] == 1]
    rows += [(r, 2, c, y, s) for r, _, c, y, s in rows]
    result = u_statistic(**columns(rows))
    assert math.isnan(result.pvalue)
    assert result.differences[0].value == 0.0
    assert "zero" in result.reason


def test_one_test_and_missing_scores() -> None:
    study = columns([row for row in van_dyke() if row[1] == 1])
    study["score"][3] = math.nan
    with pytest.raises(ValueError, match="score has 1 missing"):
        u_statistic(**study)
    result = u_statistic(**study, missing="omit")
    assert (result.n, result.n_dropped) == (569, 1)
    assert "nothing to compare" in result.reason


def test_proportion_of_split_plot_is_brute_force() -> None:
    """Share of successes over readers and cases: pairs of reads that share neither."""
    rng = np.random.default_rng(4)
    rows = [
        (r, 0, c, int(rng.random() < 0.7))
        for r in range(4)
        for c in range(12)
        if (r < 2) == (c < 6) or c == 11
    ]
    reader, test, case, score = (list(x) for x in zip(*rows, strict=True))
    result = u_statistic(reader=reader, test=test, case=case, score=score, metric="proportion")
    apart = [a[3] * b[3] for a, b in product(rows, rows) if a[0] != b[0] and a[2] != b[2]]
    expected = np.mean(score) ** 2 - np.mean(apart)
    assert result.means[0].value == pytest.approx(np.mean(score))
    assert result.moments[0, 0]["covariance"] == pytest.approx(expected)


def test_fixed_cases_weigh_readers_by_their_reads() -> None:
    """Equal weights give the textbook variance of a mean of readers."""
    study = small_study(9, readers=4)
    result = u_statistic(**study, random="readers")
    values = np.array([result.auc_by_test_reader[0, r] for r in range(4)])
    assert result.means[0].se == pytest.approx(values.std(ddof=1) / 2)
    assert result.means[0].df == 3


def test_indefinite_covariance_gives_differences_but_no_global_test() -> None:
    """Unbiased variances can each be positive and yet not fit together."""
    result = u_statistic(**small_study(5, tests=3, cases=12))
    assert not np.isnan(result.differences.pvalue).any()
    assert math.isnan(result.pvalue)
    assert "not positive definite" in result.reason
