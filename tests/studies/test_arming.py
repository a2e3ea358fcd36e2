"""Arms of a draft: what does not fit is refused in words, and nothing is lost."""

from __future__ import annotations

import pytest
from django.urls import reverse

from readerstudy.core.errors import Conflict, NotFound, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.studies import arming
from tests.factories import StudyFactory, locked_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(client):
    made = StudyFactory(template="wang2023-added-value")  # arms with slots of their own
    client.force_login(made.created_by)
    return made


def arms(study) -> list[tuple]:
    return list(study.arms.values_list("code", "name", "slots", "position"))


def put(study, code="third", name="Third", slots=(), **more):
    return arming.set_arm(
        study=study, code=code, name=name, slots=slots, actor=study.created_by, **more
    )


def test_an_arm_is_added_renamed_and_removed(study):
    slot = study.display.slots[0].code
    before = arms(study)
    put(study, slots=[slot])
    put(study, name="  Third arm  ", slots=[])
    assert arms(study)[-1] == ("third", "Third arm", [], len(before) + 1)
    arming.remove_arm(study=study, code="third", actor=study.created_by)
    assert arms(study) == before
    actions = AuditRecord.objects.filter(action__contains="_arm").values_list("action", flat=True)
    assert list(actions) == ["study.set_arm", "study.set_arm", "study.remove_arm"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"code": ""}, "is no code"),
        ({"code": "Two words"}, "is no code"),
        ({"code": "x" * 33}, "is no code"),
        ({"code": "../etc"}, "is no code"),
        ({"name": "   "}, "at most 80"),
        ({"name": "n" * 81}, "at most 80"),
        ({"slots": ["pet"]}, "no series “pet”"),
        ({"slots": ["t1c", "t1c"]}, "named twice"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(study, given, words):
    before = arms(study)
    slots = given.get("slots", ())
    if words == "named twice":
        slots = [study.display.slots[0].code] * 2
    with pytest.raises(ReaderStudyError, match=words):
        put(study, **{**given, "slots": slots})
    assert arms(study) == before
    assert not AuditRecord.objects.filter(action="study.set_arm").exists()


def test_there_are_six_arms_at_most(study):
    for number in range(arming.MAX_ARMS - study.arms.count()):
        put(study, code=f"more{number}")
    with pytest.raises(ReaderStudyError, match="at most 6 arms"):
        put(study, code="seventh")
    assert study.arms.count() == 6


def test_an_arm_that_a_question_names_or_nobody_knows_is_not_removed(study):
    code = study.arms.first().code
    question = study.questions.first()
    question.arms = [code]
    question.save()
    with pytest.raises(ReaderStudyError, match="Change the question first"):
        arming.remove_arm(study=study, code=code, actor=study.created_by)
    with pytest.raises(NotFound, match="“nosuch”"):
        arming.remove_arm(study=study, code="nosuch", actor=study.created_by)


def test_an_arm_that_a_planned_analysis_compares_is_not_removed(study):
    compared = next(entry for entry in study.analyses if entry.arms)
    with pytest.raises(ReaderStudyError, match="compares the arm"):
        arming.remove_arm(study=study, code=compared.arms[0], actor=study.created_by)
    assert study.arms.filter(code=compared.arms[0]).exists()


def test_after_the_lock_no_arm_changes():
    study = locked_study()
    with pytest.raises(Conflict, match="locked"):
        put(study)
    with pytest.raises(Conflict, match="locked"):
        arming.remove_arm(study=study, code="main", actor=study.created_by)


def test_the_page_refuses_an_arm_that_shows_nothing(client, study):
    address = reverse("study-arm", args=[study.pk])
    text = client.post(address, {"code": "none", "name": "None"}, follow=True).content.decode()
    assert "Tick at least one series" in text
    assert not study.arms.filter(code="none").exists()
