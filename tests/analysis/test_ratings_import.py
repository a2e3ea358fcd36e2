"""Tables of ratings from elsewhere: every form, and everything that can be wrong with one."""

from __future__ import annotations

import io
import json
from datetime import date

import openpyxl
import pytest

from readerstudy import stats
from readerstudy.analysis.endpoints.reads import scored
from readerstudy.analysis.importing import facts_json
from readerstudy.analysis.importing.guessing import guess
from readerstudy.analysis.importing.mapping import RatingsMapping, document_of, parse
from readerstudy.analysis.importing.ratings_import import Faulty, examine, facts_of
from readerstudy.analysis.ratings.tables import from_json, table_of, to_json
from readerstudy.core.errors import ReaderStudyError

GRADE = {
    "code": "grade", "text": "Grade", "source": "Grade", "kind": "single",
    "levels": [{"code": "low", "label": "Low", "values": ["2"]},
               {"code": "high", "values": ["3", "4"]}],
    "truth": {"source": "reference", "endpoint": "who",
              "values": {"2": "low", "3": "high", "4": "high"}},
}  # fmt: skip
SURE = {"code": "sure", "source": "Sure", "kind": "confidence", "bound_to": "grade",
        "levels": ["1", "2", "3"]}  # fmt: skip
COLUMNS = {"reader": "Reader", "case": "Case"}


def mapping(**more) -> RatingsMapping:
    base = {"name": "M", "form": "wide", "columns": COLUMNS, "references": {"who": "WHO"},
            "questions": [GRADE, SURE]}  # fmt: skip
    return parse({**base, **more})


def table(text: str, name: str = "ratings.csv"):
    return table_of(text.encode(), name)


PLAIN = """Reader,Case,Grade,Sure,WHO
A,1,low,3,2
A,2,high,2,4
B,1,2,1,2
B,2,3,3,4
"""


def kinds(text: str, found: RatingsMapping | None = None, **more) -> list[tuple[int, str, str]]:
    """Return row, column and kind of each fault."""
    examined = examine(table(text), found or mapping(**more))
    return [(one.row, one.column, one.kind) for one in examined.faults]


def test_one_row_for_each_reading():
    data = facts_of(table(PLAIN), mapping())
    assert data.study is None
    assert [(r.reader, r.case, r.answers) for r in data.reads] == [
        ("A", "1", {"grade": "low", "sure": "3"}),
        ("A", "2", {"grade": "high", "sure": "2"}),
        ("B", "1", {"grade": "low", "sure": "1"}),
        ("B", "2", {"grade": "high", "sure": "3"}),
    ]
    assert {code: item.right for code, item in data.items.items()} == {
        "1": {"grade": "low"}, "2": {"grade": "high"},
    }  # fmt: skip
    assert [(one.code, one.planned) for one in data.readers] == [("A", 2), ("B", 2)]
    assert data.protocol.question("grade").levels == ("low", "high")
    assert (data.missing, data.protocol.arm_codes) == (0, ("main",))


def test_one_row_for_each_answer_is_the_same_data():
    long = "Reader,Case,WHO,Question,Answer\n" + "".join(
        f"{reader},{case},{who},{question},{answer}\n"
        for line in PLAIN.splitlines()[1:]
        for reader, case, grade, sure, who in [line.split(",")]
        for question, answer in (("Grade", grade), ("sure ", sure))
    )
    found = mapping(form="long", columns={**COLUMNS, "question": "Question", "value": "Answer"})
    assert facts_of(table(long), found).reads == facts_of(table(PLAIN), mapping()).reads


def test_one_row_for_each_case_with_a_column_for_each_reader():
    text = "Case,WHO,Rater 1,Rater 2\n1,2,low,low\n2,4,high,not evaluable\n3,,high,\n"
    found = mapping(
        form="readers", columns={"case": "Case"}, readers={"Rater 1": "R1", "Rater 2": "R2"},
        questions=[{**GRADE, "source": ""}],
    )  # fmt: skip
    data = facts_of(table(text), found)
    assert [(r.reader, r.case, r.answers.get("grade"), r.not_evaluable) for r in data.reads] == [
        ("R1", "1", "low", frozenset()),
        ("R1", "2", "high", frozenset()),
        ("R1", "3", "high", frozenset()),
        ("R2", "1", "low", frozenset()),
        ("R2", "2", None, frozenset({"grade"})),
    ]
    assert data.missing == 1
    assert "grade" not in data.items["3"].right


