"""The points of the checklist about questions, arms, training, draw, truth and analysis."""

from __future__ import annotations

import pytest

from readerstudy.reading import scheduling
from readerstudy.studies import design
from readerstudy.studies.checklist import BLOCKS, GROUPS, LOOK, PASSED, checklist
from readerstudy.studies.models import Arm, Option, Question, Study, StudyCase
from readerstudy.truth.models import Origin
from readerstudy.truth.recording_reference import record_reference
from tests.factories import ready_study
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return ready_study()


def point(study: Study, beginning: str):
    (found,) = [c for c in checklist(study) if c.statement.startswith(beginning)]
    return found


def set_plan(study: Study, **settings) -> Study:
    document = {**study.design, **settings}
    design.set_plan(study=study, document=document, actor=study.created_by)
    return Study.objects.get(pk=study.pk)


def test_the_groups_stand_in_the_order_of_the_page(study):
    places = [GROUPS.index(check.group) for check in checklist(study)]
    assert places == sorted(places)
    assert BLOCKS not in {check.status for check in checklist(study) if check.before == "lock"}


def test_questions_that_contradict_each_other_are_named(study):
    Question.objects.filter(study=study, code="confidence").update(bound_to="nowhere")
    check = point(study, "The questions do not hold together")
    assert check.status == BLOCKS
    assert "nowhere" in check.evidence


def test_arms_show_what_the_display_has_and_ask_something(study):
    Arm.objects.create(study=study, position=1, code="a", name="Aided", slots=["dwi"])
    Arm.objects.create(study=study, position=2, code="b", name="Plain")
    study.questions.update(arms=["a"])
    assert "“Aided” shows dwi" in point(study, "Arms do not fit").evidence
    assert "Nothing is asked in the arm “b”" in point(study, "The questions").evidence


def test_a_trial_draw_tells_the_conflict_and_leaves_nothing_behind(study):
    assert point(study, "An order can be drawn").evidence.startswith("A trial draw gave 8")
    study = set_plan(study, repeats=4, lag=50)
    check = point(study, "No order can be drawn")
    assert check.status == BLOCKS
    assert "Lower the lag" in check.evidence
    assert study.state == Study.State.DRAFT
    assert not Option.objects.filter(question__study=study, label="").exists()


def test_a_threshold_needs_training_cases(study):
    study = set_plan(study, qualification=0.8)
    assert point(study, "A threshold without training cases").status == BLOCKS
    StudyCase.objects.filter(pk=study.study_cases.first().pk).update(phase="training")
    assert point(study, "1 training cases").evidence == "With feedback; 80 % right to go on"
    assert point(study, "Training gives feedback").status == PASSED


def test_a_missing_origin_blocks_and_only_the_count_is_told(study):
    case = study.cases.first()
    with unguarded():
        Origin.objects.filter(case=case).delete()
    check = point(study, "Right answer missing")
    assert check.status == BLOCKS
    assert check.evidence.startswith("For 1 of 4 cases.")
    assert case.code not in check.evidence


def test_a_reference_standard_may_still_come_and_is_counted(study):
    truth = {"source": "reference", "endpoint": "grade", "values": {"4": "real"}}
    Question.objects.filter(study=study, code="origin").update(truth=truth)
    record_reference(
        case=study.cases.first(),
        endpoint="grade",
        value="4",
        method="histopathology",
        reason="",
        actor=study.created_by,
    )
    check = point(study, "Right answer missing")
    assert check.status == LOOK
    assert check.evidence.startswith("For 3 of 4 cases.")


def test_an_analysis_of_a_question_that_is_not_asked_blocks(study):
    Question.objects.filter(study=study, code="origin").update(code="another")
    Question.objects.filter(study=study, code="confidence").update(bound_to="another")
    assert point(study, "The plan names what is not there").status == BLOCKS


def test_what_is_ready_can_be_locked(study):
    stored = scheduling.lock_and_allocate(study=study, actor=study.created_by)
    assert stored.table_hash
    assert point(Study.objects.get(pk=study.pk), "Allocation drawn").status == PASSED


def test_training_cases_that_cannot_tell_what_is_right_are_named(study):
    grade = {"source": "reference", "endpoint": "who_grade", "values": {"4": "synthetic"}}
    Question.objects.filter(study=study, code="cues").update(truth=grade)
    told, silent = study.study_cases.all()[:2]
    study.study_cases.filter(pk__in=(told.pk, silent.pk)).update(phase="training")
    partly = point(study, "Training cases without a known right answer")
    assert partly.status == LOOK
    assert f"case {', '.join(sorted((told.item, silent.item)))}" in partly.evidence
    assert "“What decided it?”" in partly.evidence
    record_reference(case=told.case, endpoint="who_grade", value="4", method="", actor=None)
    with unguarded():
        Origin.objects.filter(case=silent.case).delete()
    check = point(study, "1 training cases without feedback")
    assert check.status == BLOCKS
    assert f"case {silent.item}." in check.evidence
    assert told.item not in check.evidence
