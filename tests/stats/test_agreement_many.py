"""Fleiss's kappa, Gwet's AC and Krippendorff's alpha."""

from __future__ import annotations

import math

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from readerstudy.stats import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac,
    krippendorff_alpha,
    percent_agreement,
    ratings_matrix,
)
from readerstudy.stats.agreement_ratings import count_table, encode
from tests.stats.golden import ANXIETY, close, golden

NAN = math.nan
FLEISS_TABLE = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
FOURTEEN = [[k + 1 for k, c in enumerate(row) for _ in range(c)] for row in FLEISS_TABLE]
DIAGNOSES = [
    [4, 4, 4, 4, 4, 4], [2, 2, 2, 5, 5, 5], [2, 3, 3, 3, 3, 5], [5, 5, 5, 5, 5, 5],
    [2, 2, 2, 4, 4, 4], [1, 1, 3, 3, 3, 3], [3, 3, 3, 3, 5, 5], [1, 1, 3, 3, 3, 4],
    [1, 1, 4, 4, 4, 4], [5, 5, 5, 5, 5, 5], [1, 4, 4, 4, 4, 4], [1, 2, 4, 4, 4, 4],
    [2, 2, 2, 3, 3, 3], [1, 4, 4, 4, 4, 4], [2, 2, 4, 4, 4, 5], [3, 3, 3, 3, 3, 5],
    [1, 1, 1, 4, 5, 5], [1, 1, 1, 1, 1, 2], [2, 2, 4, 4, 4, 4], [1, 3, 3, 5, 5, 5],
    [5, 5, 5, 5, 5, 5], [2, 4, 4, 4, 4, 4], [2, 2, 4, 5, 5, 5], [1, 1, 4, 4, 4, 4],
    [1, 4, 4, 4, 4, 5], [2, 2, 2, 2, 2, 4], [1, 1, 1, 1, 5, 5], [2, 2, 4, 4, 4, 4],
    [1, 3, 3, 3, 3, 3], [5, 5, 5, 5, 5, 5],
]  # fmt: skip
KRIPPENDORFF = [
    [1, 1, NAN, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [NAN, 5, 5, 5], [NAN, NAN, 1, 1],
    [NAN, NAN, 3, NAN],
]  # fmt: skip
METRICS = ("nominal", "ordinal", "interval", "ratio")

complete = arrays(
    np.int64, st.tuples(st.integers(4, 15), st.integers(2, 5)), elements=st.integers(1, 4)
)
varied = complete.filter(lambda r: len(np.unique(r)) > 1)
gappy = arrays(
    np.float64, st.tuples(st.integers(4, 15), st.integers(2, 5)),
    elements=st.sampled_from([1.0, 2.0, 3.0, NAN]),
)  # fmt: skip


def pairable(ratings):
    rows = (~np.isnan(ratings)).sum(axis=1) >= 2
    return rows.any() and len(np.unique(ratings[rows][~np.isnan(ratings[rows])])) > 1


def test_fleiss_textbook_table():
    """irr 0.84.1 kappam.fleiss at full precision."""
    found = fleiss_kappa(FOURTEEN)
    assert found.value == close(0.209930704421955)
    assert found.se0 == close(0.0169650692243931)
    assert found.z == close(12.3742910591905)
    assert found.per_category == pytest.approx([0.201, 0.08, 0.172, 0.03, 0.508], abs=5e-4)
    assert found.n_raters == 14


def test_fleiss_1971_psychiatric_diagnoses():
    """Fleiss 1971: kappa .430 (irr documentation: z 17.65); per category .245 to .566."""
    found = fleiss_kappa(DIAGNOSES)
    assert found.value == pytest.approx(0.430, abs=5e-4)
    assert found.z == pytest.approx(17.65, abs=5e-3)
    assert found.per_category == pytest.approx([0.245, 0.245, 0.520, 0.471, 0.566], abs=5e-4)


def test_fleiss_against_statsmodels():
    from statsmodels.stats.inter_rater import aggregate_raters
    from statsmodels.stats.inter_rater import fleiss_kappa as peer

    assert fleiss_kappa(DIAGNOSES).value == close(peer(aggregate_raters(DIAGNOSES)[0]))


def test_krippendorff_2011_example():
    """Krippendorff 2011, example C: .743 nominal, .815 ordinal, .849 interval, .797 ratio."""
    printed = dict(zip(METRICS, (0.743, 0.815, 0.849, 0.797), strict=True))
    for metric, value in printed.items():
        found = krippendorff_alpha(KRIPPENDORFF, metric=metric)
        assert found.value == pytest.approx(value, abs=5e-4)
        assert (found.n, found.n_dropped, found.n_ratings) == (11, 1, 40)


def test_alpha_of_the_anxiety_data_where_irr_is_wrong():
    """irr 0.84.1 prints -0.0324 for its own data; pairs must be weighted by 1/(m - 1)."""
    assert krippendorff_alpha(ANXIETY).value == pytest.approx(-0.0237, abs=5e-5)


@pytest.mark.parametrize("metric", METRICS)
def test_alpha_against_the_krippendorff_package_on_measurements(metric):
    rng = np.random.default_rng(3)
    ratings = np.abs(rng.normal(5, 1, size=(25, 1)) + rng.normal(0, 0.7, size=(25, 4))).round(1)
    ratings[rng.random(ratings.shape) < 0.2] = np.nan
    peer = krippendorff.alpha(ratings.T, level_of_measurement=metric)
    assert krippendorff_alpha(ratings, metric=metric).value == close(peer)


@pytest.mark.parametrize("metric", METRICS)
def test_alpha_standard_error_equals_the_infinitesimal_change(metric):
    """Replicating a subject k times moves alpha as its influence says (numerical derivative)."""
    ratings = np.array(KRIPPENDORFF[:11])
    many = 2000
    base = np.repeat(ratings, many, axis=0)
    slopes = []
    for subject in range(len(ratings)):
        more = np.vstack([base, np.repeat(ratings[[subject]], 8, axis=0)])
        less = np.delete(base, np.arange(subject * many, subject * many + 8), axis=0)
        change = (
            krippendorff_alpha(more, metric=metric).value
            - krippendorff_alpha(less, metric=metric).value
        )
        slopes.append(change / 16 * many)
    n = len(ratings)
    centred = np.array(slopes) - np.mean(slopes)
    large = math.sqrt((centred @ centred) * n / (n - 1) / many)
    repeated = krippendorff_alpha(base, metric=metric)
    expected = large * math.sqrt((n - 1) / n)
    assert repeated.se == pytest.approx(expected, rel=2e-3)


def test_alpha_bootstrap_names_its_seed():
    first = krippendorff_alpha(DIAGNOSES, bootstrap=300, seed=11)
    again = krippendorff_alpha(DIAGNOSES, bootstrap=300, seed=11)
    drawn = krippendorff_alpha(DIAGNOSES, bootstrap=300)
    assert (first.low, first.high) == (again.low, again.high)
    assert "seed 11" in first.method
    assert "seed None" not in drawn.method
    assert first.value == krippendorff_alpha(DIAGNOSES).value
    assert first.se == pytest.approx(krippendorff_alpha(DIAGNOSES).se, rel=0.2)
    interval = krippendorff_alpha(DIAGNOSES, metric="interval", bootstrap=300, seed=11)
    assert interval.low < interval.value < interval.high


def test_continuous_measurements_need_no_table():
    rng = np.random.default_rng(5)
    measured = rng.normal(size=(3000, 1)) + rng.normal(size=(3000, 10))
    found = krippendorff_alpha(measured, metric="interval")
    assert found.value == pytest.approx(0.5, abs=0.03)
    with pytest.raises(ValueError, match="no scale of categories"):
        fleiss_kappa(measured)


def test_gwet_2008_paradox():
    """Gwet 2008: kappa near 0, AC1 .941 for 118/5/2/0 (gamma = 2 pi (1 - pi) by hand)."""
    ratings = [[1, 1]] * 118 + [[1, 2]] * 5 + [[2, 1]] * 2
    share = (2 * 118 + 7) / 250
    chance = 2 * share * (1 - share)
    found = gwet_ac(ratings, categories=[1, 2])
    assert found.observed == close(118 / 125)
    assert found.expected == close(chance)
    assert found.value == close((118 / 125 - chance) / (1 - chance))


@pytest.mark.parametrize(
    ("weights", "value", "se"),
    [
        (None, 0.775444068126995, 0.142949950640765),
        ("linear", 0.858739136432611, 0.117329021881364),
        ("quadratic", 0.914000723551605, 0.10396224464506),
        ("ordinal", 0.898939769907512, 0.106903523815435),
    ],
)
def test_gwet_with_missing_ratings(weights, value, se):
    """irrCAC 1.0 at full precision, on its own example data."""
    found = gwet_ac(KRIPPENDORFF, weights=weights)
    assert (found.value, found.se) == (close(value), close(se))
    assert found.n == 12
    assert found.high == 1.0


def test_all_raters_one_category():
    alike = [[2, 2, 2]] * 5
    for found in (fleiss_kappa(alike), krippendorff_alpha(alike), gwet_ac(alike)):
        assert math.isnan(found.value)
        assert found.reason
    assert percent_agreement(alike).pairwise == 1.0
    declared = gwet_ac(alike, categories=[1, 2, 3])
    assert (declared.value, declared.se) == (1.0, 0.0)
    assert math.isnan(declared.pvalue)
    assert math.isnan(fleiss_kappa(alike, categories=[1, 2, 3]).value)
    for metric in METRICS:
        assert math.isnan(krippendorff_alpha(alike, metric=metric).value)


def test_perfect_agreement_of_many():
    perfect = [[1, 1, 1], [2, 2, 2], [3, 3, 3], [1, 1, 1]]
    assert fleiss_kappa(perfect).value == 1.0
    assert gwet_ac(perfect).value == 1.0
    for metric in METRICS:
        found = krippendorff_alpha(perfect, metric=metric)
        assert (found.value, found.se) == (1.0, 0.0)
        assert (found.low, found.high) == (1.0, 1.0)
        assert found.warnings


def test_unused_declared_category_has_no_kappa_of_its_own():
    found = fleiss_kappa([[1, 1], [2, 1], [2, 2]], categories=[1, 2, 3])
    assert found.value == close(fleiss_kappa([[1, 1], [2, 1], [2, 2]]).value)
    assert math.isnan(found.per_category[2])
    assert "never used" in found.reason


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fleiss_kappa([[1, NAN], [1, 2]]), "1 subjects lack a rating"),
        (lambda: fleiss_kappa([[1], [2]]), "2 raters"),
        (lambda: fleiss_kappa([1, 2, 3]), "shape"),
        (lambda: fleiss_kappa([[1, 2], [1]]), "rectangular"),
        (lambda: fleiss_kappa([[1, 7], [1, 2]], categories=[1, 2]), "7.*not in categories"),
        (lambda: fleiss_kappa([["a", "z"]], categories=["a", "b"]), "'z'"),
        (lambda: fleiss_kappa([[1, 2]], missing="drop"), "missing must be"),
        (lambda: gwet_ac([[1], [2]]), "2 raters"),
        (lambda: gwet_ac([[1, 2]], weights="steep"), "steep"),
        (lambda: krippendorff_alpha([[1, 2]], metric="circular"), "circular"),
        (lambda: krippendorff_alpha([[1], [2]]), "2 raters"),
        (lambda: krippendorff_alpha([[1], [2]], metric="interval"), "2 raters"),
        (lambda: krippendorff_alpha([["a", "b"]], metric="interval"), "numbers"),
        (lambda: krippendorff_alpha([["a", "b"]], metric="ratio"), "numbers"),
        (lambda: krippendorff_alpha([["a", "b"]], metric="ordinal"), "categories="),
        (lambda: krippendorff_alpha([[-1, 2]], metric="ratio"), "-1"),
        (lambda: krippendorff_alpha([[1, 2]], bootstrap=5), "bootstrap"),
        (lambda: krippendorff_alpha([[1, 9]], metric="interval", categories=[1, 2]), "9"),
        (lambda: krippendorff_alpha([[1, 2]], bootstrap=100, seed=-1), "seed"),
        (lambda: percent_agreement([[1], [2]]), "2 raters"),
    ],
)
def test_bad_input_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_nobody_rated_twice():
    for found in (gwet_ac([[1, NAN], [NAN, 2]]), krippendorff_alpha([[1, NAN], [NAN, 2]])):
        assert math.isnan(found.value)
        assert "no subject has two ratings" in found.reason


