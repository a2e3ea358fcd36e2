"""Multi-reader studies from files of three formats, against published analyses."""

from __future__ import annotations

import pytest

from tests.stats.golden import close, golden
from tests.stats.golden_mrmc import golden_columns, van_dyke

HEADER = ["reader", "treatment", "case", "truth", "rating"]


@pytest.fixture
def study(make):
    return make("van_dyke.csv", HEADER, van_dyke())


def difference(found):
    return found.rows("differences")[0]


def test_van_dyke_equals_the_published_analysis(stats, study):
    """MRMCaov and RJafroc: t -2.110999, df 15.2597, p .0516657."""
    for method in ("or", "dbm"):
        more = ("--covariance", "jackknife") if method == "or" else ()
        found = stats("mrmc", study, "--method", method, *more, "--json", "-")
        assert found.code == 0
        row = difference(found)
        assert round(row["t"], 6) == -2.110999
        assert round(row["df"], 4) == 15.2597
        assert round(row["pvalue"], 7) == 0.0516657
        assert [round(mean["mean"], 4) for mean in found.rows("means")] == [0.8970, 0.9408]


def test_fixed_readers_use_chi_square_and_speak_of_each_reader(stats, study):
    found = stats("mrmc", study, "--random", "cases", "--json", "-")
    assert round(difference(found)["pvalue"], 3) == 0.019
    assert len(found.rows("differences")) == 6
    assert found.rows("global_test")[0]["test"] == "chi-square"
    assert "fixed readers" in stats("mrmc", study, "--random", "cases").out


def test_three_tests_of_kundel_equal_r(stats, make):
    known = golden("mrmc_kundel")
    columns = golden_columns(known)
    names = ("reader", "test", "case", "truth", "score")
    rows = zip(*(columns[name] for name in names), strict=True)
    path = make("kundel.csv", HEADER, rows)
    found = stats("mrmc", path, "--covariance", "jackknife", "--json", "-")
    expected = known["expected"]["or_rrrc_jackknife"]
    rows = found.rows("differences")
    assert [row["difference"] for row in rows] == close(expected["test_diffs"]["Estimate"], 1e-7)
    assert [row["pvalue"] for row in rows] == close(expected["test_diffs"]["p-value"], 1e-7)
    (test,) = found.rows("global_test")
    assert [test["statistic"], test["df2"]] == close(
        [expected["test_equality"]["F"], expected["test_equality"]["df2"]], 1e-7
    )
    assert "3 comparisons; p is not adjusted" in stats("mrmc", path).out


@pytest.mark.parametrize(("name", "kind"), [("study.imrmc", "imrmc"), ("sheets", "rjafroc")])
def test_other_formats_are_read_and_written(stats, study, tmp_path, name, kind):
    path = tmp_path / name
    written = stats("convert", study, path, "--to", kind)
    assert written.code == 0
    assert "1140" in written.out
    assert difference(stats("mrmc", path, "--json", "-")) == difference(
        stats("mrmc", study, "--json", "-")
    )
    back = tmp_path / "back.csv"
    assert stats("convert", path, back).code == 0
    assert sorted(back.read_text().splitlines()[1:]) == sorted(
        f"{r},{t},{c},{y},{float(s)}" for r, t, c, y, s in van_dyke()
    )


def test_new_numbers_of_cases_are_told(stats, make, tmp_path):
    rows = [(r, t, case, int(case > "c"), r + t) for r in (1, 2) for t in (1, 2) for case in "abde"]
    path = make("letters.csv", HEADER, rows)
    numbers = tmp_path / "numbers.csv"
    found = stats("convert", path, tmp_path / "sheets", "--to", "rjafroc", "--csv", numbers)
    assert found.code == 0
    assert "Numbers of the cases" in found.out
    assert "case_numbers,,,,,,,d,3" in numbers.read_text()


def test_convert_does_not_overwrite_its_input_or_invent(stats, study, tmp_path):
    found = stats("convert", study, study, "--to", "imrmc")
    assert found.code == 1
    assert "overwrite" in found.err
    assert stats("convert", tmp_path / "no.imrmc", tmp_path / "x.csv").code == 1
    bad = tmp_path / "bad.imrmc"
    bad.write_text("BEGIN DATA:\n-1,1,0\n")
    assert "bad.imrmc: line 2 must be" in stats("mrmc", bad).err


def test_an_incomplete_study_is_refused_or_pooled(stats, make):
    path = make("gaps.csv", HEADER, [row for i, row in enumerate(van_dyke()) if i % 37])
    found = stats("mrmc", path)
    assert found.code == 1
    assert "mrmc" in found.err
    assert stats("mrmc", path, "--method", "u").code == 0


def test_a_read_given_twice_names_both_lines(stats, make):
    path = make("twice.csv", HEADER, [*van_dyke(), van_dyke()[0]])
    found = stats("mrmc", path)
    assert found.code == 1
    assert "line 1142: reader 1, treatment 1, case 1 is there already, in line 2" in found.err


def test_success_is_compared_without_truth(stats, make):
    rows = [(r, t, c, int(s > 2)) for r, t, c, y, s in van_dyke() if y]
    path = make("hits.csv", ["reader", "test", "case", "score"], rows)
    found = stats("mrmc", path, "--metric", "proportion", "--json", "-")
    assert found.code == 0
    share = [s for r, t, c, s in rows if t == 1]
    assert found.rows("means")[0]["mean"] == pytest.approx(sum(share) / len(share))


def test_power_of_the_next_study_equals_hillis_2011(stats, study):
    """RJafroc's reference grid: 5 readers, 114 cases, effect 0.05."""
    found = stats("mrmc", study, "--plan", "0.05", "5", "114", "--json", "-")
    assert found.rows("power")[0]["power"] == pytest.approx(0.624, abs=0.02)
    assert stats("mrmc", study, "--plan", "0.05", "5.5", "114").code == 1


def test_covariance_belongs_to_one_method(stats, study):
    found = stats("mrmc", study, "--method", "u", "--covariance", "delong")
    assert found.code == 1
    assert "belongs to --method or" in found.err


def test_one_reader_cannot_stand_for_all(stats, make):
    path = make("one.csv", HEADER, [row for row in van_dyke() if row[0] == 1])
    found = stats("mrmc", path)
    assert found.code == 1
    assert "use --random cases" in found.err
    assert stats("mrmc", path, "--random", "cases").code == 0