def test_arms_periods_order_and_repeats_are_kept():
    text = (
        "Reader,Case,Modality,Session,Place,Again,Grade,Sure,WHO\n"
        "A,1,MRI + CBV,2,1,0,low,1,2\nA,1,MRI,1,2,0,low,2,2\nA,1,MRI,1,9,1,high,3,2\n"
    )
    roles = {"arm": "Modality", "period": "Session", "order": "Place", "repeat": "Again"}
    arms = [{"code": "standard", "values": ["MRI"]}, {"code": "cbv", "values": ["MRI + CBV"]}]
    data = facts_of(table(text), mapping(columns={**COLUMNS, **roles}, arms=arms))
    found = [(r.arm, r.period, r.position, r.repeat) for r in data.reads]
    assert found == [("standard", 1, 2, 0), ("standard", 1, 9, 1), ("cbv", 2, 1, 0)]
    assert data.protocol.arm_codes == ("standard", "cbv")
    assert len(data.first_reads) == 2


def test_a_table_of_cases_of_its_own():
    cases = table(
        "Case,WHO,Patient,Kind,Net\n1,2,P1,real,\n2,4,P1,fake,GAN\n9,2,P9,,\n", "cases.csv"
    )
    text = "Reader,Case,Grade,Sure\nA,1,low,1\nA,2,high,1\nA,3,high,1\nA,3,high,1\n"
    found = mapping(columns={**COLUMNS, "subject": "Patient", "origin": "Kind", "generator": "Net"})
    examined = examine(table(text), found, cases=cases)
    assert [(f.row, f.kind, f.cell) for f in examined.blocking] == [(4, "unknown case", "3")]
    assert examined.left_out == 4
    items = examined.data.items
    assert [(i.subject, i.origin, i.generator) for i in items.values()] == [
        ("P1", "real", ""), ("P1", "synthetic", "GAN"), ("P9", "unknown", ""),
    ]  # fmt: skip
    assert (examined.data.n_real, examined.data.n_synthetic) == (1, 1)
    assert [read.subject for read in examined.data.reads] == ["P1", "P1"]


def test_a_rating_keeps_its_order_exactly_as_call_and_sureness():
    ratings = [0, 12.5, 30, 49.9, 50, 50.1, 77, 100]
    text = "Reader,Case,Score,WHO\n" + "".join(
        f"A,{n},{rating},{2 if n % 3 else 4}\n" for n, rating in enumerate(ratings)
    )
    score = {**GRADE, "kind": "rating", "source": "Score", "minimum": 0, "maximum": 100,
             "threshold": 40}  # fmt: skip
    data = facts_of(table(text), mapping(questions=[score]))
    called = [read.answers["grade"] for read in data.reads]
    assert called == ["low"] * 3 + ["high"] * 5
    found = scored(data, "grade", "grade_sureness")
    assert found.scores == pytest.approx([60 + rating - 40 for rating in ratings])
    truth = [int(n % 3 == 0) for n in range(8)]
    assert stats.auc(found.truth, found.scores).value == stats.auc(truth, ratings).value


