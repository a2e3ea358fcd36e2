"""The checker of printed figures: rounding, enumeration and words, against worked examples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from readerstudy.stats.published import checker
from readerstudy.stats.published.printed import Printed, show_p, value_cell


@pytest.mark.parametrize(
    ("text", "value", "low", "high"),
    [
        ("62.7%", 62.7, 0.6265, 0.6275),
        ("0.90", 0.90, 0.895, 0.905),
        (".35", 0.35, 0.345, 0.355),
        ("−0.35", -0.35, -0.355, -0.345),
        ("55%", 55, 0.545, 0.555),
        ("<.001", 0.001, -math.inf, 0.001),
        ("= 0.02", 0.02, 0.015, 0.025),
    ],
)
def test_printed_figures_stand_for_a_range(text, value, low, high):
    figure = Printed.parse(text)
    assert figure.value == value
    assert (figure.low, figure.high) == pytest.approx((low, high))


@pytest.mark.parametrize("text", ["", "n.s.", "1.2.3", "0.5-0.7"])
def test_text_without_one_number_is_refused(text):
    with pytest.raises(ValueError, match="as one printed number"):
        Printed.parse(text)


@pytest.mark.parametrize(
    ("text", "value", "how"),
    [
        ("0.35", 0.3549, "rounded"),
        ("0.35", 0.356, "cut"),
        ("0.35", 0.36, None),
        ("0.35", 0.344, None),
        ("-1.28", -1.287, "cut"),
        ("-1.28", 1.28, None),
        ("43.7%", 0.4375, "rounded"),
        ("43.8%", 0.4375, "rounded"),
        ("<.001", 0.0009, "rounded"),
        ("<.001", 0.001, None),
    ],
)
def test_rounding_and_cutting_are_told_apart(text, value, how):
    assert Printed.parse(text).match(value) == how


@given(st.floats(-999, 999), st.integers(0, 4))
def test_a_value_always_matches_its_own_rounding(value, decimals):
    assert Printed.parse(f"{value:.{decimals}f}").match(value) == "rounded"


def test_p_values_are_never_shown_as_zero():
    assert show_p(1e-300) == "below 1e-12"
    assert show_p(3.2e-5) == "3.2e-05"
    assert value_cell("x", "0.001", 1e-9, method="m", n=1).words == "the counts give 1.0e-09"


@pytest.mark.parametrize(
    ("printed", "n", "numerators"),
    [
        ("62.7%", 11, ()),
        ("63.6%", 11, (7,)),
        ("78.8%", 11, ()),
        ("78.8%", 33, (26,)),
        ("50%", 300, (149, 150, 151)),
        ("100%", 33, (33,)),
        ("0%", 5, (0,)),
    ],
)
def test_percentages_of_whole_numbers(printed, n, numerators):
    check = checker.check_percentage(printed, n)
    assert check.numerators == numerators
    assert check.verdict == ("consistent" if numerators else "inconsistent")


@given(st.integers(1, 400), st.data(), st.integers(0, 2))
def test_a_true_percentage_is_never_accused(n, data, decimals):
    k = data.draw(st.integers(0, n))
    printed = f"{100 * k / n:.{decimals}f}%"
    assert k in checker.check_percentage(printed, n).numerators
    assert checker.check_percentage(printed, n, k=k).verdict == "consistent"
    assert n in checker.possible_sizes([printed], largest=n).sizes


def test_possible_sizes_of_two_percentages_by_brute_force():
    expected = [
        n
        for n in range(1, 331)
        if all(any(round(100 * k / n + 1e-9, 1) == p for k in range(n + 1)) for p in (87.7, 74.2))
    ]
    sizes = checker.possible_sizes(["87.7%", "74.2%"], largest=330).sizes
    assert set(expected) <= set(sizes)
    assert min(sizes) == 155
    assert checker.possible_sizes(["33.3%", "50.0%"], largest=5).verdict == "inconsistent"


def test_grim_example_of_brown_and_heathers():
    # 28 scores cannot have the mean 5.19: 145/28 = 5.18, 146/28 = 5.21
    assert checker.check_mean("5.19", 28).verdict == "inconsistent"
    assert checker.check_mean("5.18", 28).sums == (145,)
    assert checker.check_mean("2.63", 756).verdict == "consistent"
    assert checker.check_mean("3.75", 2, items=2).verdict == "consistent"


def test_intervals_are_described():
    outside = checker.check_interval("0.857", "0.806", "0.842", within=(0, 1))
    assert outside.verdict == "inconsistent"
    assert outside.middle == pytest.approx(0.824)
    assert outside.words == "0.857 lies outside 0.806 to 0.842"
    reversed_limits = checker.check_interval("-0.58", "0.66", "-0.49")
    assert "wrong order" in reversed_limits.words
    even = checker.check_interval("0.50", "0.40", "0.60")
    assert even.symmetric
    assert even.se == pytest.approx(0.2 / 3.919928, rel=1e-6)
    assert "leaves the range" not in even.words
    above = checker.check_interval("0.95", "0.90", "1.05", within=(0.0, 1.0))
    assert above.verdict == "inconsistent"


def test_limits_of_a_mean():
    assert checker.check_mean_interval("0.65", "0.25", 400, "0.63", "0.67").verdict == "consistent"
    assert checker.check_mean_interval("0.65", "0.25", 40, "0.63", "0.67").verdict == "inconsistent"


@pytest.mark.parametrize(
    ("z", "p", "verdict"),
    [
        ("1.96", ".05", "consistent"),
        ("1.96", ".02", "inconsistent"),
        ("15.17", "<.001", "consistent"),
        ("2.0", ".046", "consistent"),
        ("2.00", ".03", "inconsistent"),
        ("-3.29", ".001", "consistent"),
    ],
)
def test_z_and_p(z, p, verdict):
    assert checker.check_z_p(z, p).verdict == verdict


def test_one_sided_p_is_named():
    assert "one-sided" in checker.check_z_p("1.645", ".050").words


@pytest.mark.parametrize(
    ("figures", "p", "scale", "verdict"),
    [
        (("1.34", "1.24", "1.45"), ".02", "linear", "inconsistent"),
        (("0.035", "-0.135", "0.205"), ".69", "linear", "consistent"),
        (("3.62", "1.51", "8.67"), ".004", "log", "consistent"),
        (("3.62", "1.51", "8.67"), ".04", "log", "inconsistent"),
        (("0.5", "0.5", "0.5"), ".04", "linear", "cannot be checked"),
        (("0.5", "0.9", "0.1"), ".04", "linear", "inconsistent"),
    ],
)
def test_p_from_the_width_of_an_interval(figures, p, scale, verdict):
    assert checker.check_interval_p(*figures, p, scale=scale).verdict == verdict


@given(st.floats(-3, 3), st.floats(0.05, 2), st.integers(2, 3))
def test_a_true_normal_interval_is_never_accused(estimate, se, decimals):
    low, high = estimate - 1.959964 * se, estimate + 1.959964 * se
    p = 2 * norm.sf(abs(estimate / se))
    show = f".{decimals}f"
    text = "<0.001" if p < 0.001 else f"{p:.3f}"
    check = checker.check_interval_p(f"{estimate:{show}}", f"{low:{show}}", f"{high:{show}}", text)
    assert check.verdict == "consistent"


def test_two_proportions_from_counts_name_the_test():
    check = checker.check_two_proportions(".019", k1=71, n1=100, k2=55, n2=100)
    assert check.verdict == "consistent"
    assert check.matching == ("pooled z test (chi-square)",)
    fisher = checker.check_two_proportions(".028", k1=71, n1=100, k2=55, n2=100)
    assert set(fisher.matching) == {"Fisher's exact test", "chi-square with continuity correction"}
    assert checker.check_two_proportions(".5", k1=71, n1=100, k2=55, n2=100).verdict == (
        "inconsistent"
    )


def test_two_percentages_tell_the_size_they_need():
    alone = checker.check_two_proportions(".36", p1="86.9%", p2="74.2%")
    assert alone.verdict == "cannot be checked"
    assert alone.implied_n[0] < 16.3 < alone.implied_n[1]
    # computed by hand: z(.36) = .9154, 2 x .8055 x .1945 x .9154^2 / .127^2 = 16.28
    assert sum(alone.implied_n) / 2 == pytest.approx(16.28, abs=0.1)
    with pytest.raises(ValueError, match="give either k1"):
        checker.check_two_proportions(".36", p1="86.9%")


@given(st.integers(5, 60), st.data())
def test_true_counts_are_never_accused(n, data):
    k1, k2 = (data.draw(st.integers(1, n - 1)) for _ in range(2))
    pooled = (k1 + k2) / (2 * n)
    z = abs(k1 - k2) / n / math.sqrt(pooled * (1 - pooled) * 2 / n)
    p = f"{2 * norm.sf(z):.3f}"
    assert checker.check_two_proportions(p, k1=k1, n1=n, k2=k2, n2=n).verdict == "consistent"
    percent = [f"{100 * k / n:.1f}%" for k in (k1, k2)]
    check = checker.check_two_proportions(p, p1=percent[0], p2=percent[1], n1=n, n2=n)
    assert check.verdict == "consistent"


@given(st.integers(0, 10_000))
def test_true_paired_means_are_never_accused(seed):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=40)
    a, b = common + rng.normal(size=40), common + rng.normal(0.3, 1.2, size=40)
    d = a - b
    from scipy.stats import t as student

    p = 2 * student.sf(abs(d.mean()) / d.std(ddof=1) * math.sqrt(40), 39)
    figures = [f"{v:.2f}" for v in (a.mean(), a.std(ddof=1), b.mean(), b.std(ddof=1))]
    check = checker.check_paired_means(*figures, n=40, pvalue="<0.001" if p < 0.001 else f"{p:.3f}")
    assert check.verdict == "consistent"
    true = np.corrcoef(a, b)[0, 1]
    assert check.low - 1e-9 <= true <= check.high + 1e-9


def test_paired_means_that_no_correlation_allows():
    # a difference of 10 SDs cannot have P = .4
    check = checker.check_paired_means("20.0", "1.0", "10.0", "1.0", n=50, pvalue=".40")
    assert check.verdict == "inconsistent"
    assert "no correlation" in check.words


def test_pooled_means():
    assert checker.check_pooled_mean(["50%", "60%"], [100, 100], "55%").verdict == "consistent"
    check = checker.check_pooled_mean(["0.65", "0.58"], [332, 68], "0.65")
    assert check.verdict == "inconsistent"
    assert check.recomputed == pytest.approx((0.65 * 332 + 0.58 * 68) / 400)
    with pytest.raises(ValueError, match="one for each of 2 means"):
        checker.check_pooled_mean(["1", "2"], [5], "1.5")


@pytest.mark.parametrize(
    ("figures", "table"),
    [
        (("59.1%", "60.4%", "52.5%", "0.56", "0.18"), (84, 55, 76, 105)),
        (("83.4%", "93.3%", "83.3%", "0.88", "0.63"), (194, 14, 39, 73)),
    ],
)
def test_tables_of_calabrese_are_unique_at_320(figures, table):
    names = ("accuracy", "precision", "recall", "f1", "mcc")
    check = checker.consistent_confusions(320, **dict(zip(names, figures, strict=True)))
    assert check.tables == (table,)
    for n in (80, 160):
        small = checker.consistent_confusions(n, **dict(zip(names, figures, strict=True)))
        assert small.verdict == "inconsistent"


def test_metric_that_was_cut_off_is_named():
    check = checker.consistent_confusions(
        320, accuracy=90.6, precision=88.2, recall=93.8, f1="0.90", mcc=0.81
    )
    assert check.tables == ((150, 20, 10, 140),)
    assert check.cut == ("f1",)
    assert "f1 is 0.909, printed 0.90" in check.words


def test_culprit_is_named_where_nothing_fits():
    check = checker.consistent_confusions(100, accuracy="90.0%", recall="80.0%", f1="0.10")
    assert check.tables == ()
    assert check.culprits == ("accuracy", "f1")
    assert "without accuracy or f1 one does" in check.words


@given(*(st.integers(0, 15) for _ in range(4)))
def test_a_true_table_is_always_found(tp, fp, fn, tn):
    n = tp + fp + fn + tn
    if not n:
        return
    figures = {"accuracy": f"{100 * (tp + tn) / n:.1f}%"}
    if tp + fn:
        figures["recall"] = f"{100 * tp / (tp + fn):.1f}%"
    if tp + fp:
        figures["precision"] = f"{tp / (tp + fp):.3f}"
    if tn + fp:
        figures["specificity"] = f"{tn / (tn + fp):.2f}"
    found = checker.consistent_confusions(n, **figures)
    assert (tp, fp, fn, tn) in found.tables
    known = checker.consistent_confusions(n, **figures, n_positive=tp + fn)
    assert all(t[0] + t[2] == tp + fn for t in known.tables)


def test_enumeration_equals_brute_force():
    found = checker.consistent_confusions(24, accuracy="75.0%", precision="0.71", mcc="0.51")
    brute = []
    for positives in range(25):
        for tp in range(positives + 1):
            for tn in range(25 - positives):
                fp, fn = 24 - positives - tn, positives - tp
                product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
                if product == 0:
                    continue
                mcc = (tp * tn - fp * fn) / math.sqrt(product)
                if tp + tn == 18 and round(tp / (tp + fp), 2) == 0.71 and round(mcc, 2) == 0.51:
                    brute.append((tp, fp, fn, tn))
    assert sorted(found.tables) == sorted(brute)
    assert (10, 4, 2, 8) in brute


def test_confusions_refuse_empty_and_endless_requests():
    with pytest.raises(ValueError, match="at least one metric"):
        checker.consistent_confusions(10)
    with pytest.raises(ValueError, match="between 1 and 2000"):
        checker.consistent_confusions(5000, accuracy="50%")
    with pytest.raises(ValueError, match="n_positive must be at most"):
        checker.consistent_confusions(10, accuracy="50%", n_positive=11)


@pytest.mark.parametrize(
    ("figures", "n"),
    [
        (("0.864", "0.789", "0.920"), 118),
        (("0.958", "0.904", "0.986"), 118),
        (("0.899", "0.841", "0.942"), 156),
        (("0.707", "0.686", "0.728"), 1792),
        (("0.654", "0.613", "0.692"), 575),
        (("0.793", "0.757", "0.825"), 575),
        (("0.778", "0.727", "0.825"), 294),
        (("0.853", "0.808", "0.892"), 294),
        (("0.749", "0.698", "0.796"), 320),
        (("0.857", "0.813", "0.893"), 320),
    ],
)
def test_auc_limits_of_park_and_wang_are_exact_binomial_on_n(figures, n):
    check = checker.check_auc_interval(*figures, n=n)
    assert "exact binomial on all n" in check.matching
    assert "ignores the sizes of the two classes" in check.words


def test_auc_outside_its_limits_and_the_auc_that_would_fit():
    check = checker.check_auc_interval("0.857", "0.806", "0.842", n=1792)
    assert check.verdict == "inconsistent"
    assert "at an AUC of 0.8242 to 0.8249" in check.words


def test_hanley_mcneil_limits_are_recognised():
    # .893 with 51 and 58: Q1 = .8067, Q2 = .8425, SE = sqrt(3.132 / 2958) = .0325
    check = checker.check_auc_interval("0.893", "0.829", "0.957", n_positive=51, n_negative=58)
    assert check.matching == ("Hanley-McNeil, normal limits",)
    assert check.se == pytest.approx(0.0325, abs=5e-4)


def test_limits_wider_than_any_data_allow():
    wide = checker.check_auc_interval("0.900", "0.600", "0.990", n_positive=50, n_negative=50)
    assert wide.verdict == "inconsistent"
    assert "no data allow" in wide.words
    open_end = checker.check_auc_interval("0.71", "0.54", "0.89", n_positive=11, n_negative=33)
    assert open_end.verdict == "cannot be checked"


def test_correlation_that_a_z_of_two_aucs_needs():
    # se .02 and .02, difference .04, z 2: variance .0004 = .0008 - 2 r .0004, r = .5
    first, second = ("0.8000", "0.7608", "0.8392"), ("0.8400", "0.8008", "0.8792")
    check = checker.check_auc_difference(first, second, "2.000")
    assert (check.low + check.high) / 2 == pytest.approx(0.5, abs=0.01)
    impossible = checker.check_auc_difference(first, second, "0.5")
    assert impossible.verdict == "inconsistent"


def test_area_of_a_curve_through_one_point():
    check = checker.check_auc_point("0.99", "70%", "80%")
    assert (check.low, check.high) == pytest.approx((0.56, 0.94), abs=0.01)
    assert check.verdict == "inconsistent"
    assert checker.check_auc_point("0.75", "0.70", "0.80").verdict == "consistent"


def test_every_check_has_a_verdict_words_and_a_json_safe_dict():
    import json

    check = checker.check_two_proportions(".87", p1="90.6%", p2="87.7%", n1=160, n2=160)
    again = json.loads(json.dumps(check.to_dict()))
    assert again["verdict"] == "inconsistent"
    assert check.summary().startswith("inconsistent: printed P .87")
