"""Confusion table, chi-square, G, Fisher, Cramér's V and McNemar."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from readerstudy.stats import (
    Confusion,
    chi_square,
    confusion,
    cramers_v,
    fisher_exact,
    g_test,
    mcnemar,
    two_proportions,
)
from tests.stats.golden import close, golden, reference

NAN = math.nan
SHARES = ("accuracy", "precision", "recall", "specificity", "npv")
NUMBERS = {
    "f1": "f1", "mcc": "mcc", "balanced_accuracy": "balanced_accuracy", "youden_j": "youden_j",
    "lr_positive": "lr_pos", "lr_negative": "lr_neg", "diagnostic_odds_ratio": "dor",
}  # fmt: skip

counts = st.integers(0, 40)
two_by_two = st.tuples(counts, counts, counts, counts)


def table_of(rows, columns, top=25):
    cells = st.lists(st.integers(0, top), min_size=rows * columns, max_size=rows * columns)
    return cells.map(lambda c: np.array(c).reshape(rows, columns)).filter(
        lambda t: t.sum(axis=0).all() and t.sum(axis=1).all()
    )


def check_confusion(found, wanted):
    for name in SHARES:
        estimate = getattr(found, name)
        assert estimate.value == close(wanted[name]["value"])
        for kind, key in (
            ("exact", "exact_ci"), ("wilson", "wilson_ci"), ("agresti-coull", "agresti_coull_ci")
        ):  # fmt: skip
            metric = found.metrics(ci=kind)[name]
            assert [metric.low, metric.high] == close(wanted[name][key])
    for name, key in NUMBERS.items():
        assert getattr(found, name) == close(wanted[key])


def test_confusion_of_calabrese_grades():
    """Calabrese 2021, table 2: TP 150, FP 20, FN 10, TN 140; R's binom.test and prop.test."""
    found = Confusion(150, 20, 10, 140)
    assert found.accuracy.value == close(0.90625)
    assert [found.accuracy.low, found.accuracy.high] == close(
        [0.868873807837677, 0.935851081765959]
    )
    wilson = found.metrics(ci="wilson")["recall"]
    assert [wilson.low, wilson.high] == close([0.888784245971053, 0.96570033325388])
    assert found.f1 == close(0.909090909090909)
    assert found.mcc == close(0.814091578410694)
    assert (found.lr_positive, found.diagnostic_odds_ratio) == (close(7.5), close(105))


def test_confusion_from_calls():
    found = confusion([1, 1, 1, 0, 0, NAN], [1, 1, 0, 0, 1, 1], missing="omit")
    assert (found.tp, found.fp, found.fn, found.tn) == (2, 1, 1, 1)
    assert (found.n, found.n_dropped) == (5, 1)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"real": [1, 0, 1], "said": [1, 1, 0], "case": [1, 2, 2]})
    assert confusion("real", "said", data=frame).tp == 1
    with pytest.raises(ValueError, match="repeat a case id"):
        confusion("real", "said", case_ids="case", data=frame)
    assert confusion("real", "said", case_ids="case", data=frame, assume_independent=True).n == 3


def test_undefined_metrics_are_named():
    found = Confusion(7, 0, 3, 0)
    assert math.isnan(found.specificity.value)
    assert found.specificity.reason
    for name in ("mcc", "balanced_accuracy", "lr_positive", "diagnostic_odds_ratio"):
        assert math.isnan(getattr(found, name))
        assert name in found.reason
    assert "f1" not in found.reason
    assert Confusion(1, 1, 1, 1).reason is None


def test_metrics_by_attribute_and_by_name():
    shares = Confusion(20, 5, 10, 15).metrics(ci="wilson", level=0.9)
    assert list(shares) == list(SHARES)
    assert len(shares) == 5
    assert shares.recall is shares["recall"]
    assert shares.recall.level == 0.9
    with pytest.raises(KeyError):
        shares["f1"]


