"""A withdrawn case: what stops, what stays, what readers, results and drafts see of it."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from readerstudy.analysis import datasets, export
from readerstudy.cases.models import Case
from readerstudy.cases.withdrawing import reinstate, withdraw
from readerstudy.core import audit
from readerstudy.core.errors import Conflict, NotFound, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.reading import access, board, listing, recording
from readerstudy.reading.models import Reading, Submission
from readerstudy.reading.progress import progress_of, state_of
from readerstudy.studies import checklist, lifecycle
from readerstudy.truth import unblinding
from tests import factories, scenario
from tests.factories import CaseFactory, CoordinatorFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor():
    return CoordinatorFactory()


def current(enrolment) -> Reading:
    return Reading.objects.get(token=state_of(enrolment)["reading"]["token"])


def send(reading, **answers) -> Submission:
    submission, _ = recording.submit(
        reading=reading, key=str(uuid.uuid4()), body=factories.body(**answers)
    )
    return submission


def test_a_case_is_withdrawn_with_its_reason_and_reinstated(actor):
    case = CaseFactory(roles=[])
    withdraw(case=case, reason="  consent withdrawn ", actor=actor)
    case.refresh_from_db()
    assert case.withdrawn_at is not None
    assert case.withdrawn_reason == "consent withdrawn"
    assert not Case.objects.available().exists()
    reinstate(case=case, reason="it was another person", actor=actor)
    case.refresh_from_db()
    assert (case.withdrawn_at, case.withdrawn_reason) == (None, "")
    records = AuditRecord.objects.filter(target=f"case {case.pk}").order_by("sequence")
    assert [(r.action, r.reason, r.actor) for r in records] == [
        ("case.withdraw", "consent withdrawn", actor),
        ("case.reinstate", "it was another person", actor),
    ]
    assert list(audit.broken_links()) == []


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
def test_a_reason_is_needed_and_has_an_end(actor, reason):
    case = CaseFactory(roles=[])
    with pytest.raises(ReaderStudyError, match="reason"):
        withdraw(case=case, reason=reason, actor=actor)
    assert Case.objects.available().count() == 1
    assert not AuditRecord.objects.exists()


def test_neither_is_done_twice(actor):
    case = CaseFactory(roles=[])
    with pytest.raises(Conflict, match="not withdrawn"):
        reinstate(case=case, reason="why", actor=actor)
    withdraw(case=case, reason="why", actor=actor)
    with pytest.raises(Conflict, match="already: why"):
        withdraw(case=case, reason="again", actor=actor)


def test_open_readings_of_a_withdrawn_case_are_left_out(actor):
    study = factories.running_study()
    enrolment = study.enrolments.first()
    reading = current(enrolment)
    withdraw(case=reading.case, reason="wrong patient", actor=actor)
    state = state_of(enrolment)
    assert state["reading"]["token"] != reading.token
    assert (state["progress"]["done"], state["progress"]["total"]) == (0, 3)
    assert [(one["token"], one["position"]) for one in state["withdrawn"]] == [
        (reading.token, reading.position)
    ]
    assert state["withdrawn"][0]["at"] == Case.objects.get(pk=reading.case_id).withdrawn_at
    figures = board.board_of(study)
    assert [row.total for row in figures.rows] == [3, 3]
    (listed,) = listing.studies_for(study.created_by)
    overview = listed.study
    assert (overview.n_readings, overview.n_done) == (6, 0)


def test_the_reader_is_told_nothing_but_the_time(actor):
    study = factories.running_study()
    enrolment = study.enrolments.first()
    reading = current(enrolment)
    withdraw(case=reading.case, reason="turned out synthetic", actor=actor)
    state = state_of(enrolment)
    assert set(state["withdrawn"][0]) == {"token", "position", "at"}
    assert "turned out" not in str(state)


def test_a_reader_who_never_saw_the_case_hears_nothing(actor):
    study = factories.running_study()
    enrolment = study.enrolments.first()
    last = enrolment.readings.order_by("-position").first()
    withdraw(case=last.case, reason="wrong patient", actor=actor)
    assert state_of(enrolment)["withdrawn"] == []


def test_the_images_of_a_withdrawn_case_are_no_longer_given(actor):
    study = factories.running_study()
    enrolment = study.enrolments.first()
    reading = current(enrolment)
    token = reading.images.first().token
    assert access.access_image(token=token, user=enrolment.reader)
    withdraw(case=reading.case, reason="wrong patient", actor=actor)
    with pytest.raises(NotFound):
        access.access_image(token=token, user=enrolment.reader)


def test_an_answer_that_comes_after_is_kept_as_late(actor):
    study = factories.running_study()
    enrolment = study.enrolments.first()
    reading = current(enrolment)
    withdraw(case=reading.case, reason="wrong patient", actor=actor)
    sent = send(reading)
    assert sent.outcome == Submission.Outcome.LATE
    assert "withdrawn" in sent.reason
    assert not sent.ratings.exists()
    assert sent.body["answers"]["origin"] == "real"


def test_the_half_filled_form_is_kept(actor):
    study = factories.running_study()
    reading = current(study.enrolments.first())
    withdraw(case=reading.case, reason="wrong patient", actor=actor)
    recording.save_draft(reading=reading, draft={"answers": {"origin": "real"}})
    reading.refresh_from_db()
    assert reading.draft == {"answers": {"origin": "real"}}


def test_an_answer_given_before_stays_and_cannot_be_undone(actor):
    study = factories.running_study()
    enrolment = study.enrolments.first()
    reading = current(enrolment)
    sent = send(reading)
    withdraw(case=reading.case, reason="wrong patient", actor=actor)
    state = state_of(enrolment)
    assert state["undo"] is None
    assert (state["progress"]["done"], state["progress"]["total"]) == (1, 4)
    with pytest.raises(Conflict, match="The saved answer stands"):
        recording.undo(reading=Reading.objects.get(pk=reading.pk))
    assert sent.ratings.count() == Submission.objects.get().ratings.count() > 0


def test_a_reinstated_case_is_read_again(actor):
    study = factories.running_study()
    enrolment = study.enrolments.first()
    reading = current(enrolment)
    withdraw(case=reading.case, reason="wrong patient", actor=actor)
    reinstate(case=reading.case, reason="right after all", actor=actor)
    assert current(enrolment) == reading
    assert progress_of(enrolment)["total"] == 4


def test_the_export_marks_answers_to_withdrawn_cases():
    made = scenario.running(2, 2, n_readers=1)
    enrolment = made.enrolment()
    first = scenario.offer(enrolment)
    recording.submit(reading=first, key=str(uuid.uuid4()), body=scenario.body())
    second = scenario.offer(enrolment)
    for reading in (first, second):
        withdraw(case=reading.case, reason="wrong patient", actor=made.coordinator)
    scenario.read_all(enrolment, lambda _: scenario.body())
    study = made.refresh()
    lifecycle.close(study=study, actor=made.coordinator, reason="done")
    study = made.refresh()
    unblinding.unblind(
        study=study, actor=made.coordinator, reason="analysis", typed_name=study.name
    )
    data = datasets.load(made.refresh(), actor=made.coordinator)
    assert (len(data.reads), data.missing, data.withdrawn) == (3, 0, 1)
    assert data.readers[0].planned == 3
    marked = {row["case"]: row["case_withdrawn"] for row in export.wide_rows(data)}
    assert marked.pop(first.case.code) == 1
    assert set(marked.values()) == {0}
    assert second.case.code not in marked
    columns = [row["name"] for row in export.codebook_rows(data) if row["kind"] == "column"]
    assert "case_withdrawn" in columns


def test_a_draft_with_a_withdrawn_case_cannot_be_locked(actor, client):
    study = factories.ready_study()
    case = study.cases.first()
    assert not checklist.blocking(study, before="lock")
    withdraw(case=case, reason="wrong patient", actor=actor)
    reasons = checklist.blocking(study, before="lock")
    assert [check.statement for check in reasons] == ["1 of the cases were withdrawn"]
    assert case.code in reasons[0].evidence
    client.force_login(study.created_by)
    assert "withdrawn" in client.get(reverse("study-launch", args=[study.pk])).content.decode()