EVERY_FAULT = [
    ("an empty cell", PLAIN.replace("A,1,low,3,2", "A,1,,3,2"), (2, "Grade", "empty")),
    ("a missing word", PLAIN.replace("A,1,low,3,2", "A,1,N/A,3,2"), (2, "Grade", "empty")),
    ("off the scale", PLAIN.replace("A,1,low,3", "A,1,low,5"), (2, "Sure", "scale")),
    ("an unknown level", PLAIN.replace("A,1,low", "A,1,medium"), (2, "Grade", "scale")),
    ("a date for a level", PLAIN.replace("A,1,low", "A,1,02-Mar"), (2, "Grade", "date")),
    ("an unknown truth", PLAIN.replace(",2\n", ",5\n"), (2, "WHO", "scale")),
    ("two truths", PLAIN.replace("B,1,2,1,2", "B,1,2,1,4"), (4, "WHO", "two truths")),
    ("no reader", PLAIN.replace("B,1,2", ",1,2"), (4, "Reader", "no reader")),
    ("no case", PLAIN.replace("B,1,2", "B,,2"), (4, "Case", "no reader")),
    ("the same row twice", PLAIN + "A,1,low,3,2\n", (6, "Grade", "same row")),
    ("another answer", PLAIN + "A,1,high,3,2\n", (6, "Grade", "two answers")),
    ("a silent reader", PLAIN + "C,1,,,2\n", (0, "", "silent")),
    ("a row too wide", PLAIN + "C,1,low,1,2,9,9\n", (6, "", "table")),
    ("a formula", PLAIN + "C,1,=A1,1,2\n", (6, "C", "table")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fault"), [one[1:] for one in EVERY_FAULT],
                         ids=[one[0] for one in EVERY_FAULT])  # fmt: skip
def test_each_fault_is_named_by_row_and_column(text, fault):
    assert fault in kinds(text)


def test_what_only_needs_a_look_does_not_stop_and_the_rest_does():
    tolerated = PLAIN + "A,1,low,3,2\nC,1,,,2\n"
    assert len(facts_of(table(tolerated), mapping()).reads) == 4
    faulty = PLAIN.replace("A,1,low,3", "A,1,low,5")
    with pytest.raises(Faulty, match="Row 2, column Sure: is not on the scale of “sure”: 1, 2, 3"):
        facts_of(table(faulty), mapping())
    left = facts_of(table(faulty), mapping(), leave_out=True)
    assert left.reads[0].answers == {"grade": "low"}
    assert examine(table(faulty), mapping()).left_out == 1


def test_of_two_answers_that_differ_neither_counts():
    data = examine(table(PLAIN + "A,1,high,3,2\n"), mapping()).data
    assert data.reads[0].answers == {"sure": "3"}


def test_a_case_with_two_truths_has_none():
    data = examine(table(PLAIN.replace("B,1,2,1,2", "B,1,2,1,4")), mapping()).data
    assert data.items["1"].right == {}
    assert "who" not in data.items["1"].references


def test_semicolons_decimal_commas_and_a_byte_order_mark():
    size = {"code": "size", "source": "Size", "kind": "number", "unit": "mm"}
    text = "\ufeffReader;Case;Size;Alter\r\nA;1;12,5;61,5\r\nA;2;3;70\r\n"
    right = mapping(questions=[size], references={"age": "Alter"}, decimal=",")
    data = facts_of(table(text), right)
    assert [read.answers["size"] for read in data.reads] == [12.5, 3.0]
    assert data.items["1"].references == {"age": "61.5"}
    wrong = mapping(questions=[size], references={"age": "Alter"})
    assert kinds(text, wrong) == [(2, "Size", "comma")]
    points = text.replace("12,5", "12.5")
    assert kinds(points, right) == [(2, "Size", "comma")]


def test_numbers_are_numbers_within_their_bounds():
    size = {"code": "size", "source": "Size", "kind": "number", "minimum": 0, "maximum": 50}
    text = "Reader,Case,Size\nA,1,abc\nA,2,51\nA,3,-1\nA,4,1.234.5\nA,5,\u22123\nA,6,2e1\n"
    found = mapping(questions=[size], references={})
    expected = [(2, "number"), (3, "scale"), (4, "scale"), (5, "number"), (6, "scale")]
    assert [(row, kind) for row, _, kind in kinds(text, found)] == expected


def workbook(rows, **change) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cells in change.get("merged", ()):
        book.active.merge_cells(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_with_dates_and_merged_headers():
    rows = [["Reader", "Case", "Grade", "Sure", "WHO"], ["A", 1, date(2026, 3, 2), 3, 2]]
    found = examine(table_of(workbook(rows), "r.xlsx"), mapping())
    assert [(f.row, f.column, f.kind) for f in found.blocking] == [(2, "Grade", "date")]
    merged = workbook(rows, merged=["C1:D1"])
    with pytest.raises(ReaderStudyError, match="has no column “Sure”"):
        examine(table_of(merged, "r.xlsx"), mapping())
    plain = mapping(questions=[GRADE])
    found = examine(table_of(merged, "r.xlsx"), plain)
    assert "The cells C1:D1 are merged" in found.blocking[0].text


def test_arms_questions_and_places_that_are_not_known():
    arms = {"columns": {**COLUMNS, "arm": "Arm"}, "arms": ["a", "b"]}
    text = "Reader,Case,Arm,Grade,Sure,WHO\nA,1,a,low,1,2\nA,1,c,low,1,2\nA,1,,low,1,2\n"
    assert [k for k in kinds(text, mapping(**arms)) if k[1] == "Arm"] == [
        (3, "Arm", "unknown arm")] * 2 + [(4, "Arm", "unknown arm")] * 2  # fmt: skip
    long = mapping(form="long", columns={**COLUMNS, "question": "Q", "value": "V"})
    text = "Reader,Case,WHO,Q,V\nA,1,2,Grade,low\nA,1,2,Colour,red\n"
    assert kinds(text, long) == [(3, "Q", "unknown question")]
    period = mapping(columns={**COLUMNS, "period": "P"}, questions=[GRADE])
    text = "Reader,Case,P,Grade,WHO\nA,1,1.5,low,2\nA,2,x,low,2\n"
    assert kinds(text, period) == [(2, "P", "place"), (3, "P", "number")]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": " "}, "The name must be filled in"),
        ({"form": "square"}, "no form 'square'"),
        ({"columns": {"case": "Case"}}, "Say which column holds: reader"),
        ({"columns": {**COLUMNS, "arm": "Case"}}, "“Case” has two meanings"),
        ({"questions": []}, "Define at least one question"),
        ({"questions": [GRADE, GRADE]}, "Two questions have the code “grade”"),
        ({"questions": [{**GRADE, "levels": ["low"]}]}, "needs at least two levels"),
        ({"questions": [{**GRADE, "levels": ["low", {"code": "b", "values": ["LOW"]}]}]},
         "“low” stands for two levels"),
        ({"questions": [{**GRADE, "kind": "guess"}]}, "unknown kind 'guess'"),
        ({"questions": [{**GRADE, "code": "a b"}]}, "may hold letters, digits"),
        ({"questions": [{**GRADE, "truth": {"source": "reference", "endpoint": "x"}}]},
         "no reference 'x'"),
        ({"questions": [{**GRADE, "truth": {"source": "origin", "real": "low"}}]},
         "which level is right for real and for synthetic"),
        ({"questions": [{**GRADE, "kind": "rating"}]}, "state the ends of the scale"),
        ({"questions": [SURE]}, "name the question it states the confidence of"),
        ({"decimal": ";"}, "decimal sign is a point or a comma"),
        ({"surprise": 1}, "unknown entry, surprise"),
        ({"attested": {"on": "soon", "document": "SAP"}}, "as year-month-day"),
        ({"plan": [{"code": "a", "title": "A", "question": "b", "endpoint": "agreement"}]},
         "which the study does not ask"),
    ],
)  # fmt: skip
def test_a_mapping_that_contradicts_itself_is_refused_in_words(change, message):
    with pytest.raises(ReaderStudyError, match=message):
        mapping(**change)


