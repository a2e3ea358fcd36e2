"""Visual Turing tests from files, exports of studies among them."""

from __future__ import annotations

from math import comb
from statistics import NormalDist

import pytest

from tests.stats.golden import close, golden

COMMON = ["study", "reader", "position", "case", "subject", "origin", "generator"]
CLOCK = ["load_seconds", "look_seconds", "idle_seconds", "away_seconds"]
ANSWERS = ["answer_origin", "answer_confidence"]
WIDE = [*COMMON, "received_at_utc", "corrections", *CLOCK, *ANSWERS]
QUESTION = ["question", "value", "not_evaluable"]
LONG = [*COMMON, *QUESTION, "received_at_utc", *CLOCK, "corrections"]
# Han et al., ISBI 2018, table 1, T1: real as real, real as synthetic, synthetic as real, as such
HAN = {"DCGAN": (26, 24, 6, 44), "WGAN": (20, 30, 6, 44)}
CELLS = [("real", "real"), ("real", "synthetic"), ("synthetic", "real"), ("synthetic", "synthetic")]


def reads(tables):
    """Return (reader, case, truth, answer) of readers who saw the same hundred cases."""
    return [
        (reader, f"{truth}{i}", truth, answer)
        for reader, counts in tables.items()
        for truth in ("real", "synthetic")
        for i, answer in enumerate(
            a for (t, a), n in zip(CELLS, counts, strict=True) for _ in range(n) if t == truth
        )
    ]


def wide_rows(tables, unanswered=()):
    for place, (reader, case, truth, answer) in enumerate(reads(tables)):
        seen = "" if (reader, case) in unanswered else answer
        generator = "" if truth == "real" else "gan"
        yield (
            "s1", reader, place, case, f"S-{case}", truth, generator, "2026-01-01T00:00:00+00:00",
            0, 0.5, 9.1, 0, 0, seen, 3,
        )  # fmt: skip


def long_rows(tables):
    for row in wide_rows(tables):
        start, (answer, confidence) = row[:7], row[13:]
        for question, value in (("origin", answer), ("confidence", confidence)):
            yield (*start, question, value, 0, row[7], 0.5, 9.1, 0, 0, 0)


def two_sided(k, n):
    seen = comb(n, k)
    return sum(comb(n, i) for i in range(n + 1) if comb(n, i) <= seen) / 2**n


@pytest.fixture
def wide(make):
    return make("reads_wide.csv", WIDE, wide_rows(HAN))


def test_the_wide_export_of_a_study_works_without_options(stats, wide):
    found = stats("turing", wide, "--json", "-")
    assert found.code == 0
    first, second, everybody = found.rows("readers")
    assert [first["reader"], first["n"], first["correct"]] == ["DCGAN", 100, 70]
    assert first["accuracy"] == 0.70
    assert [first["low"], first["high"]] == close([0.604151453666533, 0.781051147050672])
    assert first["pvalue"] == pytest.approx(two_sided(70, 100))
    assert second["pvalue"] == pytest.approx(two_sided(64, 100))
    z = NormalDist().inv_cdf
    assert first["dprime"] == pytest.approx(z(44.5 / 51) - z(24.5 / 51))
    assert first["criterion"] == pytest.approx(-(z(44.5 / 51) + z(24.5 / 51)) / 2)
    assert everybody["n"] == 200
    assert everybody["accuracy"] == 0.67
    assert found.rows("answers")[0]["real called synthetic"] == 24
    assert found.document()["columns"]["cluster"] == "case"


def test_accuracy_of_all_readers_allows_for_shared_cases(stats, wide):
    everybody = stats("turing", wide, "--json", "-").rows("readers")[-1]
    by_case = {}
    for _, case, truth, answer in reads(HAN):
        by_case.setdefault(case, []).append(truth == answer)
    spread = sum((sum(hits) - 0.67 * len(hits)) ** 2 for hits in by_case.values())
    se = (100 / 99 * spread) ** 0.5 / 200
    found = everybody["results"]["all_readers"]
    assert found["se"] == pytest.approx(se)
    assert everybody["pvalue"] == pytest.approx(2 * NormalDist().cdf(-0.17 / se))


