"""Cohen's, Light's and Conger's kappa, and percent agreement."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.stats import (
    cohen_kappa,
    cohen_kappa_from_table,
    conger_kappa,
    fleiss_kappa,
    light_kappa,
    percent_agreement,
)
from tests.stats.golden import ANXIETY, close, golden, reference

VISION = [[1520, 234, 117, 36], [266, 1512, 362, 82], [124, 432, 1772, 179], [66, 78, 205, 492]]

tables = st.lists(st.integers(0, 30), min_size=9, max_size=9).map(
    lambda cells: np.array(cells).reshape(3, 3)
)
informative = tables.filter(
    lambda t: (t.sum(axis=0) > 0).sum() > 1 and (t.sum(axis=1) > 0).sum() > 1
)


def rows_of(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the two raters' codes behind a table."""
    first, second = np.divmod(np.repeat(np.arange(table.size), table.ravel()), len(table))
    return first + 1, second + 1


# Values printed by R 4.2.2: irr 0.84.1 kappa2 (kappa, z), vcd 1.4.11 Kappa (standard errors).
@pytest.mark.parametrize(
    ("weights", "kappa", "se", "se0"),
    [
        (None, 0.595388828089434, 0.00728685113474574, 0.00703927550076564),
        ("linear", 0.652380429500598, 0.00707526357069837, 0.00814055772323457),
        ("quadratic", 0.702334252490098, 0.00838193658653672, 0.0115591468012711),
    ],
)
def test_stuart_vision_table(weights, kappa, se, se0):
    found = cohen_kappa_from_table(VISION, weights=weights)
    assert found.value == close(kappa)
    assert (found.se, found.se0) == (close(se), close(se0))
    assert found.z == close(kappa / se0)
    assert found.low == close(kappa - 1.959963984540054 * se)
    assert found.n == 7477


def test_kappa_paradox_of_gwet_2008():
    """118/5/2/0: po .944 and kappa about -.02; the companions stay high."""
    found = cohen_kappa_from_table([[118, 5], [2, 0]])
    assert found.observed == close(118 / 125)
    assert found.expected == close((123 * 120 + 2 * 5) / 125**2)
    assert found.value == pytest.approx(-0.0234, abs=5e-5)
    assert found.pabak == close(2 * 118 / 125 - 1)
    assert found.gwet.value > 0.93
    assert any("PABAK" in warning for warning in found.warnings)
    assert "PABAK" in found.summary()


def test_cohen_1960_example():
    """Cohen 1960, table 1 in counts of 200: kappa .492 for po .70, pe .41."""
    found = cohen_kappa_from_table([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
    assert (found.observed, found.expected) == (close(0.70), close(0.41))
    assert found.value == close(0.29 / 0.59)


@pytest.mark.parametrize(
    ("weights", "key"), [("linear", "kappa_linear"), ("quadratic", "kappa_quadratic")]
)
def test_against_vcd_on_random_grades(weights, key):
    data = reference("agreement")
    a, b, _ = np.array(data["grades"]).T
    plain = cohen_kappa(a, b, categories=[1, 2, 3, 4])
    weighted = cohen_kappa(a, b, categories=[1, 2, 3, 4], weights=weights)
    assert [plain.value, plain.se] == close(data[key]["unweighted"])
    assert [weighted.value, weighted.se] == close(data[key]["weighted"])


def test_against_statsmodels():
    from statsmodels.stats.inter_rater import cohens_kappa

    table = np.array([[12, 3, 1], [4, 9, 2], [0, 5, 14]])
    for weights in (None, "linear", "quadratic"):
        peer = cohens_kappa(table, wt=weights)
        found = cohen_kappa_from_table(table, weights=weights)
        assert found.value == close(peer.kappa)
        assert found.se == close(peer.std_kappa)
        assert found.se0 == close(peer.std_kappa0)


def test_unused_middle_grade_changes_linear_weights_only_if_declared():
    a, b = [1, 1, 1, 3, 4, 4], [1, 3, 3, 3, 4, 1]
    by_distance = [[1, 1 / 3, 0], [1 / 3, 1, 2 / 3], [0, 2 / 3, 1]]
    declared = cohen_kappa(a, b, categories=[1, 2, 3, 4], weights="linear")
    observed = cohen_kappa(a, b, weights="linear")
    assert declared.value == close(cohen_kappa(a, b, weights=by_distance).value)
    assert abs(declared.value - observed.value) > 0.01
    assert any("not declared" in w for w in observed.warnings)
    assert not any("not declared" in w for w in declared.warnings)


def test_kappa_max_of_weights_matches_the_linear_programme():
    table = np.array([[10, 4, 0], [6, 9, 3], [1, 7, 20]])
    named = cohen_kappa_from_table(table, weights="quadratic")
    d = np.subtract.outer(np.arange(3), np.arange(3)) ** 2
    matrix = cohen_kappa_from_table(table, weights=1 - d / 4)
    assert named.kappa_max == close(matrix.kappa_max)
    assert named.value == close(matrix.value)


def test_labels_and_missing_values():
    a = np.array(["benign", "malignant", None, "benign"], dtype=object)
    b = np.array(["benign", "malignant", "benign", "malignant"], dtype=object)
    with pytest.raises(ValueError, match="1 subjects lack a rating"):
        cohen_kappa(a, b)
    found = cohen_kappa(a, b, missing="omit", categories=["benign", "malignant"])
    assert (found.n, found.n_dropped) == (3, 1)
    assert found.table == ((1, 1), (0, 1))


def test_column_names_of_a_table():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"one": [1, 2, 2, 1], "two": [1, 2, 1, 1]})
    assert cohen_kappa("one", "two", data=frame).value == close(0.5)
    with pytest.raises(ValueError, match="no column 'three'"):
        cohen_kappa("one", "three", data=frame)
    with pytest.raises(ValueError, match="data="):
        cohen_kappa("one", "two")