def test_ordinal_labels_with_a_declared_order():
    labels = ["none", "mild", "severe"]
    codes = np.array([[0, 1], [1, 1], [2, 1], [0, 0], [2, 2]])
    words = np.array(labels)[codes]
    found = krippendorff_alpha(words.tolist(), metric="ordinal", categories=labels)
    assert found.value == close(krippendorff_alpha(codes, metric="ordinal").value)


def test_long_form_becomes_a_matrix():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"case": [1, 1, 2, 2, 3], "reader": ["a", "b", "a", "b", "a"], "grade": [1, 2, 3, 3, 5]}
    )  # fmt: skip
    matrix = ratings_matrix(subject="case", rater="reader", rating="grade", data=frame)
    assert np.array_equal(matrix, [[1, 2], [3, 3], [5, NAN]], equal_nan=True)
    words = ratings_matrix(subject=[1, 2], rater=["a", "b"], rating=["x", "y"])
    assert words.tolist() == [["x", None], [None, "y"]]
    with pytest.raises(ValueError, match="more than once"):
        ratings_matrix(subject=[1, 1], rater=["a", "a"], rating=[1, 2])
    with pytest.raises(ValueError, match="one length"):
        ratings_matrix(subject=[1, 1], rater=["a", "b"], rating=[1])


