"""How results are written: numbers, reasons, JSON and CSV."""

from __future__ import annotations

import csv
import doctest
import io
import json
import math

import pytest

from readerstudy.stats.results import Estimate, Result
from readerstudy.stats_cli import errors, formatting
from readerstudy.stats_cli.errors import in_options
from readerstudy.stats_cli.formatting import show
from readerstudy.stats_cli.report import Report, Row, Section, column


@pytest.mark.parametrize(
    ("value", "style", "text"),
    [
        (0.70049, "percent", "70.0"),
        (0.8967, "auc", "0.897"),
        (-0.04383, "auc", "−0.044"),
        (-0.0001, "auc", "0.000"),
        (0.406, "kappa", "0.41"),
        (0.0517, "p", "0.052"),
        (0.00099, "p", "< 0.001"),
        (1.0, "p", "1.000"),
        (math.inf, "number", "infinite"),
        (-math.inf, "ratio", "−infinite"),
        (12345.6, "ratio", "1.23e+04"),
        (1.038, "ratio", "1.04"),
        (3.0, "count", "3"),
        (True, "text", "yes"),
        (None, "auc", ""),
    ],
)
def test_numbers_are_shown_by_the_rule(value, style, text):
    assert show(value, style) == text


@pytest.mark.parametrize("module", [errors, formatting])
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


def test_arguments_become_options_in_messages():
    text = "pass missing=\"omit\", random='readers and cases' or assume_independent=True"
    assert in_options(text) == (
        "pass --missing omit, --random readers-and-cases or --assume-independent"
    )


def section(*rows: Row, **more: object) -> Section:
    columns = (
        column("reader", "text", "reader"),
        column("AUC", "auc", "value", of="auc"),
        column("95 % interval", "auc", "low", "high"),
    )
    return Section("auc", "AUC", columns, rows, **more)  # type: ignore[arg-type]


GOOD = Row(
    {"reader": "R1", "value": 0.75, "low": 0.5, "high": 1.0},
    {"auc": Estimate(method="DeLong", n=9, value=0.75, warnings=('use ci="logit"',))},
)
BAD = Row(
    {"reader": "R2", "value": math.nan, "low": math.nan, "high": math.nan},
    {"auc": Estimate(method="DeLong", n=9, n_dropped=2, value=math.nan, reason="one class only")},
)


def test_an_undefined_value_points_to_its_reason():
    text = Report("roc", (section(GOOD, BAD),)).text().splitlines()
    assert text[2:6] == [
        "reader            AUC   95 % interval",
        "------  -------------  --------------",
        "R1              0.750  0.500 to 1.000",
        "R2      undefined [1]   undefined [1]",
    ]
    assert "[1] R2: one class only" in text
    assert "Method: DeLong." in text
    assert "Left out, as a value is missing: R2: 2." in text
    assert "Warning (R1): use --ci logit" in text


def test_methods_told_before_are_not_repeated():
    text = Report("roc", (section(GOOD), section(GOOD))).text()
    assert text.count("Method: DeLong.") == 1
    assert text.count("Method: as above.") == 1
    assert text.count("Warning: as above.") == 1


def test_a_long_last_text_goes_on_below_itself():
    columns = (column("place", "text", "where"), column("finding", "text", "words"))
    row = Row({"where": "Table 1", "words": "word " * 40})
    lines = Report("check", (Section("x", "X", columns, (row,)),)).text().splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[5].startswith(" " * 9 + "word")


def test_undefined_is_noticed_in_values_rows_and_tables():
    assert not Report("roc", (section(GOOD),)).has_undefined
    assert Report("roc", (section(GOOD, BAD),)).has_undefined
    reason = Result(method="m", n=0, reason="no test")
    assert Report("roc", (section(GOOD, results={"test": reason}),)).has_undefined


def test_json_is_strict_and_keeps_full_precision():
    rows = (GOOD, BAD, Row({"reader": "R3", "value": 1 / 3, "df": math.inf, ("a", "b"): 1}))
    document = json.loads(
        Report("roc", (section(*rows),), {"input": {"file": "x.csv"}}).json(),
        parse_constant=pytest.fail,
    )
    assert document["format"] == "readerstudy-stats-1"
    assert document["undefined"] is True
    found = document["tables"]["auc"]["rows"]
    assert found[1]["value"] is None
    assert found[1]["results"]["auc"]["reason"] == "one class only"
    assert found[2]["value"] == 1 / 3
    assert found[2]["df"] == "inf"


def test_csv_has_one_line_per_row_and_empty_cells_for_undefined():
    text = Report("roc", (section(GOOD, BAD),)).csv()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["value"] for row in rows] == ["0.75", ""]
    assert [row["reason"] for row in rows] == ["", "one class only"]
    assert {row["table"] for row in rows} == {"auc"}
