"""Designs as readers meet them: periods, stages, training, versions, images beside each other."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.reading.allocation import verify
from readerstudy.reading.models import PeriodOpening, Rating, Reading, ReadingImage
from readerstudy.reading.progress import state_of
from readerstudy.reading.recording import submit, undo
from readerstudy.reading.scheduling import certificate, lock_and_allocate
from readerstudy.studies import design
from readerstudy.studies.checklist import checklist
from readerstudy.studies.models import Arm, Option, Question, Study, StudyCase
from readerstudy.studies.reading_design import ReadingDesign, document_of
from readerstudy.studies.viewing import Slot
from tests import scenario

pytestmark = pytest.mark.django_db


def planned(made: scenario.Scenario, **settings) -> scenario.Scenario:
    document = document_of(ReadingDesign(**settings))
    design.set_plan(study=made.study, document=document, actor=made.coordinator)
    made.refresh()
    return made


def add_arms(study: Study, **slots: list[str]) -> None:
    for position, (code, shown) in enumerate(slots.items(), start=1):
        Arm.objects.create(study=study, position=position, code=code, name=code, slots=shown)


def two_series() -> scenario.Scenario:
    return scenario.draft(shown=scenario.viewing_of(Slot("t1", "T1"), Slot("t1c", "T1c")))


def answer(enrolment, **body):
    reading = scenario.offer(enrolment)
    sent = scenario.body(**body)
    return submit(reading=reading, key=str(uuid.uuid4()), body=sent)[0]


def crossover(**settings) -> scenario.Scenario:
    made = two_series()
    add_arms(made.study, plain=["t1"], aided=["t1", "t1c"])
    return scenario.started(planned(made, schedule="crossover", **settings))


def test_a_crossover_shows_each_arm_in_its_period_with_its_own_images():
    made = crossover()
    for number in (0, 1):
        enrolment = made.enrolment(number)
        for period in (1, 2):
            readings = Reading.objects.filter(enrolment=enrolment, period=period)
            (arm,) = set(readings.values_list("arm", flat=True))
            shown = {"plain": {"t1"}, "aided": {"t1", "t1c"}}[arm]
            assert {i.slot for i in ReadingImage.objects.filter(reading__in=readings)} == shown
    first = {made.enrolment(n).readings.filter(period=1).first().arm for n in (0, 1)}
    assert first == {"plain", "aided"}


def test_the_page_gets_the_form_of_the_arm_by_number_and_no_name():
    made = crossover()
    told = [state_of(made.enrolment(n)) for n in (0, 1)]
    slots = [[[s["role"] for s in f["layout"]["slots"]] for f in t["forms"]] for t in told]
    assert slots == [[["t1"], ["t1", "t1c"]]] * 2
    assert {t["reading"]["form"] for t in told} == {0, 1}
    assert "aided" not in repr(told)


def test_the_washout_is_kept_by_the_server():
    made = crossover(washout_days=28)
    enrolment = made.enrolment()
    for _ in range(6):
        answer(enrolment)
    told = state_of(enrolment)
    assert told["reading"] is None
    assert told["upcoming"] == []
    assert told["waiting"]["reason"] == "washout"
    wait = told["waiting"]["opens_at"] - timezone.now()
    assert timedelta(days=27, hours=23) < wait <= timedelta(days=28)
    assert not enrolment.readings.filter(period=2, offered_at__isnull=False).exists()


def test_after_the_washout_the_second_period_opens():
    made = crossover(washout_days=28)
    enrolment = made.enrolment()
    for _ in range(6):
        answer(enrolment)
    PeriodOpening.objects.filter(enrolment=enrolment).update(opens_at=timezone.now())
    assert state_of(enrolment)["reading"]["period"] == 2
    for _ in range(6):
        answer(enrolment)
    told = state_of(enrolment)
    assert (told["reading"], told["waiting"]) == (None, None)
    assert told["progress"]["done"] == 12


def test_in_a_sequential_reading_the_first_answer_is_sealed_before_the_second_stage():
    made = two_series()
    add_arms(made.study, plain=["t1"], aided=["t1", "t1c"])
    made = scenario.started(planned(made, schedule="sequential"))
    enrolment = made.enrolment()
    told = state_of(enrolment)
    assert told["reading"]["stage"] == 1
    assert all(one["stage"] == 1 for one in told["upcoming"])
    later = enrolment.readings.filter(stage=2)
    assert not later.filter(offered_at__isnull=False).exists()

    first = scenario.offer(enrolment)
    answer(enrolment)
    second = scenario.offer(enrolment)
    assert (second.item, second.stage) == (first.item, 2)
    assert state_of(enrolment)["undo"] is None
    with pytest.raises(Conflict, match="sealed"):
        undo(reading=first)


def training_study(**settings) -> scenario.Scenario:
    made = scenario.draft(n_real=3, n_synthetic=3, n_readers=1)
    cases = list(made.study.cases.order_by("code"))
    chosen = [design.Chosen(case) for case in cases[2:]]
    chosen += [design.Chosen(case, phase=StudyCase.Phase.TRAINING) for case in cases[:2]]
    design.set_cases(study=made.study, cases=chosen, actor=made.coordinator)
    made = scenario.started(planned(made, **settings))
    StudyCase.objects.filter(study=made.study, phase="training").update(feedback={"origin": "real"})
    return made


def test_training_comes_first_with_feedback_and_is_sealed():
    enrolment = training_study().enrolment()
    told = state_of(enrolment)
    assert told["reading"]["training"]
    answer(enrolment, origin="synthetic")
    told = state_of(enrolment)
    assert told["last_receipt"]["feedback"] == [
        {"question": "origin", "given": "synthetic", "right": "real"}
    ]
    assert told["undo"] is None
    answer(enrolment)
    answer(enrolment)
    told = state_of(enrolment)
    assert not told["reading"]["training"]
    assert told["last_receipt"]["feedback"] is None
    assert told["undo"] is not None


@pytest.mark.parametrize(("given", "waiting"), [("real", None), ("synthetic", "qualification")])
def test_a_reader_qualifies_by_the_share_of_right_answers(given, waiting):
    enrolment = training_study(qualification=0.9).enrolment()
    answer(enrolment, origin=given)
    answer(enrolment, origin="real")
    told = state_of(enrolment)
    assert (told["waiting"] or {}).get("reason") == waiting
    assert (told["reading"] is None) == (waiting is not None)


def pairs() -> scenario.Scenario:
    made = scenario.draft(n_real=4, n_synthetic=4)
    shown = scenario.viewing_of(Slot("t1c", "Left"), Slot("t1c", "Right", place=1))
    design.set_viewing(study=made.study, document=shown, actor=made.coordinator)
    cases = list(made.study.cases.order_by("code"))
    chosen = [
        design.Chosen(case, item=first.code, place=place)
        for first, second in zip(cases[::2], cases[1::2], strict=True)
        for place, case in enumerate((first, second))
    ]
    design.set_cases(study=made.study, cases=chosen, actor=made.coordinator)
    Option.objects.filter(question__study=made.study).delete()
    Question.objects.filter(study=made.study).delete()
    Question.objects.create(
        study=made.study, position=1, code="which", text="Which is real?", kind="place"
    )
    Study.objects.filter(pk=made.study.pk).update(analysis_plan=[])
    return scenario.started(planned(made, pairing="random"))


def test_images_beside_each_other_change_sides_and_the_answer_names_the_member():
    made = pairs()
    enrolment = made.enrolment()
    sides = [reading.sides for reading in enrolment.readings.all()]
    assert sorted(map(tuple, sides)) == [(0, 1)] * 2 + [(1, 0)] * 2
    for _ in range(4):
        reading = scenario.offer(enrolment)
        assert {i.slot for i in reading.images.all()} == {"t1c", "t1c-2"}
        left = reading.images.get(slot="t1c").case
        members = StudyCase.objects.filter(study=made.study, item=reading.item)
        assert members.get(case=left).place == reading.sides[0]
        body = {"answers": {"which": 0}, "clock": {}, "viewer": {}}
        stored, _ = submit(reading=reading, key=str(uuid.uuid4()), body=body)
        rating = Rating.objects.get(submission=stored)
        assert rating.places == {"shown": [0], "members": [reading.sides[0]]}
    assert verify(certificate(made.refresh())) == []


def test_an_answer_that_does_not_fit_says_which_question():
    enrolment = pairs().enrolment()
    with pytest.raises(ReaderStudyError, match=r"“Which is real\?” has no such image") as caught:
        submit(
            reading=scenario.offer(enrolment),
            key=str(uuid.uuid4()),
            body={"answers": {"which": 2}},
        )
    assert caught.value.code == "invalid_answer"


def test_a_design_that_no_order_can_keep_is_refused_at_lock_and_nothing_is_changed():
    made = planned(scenario.draft(), repeats=3, lag=50)
    (check,) = [c for c in checklist(made.study) if c.statement == "No order can be drawn"]
    assert "Lower the lag" in check.evidence
    with pytest.raises(Conflict, match="No order can be drawn"):
        lock_and_allocate(study=made.study, actor=made.coordinator)
    assert made.refresh().state == Study.State.DRAFT
    assert not Reading.objects.exists()


def test_letters_of_classes_stay_out_of_the_certificate_until_unblinding():
    made = scenario.draft(n_readers=1)
    chosen = [design.Chosen(c, group="ab"[n % 2]) for n, c in enumerate(made.study.cases.all())]
    design.set_cases(study=made.study, cases=chosen, actor=made.coordinator)
    made = scenario.started(planned(made, max_run=2))
    told = certificate(made.study)
    assert "design" not in told
    assert len(told["design_hash"]) == 64
    Study.objects.filter(pk=made.study.pk).update(state="unblinded")
    assert verify(certificate(made.refresh())) == []