def test_the_long_export_gives_the_same(stats, make, wide):
    path = make("reads_long.csv", LONG, long_rows(HAN))
    by_long, by_wide = (stats("turing", p, "--json", "-").rows("readers") for p in (path, wide))
    assert by_long == by_wide
    found = stats("agreement", path)
    assert found.code == 1
    assert "--where question=confidence (or origin)" in found.err


def test_the_columns_it_needs_are_in_the_export():
    settings = pytest.importorskip("django.conf").settings
    if not settings.configured:
        pytest.skip("Django is not set up in this run")
    from readerstudy.analysis.export import LONG_COLUMNS

    assert set(LONG) <= set(LONG_COLUMNS)


def test_agreement_reads_the_export_too(stats, wide):
    pair = stats("agreement", wide, "--rating", "answer_origin", "--json", "-").rows("pairs")[0]
    # of the real images 20 are called real by both, 24 synthetic by both; synthetic: all alike
    assert pair["percent_agreement"] == pytest.approx((20 + 24 + 50) / 100)


def test_cases_without_an_answer_are_counted(stats, make):
    path = make("reads_wide.csv", WIDE, wide_rows(HAN, unanswered={("DCGAN", "real3")}))
    found = stats("turing", path, "--json", "-")
    first = found.rows("readers")[0]
    assert [first["n"], first["correct"], first["n_dropped"]] == [99, 69, 1]
    refused = stats("turing", path, "--missing", "raise")
    assert refused.code == 1
    assert "line 5, column answer_origin" in refused.err


def test_equivalence_is_only_claimed_with_a_margin(stats, make):
    known = golden("turing_basic")["expected"]["rows"][1]
    rows = [(i, i % 2, i % 2 if i < 45 else 1 - i % 2) for i in range(100)]
    path = make("own.csv", ["case", "truth", "answer"], rows)
    without = stats("turing", path)
    assert "does not show that readers guess" in without.out
    assert "--margin" in without.out
    found = stats("turing", path, "--margin", 0.1, "--json", "-")
    (row,) = found.rows("equivalence")
    assert row["pvalue"] == close(known["tost_exact_p"])
    assert [row["low"], row["high"]] == close(known["exact_ci90"])
    assert row["equivalent"] is False
    assert found.rows("readers")[0]["pvalue"] == close(known["p_binom_two_sided"])
    told = stats("turing", path, "--margin", 0.1).out
    assert "not shown to be within the margin" in told
    assert "does not show that readers guess" not in told


def test_a_second_reading_of_a_case_is_not_independent(stats, make):
    rows = [("R1", 1, 0, 0), ("R1", 2, 1, 1), ("R1", 1, 0, 1)]
    path = make("twice.csv", ["reader", "case", "truth", "answer"], rows)
    found = stats("turing", path)
    assert found.code == 1
    assert "line 4: case 1 is there already, in line 2, so rows are not independent" in found.err
    assert stats("turing", path, "--assume-independent", "--json", "-").rows("readers")[0]["n"] == 3


def test_subjects_with_several_cases_are_pointed_out(stats, make):
    rows = [("R1", i, f"S{i // 2}", i % 2, int(i % 3 == 0)) for i in range(40)]
    path = make("pairs.csv", ["reader", "case", "subject", "truth", "answer"], rows)
    assert "20 subjects have more than one case" in stats("turing", path).out
    assert "more than one case" not in stats("turing", path, "--cluster", "subject").out


def test_answers_in_other_words_are_refused(stats, make):
    path = make("words.csv", ["case", "truth", "answer"], [(1, "real", "real"), (2, "fake", "no")])
    assert "say with --signal which of 'fake' and 'real'" in stats("turing", path).err
    found = stats("turing", path, "--signal", "fake")
    assert found.code == 1
    assert "line 3, column answer: 'no' is neither 'fake' nor 'real'" in found.err


def test_one_class_only_is_refused(stats, make):
    path = make("one.csv", ["case", "truth", "answer"], [(1, "real", "real"), (2, "real", "real")])
    assert "must be one of two labels" in stats("turing", path).err