def test_constant_reader_is_zero_without_a_test():
    found = cohen_kappa([1, 1, 1, 1], [1, 2, 1, 2])
    assert (found.value, found.se) == (0.0, 0.0)
    assert math.isnan(found.z)
    assert math.isnan(found.pvalue)
    assert "one category" in found.reason
    weighted = cohen_kappa([2] * 6, [1, 2, 3, 1, 2, 3], weights="linear", categories=[1, 2, 3])
    assert (weighted.value, weighted.se) == (0.0, 0.0)
    assert math.isnan(weighted.z)


def test_both_readers_one_category_is_undefined():
    found = cohen_kappa(["x"] * 5, ["x"] * 5, categories=["x", "y"])
    assert math.isnan(found.value)
    assert "same category" in found.reason
    assert found.percent_agreement == 1.0
    assert found.gwet.value == 1.0
    assert found.to_dict()["value"] is None


def test_perfect_agreement_is_one_and_flagged():
    found = cohen_kappa([1, 2, 3, 1], [1, 2, 3, 1])
    assert (found.value, found.se, found.low, found.high) == (1.0, 0.0, 1.0, 1.0)
    assert any("no width" in w for w in found.warnings)


def test_upper_limit_is_clipped_and_said():
    found = cohen_kappa_from_table([[18, 0], [1, 9]])
    assert found.high == 1.0
    assert any("clipped" in w for w in found.warnings)
    assert found.low_fisher_z < found.value < found.high_fisher_z < 1.0


def test_bootstrap_is_reproducible_and_near_the_normal_limits():
    table = [[40, 9, 2], [6, 30, 8], [1, 7, 47]]
    first = cohen_kappa_from_table(table, ci="bootstrap", seed=7)
    again = cohen_kappa_from_table(table, ci="bootstrap", seed=7)
    normal = cohen_kappa_from_table(table)
    assert (first.low, first.high) == (again.low, again.high)
    assert "seed 7" in first.method
    assert first.low == pytest.approx(normal.low, abs=0.02)
    assert first.high == pytest.approx(normal.high, abs=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cohen_kappa([1, 2], [1, 2, 3]), "same length"),
        (lambda: cohen_kappa([1, 5], [1, 2], categories=[1, 2, 3]), "5.*not in categories"),
        (lambda: cohen_kappa([1, 2], [1, np.nan]), "lack a rating"),
        (lambda: cohen_kappa([1, 2], [1, 2], weights="cubic"), "cubic"),
        (lambda: cohen_kappa([1, 2], [1, 2], weights=[[1, 0.5], [0.2, 1]]), "symmetric"),
        (lambda: cohen_kappa([1, 2], [1, 2], level=95), "level"),
        (lambda: cohen_kappa([1, 2], [1, 2], ci="exact"), "ci must be one of"),
        (lambda: cohen_kappa([1, 2], [1, 2], categories=[1, 2, 2]), "different values"),
        (lambda: cohen_kappa([1, 2], [1, 2], categories=["a", "b"]), "numbers"),
        (lambda: cohen_kappa_from_table([[1, 2, 3], [4, 5, 6]]), "square"),
        (lambda: cohen_kappa_from_table([[1, -2], [4, 5]]), "-2"),
        (lambda: cohen_kappa_from_table([[1, 2], [4, 5]], ci="bootstrap", n_boot=5), "n_boot"),
    ],
)
def test_bad_input_is_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_empty_table():
    found = cohen_kappa_from_table([[0, 0], [0, 0]])
    assert math.isnan(found.value)
    assert "no subject" in found.reason