@pytest.mark.parametrize("scale", [None, [1, 2, 3, 4, 5]])
def test_counting_in_one_pass_equals_looking_up_codes(scale):
    rng = np.random.default_rng(9)
    ratings = rng.integers(1, 5, size=(5000, 3)).astype(float)
    ratings[rng.random(ratings.shape) < 0.1] = np.nan
    quick, slow = count_table(ratings, scale), encode(ratings, scale).counts()
    assert quick.categories == slow.categories
    assert np.array_equal(quick.table, slow.table)


def test_grades_in_halves_and_wide_codes():
    halves = np.array([[0.5, 1.0], [1.5, 0.5], [1.0, 1.0]])
    assert fleiss_kappa(halves).value == close(fleiss_kappa(halves * 2).value)
    assert fleiss_kappa(halves, categories=[0.5, 1.0, 1.5]).categories == (0.5, 1.0, 1.5)
    wide = np.array([[10**9, 5], [5, 5], [10**9, 10**9]])
    assert fleiss_kappa(wide).value == close(fleiss_kappa([[2, 1], [1, 1], [2, 2]]).value)


@given(varied)
def test_alpha_follows_from_fleiss(ratings):
    """alpha = fleiss + (1 - fleiss)/(n m) for complete nominal ratings."""
    kappa = fleiss_kappa(ratings).value
    expected = kappa + (1 - kappa) / ratings.size
    assert krippendorff_alpha(ratings).value == close(expected)


