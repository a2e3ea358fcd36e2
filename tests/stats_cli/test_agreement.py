"""Agreement from files, against published examples."""

from __future__ import annotations

import pytest

from tests.stats.golden import close, reference

# Krippendorff 2011, example C: 12 units, 4 observers
UNITS = [
    "11.1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", ".555", "..11", "..3.",
]  # fmt: skip
# Shrout & Fleiss 1979, table 2
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Fleiss 1971: counts of 5 categories by 14 raters
FLEISS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip


def long_rows(matrix):
    return [
        (f"unit{i}", f"R{j}", "" if value == "." else value)
        for i, row in enumerate(matrix)
        for j, value in enumerate(row)
    ]


@pytest.fixture
def gwet(make):
    """118 cases both call positive, 5 and 2 in which they differ (Gwet 2008)."""
    pairs = [("yes", "yes")] * 118 + [("yes", "no")] * 5 + [("no", "yes")] * 2
    return make("gwet.csv", ["case", "A", "B"], [(i, a, b) for i, (a, b) in enumerate(pairs)])


def index(found, name):
    return next(row for row in found.rows("all_readers") if row["index"] == name)


def test_kappa_stands_beside_percent_agreement_and_ac1(stats, gwet):
    found = stats("agreement", gwet, "--readers", "A,B", "--json", "-")
    assert found.code == 0
    (pair,) = found.rows("pairs")
    assert [pair["first"], pair["second"], pair["n"]] == ["A", "B", 125]
    assert pair["percent_agreement"] == 118 / 125
    assert round(pair["kappa"], 3) == -0.023
    assert round(pair["gwet"], 3) == 0.941
    assert pair["pabak"] == pytest.approx(2 * 118 / 125 - 1)
    text = stats("agreement", gwet, "--readers", "A,B").out
    for word in ("agreement, %", "94.4", "kappa", "−0.02", "AC1", "0.94", "PABAK", "0.89"):
        assert word in text
    assert "one category dominates" in text


@pytest.mark.parametrize(
    ("metric", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)]
)
def test_alpha_of_krippendorffs_example(stats, make, metric, alpha):
    path = make("units.csv", ["subject", "rater", "rating"], long_rows(UNITS))
    found = stats("agreement", path, "--metric", metric, "--missing", "omit", "--json", "-")
    assert round(index(found, f"Krippendorff's alpha, {metric}")["value"], 3) == alpha


def test_a_missing_rating_is_refused_with_the_count(stats, make):
    path = make("units.csv", ["subject", "rater", "rating"], long_rows(UNITS))
    found = stats("agreement", path)
    assert found.code == 1
    assert "4 of 12 cases lack a rating by some reader" in found.err


def test_fleiss_kappa_of_the_example_of_1971(stats, make):
    rows = [[k for k, c in enumerate(counts) for _ in range(c)] for counts in FLEISS]
    path = make("fleiss.csv", ["case", "reader", "score"], long_rows(rows))
    found = stats("agreement", path, "--json", "-")
    assert round(index(found, "Fleiss's kappa")["value"], 3) == 0.210
    assert len(found.rows("pairs")) == 14 * 13 // 2


@pytest.mark.parametrize(("form", "value"), [("ICC(2,1)", 0.29), ("ICC(3,k)", 0.91)])
def test_icc_of_shrout_and_fleiss(stats, make, form, value):
    path = make("judges.csv", ["case", "reader", "score"], long_rows(JUDGES))
    found = stats("agreement", path, "--measured", "--icc", form, "--json", "-")
    assert round(index(found, form)["value"], 2) == value
    pair = found.rows("pairs")[0]
    differences = [row[0] - row[1] for row in JUDGES]
    assert pair["bias"] == pytest.approx(sum(differences) / 6)
    assert pair["upper_limit"] > pair["bias"] > pair["lower_limit"]


def test_measurements_equal_r(stats, make):
    known = reference("agreement")
    path = make("measured.csv", ["case", "reader", "score"], long_rows(known["measured"]))
    found = stats("agreement", path, "--measured", "--json", "-")
    icc = index(found, "ICC(2,1)")
    expected = known["icc_measured"]["ICC2"]
    assert [icc["value"], icc["low"], icc["high"]] == close(
        [expected["value"], expected["low"], expected["high"]], 1e-6
    )
    assert index(found, "Kendall's W")["value"] == close(known["kendall_measured"]["W"])


def test_weights_need_the_order_of_labels(stats, make):
    grades = [("low", "low"), ("high", "medium"), ("medium", "medium"), ("high", "high")] * 4
    path = make("grades.csv", ["case", "A", "B"], [(i, *pair) for i, pair in enumerate(grades)])
    given = ("agreement", path, "--readers", "A,B", "--weights", "linear")
    found = stats(*given)
    assert found.code == 1
    assert "the file has high, low, medium: give the whole scale in order" in found.err
    pair = stats(*given, "--categories", "low,medium,high", "--json", "-").rows("pairs")[0]
    # po = 1 - (4 of 16)/2; margins: low 4 and 4, medium 4 and 8, high 8 and 4, each of 16
    chance = 1 - (2 / 16 * 0 + (4 * 8 + 4 * 4 + 8 * 8 + 4 * 4) / 256 / 2 + (4 * 4 + 8 * 4) / 256)
    assert pair["kappa"] == pytest.approx((0.875 - chance) / (1 - chance))


def test_a_grade_outside_the_scale_is_refused(stats, make):
    path = make("grades.csv", ["case", "A", "B"], [(1, 1, 2), (2, 3, 4)])
    found = stats("agreement", path, "--readers", "A,B", "--categories", "1,2,3")
    assert found.code == 1
    assert "4, which is not in categories" in found.err


def test_two_ratings_of_one_case_by_one_reader_are_refused(stats, make):
    rows = [(1, "R1", 1), (1, "R2", 1), (2, "R1", 2), (1, "R1", 2)]
    found = stats("agreement", make("twice.csv", ["case", "reader", "score"], rows))
    assert found.code == 1
    assert "line 5: reader R1, case 1 is there already, in line 2" in found.err


def test_one_reader_has_nobody_to_agree_with(stats, make):
    found = stats("agreement", make("one.csv", ["case", "reader", "score"], [(1, "R1", 1)]))
    assert found.code == 1
    assert "agreement needs two" in found.err


def test_all_of_one_category_is_undefined_and_says_why(stats, make):
    rows = [(i, 1, 1) for i in range(5)]
    found = stats("agreement", make("same.csv", ["case", "A", "B"], rows), "--readers", "A,B")
    assert found.code == 2
    assert "undefined [1]" in found.out
    assert "both raters used one and the same category only" in found.out
    assert "100.0" in found.out


def test_labels_cannot_be_measured(stats, gwet):
    found = stats("agreement", gwet, "--readers", "A,B", "--measured")
    assert found.code == 1
    assert "needs numbers" in found.err