@given(informative)
def test_kappa_does_not_depend_on_order_of_cases_or_readers(table):
    a, b = rows_of(table)
    order = np.random.default_rng(0).permutation(len(a))
    here = cohen_kappa(a, b, categories=[1, 2, 3], weights="linear")
    there = cohen_kappa(b[order], a[order], categories=[1, 2, 3], weights="linear")
    assert here.value == close(there.value)
    assert here.se == close(there.se)


@given(informative)
def test_unweighted_kappa_does_not_depend_on_names_of_categories(table):
    here = cohen_kappa_from_table(table)
    order = [2, 0, 1]
    there = cohen_kappa_from_table(table[order][:, order])
    assert here.value == close(there.value)
    assert here.se0 == close(there.se0)


@given(
    st.lists(st.integers(0, 40), min_size=4, max_size=4).map(lambda c: np.array(c).reshape(2, 2))
)
def test_weights_do_nothing_with_two_categories(table):
    plain = cohen_kappa_from_table(table)
    for weights in ("linear", "quadratic", "ordinal"):
        weighted = cohen_kappa_from_table(table, weights=weights)
        assert weighted.value == pytest.approx(plain.value, nan_ok=True)
        assert weighted.se == pytest.approx(plain.se, nan_ok=True, abs=1e-12)
        assert weighted.kappa_max == pytest.approx(plain.kappa_max, nan_ok=True)


@given(informative)
def test_kappa_never_exceeds_kappa_max(table):
    for weights in (None, "linear", "quadratic"):
        found = cohen_kappa_from_table(table, weights=weights)
        assert found.value <= found.kappa_max + 1e-12


@given(informative)
def test_standard_error_equals_the_infinitesimal_change(table):
    """The delta-method variance is the mean square of the numerical derivative by each cell."""
    p = table / table.sum()

    def kappa(q):
        row, col = q.sum(axis=1), q.sum(axis=0)
        expected = float(row @ col)
        return (np.trace(q) - expected) / (1 - expected)

    step, slopes = 1e-6, np.zeros((3, 3))
    for cell in np.ndindex(3, 3):
        mass = np.zeros((3, 3))
        mass[cell] = 1.0
        ahead, behind = p + step * (mass - p), p - step * (mass - p)
        slopes[cell] = (kappa(ahead) - kappa(behind)) / (2 * step)
    expected = math.sqrt((p * slopes**2).sum() / table.sum())
    assert cohen_kappa_from_table(table).se == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_light_and_conger_on_anxiety_ratings():
    pairs = [
        cohen_kappa(np.array(ANXIETY)[:, i], np.array(ANXIETY)[:, j]).value
        for i, j in ((0, 1), (0, 2), (1, 2))
    ]
    light = light_kappa(ANXIETY)
    assert light.value == close(float(np.mean(pairs)))
    assert list(light.pairwise.values()) == close(pairs)
    two = np.array(ANXIETY)[:, :2]
    cohen = cohen_kappa(two[:, 0], two[:, 1])
    for found in (conger_kappa(two), light_kappa(two)):
        assert found.value == close(cohen.value)
        assert found.se == close(cohen.se)


