"""Questions of a draft are changed as a whole, never after the lock, and every change is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from readerstudy.core.errors import Conflict, NotFound, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.studies import planning_analysis, questioning
from readerstudy.studies.models import Study
from readerstudy.studies.questioning import question_of, template_of
from readerstudy.studies.templates.base import OptionTemplate
from tests.factories import StudyFactory, locked_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study() -> Study:
    return StudyFactory()


def codes(study: Study) -> list[str]:
    return list(study.questions.values_list("code", flat=True))


def add(study: Study, kind: str = "single", **more):
    source = questioning.new_question(kind)
    return questioning.add_question(study=study, source=source, actor=study.created_by, **more)


def change(study: Study, code: str, /, **fields):
    source = replace(template_of(question_of(study, code)), **fields)
    return questioning.change_question(
        study=study, code=code, source=source, actor=study.created_by
    )


@pytest.mark.parametrize(
    "kind", ["single", "ordinal", "multi", "confidence", "number", "text", "region"]
)
def test_every_kind_can_be_added_and_is_complete(study, kind):
    question = add(study, kind)
    assert question.kind == kind
    assert codes(study) == ["origin", "confidence", "cues", question.code]


def test_images_beside_each_other_are_asked_for_only_where_there_are_two(study):
    with pytest.raises(ReaderStudyError, match="only one is shown"):
        add(study, "place")
    assert codes(study) == ["origin", "confidence", "cues"]


def test_a_question_is_added_after_the_open_one_under_a_free_code(study):
    first, second = add(study, after="origin"), add(study, after="origin")
    assert codes(study) == ["origin", second.code, first.code, "confidence", "cues"]
    assert (first.code, second.code) == ("single", "single_2")
    assert list(study.questions.values_list("position", flat=True)) == [1, 2, 3, 4, 5]


def test_a_copy_has_everything_but_the_code(study):
    copy = questioning.duplicate_question(study=study, code="origin", actor=study.created_by)
    original = template_of(question_of(study, "origin"))
    assert template_of(question_of(study, copy.code)) == replace(original, code="origin_2")


def test_moving_keeps_a_question_before_those_that_depend_on_it(study):
    questioning.move_question(study=study, code="cues", by=-1, actor=study.created_by)
    assert codes(study) == ["origin", "cues", "confidence"]
    with pytest.raises(ReaderStudyError, match="“origin”, which must come before it"):
        questioning.move_question(study=study, code="confidence", by=-2, actor=study.created_by)
    assert codes(study) == ["origin", "cues", "confidence"]


def test_removing_is_refused_while_another_question_depends_on_it(study):
    with pytest.raises(ReaderStudyError, match="“confidence” speaks of “origin”"):
        questioning.remove_question(study=study, code="origin", actor=study.created_by)
    questioning.remove_question(study=study, code="confidence", actor=study.created_by)
    questioning.remove_question(study=study, code="origin", actor=study.created_by)
    study.refresh_from_db()
    assert codes(study) == ["cues"]
    assert study.analysis_plan == []


def test_a_new_code_is_followed_by_all_that_names_it(study):
    rule = {"all": [{"question": "origin", "is": ["real"]}]}
    change(study, "cues", show_if=rule)
    with pytest.raises(ReaderStudyError, match="Another question has the code"):
        change(study, "origin", code="cues")
    change(study, "origin", code="class")
    study.refresh_from_db()
    assert question_of(study, "confidence").bound_to == "class"
    assert question_of(study, "cues").show_if["all"][0]["question"] == "class"
    assert {entry["question"] for entry in study.analysis_plan} == {"class"}


def test_levels_keep_their_row_as_long_as_they_keep_their_code(study):
    kept = question_of(study, "origin").options.get(code="real").pk
    levels = [OptionTemplate("unsure", "Unsure"), OptionTemplate("real", "Acquired")]
    questioning.set_options(study=study, code="origin", levels=levels, actor=study.created_by)
    question = question_of(study, "origin")
    assert [one.code for one in question.options.all()] == ["unsure", "real"]
    assert question.options.get(code="real").pk == kept


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"text": "  "}, "Give the question a text"),
        ({"code": "No good"}, "is no code"),
        ({"options": (OptionTemplate("a", "A"),)}, "at least two choices"),
        ({"options": (OptionTemplate("a", "A"),) * 2}, "two choices with one code"),
        ({"options": (OptionTemplate("a", ""), OptionTemplate("b", "B"))}, "needs a text"),
        ({"options": (OptionTemplate("a", "A" * 61), OptionTemplate("b", "B"))}, "at most 60"),
        ({"arms": ("aided",)}, "no arm “aided”"),
        ({"region": {"kind": "point", "role": "pet"}}, "shows no series “pet”"),
        ({"help": "x" * 2001}, "at most 2000"),
    ],
)
def test_a_question_that_does_not_fit_is_refused_and_nothing_changes(study, fields, words):
    before = template_of(question_of(study, "origin"))
    with pytest.raises(ReaderStudyError, match=words):
        change(study, "origin", **fields)
    assert template_of(question_of(study, "origin")) == before


def test_every_change_is_in_the_audit_log_and_saving_the_same_is_none(study):
    change(study, "origin", text="Measured or computed?")
    record = AuditRecord.objects.filter(action="study.change_question").get()
    assert record.old["text"] == "Is this image real or synthetic?"
    assert record.new["text"] == "Measured or computed?"
    change(study, "origin")
    assert AuditRecord.objects.filter(action="study.change_question").count() == 1


def test_an_unknown_question_is_named(study):
    with pytest.raises(NotFound, match="“grade”"):
        change(study, "grade") if "grade" in codes(study) else question_of(study, "grade")


def test_nothing_can_be_changed_after_the_lock():
    study = locked_study()
    actor = study.created_by
    source = template_of(question_of(study, "origin"))
    writes = [
        lambda: add(study),
        lambda: change(study, "origin", text="Changed"),
        lambda: questioning.duplicate_question(study=study, code="cues", actor=actor),
        lambda: questioning.add_confidence(study=study, code="cues", actor=actor),
        lambda: questioning.move_question(study=study, code="cues", by=-1, actor=actor),
        lambda: questioning.remove_question(study=study, code="cues", actor=actor),
        lambda: questioning.set_options(
            study=study, code="cues", levels=source.options, actor=actor
        ),
        lambda: planning_analysis.plan_analysis(
            study=study, question="origin", endpoint="turing", primary=True, actor=actor
        ),
        lambda: planning_analysis.drop_analysis(study=study, code="turing_accuracy", actor=actor),
    ]
    for write in writes:
        with pytest.raises(Conflict, match="locked"):
            write()


def test_an_endpoint_is_planned_and_dropped(study):
    entry = planning_analysis.plan_analysis(
        study=study, question="cues", endpoint="agreement", primary=False, actor=study.created_by
    )
    study.refresh_from_db()
    assert study.analyses[-1] == entry
    assert "cohen_kappa" in entry.methods
    planning_analysis.drop_analysis(study=study, code=entry.code, actor=study.created_by)
    study.refresh_from_db()
    assert entry.code not in [one.code for one in study.analyses]
