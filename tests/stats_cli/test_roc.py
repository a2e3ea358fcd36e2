"""AUC and its differences from files, against R."""

from __future__ import annotations

import pytest

from tests.stats.golden import close, reference

SETS = reference("roc")["sets"]


def rows_of(name):
    data = SETS[name]["data"]
    return list(zip(range(len(data["y"])), data["y"], data["a"], data["b"], strict=True))


@pytest.fixture
def scores(make):
    return make("scores.csv", ["case", "truth", "a", "b"], rows_of("continuous"))


def test_auc_and_paired_difference_equal_r(stats, scores):
    known = SETS["continuous"]
    found = stats("roc", scores, "--score", "a,b", "--json", "-")
    assert found.code == 0
    for row in found.rows("auc"):
        expected = known[row["score"]]
        assert [row["auc"], row["se"] ** 2] == close([expected["auc"], expected["variance"]])
        assert [row["low"], row["high"]] == close(expected["ci"])
    (difference,) = found.rows("differences")
    expected = known["paired"]
    assert [difference["z"], difference["pvalue"]] == close([expected["z"], expected["p"]])
    assert [difference["low"], difference["high"]] == close(expected["ci"])


def test_youden_and_partial_auc_equal_r(stats, scores):
    known = SETS["continuous"]["a"]
    found = stats("roc", scores, "--score", "a", "--youden", "--max-fpr", 0.2, "--json", "-")
    (point,) = found.rows("youden")
    assert point["threshold"] == close(known["thresholds"])
    assert [point["sensitivity"], point["specificity"]] == close(
        [known["sensitivity"], known["specificity"]]
    )
    (part,) = found.rows("partial_auc")
    assert [part["raw"], part["value"]] == close([known["fpr_0.2"], known["fpr_0.2_corrected"]])
    assert "too good" in stats("roc", scores, "--score", "a", "--youden").out


def test_an_auc_below_one_half_is_reported_as_it_is(stats, make):
    path = make("below.csv", ["case", "truth", "score", "b"], rows_of("below_half"))
    row = stats("roc", path, "--json", "-").rows("auc")[0]
    assert row["auc"] == close(SETS["below_half"]["a"]["auc"])
    assert row["auc"] < 0.5


def test_groups_of_the_same_cases_are_not_independent(stats, make):
    rows = [(case, site, truth, score) for site in "AB" for case, truth, score, _ in _small(site)]
    shared = make("shared.csv", ["case", "site", "truth", "score"], rows)
    found = stats("roc", shared, "--group", "site")
    assert found.code == 1
    assert "case ids are in both samples" in found.err
    assert "--assume-independent" in found.err
    other = [(f"{site}{case}", site, truth, score) for case, site, truth, score in rows]
    apart = make("apart.csv", ["case", "site", "truth", "score"], other)
    row = stats("roc", apart, "--group", "site", "--json", "-").rows("differences")[0]
    aucs = stats("roc", apart, "--by", "site", "--json", "-").rows("auc")
    se = (aucs[0]["se"] ** 2 + aucs[1]["se"] ** 2) ** 0.5
    assert row["z"] == pytest.approx((aucs[0]["auc"] - aucs[1]["auc"]) / se)


def _small(site):
    rows = rows_of("continuous")
    return rows[:40] if site == "A" else [(i, t, b, a) for i, t, a, b in rows[:40]]


def test_repeated_cases_need_a_cluster(stats, make):
    rows = [(i // 2, i % 2, s) for i, (_, _, s, _) in enumerate(rows_of("continuous"))]
    path = make("exams.csv", ["patient", "truth", "score"], rows)
    found = stats("roc", path)
    assert found.code == 1
    assert "line 3: case 0 is there already, in line 2" in found.err
    assert "--cluster" in found.err
    row = stats("roc", path, "--cluster", "patient", "--json", "-").rows("auc")[0]
    assert row["results"]["auc"]["n_clusters"] == len(rows) // 2


def test_p_values_are_adjusted_on_request(stats, make):
    rows = [(i, y, a, b, a + b) for i, y, a, b in rows_of("continuous")]
    path = make("three.csv", ["case", "truth", "a", "b", "c"], rows)
    plain = stats("roc", path, "--score", "a,b,c")
    assert "3 comparisons; p is not adjusted for their number (--adjust)" in plain.out
    found = stats("roc", path, "--score", "a,b,c", "--adjust", "bonferroni", "--json", "-")
    for row in found.rows("differences"):
        assert row["adjusted"] == pytest.approx(min(1.0, 3 * row["pvalue"]))


def test_one_class_is_undefined_with_a_reason(stats, make):
    path = make("one.csv", ["case", "truth", "score"], [(1, 1, 2), (2, 1, 3)])
    found = stats("roc", path)
    assert found.code == 2
    assert "truth has one class only" in found.out
    assert stats("roc", path, "--json", "-").rows("auc")[0]["auc"] is None
    assert stats("roc", path, "--youden").code == 2


def test_rows_without_case_are_taken_as_different_and_said_so(stats, make):
    path = make("no_case.csv", ["truth", "score"], [(0, 1), (1, 2), (0, 2), (1, 4)])
    assert "No column names the cases" in stats("roc", path).out


def test_groups_leave_no_room_for_clusters(stats, scores):
    found = stats("roc", scores, "--score", "a", "--group", "b", "--cluster", "case")
    assert found.code == 1
    assert "leave out --by and --cluster" in found.err