def test_light_and_conger_degenerate():
    alike = [[1, 1, 1]] * 4
    for found in (light_kappa(alike), conger_kappa(alike)):
        assert math.isnan(found.value)
        assert found.reason
    constant = [[1, 1, 2], [1, 2, 2], [1, 1, 1], [1, 2, 2]]
    assert light_kappa(constant).pairwise[0, 1] == 0.0
    with pytest.raises(ValueError, match="lack a rating"):
        light_kappa([[1, np.nan], [1, 2]])
    assert conger_kappa([[1, np.nan], [1, 2], [2, 2]], missing="omit").n_dropped == 1
    with pytest.raises(ValueError, match="2 raters"):
        conger_kappa([[1], [2]])


def test_percent_agreement_by_hand():
    """Subjects agree in 3/3, 1/3, 1/1 and 0/3 pairs; one subject was rated once."""
    ratings = [[1, 1, 1], [1, 1, 2], [3, 3, None], [1, 2, 3], [None, 2, None]]
    found = percent_agreement(ratings)
    assert found.pairwise == close((1 + 1 / 3 + 1 + 0) / 4)
    assert found.unanimous == 0.5
    assert (found.n, found.n_dropped) == (4, 1)
    assert found.value == found.pairwise


def test_percent_agreement_degenerate():
    same = percent_agreement([["a", "a"]] * 3)
    assert (same.pairwise, same.unanimous) == (1.0, 1.0)
    assert any("no width" in w for w in same.warnings)
    alone = percent_agreement([[1, None], [None, 2]])
    assert math.isnan(alone.pairwise)
    assert alone.n_dropped == 2
    assert alone.reason
    single = percent_agreement([[1, 1]])
    assert single.pairwise == 1.0
    assert math.isnan(single.low)
    assert "one subject" in single.reason


@pytest.mark.parametrize("name", ["agr_seeded_40x3", "agr_video"])
def test_golden_pairwise_kappa(name):
    data = golden(name)
    ratings = np.array(data["data"]["ratings"], dtype=float)
    for pair in data["expected"]["pairwise_cohen"]:
        a, b = ratings[:, pair["raters"]].T
        constant = len(set(a)) == 1 or len(set(b)) == 1
        for key, weights in (
            ("unweighted", None),
            ("linear", "linear"),
            ("quadratic", "quadratic"),
        ):
            found = cohen_kappa(a, b, categories=pair["levels"], weights=weights)
            wanted = pair[key]
            assert found.value == close(wanted["kappa"])
            assert (found.observed, found.expected) == (close(wanted["po"]), close(wanted["pe"]))
            if constant:
                assert math.isnan(found.z)
                continue
            assert found.se == close(wanted["se"])
            assert (found.se0, found.z) == (close(wanted["se0"]), close(wanted["z"]))
            assert found.pvalue == close(wanted["p_value"])
            assert (found.low, found.high) == (close(wanted["ci_low"]), close(wanted["ci_high"]))
        assert found.pabak == close(pair["pabak"])
        assert cohen_kappa(a, b, categories=pair["levels"]).kappa_max == close(pair["kappa_max"])
        assert np.array(found.table).tolist() == pair["table"]


@pytest.mark.parametrize("name", ["agr_seeded_40x3", "agr_video", "agr_fleiss_wikipedia_10x14"])
def test_golden_many_raters(name):
    data = golden(name)
    ratings, wanted = data["data"]["ratings"], data["expected"]["fleiss"]
    assert light_kappa(ratings).value == close(wanted["light_kappa"])
    assert conger_kappa(ratings).value == close(wanted["conger_exact_kappa"])
    assert fleiss_kappa(ratings).value == close(wanted["kappa"])
    unanimous = data["expected"].get("percent_agreement_all_raters")
    if unanimous is not None:
        assert percent_agreement(ratings).unanimous == close(unanimous)


def test_golden_vision_table():
    data = golden("kappa_vision_7477")
    for key, weights in (("unweighted", None), ("linear", "linear"), ("quadratic", "quadratic")):
        found = cohen_kappa_from_table(data["data"]["table"], weights=weights)
        wanted = data["expected"][key]
        assert found.value == close(wanted["kappa"])
        assert (found.low, found.high) == (close(wanted["ci_low"]), close(wanted["ci_high"]))