def test_ratios_may_be_infinite():
    found = Confusion(8, 0, 2, 10)
    assert found.lr_positive == math.inf
    assert found.diagnostic_odds_ratio == math.inf
    assert found.lr_negative == close(0.2)
    assert math.isnan(found.ratios()["lr_positive"].low)
    assert "0" in found.ratios()["lr_positive"].reason
    assert json.loads(json.dumps(found.to_dict()))["lr_positive"] == "inf"


def test_intervals_of_ratios_against_their_papers():
    """Altman, Statistics with Confidence 2000: Simel's limits of 90/100 and 20/100, by hand."""
    found = Confusion(90, 20, 10, 80).ratios()
    half = 1.959963984540054 * math.sqrt(1 / 90 - 1 / 100 + 1 / 20 - 1 / 100)
    assert found["lr_positive"].low == close(4.5 * math.exp(-half))
    peer = stats.contingency.odds_ratio([[90, 10], [20, 80]], kind="sample")
    limits = peer.confidence_interval()
    woolf = found["diagnostic_odds_ratio"]
    assert [woolf.value, woolf.low, woolf.high] == close([peer.statistic, limits.low, limits.high])
    j, difference = found["youden_j"], two_proportions(90, 100, 20, 100)
    assert [j.value, j.low, j.high] == close(
        [difference.difference, difference.low, difference.high]
    )
    assert math.isnan(Confusion(3, 0, 1, 0).ratios()["youden_j"].value)


def test_bootstrap_of_f1():
    found = Confusion(40, 10, 8, 42).bootstrap("f1", seed=3)
    again = Confusion(40, 10, 8, 42).bootstrap("f1", seed=3)
    assert (found.low, found.high) == (again.low, again.high)
    assert found.low < found.value < found.high
    assert "seed 3" in found.method
    balanced = Confusion(4000, 1000, 800, 4200).bootstrap("accuracy", seed=1)
    se = math.sqrt(0.82 * 0.18 / 10000)
    assert (balanced.high - balanced.low) / 2 / 1.96 == pytest.approx(se, rel=0.1)
    assert math.isnan(Confusion(1, 0, 1, 0).bootstrap("mcc").value)
    rare = Confusion(1, 1, 0, 3).bootstrap("precision", seed=0)
    assert any("undefined" in w for w in rare.warnings)
    for kwargs, message in (
        ({"metric": "kappa"}, "metric"),
        ({"metric": "f1", "n_boot": 3}, "100"),
    ):
        with pytest.raises(ValueError, match=message):
            Confusion(4, 1, 1, 4).bootstrap(**kwargs)


def test_confusion_against_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    truth, call = rng.integers(0, 2, 60), rng.integers(0, 2, 60)
    found = confusion(truth, call)
    assert found.f1 == close(sklearn.f1_score(truth, call))
    assert found.mcc == close(sklearn.matthews_corrcoef(truth, call))
    assert found.balanced_accuracy == close(sklearn.balanced_accuracy_score(truth, call))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Confusion(-1, 0, 0, 0), "tp.*-1"),
        (lambda: Confusion(1, 0.5, 0, 0), "fp.*0.5"),
        (lambda: confusion([1, 2], [0, 1]), "truth must be 0 or 1, got 2"),
        (lambda: confusion([1, 0], [0, NAN]), "call has 1 missing"),
        (lambda: confusion([1, 0], [0]), "same length"),
        (lambda: chi_square([[1, 2]]), "2 rows"),
        (lambda: chi_square([[1, -2], [3, 4]]), "-2"),
        (lambda: chi_square([[1, 2, 3], [4, 5, 6]], correction=True), "2 x 2"),
        (lambda: chi_square([[1, 1], [1, 1]], case_ids=[1, 1, 2, 3]), "repeat a case id"),
        (lambda: chi_square([[1, 1], [1, 1]], case_ids=[1, 2]), "one entry per observation"),
        (lambda: fisher_exact([[1, 2.5], [3, 4]]), "2.5"),
        (lambda: mcnemar(1, 2, -3, 4), "c must be"),
        (lambda: mcnemar(1, 2, 3, 4, level=0), "level"),
    ],
)
def test_bad_input_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "name", ["two_by_two", "two_by_four", "three_by_three", "four_by_three", "sparse"]
)
def test_tables_against_r(name):
    wanted = reference("contingency")["tests"][name]
    pearson, likelihood = chi_square(wanted["table"]), g_test(wanted["table"])
    assert (pearson.statistic, pearson.df) == (close(wanted["chi2"]), wanted["df"])
    assert pearson.pvalue == close(wanted["p"])
    assert (likelihood.statistic, likelihood.pvalue) == (close(wanted["g"]), close(wanted["p_g"]))
    assert fisher_exact(wanted["table"]).pvalue == close(wanted["fisher"], 1e-7)
    assert cramers_v(wanted["table"]).value == close(wanted["v"])


