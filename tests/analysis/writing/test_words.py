"""How numbers are said: the rules of the interface's page on words, one by one."""

from __future__ import annotations

import math

import pytest

from readerstudy import stats
from readerstudy.analysis.document import FORMS, Column, Number, undefined
from readerstudy.analysis.writing import references, words
from readerstudy.analysis.writing.words import said, said_cell, said_interval, said_p, strong_runs

THIN = "\u202f"


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.59751, "percent", f"59.8{THIN}%"),
        (-0.0312, "points", f"−3.1{THIN}points"),
        (0.0312, "points", f"+3.1{THIN}points"),
        (0.68749, "area", "0.687"),
        (0.1672, "difference", "+0.167"),
        (-0.1672, "difference", "−0.167"),
        (-0.0001, "difference", "0.000"),
        (-0.114, "kappa", "−0.11"),
        (0.0004, "p", "< 0.001"),
        (0.0124, "p", "0.012"),
        (1.0, "p", "1.000"),
        (0.99999, "p", "> 0.999"),
        (23.4, "seconds", f"23{THIN}s"),
        (1234.0, "count", "1,234"),
        (1.256, "ratio", "1.26"),
        (math.inf, "ratio", "∞"),
        (0.0123456, "number", "0.0123"),
        (12345.6, "number", "12,346"),
        (9.999, "number", "10.0"),
        (1.5e-7, "number", "1.50 × 10⁻⁷"),
        (0.0, "number", "0"),
    ],
)
def test_each_form_is_said_in_its_way(value, form, text):
    assert said(Number(value, form)) == text


def test_every_form_has_a_sayer():
    assert set(words.SAYERS) == set(FORMS)


def test_an_undefined_number_gives_its_reason():
    assert said(undefined("all answers are the same", "kappa")) == "all answers are the same"
    assert said(Number(math.nan)) == "not defined"


def test_an_interval_has_no_unit_and_is_empty_where_there_is_none():
    assert said_interval(Number(0.598, "percent", 0.536, 0.6591)) == "53.6 to 65.9"
    assert said_interval(Number(2.0, "ratio", 0.5, math.inf)) == "0.50 to ∞"
    assert said_interval(Number(0.5, "percent")) == ""


def test_p_in_a_sentence():
    assert [said_p(p) for p in (0.0019, 1e-9, math.nan)] == [
        "p = 0.002",
        "p < 0.001",
        "p not defined",
    ]


def test_the_unit_stands_once_in_head_or_cell():
    share = Number(0.63, "percent")
    assert said_cell(Column("right", "Correct, %"), share) == "63.0"
    assert said_cell(Column("right", "Correct"), share) == f"63.0{THIN}%"
    assert said_cell(Column("t", "Look, s"), Number(23.0, "seconds")) == "23"
    assert said_cell(Column("t", "Times"), Number(23.0, "seconds")) == f"23{THIN}s"


def test_strong_words_are_found_and_per_cent_keeps_to_its_number():
    assert strong_runs("right in **59.8 % of reads** (p = 0.002)") == [
        ("right in ", False),
        (f"59.8{THIN}% of reads", True),
        (" (p = 0.002)", False),
    ]
    assert words.plain("a **b** c") == "a b c"


def test_files_get_the_whole_number():
    assert words.exact(1 / 3) == "0.3333333333333333"
    assert words.exact(34.0) == "34"
    assert words.exact(math.nan) == ""


def test_every_estimator_has_words_and_every_paper_is_cited():
    planning = ("n_", "mrmc_", "turing_", "auc_precision", "kappa_precision", "cases_for_width")
    helpers = {"Confusion", "Estimate", "ProgressionRule", "Result", "ratings_matrix"}
    helpers |= {"progression_rows", "hanley_mcneil_se"}
    wanted = {
        name for name in stats.__all__ if name not in helpers and not name.startswith(planning)
    }
    assert wanted <= set(references.METHODS)
    cited = {key for _, keys in references.METHODS.values() for key in keys}
    cited |= {
        key
        for keys in (*references.EXTRA.values(), *references.ADJUSTMENTS.values())
        for key in keys
    }
    assert cited == set(references.PAPERS)