@given(varied, st.randoms(use_true_random=False))
def test_order_of_cases_and_readers_does_not_matter(ratings, random):
    rows, columns = list(range(len(ratings))), list(range(ratings.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    moved = ratings[rows][:, columns]
    for call in (
        fleiss_kappa, gwet_ac, percent_agreement,
        lambda r: krippendorff_alpha(r, metric="ordinal"),
        lambda r: krippendorff_alpha(r, metric="interval"),
    ):  # fmt: skip
        here, there = call(ratings), call(moved)
        assert here.value == pytest.approx(there.value, rel=1e-9, abs=1e-12, nan_ok=True)
        assert here.se == pytest.approx(there.se, rel=1e-6, abs=1e-9, nan_ok=True)


@given(varied)
def test_names_of_categories_do_not_matter(ratings):
    words = np.array(["d", "b", "a", "c"])[ratings - 1]
    assert fleiss_kappa(words).value == close(fleiss_kappa(ratings).value)
    assert krippendorff_alpha(words).value == close(krippendorff_alpha(ratings).value)


@given(varied)
def test_ordinal_alpha_ignores_the_spacing_of_the_scale(ratings):
    stretched = np.array([1, 5, 6, 50])[ratings - 1]
    here = krippendorff_alpha(ratings, metric="ordinal")
    there = krippendorff_alpha(stretched, metric="ordinal")
    assert (here.value, here.se) == (close(there.value), close(there.se))


@given(gappy.filter(pairable))
def test_alpha_equals_the_package_whatever_is_missing(ratings):
    for metric in ("nominal", "ordinal", "interval"):
        peer = krippendorff.alpha(ratings.T, level_of_measurement=metric)
        assert krippendorff_alpha(ratings, metric=metric).value == pytest.approx(peer, abs=1e-9)


@given(varied)
def test_two_categories_make_gwet_weights_idle(ratings):
    two = np.minimum(ratings, 2)
    plain = gwet_ac(two, categories=[1, 2])
    for weights in ("linear", "quadratic", "ordinal"):
        weighted = gwet_ac(two, categories=[1, 2], weights=weights)
        assert weighted.value == close(plain.value)
        assert weighted.se == close(plain.se)


@given(varied)
def test_fleiss_stays_above_its_floor(ratings):
    m = ratings.shape[1]
    assert -1 / (m - 1) - 1e-12 <= fleiss_kappa(ratings).value <= 1.0


@given(varied)
def test_cohen_carries_the_same_gwet_coefficient(ratings):
    two = ratings[:, :2]
    whole = [1, 2, 3, 4]
    beside = cohen_kappa(two[:, 0], two[:, 1], categories=whole, weights="quadratic").gwet
    alone = gwet_ac(two, categories=whole, weights="quadratic")
    assert (beside.value, beside.se) == (close(alone.value), close(alone.se))
    assert beside.low == pytest.approx(alone.low, nan_ok=True)


@pytest.mark.parametrize("name", ["agr_seeded_40x3", "agr_video", "agr_krippendorff_4x12"])
def test_golden_gwet_and_alpha(name):
    data = golden(name)
    ratings = np.array(data["data"]["ratings"], dtype=float)
    for metric, value in data["expected"]["krippendorff_alpha"].items():
        assert krippendorff_alpha(ratings, metric=metric).value == close(value)
    for key in ("unweighted", "linear", "quadratic", "ordinal"):
        wanted = data["expected"][f"cac_{key}"]
        found = gwet_ac(ratings, weights=None if key == "unweighted" else key)
        assert found.observed == close(wanted["pa"])
        wanted = wanted["gwet"]
        assert (found.value, found.expected) == (close(wanted["coef"]), close(wanted["pe"]))
        assert (found.se, found.pvalue) == (close(wanted["se"]), close(wanted["p_value"]))
        assert (found.low, found.high) == (close(wanted["ci_low"]), close(wanted["ci_high"]))


@pytest.mark.parametrize("name", ["agr_seeded_40x3", "agr_video", "agr_fleiss_wikipedia_10x14"])
def test_golden_fleiss(name):
    data = golden(name)
    found, wanted = fleiss_kappa(data["data"]["ratings"]), data["expected"]["fleiss"]
    assert (found.value, found.z) == (close(wanted["kappa"]), close(wanted["z"]))
    assert (found.se0, found.pvalue) == (close(wanted["se0"]), close(wanted["p_value"]))
    single = wanted["per_category"]
    assert list(found.categories) == [int(c) for c in single["category"]]
    assert found.per_category == pytest.approx(single["kappa"], abs=5.1e-4)
    assert found.per_category_z == pytest.approx(single["z"], abs=5.1e-4)
    linearised = data["expected"].get("cac_unweighted", {}).get("fleiss")
    if linearised:
        assert found.se == close(linearised["se"])
        assert (found.low, found.high) == (
            close(linearised["ci_low"]),
            close(linearised["ci_high"]),
        )