def test_yates_against_r():
    data = reference("contingency")
    found = chi_square(data["tests"]["two_by_two"]["table"], correction=True)
    assert (found.statistic, found.pvalue) == (
        close(data["yates"]["chi2"]), close(data["yates"]["p"])
    )  # fmt: skip


def test_park_necrosis():
    """Park 2021, table 1, validation: .007 printed is chi-square; Fisher gives .016."""
    table = [[30, 3], [6, 5]]
    assert chi_square(table).pvalue == close(0.00676874114691549)
    assert chi_square(table).min_expected == close(2.0)
    assert any("below 5" in w for w in chi_square(table).warnings)
    assert fisher_exact(table).pvalue == close(0.0156611288055895)


def test_fisher_tea():
    found = fisher_exact([[3, 1], [1, 3]])
    assert found.pvalue == close(34 / 70)
    assert found.odds_ratio == pytest.approx(6.40830886700579, rel=1e-4)
    ways = [1, 16, 36, 16, 1]

    def share(odds, cells):
        weights = [w * odds**k for k, w in enumerate(ways)]
        return sum(weights[k] for k in cells) / sum(weights)

    assert share(found.low, (3, 4)) == pytest.approx(0.025, rel=1e-4)
    assert share(found.high, (0, 1, 2, 3)) == pytest.approx(0.025, rel=1e-4)


def test_fisher_of_a_large_table_is_sampled_and_named():
    rng = np.random.default_rng(0)
    table = rng.integers(20, 60, size=(4, 4))
    found = fisher_exact(table, n_samples=4000, seed=5)
    assert "Monte Carlo" in found.method
    assert "seed 5" in found.method
    assert found.pvalue == fisher_exact(table, n_samples=4000, seed=5).pvalue
    small = [[8, 1, 4], [2, 7, 3]]
    sampled = fisher_exact(small, max_tables=1, n_samples=20000, seed=1).pvalue
    assert sampled == pytest.approx(fisher_exact(small).pvalue, abs=0.01)


def test_degenerate_tables():
    empty_row = [[0, 0], [3, 4]]
    for found in (chi_square(empty_row), g_test(empty_row)):
        assert math.isnan(found.statistic)
        assert math.isnan(found.pvalue)
        assert "no observations" in found.reason
    assert math.isnan(cramers_v(empty_row).value)
    assert math.isnan(fisher_exact(empty_row).pvalue)
    assert fisher_exact([[0, 0, 0], [3, 1, 2], [1, 3, 2]]).warnings
    assert math.isnan(chi_square([[0, 0], [0, 0]]).statistic)


@given(table_of(2, 2))
def test_chi_square_is_the_square_of_pooled_z(table):
    (a, b), (c, d) = table.tolist()
    z = two_proportions(a, a + b, c, c + d)
    found = chi_square(table)
    assert found.statistic == pytest.approx(z.z_pooled**2, rel=1e-9, abs=1e-9)
    assert found.pvalue == pytest.approx(z.p_pooled, rel=1e-7, abs=1e-12)
    phi = Confusion(a, b, c, d).mcc
    assert cramers_v(table).value == pytest.approx(abs(phi), abs=1e-9)


@given(table_of(3, 2))
def test_tests_against_scipy(table):
    peer = stats.chi2_contingency(table, correction=False)
    assert chi_square(table).pvalue == pytest.approx(peer.pvalue, rel=1e-8, abs=1e-300)
    peer = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
    assert g_test(table).statistic == pytest.approx(peer.statistic, rel=1e-8, abs=1e-9)


