"""Obuchowski-Rockette and Dorfman-Berbaum-Metz against R, published values and identities."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.stats.mrmc import dorfman_berbaum_metz, obuchowski_rockette
from readerstudy.stats.mrmc_results import MrmcResult
from readerstudy.stats.placements import products
from readerstudy.stats.roc import auc, delong_test
from tests.stats.golden import golden, reference
from tests.stats.golden_mrmc import RANDOM, columns, designs, golden_columns, van_dyke

COMPONENTS = {
    "reader": "reader",
    "test:reader": "treatment:reader",
    "error": "Error",
    "cov1": "Cov1",
    "cov2": "Cov2",
    "cov3": "Cov3",
}
KINDS = ("both", "cases", "readers")


def near(expected: Any, tolerance: float = 1e-7) -> Any:
    """Numbers of an R result, None as NaN."""
    values = np.atleast_1d(np.array(expected, dtype=float))
    return pytest.approx(values, rel=tolerance, abs=tolerance, nan_ok=True)


def small_study(seed: int, tests: int = 2, readers: int = 3, cases: int = 14) -> dict[str, Any]:
    """A graded study with case effects, half the cases positive."""
    rng = np.random.default_rng(seed)
    test, reader, case = (
        x.ravel()
        for x in np.meshgrid(np.arange(tests), np.arange(readers), np.arange(cases), indexing="ij")
    )
    truth = (case % 2).astype(int)
    latent = rng.normal(size=cases)[case] + truth + rng.normal(size=case.size)
    score = np.clip(np.round(latent + 2), 0, 5)
    return {"reader": reader, "test": test, "case": case, "truth": truth, "score": score}


def test_published_van_dyke_values() -> None:
    """Hillis 2007 and the MRMCaov documentation: t(15.26) = -2.11, p = 0.0517."""
    result = obuchowski_rockette(**columns(van_dyke()), covariance="jackknife")
    (difference,) = result.differences
    assert result.means.value == near([0.89703704, 0.94083736])
    assert difference.t == pytest.approx(-2.110999, abs=1e-6)
    assert difference.df == pytest.approx(15.2597, abs=1e-4)
    assert difference.pvalue == pytest.approx(0.0516657, abs=1e-7)
    assert result.f == pytest.approx(difference.t**2, rel=1e-10)
    fixed = obuchowski_rockette(**columns(van_dyke()), covariance="jackknife", random="cases")
    assert round(fixed.pvalue, 3) == 0.019


def _check_mrmcaov(result: MrmcResult, expected: dict[str, Any]) -> None:
    table = expected["metric_by_test_reader"]
    cells = zip(table["treatment"], table["reader"], strict=True)
    assert [result.auc_by_test_reader[cell] for cell in cells] == near(table["empirical_auc"])
    for ours, theirs in COMPONENTS.items():
        if expected["variance_components"]:
            r_value = expected["variance_components"][theirs]
            assert result.variance_components[ours] == near(r_value)
    _check_equality(result, expected["test_equality"])
    differences, means = expected["test_diffs"], expected["test_means"]
    columns_of = {"value": "Estimate", "se": "StdErr", "low": "ci_low", "high": "ci_high"}
    for ours, theirs in columns_of.items():
        assert getattr(result.differences, ours) == near(differences[theirs])
        assert getattr(result.means, ours) == near(means[theirs])
    assert result.differences.t == near(differences.get("t", differences.get("z")))
    assert result.differences.pvalue == near(differences["p-value"])
    if "df" in means:
        assert result.means.df == near(means["df"])
        assert result.differences.df == near(differences["df"])
    if expected["covariance_matrix"]:
        assert result.covariance == pytest.approx(
            np.array(expected["covariance_matrix"]), abs=1e-10
        )


def _check_equality(result: MrmcResult, expected: dict[str, Any]) -> None:
    if "F" in expected:
        found = [result.f, result.df1, result.df2, result.pvalue]
        assert found == near([expected[k] for k in ("F", "df1", "df2", "p-value")])
    else:
        found = [result.chi2, result.df1, result.pvalue]
        assert found == near([expected[k] for k in ("X2", "df", "p-value")])


@pytest.mark.parametrize("study", ["mrmc_seeded_2x3x60", "mrmc_kundel"])
@pytest.mark.parametrize("covariance", ["jackknife", "DeLong", "unbiased"])
@pytest.mark.parametrize(
    ("key", "random"), [("or_rrrc", "readers and cases"), ("or_frrc", "cases")]
)
def test_golden_obuchowski_rockette(study: str, covariance: str, key: str, random: str) -> None:
    file = golden(study)
    name = f"{key}_{covariance}"
    if name not in file["expected"]:
        pytest.skip("MRMCaov has no DeLong covariance for designs that are not fully crossed")
    result = obuchowski_rockette(
        **golden_columns(file), covariance=covariance.lower(), random=random
    )
    _check_mrmcaov(result, file["expected"][name])


@pytest.mark.parametrize("study", ["mrmc_seeded_2x3x60", "mrmc_kundel"])
def test_golden_fixed_cases(study: str) -> None:
    file = golden(study)
    result = obuchowski_rockette(**golden_columns(file), random="readers")
    _check_mrmcaov(result, file["expected"]["or_rrfc"])


def test_golden_differences_within_fixed_readers() -> None:
    file = golden("mrmc_seeded_2x3x60")
    expected = file["expected"]["or_frrc_DeLong"]["reader_test_diffs"]
    result = obuchowski_rockette(**golden_columns(file), random="cases")
    rows = result.reader_differences
    assert [row.reader for row in rows] == expected["Reader"]
    assert rows.value == near(expected["Estimate"])
    assert rows.se == near(expected["StdErr"])
    assert rows.t == near(expected["z"])
    assert rows.pvalue == near(expected["p-value"])


@pytest.mark.parametrize(
    ("key", "random"),
    [("RRRC", "readers and cases"), ("FRRC", "cases"), ("RRFC", "readers")],
)
def test_golden_dorfman_berbaum_metz(key: str, random: str) -> None:
    file = golden("mrmc_seeded_2x3x60")
    expected = file["expected"][f"dbm_rjafroc_{key}"]
    result = dorfman_berbaum_metz(**golden_columns(file), random=random)
    squares = result.mean_squares
    names = ("test", "reader", "case", "test:reader", "test:case", "reader:case")
    found = [squares[n] for n in (*names, "test:reader:case")]
    assert found == near(expected["ANOVA"]["TRCanova"]["MS"][:-1])
    parts = ("reader", "case", "test:reader", "test:case", "reader:case", "residual")
    found = [result.variance_components[n] for n in parts]
    assert found == near(expected["ANOVA"]["VarCom"]["Estimates"])
    f_test = expected[key]["FTests"]
    assert [result.f, result.df1, result.df2] == near([f_test["FStat"][0], *f_test["DF"]])
    difference, means = expected[key]["ciDiffTrt"], expected[key]["ciAvgRdrEachTrt"]
    (row,) = result.differences
    found = [row.value, row.se, row.df, row.t, row.pvalue, row.low, row.high]
    names = ("Estimate", "StdErr", "DF", "t", "PrGTt", "CILower", "CIUpper")
    assert found == near([difference[n] for n in names])
    assert result.means.se == near(means["StdErr"])
    assert result.means.df == near(means["DF"])
    assert result.means.low == near(means["CILower"])
    # RJafroc does not clip its limits at 1, we do and say so
    assert result.means.high == near(np.minimum(means["CIUpper"], 1.0))


@pytest.mark.parametrize("name", [n for n in designs() if n != "split_plot"])
@pytest.mark.parametrize("covariance", ["jackknife", "unbiased"])
@pytest.mark.parametrize("kind", KINDS)
def test_nested_designs_as_in_mrmcaov(name: str, covariance: str, kind: str) -> None:
    expected = reference("mrmc")["nested"][name][covariance][kind]
    result = obuchowski_rockette(
        **columns(designs()[name]), covariance=covariance, random=RANDOM[kind]
    )
    assert result.design == name.removeprefix("balanced_").replace("_", " ")
    _check_equality(result, expected["equality"])
    difference, means = expected["difference"], expected["means"]
    (row,) = result.differences
    assert [row.value, row.se] == near([difference["Estimate"], difference["StdErr"]])
    assert [row.low, row.high] == near([difference["CI1"], difference["CI2"]])
    for ours, theirs in COMPONENTS.items():
        if expected["components"] and expected["components"].get(theirs) is not None:
            assert result.variance_components[ours] == near(expected["components"][theirs])
    if means:
        assert result.means.se == near(means["StdErr"])
        assert result.means.low == near(means["CI.Lower"])
        assert result.means.high == near(means["CI.Upper"])


@pytest.mark.parametrize("nesting", ["case in reader", "case in test", "reader in test"])
def test_declared_nesting_makes_equal_labels_different(nesting: str) -> None:
    """Labels that start again under each reader (test) give what unique labels give."""
    rows = designs()[nesting.replace(" ", "_")]
    inner, outer = {
        "case in reader": (2, 0),
        "case in test": (2, 1),
        "reader in test": (0, 1),
    }[nesting]
    order: dict[Any, dict[Any, int]] = {}
    renamed = []
    for row in rows:
        number = order.setdefault(row[outer], {}).setdefault(row[inner], len(order[row[outer]]))
        renamed.append((*row[:inner], number, *row[inner + 1 :]))
    found = obuchowski_rockette(**columns(renamed), nesting=nesting)
    expected = obuchowski_rockette(**columns(rows))
    assert found.differences.se == pytest.approx(expected.differences.se, rel=1e-10)
    assert found.pvalue == pytest.approx(expected.pvalue, rel=1e-9)
    assert "labels occur under more than one" in found.warnings[0]
    assert not [w for w in expected.warnings if "labels occur" in w]


def test_wrong_nesting_is_refused() -> None:
    rows = designs()["case_in_test"]
    with pytest.raises(ValueError, match="nesting='case in reader' is declared"):
        obuchowski_rockette(**_unique_by_reader(rows), nesting="case in reader")
    with pytest.raises(ValueError, match="nesting must be one of"):
        obuchowski_rockette(**columns(rows), nesting="test in reader")


def _unique_by_reader(rows: Any) -> dict[str, Any]:
    return columns([(r, t, f"{r}.{t}.{c}", y, s) for r, t, c, y, s in rows])


@given(st.integers(0, 10_000), st.integers(2, 3), st.integers(2, 4))
def test_dbm_equals_or_with_jackknife(seed: int, tests: int, readers: int) -> None:
    study = small_study(seed, tests, readers)
    for random in ("readers and cases", "readers"):
        ours = obuchowski_rockette(**study, covariance="jackknife", random=random)
        dbm = dorfman_berbaum_metz(**study, random=random)
        assert dbm.f == pytest.approx(ours.f, rel=1e-9, nan_ok=True)
        assert dbm.df2 == pytest.approx(ours.df2, rel=1e-9, nan_ok=True)
        assert dbm.pvalue == pytest.approx(ours.pvalue, rel=1e-9, nan_ok=True)
        assert dbm.means.se == pytest.approx(ours.means.se, rel=1e-9, nan_ok=True)
        for name in COMPONENTS:
            assert dbm.variance_components[name] == pytest.approx(
                ours.variance_components[name], rel=1e-9, abs=1e-12
            )


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_order_of_rows_and_names_change_nothing(seed: int, random: Any) -> None:
    study = small_study(seed, 3)
    order = list(range(len(study["score"])))
    random.shuffle(order)
    readers = {0: "z", 1: "a", 2: "m"}
    shuffled = {
        "reader": [readers[study["reader"][i]] for i in order],
        "test": [f"t{study['test'][i]}" for i in order],
        "case": [f"c{97 * study['case'][i] % 15}" for i in order],
        "truth": [study["truth"][i] for i in order],
        "score": [math.exp(study["score"][i]) for i in order],
    }
    for covariance in ("delong", "jackknife", "unbiased"):
        before = obuchowski_rockette(**study, covariance=covariance)
        after = obuchowski_rockette(**shuffled, covariance=covariance)
        assert after.pvalue == pytest.approx(before.pvalue, rel=1e-8, nan_ok=True)
        assert after.differences.value == pytest.approx(before.differences.value, abs=1e-12)
        assert after.differences.se == pytest.approx(before.differences.se, rel=1e-8, nan_ok=True)


@given(st.integers(0, 10_000))
def test_swapped_truth_turns_every_auc(seed: int) -> None:
    study = small_study(seed)
    before = obuchowski_rockette(**study)
    after = obuchowski_rockette(**(study | {"truth": 1 - study["truth"]}))
    assert after.means.value == pytest.approx(1 - before.means.value, abs=1e-12)
    assert after.pvalue == pytest.approx(before.pvalue, rel=1e-8, nan_ok=True)


@given(st.integers(0, 10_000))
def test_one_fixed_reader_is_the_paired_delong_test(seed: int) -> None:
    study = small_study(seed, readers=1)
    result = obuchowski_rockette(**study, random="cases")
    truth = study["truth"][:14]
    expected = delong_test(truth, study["score"][:14], study["score"][14:])
    (row,) = result.differences
    assert row.value == pytest.approx(expected.difference, abs=1e-12)
    if not math.isnan(row.t):
        assert row.se == pytest.approx(expected.se, rel=1e-9)
        assert row.pvalue == pytest.approx(expected.pvalue, rel=1e-8)


def test_covariance_of_partly_shared_cases_has_delong_on_the_diagonal() -> None:
    rows = designs()["case_in_reader"]
    result = obuchowski_rockette(**columns(rows))
    for i, (test, reader) in enumerate(result.cells):
        own = [row for row in rows if row[0] == reader and row[1] == test]
        expected = auc([r[3] for r in own], [r[4] for r in own])
        assert result.covariance[i, i] == pytest.approx(expected.variance, rel=1e-10)
    same_reader = [a[1] == b[1] for a in result.cells for b in result.cells]
    assert not result.covariance.ravel()[~np.array(same_reader)].any()


def test_large_tables_take_every_path_alike() -> None:
    """Counted, sorted and blocked paths meet where a tiny monotone change breaks no tie order."""
    study = small_study(3, 2, 4, 200)
    shifted = study | {"score": study["score"] * 0.1 + 0.7}
    unread = {name: np.append(values, values[-1:]) for name, values in study.items()}
    unread["case"][-1], unread["score"][-1] = 9999, math.nan
    for covariance in ("delong", "jackknife", "unbiased"):
        expected = obuchowski_rockette(**study, covariance=covariance)
        for other in (shifted, study | {"score": np.exp(study["score"])}):
            found = obuchowski_rockette(**other, covariance=covariance)
            assert found.covariance == pytest.approx(expected.covariance, rel=1e-9, abs=1e-14)
        found = obuchowski_rockette(**unread, covariance=covariance, missing="omit")
        assert found.covariance == pytest.approx(expected.covariance, rel=1e-9, abs=1e-14)
        assert found.n_dropped == 1


@pytest.mark.parametrize("shape", [(3, 1000), (64, 33000), (400, 7)])
def test_sliced_products_are_products(shape: tuple[int, int]) -> None:
    rows = np.random.default_rng(1).normal(size=shape)
    assert products(rows) == pytest.approx(rows @ rows.T, rel=1e-9, abs=1e-9)


def test_tables_and_column_names() -> None:
    study = columns(van_dyke())
    names = {"reader": "reader", "test": "test", "case": "case", "truth": "truth", "score": "score"}
    by_name = obuchowski_rockette(**names, data=study)
    assert by_name.pvalue == obuchowski_rockette(**study).pvalue
    with pytest.raises(ValueError, match="no column 'rating'"):
        obuchowski_rockette(**(names | {"score": "rating"}), data=study)


def test_rows_by_position_label_and_column() -> None:
    result = obuchowski_rockette(**small_study(1, 3))
    assert result.differences[0].label == (0, 1)
    assert result.differences.by((1, 2)).value == result.differences.value[2]
    assert [row.label for row in result.means[:2]] == [0, 1]
    named = obuchowski_rockette(**(small_study(1) | {"test": ["film"] * 42 + ["digital"] * 42}))
    assert named.means["digital"].label == "digital"
    assert named.differences["digital", "film"].value == named.differences[0].value
    with pytest.raises(ValueError, match="no row 'plain'"):
        named.means["plain"]


def test_incomplete_design_is_refused_or_reduced() -> None:
    study = columns(van_dyke()[:-3])
    with pytest.raises(ValueError, match="3 cases were not read by all readers in all tests"):
        obuchowski_rockette(**study)
    result = obuchowski_rockette(**study, missing="omit")
    kept = [row for row in van_dyke() if row[2] not in (112, 113, 114)]
    assert result.pvalue == pytest.approx(obuchowski_rockette(**columns(kept)).pvalue)
    assert "3 cases (27 reads) left out" in result.warnings[0]
    assert result.n_dropped == 27
    assert result.n == len(kept)


def test_reader_without_a_test_is_refused_or_left_out() -> None:
    rows = [row for row in van_dyke() if row[:2] != (3, 2)]
    with pytest.raises(ValueError, match="1 readers lack a test: 3"):
        obuchowski_rockette(**columns(rows))
    result = obuchowski_rockette(**columns(rows), missing="omit")
    assert result.readers == (1, 2, 4, 5)
    assert result.n_dropped == 114
    assert "readers lack a test: 3" in result.warnings[0]


def test_nothing_left_after_reduction_is_refused() -> None:
    """Any two reading lists overlap, and no case is in all of them."""
    study = columns([x for x in van_dyke() if x[2] % 5 != x[0] - 1])
    for missing in ("raise", "omit"):
        with pytest.raises(ValueError, match="design is incomplete"):
            obuchowski_rockette(**study, missing=missing)
    alternating = columns([x for x in van_dyke() if x[1] == x[0] % 2 + 1])
    triple = [(r, 3, c, y, s) for r, t, c, y, s in van_dyke() if t == 1]
    study = columns([*(x for x in van_dyke() if x[1] == x[0] % 2 + 1), *triple])
    with pytest.raises(ValueError, match="no reader has all tests"):
        obuchowski_rockette(**study, missing="omit")
    assert obuchowski_rockette(**alternating).design == "reader in test"


def test_reader_without_a_class_is_left_out_by_name() -> None:
    rows = [row for row in van_dyke() if not (row[0] == 4 and row[1] == 1 and row[3])]
    result = obuchowski_rockette(**columns(rows), missing="omit")
    assert result.readers == (1, 2, 3, 5)
    assert "one class only in some test" in result.warnings[0]
    assert "4" in result.warnings[0]
    negatives = [row for row in van_dyke() if not row[3]]
    with pytest.raises(ValueError, match="one class only"):
        obuchowski_rockette(**columns(negatives))


def test_missing_scores_are_refused_or_counted() -> None:
    study = columns(van_dyke())
    study["score"][7] = math.nan
    with pytest.raises(ValueError, match="score has 1 missing"):
        obuchowski_rockette(**study)
    result = obuchowski_rockette(**study, missing="omit")
    assert result.n_dropped == 10
    assert result.n_cases == 113


def test_disjoint_reading_lists_say_so() -> None:
    """Readers 1 and 2 on even cases, 3 to 5 on odd ones: covariances are averaged."""
    rows = [row for row in van_dyke() if (row[0] <= 2) == (row[2] % 2 == 0)]
    result = obuchowski_rockette(**columns(rows))
    assert result.design == "cases partly shared"
    assert "averaged" in result.warnings[0]


def test_constant_reader_is_kept() -> None:
    rows = [(r, t, c, y, 3 if r == 2 else s) for r, t, c, y, s in van_dyke()]
    result = obuchowski_rockette(**columns(rows))
    assert result.auc_by_test_reader[1, 2] == 0.5
    place = result.cells.index((1, 2))
    assert result.covariance[place, place] == 0.0
    assert not math.isnan(result.pvalue)


def test_identical_tests_have_no_statistic() -> None:
    rows = [row for row in van_dyke() if row[1] == 1]
    rows += [(r, 2, c, y, s) for r, _, c, y, s in rows]
    for random in RANDOM.values():
        result = obuchowski_rockette(**columns(rows), random=random)
        assert result.differences[0].value == pytest.approx(0.0, abs=1e-15)
        assert math.isnan(result.pvalue)
        assert "zero" in result.reason
        json.dumps(result.to_dict(), allow_nan=False)


def test_one_test_has_a_mean_and_nothing_to_compare() -> None:
    rows = [row for row in van_dyke() if row[1] == 2]
    result = obuchowski_rockette(**columns(rows))
    both = obuchowski_rockette(**columns(van_dyke()))
    assert result.means[0].se == pytest.approx(both.means[1].se)
    assert result.differences == ()
    assert "nothing to compare" in result.reason
    dbm = dorfman_berbaum_metz(**columns(rows))
    assert dbm.means[0].se == pytest.approx(
        obuchowski_rockette(**columns(rows), covariance="jackknife").means[0].se
    )
    assert "nothing to compare" in dbm.reason
    assert "no global test" in result.summary()


def test_one_reader_supports_no_claim_about_readers() -> None:
    study = columns([row for row in van_dyke() if row[0] == 1])
    for analyse in (obuchowski_rockette, dorfman_berbaum_metz):
        with pytest.raises(ValueError, match="at least 2 readers, got 1"):
            analyse(**study)
        assert not math.isnan(analyse(**study, random="cases").pvalue)


def test_two_readers_are_few() -> None:
    study = columns([row for row in van_dyke() if row[0] < 3])
    assert "2 readers say little" in obuchowski_rockette(**study).warnings[0]
    assert not obuchowski_rockette(**study, random="cases").warnings


def test_one_case_of_a_class_supports_no_variance() -> None:
    study = columns([row for row in van_dyke() if row[2] == 70 or not row[3]])
    assert sum(study["truth"]) == 10
    for analyse in (obuchowski_rockette, dorfman_berbaum_metz):
        result = analyse(**study)
        assert math.isnan(result.pvalue)
        assert "two cases of each class" in result.reason
    assert not math.isnan(obuchowski_rockette(**study, random="readers").pvalue)


def test_dbm_of_a_nested_design_is_or_with_jackknife() -> None:
    study = columns(designs()["case_in_test"])
    dbm = dorfman_berbaum_metz(**study)
    ours = obuchowski_rockette(**study, covariance="jackknife")
    assert (dbm.f, dbm.df2) == (ours.f, ours.df2)
    assert "equality" in dbm.method


def test_proportion_of_one_fixed_reader_is_the_paired_difference() -> None:
    """With one reader the variance is that of the mean of paired differences."""
    rng = np.random.default_rng(1)
    success = rng.integers(0, 2, (2, 50))
    study = {
        "reader": ["r"] * 100,
        "test": np.repeat([0, 1], 50),
        "case": np.tile(np.arange(50), 2),
        "score": success.ravel(),
    }
    apart = success[0] - success[1]
    for covariance in ("delong", "jackknife", "unbiased"):
        result = obuchowski_rockette(
            **study, metric="proportion", random="cases", covariance=covariance
        )
        (row,) = result.differences
        assert row.value == pytest.approx(apart.mean())
        assert row.se == pytest.approx(apart.std(ddof=1) / math.sqrt(50))
    assert (result.n_positive, result.n_negative) == (50, 0)


def test_proportion_of_many_readers_is_a_three_way_anova() -> None:
    """DBM of a proportion is the textbook mixed analysis of the raw 0/1 table."""
    rng = np.random.default_rng(2)
    success = (rng.random((2, 4, 30)) < rng.random(30)).astype(int)
    test, reader, case = (x.ravel() for x in np.indices(success.shape))
    result = dorfman_berbaum_metz(
        reader=reader, test=test, case=case, score=success.ravel(), metric="proportion"
    )
    means = success.mean(axis=2)
    square_tr = (
        30 * ((means - means.mean(0) - means.mean(1, keepdims=True) + means.mean()) ** 2).sum()
    )
    assert result.mean_squares["test:reader"] == pytest.approx(square_tr / 3)
    ours = obuchowski_rockette(
        reader=reader, test=test, case=case, score=success.ravel(), metric="proportion"
    )
    assert ours.f == pytest.approx(result.f, rel=1e-9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"covariance": "bootstrap"}, "covariance must be one of delong"),
        ({"random": "both"}, "random must be one of"),
        ({"metric": "kappa"}, "metric must be one of"),
        ({"level": 1.0}, "level must lie between"),
        ({"truth": None}, "truth is needed"),
        ({"truth": [2] * 84}, "truth must be 0 or 1"),
        ({"reader": [None] * 84}, "missing labels"),
        ({"test": [math.nan] * 84}, "missing labels"),
        ({"case": [[1]] * 84}, "one-dimensional"),
        ({"reader": [1, 2]}, "same length"),
        ({"case": [0] * 84, "truth": [1] * 84}, "78 reads occur more than once"),
        ({"truth": [1] * 83 + [0]}, "differs for 1 cases: 13"),
        ({"metric": "proportion"}, "score must be 0 or 1"),
    ],
)
def test_bad_input_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        obuchowski_rockette(**(small_study(1) | change))


def test_no_reads_at_all() -> None:
    with pytest.raises(ValueError, match="no read"):
        obuchowski_rockette(reader=[], test=[], case=[], truth=[], score=[])


def test_mixed_and_wide_labels() -> None:
    study = small_study(2)
    study["reader"] = [("a", 7, 2.5)[r] for r in study["reader"]]
    study["case"] = study["case"] * 10**12
    result = obuchowski_rockette(**study)
    assert set(result.readers) == {"a", 7, 2.5}
    assert result.pvalue == pytest.approx(obuchowski_rockette(**small_study(2)).pvalue)
    floats = obuchowski_rockette(**(small_study(2) | {"test": [0.5] * 42 + [1.5] * 42}))
    assert floats.tests == (0.5, 1.5)


def test_results_are_exported_with_their_reasons() -> None:
    result = obuchowski_rockette(**small_study(5, 3))
    exported = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert exported["pvalue"] == result.pvalue
    assert exported["differences"][1]["second"] == 2
    assert exported["auc_by_test_reader"]["0 | 0"] == result.auc_by_test_reader[0, 0]
    assert "F = " in result.summary()
    assert "chi-square = " in obuchowski_rockette(**small_study(5, 3), random="cases").summary()
    assert "0 - 1: " in result.differences[0].summary()
    assert "difference" in obuchowski_rockette(**small_study(5)).summary()
