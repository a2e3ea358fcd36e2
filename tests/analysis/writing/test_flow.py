"""The flow of the readings counts every reading once and names what was left out."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from readerstudy.analysis.writing.flow import analysed, flow_figure, flow_table, steps_of
from readerstudy.studies.analysis_plan import PlannedAnalysis
from tests.analysis.making import dataset, item, read
from tests.analysis.writing import making


def test_each_step_is_the_one_before_less_what_was_left_out():
    data = making.data()  # 3 readers x 20 planned, 3 withdrawn, 34 first reads and 1 repeat
    steps = steps_of(data)
    assert [step.n for step in steps] == [63, 60, 35, 34]
    for before, after in pairwise(steps):
        assert before.n - sum(number for _, number in before.left) == after.n
    assert dict(steps[1].left) == {"answer came after the end of the reading": 2, "not read": 23}


def test_readings_of_a_withdrawn_reader_are_named():
    data = making.data()
    readers = [replace(one, withdrawn=one.code == "R3") for one in data.readers]
    left = dict(steps_of(replace(data, readers=readers))[1].left)
    assert left["reader withdrawn before the reading"] == 20


def test_an_endpoint_counts_what_it_leaves_out():
    known, unknown = item("C1", "real"), item("C2")
    reads = [
        read("R1", known, {"origin": "real"}),
        read("R1", unknown, {"origin": "real"}),
        read("R2", known, {}, not_evaluable=("origin",)),
        read("R2", unknown, {}),
    ]
    entry = PlannedAnalysis(code="t", title="T", question="origin", endpoint="turing")
    data = dataset(reads, [known, unknown], plan=(entry,))
    step = analysed(data, entry)
    assert step.n == 1
    assert dict(step.left) == {
        "question not answered": 1,
        "not evaluable": 1,
        "reference standard not known": 1,
    }
    wrong = analysed(data, replace(entry, not_evaluable="wrong"))
    assert wrong.n == 2
    assert "counted as wrong: 1" in wrong.lines[0]


def test_the_figure_has_its_words_and_the_table_its_numbers():
    data = making.data()
    figure = flow_figure(data)
    assert "Readings assigned: 63" in figure.alt
    assert "case withdrawn before the reading: 3" in figure.alt
    numbers = [row.cells["n"].value for row in flow_table(data).rows]
    assert numbers[:4] == [63, 60, 35, 34]


def test_a_study_without_reads_has_a_flow():
    data = dataset([], [item("C1")], readers=("R1",), planned=1)
    assert [step.n for step in steps_of(data)] == [1, 1, 0, 0]