@given(table_of(2, 2))
def test_fisher_two_by_two_against_scipy(table):
    assert fisher_exact(table).pvalue == pytest.approx(stats.fisher_exact(table).pvalue, rel=1e-6)


@given(table_of(2, 3, top=4))
def test_fisher_equals_brute_force(table):
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    weight = {}
    for a in range(columns[0] + 1):
        for b in range(columns[1] + 1):
            c = rows[0] - a - b
            if 0 <= c <= columns[2]:
                ways = [math.comb(int(n), int(k)) for n, k in zip(columns, (a, b, c), strict=True)]
                weight[a, b] = math.prod(ways)
    seen = weight[table[0, 0], table[0, 1]]
    expected = sum(w for w in weight.values() if w <= seen * (1 + 1e-7)) / sum(weight.values())
    assert fisher_exact(table).pvalue == close(expected)


@given(table_of(3, 3, top=8), st.permutations(range(3)), st.permutations(range(3)))
def test_order_of_rows_and_columns_does_not_matter(table, rows, columns):
    moved = table[list(rows)][:, list(columns)].T
    for call in (chi_square, g_test):
        assert call(moved).statistic == pytest.approx(call(table).statistic, rel=1e-9, abs=1e-9)
    assert fisher_exact(moved).pvalue == close(fisher_exact(table).pvalue)


@given(two_by_two)
def test_swapping_classes_swaps_sensitivity_and_specificity(cells):
    tp, fp, fn, tn = cells
    here, there = Confusion(tp, fp, fn, tn), Confusion(tn, fn, fp, tp)
    for one, other in (("recall", "specificity"), ("precision", "npv")):
        a, b = getattr(here, one), getattr(there, other)
        assert (a.value, a.low) == pytest.approx((b.value, b.low), nan_ok=True)
    for name in ("mcc", "balanced_accuracy", "diagnostic_odds_ratio"):
        assert getattr(here, name) == pytest.approx(getattr(there, name), nan_ok=True)


def test_mcnemar_of_agresti():
    """Agresti, approval ratings 794/150/86/570: z² 17.36; interval .021 to .059."""
    found = mcnemar(794, 150, 86, 570)
    assert found.chi2 == close(64**2 / 236)
    assert found.p == close(3.09929344104522e-05)
    assert found.chi2_corrected == close(63**2 / 236)
    assert (found.p_exact, found.p_mid) == (
        close(3.71593613957143e-05), close(2.89338951761547e-05)
    )  # fmt: skip
    assert (found.low, found.high) == (close(0.0212304239828771), close(0.0587038728957289))
    assert found.odds_ratio == close(150 / 86)


def test_newcombe_1998_paired_table():
    """Newcombe 1998, method 10, hand check: 36/12/2/0 gives .2 with limits .0569 and .3404."""
    found = mcnemar(36, 12, 2, 0)
    assert found.difference == close(0.2)
    assert (found.low, found.high) == (
        pytest.approx(0.0569, abs=5e-5), pytest.approx(0.3404, abs=5e-5)
    )  # fmt: skip


def test_mcnemar_against_r():
    for wanted in reference("contingency")["pairs"]:
        found = mcnemar(*wanted["counts"])
        assert (found.chi2, found.p) == (close(wanted["chi2"]), close(wanted["p"]))
        assert found.chi2_corrected == close(wanted["chi2_corrected"])
        assert found.p_corrected == close(wanted["p_corrected"])
        assert found.p_exact == close(wanted["exact"])


def test_mcnemar_without_discordant_pairs():
    found = mcnemar(10, 0, 0, 5)
    assert (found.p_exact, found.p_mid, found.difference) == (1.0, 1.0, 0.0)
    assert math.isnan(found.chi2)
    assert math.isnan(found.p)
    assert "no pair is discordant" in found.reason
    assert found.low < 0 < found.high
    assert math.isnan(mcnemar(0, 0, 0, 0).p_exact)
    assert mcnemar(5, 3, 0, 2).odds_ratio == math.inf


