"""What training cases disclose is written at the lock, and of training cases alone."""

from __future__ import annotations

import uuid

import pytest

from readerstudy.reading.recording import submit
from readerstudy.reading.scheduling import lock_and_allocate
from readerstudy.reading.training import feedback_of
from readerstudy.studies import design, questioning
from readerstudy.studies.models import Question, StudyCase
from readerstudy.studies.viewing import Slot
from readerstudy.truth.feedback import right_answers
from readerstudy.truth.models import Origin
from readerstudy.truth.recording_reference import record_reference
from tests import scenario
from tests.factories import real_case, synthetic_case

pytestmark = pytest.mark.django_db
GRADE = {"source": "reference", "endpoint": "who_grade", "values": {"2": "low", "4": "high"}}


def kind_of(case) -> str:
    return Origin.objects.get(case=case).kind


def test_the_right_answers_of_training_cases_are_filled_at_the_lock():
    made = scenario.draft(n_real=3, n_synthetic=3, n_readers=1)
    cases = list(made.study.cases.order_by("code"))
    chosen = [design.Chosen(case) for case in cases[2:]]
    chosen += [design.Chosen(case, phase=StudyCase.Phase.TRAINING) for case in cases[:2]]
    design.set_cases(study=made.study, cases=chosen, actor=made.coordinator)
    lock_and_allocate(study=made.study, actor=made.coordinator)
    for row in made.study.study_cases.all():
        wanted = {"origin": kind_of(row.case)} if row.phase == "training" else None
        assert row.feedback == wanted


def question(**fields) -> Question:
    return Question(code="grade", text="Grade", kind="single", **fields)


def test_the_reference_standard_gives_the_right_answer():
    case = real_case(roles=["t1c"])
    assert right_answers([question(truth=GRADE)], [case]) == {}
    record_reference(case=case, endpoint="who_grade", value="4", method="", actor=None)
    assert right_answers([question(truth=GRADE)], [case]) == {"grade": "high"}
    record_reference(
        case=case, endpoint="who_grade", value="2", method="", actor=None, reason="Reviewed"
    )
    assert right_answers([question(truth=GRADE)], [case]) == {"grade": "low"}


def test_of_two_images_the_member_that_is_right_is_named():
    real, synthetic = real_case(roles=["t1c"]), synthetic_case(roles=["t1c"])
    asked = [question(truth={"source": "origin", "place": "synthetic"})]
    assert right_answers(asked, [real, synthetic]) == {"grade": {"member": 1}}
    assert right_answers(asked, [synthetic, real]) == {"grade": {"member": 0}}
    assert right_answers(asked, [real, real_case(roles=["t1c"])]) == {}


def test_a_reader_is_told_on_which_side_the_right_image_stood():
    made = scenario.draft(n_real=4, n_synthetic=4, n_readers=1)
    shown = scenario.viewing_of(Slot("t1c", "Left"), Slot("t1c", "Right", place=1))
    design.set_viewing(study=made.study, document=shown, actor=made.coordinator)
    cases = sorted(made.study.cases.all(), key=kind_of)
    pairs = list(zip(cases[:4], cases[4:], strict=True))
    chosen = [
        design.Chosen(case, item=pair[0].code, place=place, phase="training" if n < 3 else "main")
        for n, pair in enumerate(pairs)
        for place, case in enumerate(pair)
    ]
    design.set_cases(study=made.study, cases=chosen, actor=made.coordinator)
    for code in ("cues", "confidence", "origin"):
        questioning.remove_question(study=made.study, code=code, actor=made.coordinator)
    Question.objects.create(
        study=made.study,
        position=1,
        code="which",
        text="Which is synthetic?",
        kind="place",
        truth={"source": "origin", "place": "synthetic"},
    )
    plan = {**made.study.design, "pairing": "random"}
    design.set_plan(study=made.study, document=plan, actor=made.coordinator)
    made.refresh()
    made = scenario.started(made)
    for _ in range(3):
        reading = scenario.offer(made.enrolment())
        body = {"answers": {"which": 0}, "clock": {}, "viewer": {}}
        submit(reading=reading, key=str(uuid.uuid4()), body=body)
        reading.refresh_from_db()
        left = reading.images.get(slot="t1c").case
        right = 0 if kind_of(left) == "synthetic" else 1
        assert feedback_of(reading) == [{"question": "which", "given": 0, "right": right}]