def test_a_mapping_and_the_facts_survive_json():
    found = mapping(attested={"on": "2024-05-01", "document": "SAP 1.2"})
    assert parse(json.loads(json.dumps(document_of(found)))) == found
    data = facts_of(table(PLAIN), found)
    assert facts_json.from_json(json.loads(json.dumps(facts_json.to_json(data)))) == data
    read = table(PLAIN)
    assert from_json(json.loads(json.dumps(to_json(read)))).lines == read.lines
    with pytest.raises(ValueError, match="must be of the format"):
        facts_json.from_json({"format": "other"})


def test_columns_are_guessed_from_names_and_values():
    text = (
        "Radiologist;PatientID;CaseID;Modality;Diagnosis_call;Confidence;True diagnosis;Age\n"
        "A;P1;1;MRI;benign;3;benign;61,5\nB;P1;2;CBV;malignant;1;malignant;50\n"
    )
    found = guess(table(text), name="G")
    assert found["form"] == "wide"
    assert found["columns"] == {
        "reader": "Radiologist", "subject": "PatientID", "case": "CaseID", "arm": "Modality",
    }  # fmt: skip
    assert found["references"] == {"diagnosis": "True diagnosis", "age": "Age"}
    assert found["decimal"] == ","
    call, sure = found["questions"]
    assert (call["kind"], [one["code"] for one in call["levels"]]) == (
        "single",
        ["benign", "malignant"],
    )
    assert (sure["kind"], sure["bound_to"]) == ("confidence", "diagnosis_call")
    assert parse(found).form == "wide"


def test_a_turing_test_and_a_matrix_of_readers_are_guessed():
    turing = guess(table("Reader,Image,Class,Call\nA,1,real,fake\nA,2,fake,real\n"), name="T")
    assert turing["columns"]["origin"] == "Class"
    (question,) = turing["questions"]
    assert question["truth"] == {"source": "origin", "real": "real", "synthetic": "synthetic"}
    data = facts_of(table("Reader,Image,Class,Call\nA,1,real,fake\nA,2,fake,real\n"), parse(turing))
    assert [(r.origin, r.answers["call"]) for r in data.reads] == [
        ("real", "synthetic"), ("synthetic", "real"),
    ]  # fmt: skip
    matrix = guess(table("case,Rater A,Rater B\n1,2,3\n2,1,1\n"), name="M")
    assert (matrix["form"], matrix["readers"]) == ("readers", {"Rater A": "RA", "Rater B": "RB"})
    assert [one["code"] for one in matrix["questions"][0]["levels"]] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "r.csv", "is empty"),
        (b"Reader,Case\n", "r.csv", "a header but no rows"),
        (b"PK\x03\x04nonsense", "r.xlsx", "damaged"),
        (b"a\0b", "r.csv", "no text file"),
        (b"Reader,Case\nA,1\n", "r.pdf", ".csv or .xlsx"),
    ],
)
def test_files_that_are_no_tables_are_refused_in_words(content, name, message):
    with pytest.raises(ReaderStudyError, match=message):
        table_of(content, name)