@given(two_by_two.filter(lambda c: sum(c) > 0))
def test_mcnemar_is_symmetric_and_its_interval_holds_the_difference(cells):
    a, b, c, d = cells
    here, there = mcnemar(a, b, c, d), mcnemar(a, c, b, d)
    assert here.difference == close(-there.difference)
    assert (here.low, here.high) == (close(-there.high), close(-there.low))
    assert here.p_exact == close(there.p_exact)
    assert here.low - 1e-12 <= here.difference <= here.high + 1e-12
    assert here.p_mid <= here.p_exact + 1e-12


@pytest.mark.parametrize("name", ["conf_01", "conf_02", "conf_03"])
def test_golden_confusion(name):
    data = golden(name)
    check_confusion(Confusion(**data["data"]), data["expected"])


def test_golden_seed_tables_of_confusion():
    data = golden("seed_calabrese_table2")
    for name, cells in data["data"]["counts_tp_fp_fn_tn"].items():
        check_confusion(Confusion(*cells), data["expected"]["metrics"][name])
    data = golden("seed_han_table1")
    rows = data["data"]["rows"]
    for i, percent in enumerate(data["expected"]["recomputed_percent"]):
        found = Confusion(rows["ss"][i], rows["rs"][i], rows["sr"][i], rows["rr"][i])
        assert 100 * found.accuracy.value == close(percent)
    first = Confusion(rows["ss"][0], rows["rs"][0], rows["sr"][0], rows["rr"][0])
    check_confusion(first, data["expected"]["confusion_row0_positive_is_synthetic"])


def check_table(table, wanted):
    pearson, likelihood, exact = chi_square(table), g_test(table), fisher_exact(table)
    assert (pearson.statistic, pearson.pvalue) == (close(wanted["chi2"]), close(wanted["p_chi2"]))
    assert pearson.df == wanted["df"]
    assert pearson.expected.tolist() == close(wanted["expected_counts"])
    assert (likelihood.statistic, likelihood.pvalue) == (close(wanted["G"]), close(wanted["p_G"]))
    assert exact.pvalue == close(wanted["p_fisher"])
    assert cramers_v(table).value == close(wanted["cramers_v"])
    if "chi2_yates" in wanted:
        yates = chi_square(table, correction=True)
        assert (yates.statistic, yates.pvalue) == (
            close(wanted["chi2_yates"]), close(wanted["p_chi2_yates"])
        )  # fmt: skip
        assert exact.odds_ratio == pytest.approx(wanted["fisher_cond_or"], rel=1e-3, abs=1e-6)


def test_golden_tables():
    data = golden("fisher_tea")
    check_table(data["data"]["table"], data["expected"])
    data = golden("seed_park_table1")
    pairs = {
        "real_vs_gan": ("mut", "gan"), "wild_vs_mut": ("wild", "mut"),
        "wild_vs_gan": ("wild", "gan"), "validation": ("vw", "vm"),
    }  # fmt: skip
    for test in data["expected"]["tests"]:
        groups = data["data"][test["variable"]]
        for key, (one, other) in pairs.items():
            check_table([groups[one], groups[other]], test[key])


def check_mcnemar(found, wanted):
    assert [found.chi2, found.p] == close([wanted["chi2"], wanted["p"]])
    assert [found.chi2_corrected, found.p_corrected] == close([wanted["chi2_cc"], wanted["p_cc"]])
    assert [found.p_exact, found.p_mid] == close([wanted["p_exact"], wanted["p_mid"]])
    assert found.difference == close(wanted["diff"])
    assert [found.low, found.high] == close(wanted["newcombe10_ci"])


def test_golden_mcnemar():
    data = golden("mcnemar_agresti")
    check_mcnemar(mcnemar(**data["data"]), data["expected"])
    bounds = golden("seed_park_accuracy_turing")["expected"]["mcnemar_bounds_reader1"]
    for key, (b, c) in {"best_case_b3_c0": (3, 0), "b4_c1": (4, 1), "b5_c2": (5, 2)}.items():
        check_mcnemar(mcnemar(40 - b, b, c, 4 - c), bounds[key])
