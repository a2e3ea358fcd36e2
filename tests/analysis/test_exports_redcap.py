"""A REDCap project: the rules of the data dictionary and of imported records, checked by hand.

Rules as in REDCap's help: "Data Dictionary: upload" and "Data Import Tool". No REDCap is needed.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from readerstudy.analysis.exports.redcap import redcap_files
from readerstudy.analysis.exports.redcap_names import Names, codes_of
from tests.analysis import making

# The header of REDCap's own template, in its order.
HEADER = [
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note",
    "Text Validation Type OR Show Slider Number", "Text Validation Min", "Text Validation Max",
    "Identifier?", "Branching Logic (Show field only if...)", "Required Field?",
    "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name",
    "Matrix Ranking?", "Field Annotation",
]  # fmt: skip
TYPES = {"text", "notes", "radio", "dropdown", "calc", "file", "checkbox", "yesno", "truefalse",
         "slider", "descriptive", "sql"}  # fmt: skip
VALIDATIONS = {"": r".*", "integer": r"-?\d+", "number": r"-?\d+(\.\d+)?(e-?\d+)?",
               "datetime_seconds_ymd": r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"}  # fmt: skip

NAN = "float('nan')"

SIGNS = making.question("signs", "edema", "mass-effect", kind="multi", may_be_not_evaluable=True)
GRADE = making.question("Grade", "II", "III", "IV", kind="ordinal", may_be_not_evaluable=True)
SURE = making.question("sure", "1", "2", "3", kind="confidence", bound_to="Grade")
SIZE = making.question("size", kind="number", minimum=0, maximum=200, unit="mm",
                       may_be_not_evaluable=True)  # fmt: skip
WHY = making.question(
    "why", kind="text",
    show_if={"any": [{"question": "Grade", "not": ["II"]}, {"question": "size", "at_least": 20},
                     {"question": "signs", "is": ["mass-effect"]},
                     {"question": "signs", "answered": False}]},
)  # fmt: skip
MARK = making.question("mark", kind="region", arms=("cbv",))
BETTER = making.question("better", kind="place", equal=True)
REGION = {
    "kind": "length", "role": "t1c", "plane": "axial", "points_mm": [[0, 0, 0], [3, 4, 0]],
    "points_lps_mm": [[1.5, 2.0, -3.25], [4.5, 6.0, -3.25]], "measured": {"length_mm": 5.0},
}  # fmt: skip


@pytest.fixture
def data():
    items = [
        making.item("0001", "real", references={"age": "61"}),
        making.item("0002", "synthetic", generator="=cmd|x", references={"who grade": "IV"}),
    ]
    at = datetime(2026, 11, 20, 11, 58, 7, tzinfo=UTC)
    answers = {"Grade": "III", "sure": "2", "size": 31.5, "signs": ["mass-effect"],
               "why": "=SUM(A1)", "mark": REGION, "better": {"members": [1]}}  # fmt: skip
    first = replace(making.read("R1", items[0], answers, arm="cbv"), received_at=at)
    second = making.read("R2", items[1], {"signs": ["edema"], "better": {"members": []}},
                         not_evaluable=("Grade", "size"), arm="standard")  # fmt: skip
    return making.dataset(
        [first, second],
        items,
        questions=(SIGNS, GRADE, SURE, SIZE, WHY, MARK, BETTER, making.ORIGIN),
        arms=(("standard", "Standard"), ("cbv", "With the | map")),
        places=2,
    )


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


@pytest.fixture
def dictionary(data):
    return rows_of(redcap_files(data)["redcap_dictionary.csv"])


@pytest.fixture
def records(data):
    return rows_of(redcap_files(data)["redcap_records.csv"])


def choices_of(row: dict[str, str]) -> dict[str, str]:
    """Split as REDCap does: at the bars, then at the first comma."""
    cell = row[HEADER[5]]
    return dict(
        tuple(map(str.strip, one.split(",", 1)))
        for one in cell.split("|")
        if cell  # type: ignore[misc]
    )


def columns_of(row: dict[str, str]) -> list[str]:
    name = row[HEADER[0]]
    return [f"{name}___{c}" for c in choices_of(row)] if row[HEADER[3]] == "checkbox" else [name]


def test_the_dictionary_has_the_eighteen_columns_and_starts_with_the_record(dictionary):
    assert list(dictionary[0]) == HEADER
    assert (dictionary[0][HEADER[0]], dictionary[0][HEADER[3]]) == ("record_id", "text")


def test_names_types_choices_and_validations_are_ones_that_redcap_takes(dictionary):
    names = [row[HEADER[0]] for row in dictionary]
    assert len(set(names)) == len(names)
    forms = list(dict.fromkeys(row[HEADER[1]] for row in dictionary))
    assert [row[HEADER[1]] for row in dictionary] == [
        form for form in forms for row in dictionary if row[HEADER[1]] == form
    ], "the fields of a form stand together"
    for row in dictionary:
        name, kind, validation = row[HEADER[0]], row[HEADER[3]], row[HEADER[7]]
        assert re.fullmatch(r"[a-z](?!.*__)[a-z0-9_]{0,98}[a-z0-9]", name), name
        assert re.fullmatch(r"[a-z][a-z0-9_]*", row[HEADER[1]])
        assert kind in TYPES
        assert row[HEADER[4]].strip(), "each field has a label"
        if kind in ("radio", "checkbox", "dropdown"):
            assert len(choices_of(row)) >= 1
            assert all(re.fullmatch(r"[a-z0-9_]+", code) for code in choices_of(row))
            assert all(choices_of(row).values())
        else:
            assert row[HEADER[5]] == ""
        assert validation in VALIDATIONS
        assert not validation or kind == "text"
        assert row[HEADER[12]] in ("", "y")


def test_branching_logic_names_fields_and_choices_that_exist(dictionary):
    fields = {row[HEADER[0]]: row for row in dictionary}
    for row in dictionary:
        logic = row[HEADER[11]]
        assert logic.count("(") == logic.count(")")
        for name, _, code in re.findall(r"\[([a-z0-9_]+)(\(([a-z0-9_]+)\))?\]", logic):
            assert name in fields
            assert bool(code) == (fields[name][HEADER[3]] == "checkbox")
            assert not code or code in choices_of(fields[name])
        for name, code in re.findall(r"\[([a-z0-9_]+)\] (?:=|<>) '([^']+)'", logic):
            known = choices_of(fields[name]) or {"0": "", "1": ""}
            assert code in known, (name, code)


def holds(logic: str, record: dict[str, str]) -> bool:
    """Evaluate branching logic as REDCap does."""
    if not logic:
        return True
    text = re.sub(
        r"\[([a-z0-9_]+)(?:\(([a-z0-9_]+)\))?\]",
        lambda m: repr(record[f"{m[1]}___{m[2]}" if m[2] else m[1]]),
        logic,
    )
    text = re.sub(r"'([^']*)' (>=|<=) ", lambda m: f"{m[1] or NAN} {m[2]} ", text)
    text = text.replace("<>", "!=").replace(" = ", " == ")
    return bool(eval(text))


def test_branching_shows_what_was_asked_and_hides_the_rest(dictionary, records):
    logic = {row[HEADER[0]]: row[HEADER[11]] for row in dictionary}
    first, second = records
    assert holds(logic["sure"], first)
    assert not holds(logic["sure"], second), "the grade was not evaluable"
    assert holds(logic["why"], first)
    assert not holds(logic["why"], second), "no condition holds"
    assert holds(logic["mark"], first)
    assert not holds(logic["mark"], second), "that arm does not ask it"
    assert logic["mark"] == logic["mark_length_mm"] == "[arm] = 'cbv'"


def test_records_fill_the_fields_of_the_dictionary_with_values_that_it_allows(dictionary, records):
    columns = [name for row in dictionary for name in columns_of(row)]
    complete = {f"{row[HEADER[1]]}_complete" for row in dictionary}
    assert set(records[0]) == {*columns, *complete}
    assert len({record["record_id"] for record in records}) == len(records)
    for record in records:
        assert {record[name] for name in complete} == {"2"}
        for row in dictionary:
            for column in columns_of(row):
                value, kind = record[column], row[HEADER[3]]
                if kind == "radio" and value:
                    assert value in choices_of(row), column
                if kind in ("checkbox", "yesno"):
                    assert value in ("", "0", "1")
                if value and row[HEADER[7]]:
                    assert re.fullmatch(VALIDATIONS[row[HEADER[7]]], value), column
                    low, high = row[HEADER[8]], row[HEADER[9]]
                    assert not low or float(value) >= float(low)
                    assert not high or float(value) <= float(high)


def test_answers_arrive_as_given(records):
    first, second = records
    assert (first["grade"], first["sure"], first["size"]) == ("iii", "2", "31.5")
    assert (first["signs___edema"], first["signs___mass_effect"]) == ("0", "1")
    assert (first["better"], second["better"]) == ("1", "equal")
    assert first["mark"] == "length t1c axial: 1.5 2.0 -3.25; 4.5 6.0 -3.25"
    assert first["mark_length_mm"] == "5.0"
    assert first["received_at"] == "2026-11-20 11:58:07"
    assert (second["grade"], second["size"]) == ("not_evaluable", "")
    assert (first["size_not_evaluable"], second["size_not_evaluable"]) == ("0", "1")
    assert (first["true_origin"], second["true_origin"]) == ("real", "synthetic")
    assert (first["ref_age"], second["ref_who_grade"]) == ("61", "IV")
    assert (first["why"], second["true_generator"]) == ("'=SUM(A1)", "'=cmd|x"), "no formula"


def test_names_stay_apart_and_keep_clear_of_reserved_ones():
    names = Names(taken=["reader"])
    assert names.of("Größe / mm") == "gr_e_mm"
    assert names.of("groß-e mm") == "gro_e_mm"
    assert names.of("reader") == "reader_2"
    assert names.of("2nd") == "q_2nd"
    assert names.of("record-id") == "record_id_2"
    assert names.of("answers_complete") == "answers_complete_2"
    assert names.of("Größe / mm") == "gr_e_mm"
    assert codes_of(["1", "-1", "A b", "a-b"]) == {
        "1": "1",
        "-1": "1_2",
        "A b": "a_b",
        "a-b": "a_b_2",
    }
