"""A reader who leaves: answers kept and marked, nothing more read, and who takes over what."""

from __future__ import annotations

import copy
import uuid

import pytest
from django.core import mail
from django.urls import reverse

from readerstudy.analysis import datasets, export
from readerstudy.core.errors import Conflict, NotFound, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.reading import board, progress, recording, reminding, replacing, withdrawing
from readerstudy.reading.allocation import verify
from readerstudy.reading.models import Reading, Submission
from readerstudy.reading.scheduling import certificate
from readerstudy.studies import deviations, lifecycle
from readerstudy.studies.design import enrol
from readerstudy.truth import unblinding
from tests import scenario
from tests.factories import ReaderFactory, body, ready_study, running_study
from tests.reading.test_designs import add_arms, answer, crossover, planned, two_series

pytestmark = pytest.mark.django_db


@pytest.fixture
def study(client):
    study = running_study()  # R1 and R2, four cases each
    client.force_login(study.created_by)
    return study


def read(enrolment, count: int) -> None:
    for _ in range(count):
        reading = Reading.objects.get(token=progress.state_of(enrolment)["reading"]["token"])
        recording.submit(reading=reading, key=str(uuid.uuid4()), body=body())


def withdraw(study, code: str = "R1", reason: str = "Long illness"):
    return withdrawing.withdraw_reader(
        study=study, code=code, reason=reason, actor=study.created_by
    )


def replace(enrolment):
    reserve = ReaderFactory()
    return replacing.take_over(
        enrolment=enrolment,
        reader=reserve,
        reason="Reserve of the protocol",
        actor=enrolment.study.created_by,
    )


def test_who_is_withdrawn_keeps_the_answers_and_reads_no_more(client, study):
    enrolment = study.readers.get(code="R1")
    read(enrolment, 1)
    token = progress.state_of(enrolment)["reading"]["token"]
    withdraw(study)
    enrolment.refresh_from_db()
    told = progress.state_of(enrolment)
    assert (told["reading"], told["upcoming"], told["state"]) == (None, [], "closed")
    assert told["progress"]["done"] == told["progress"]["total"] == 1
    late, _ = recording.submit(
        reading=Reading.objects.get(token=token), key=str(uuid.uuid4()), body=body()
    )
    assert late.outcome == "late"
    assert "reader was withdrawn" in late.reason
    assert Submission.objects.filter(outcome="accepted").count() == 1
    assert reminding.why_not(enrolment) == "the reader was withdrawn"
    client.force_login(enrolment.reader)
    assert client.get(reverse("read", args=[enrolment.token])).url == reverse("reader-home")
    home = client.get(reverse("reader-home")).content.decode()
    assert "You no longer read in this study" in home
    assert "Long illness" not in home


def test_it_is_an_amendment_with_its_reason_and_stands_among_the_deviations(study):
    withdraw(study)
    study.refresh_from_db()
    (version,) = study.amendments.all()
    assert version.changes[0]["what"] == "Reader withdrawn"
    assert not version.tells_readers
    assert version.protocol["withdrawn_readers"] == ["R1"]
    assert "withdrawn_readers" not in study.protocol
    record = AuditRecord.objects.get(action="study.withdraw_reader")
    assert (record.reason, record.new["left"]) == ("Long illness", 4)
    assert any("Reader withdrawn" in entry.text for entry in deviations.deviations_of(study))


def test_an_answer_opened_for_a_correction_stands_as_saved(study):
    enrolment = study.readers.get(code="R1")
    read(enrolment, 1)
    recording.undo(reading=enrolment.readings.get(completed_at__isnull=False))
    withdraw(study)
    made = enrolment.readings.get(completed_at__isnull=False)
    assert (made.reopened_at, made.draft) == (None, None)


@pytest.mark.parametrize(
    ("code", "reason", "error", "words"),
    [
        ("R1", "  ", ReaderStudyError, "Give the reason"),
        ("R9", "x", NotFound, "no reader R9"),
        ("", "x", NotFound, "no reader"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_changes(study, code, reason, error, words):
    with pytest.raises(error, match=words):
        withdraw(study, code, reason)
    assert not study.amendments.exists()
    assert not Reading.objects.filter(withdrawn_at__isnull=False).exists()


def test_once_is_enough_and_a_closed_study_has_nobody_to_withdraw(study):
    withdraw(study)
    with pytest.raises(Conflict, match="before"):
        withdraw(study)
    lifecycle.close(study=study, actor=study.created_by, reason="Done")
    with pytest.raises(Conflict, match="closed"):
        withdraw(study, "R2")


def test_the_board_counts_what_was_read_and_waits_for_no_more(client, study):
    read(study.readers.get(code="R1"), 1)
    withdraw(study)
    figures = board.board_of(study)
    assert (figures.done, figures.total, figures.readers_done) == (1, 5, 0)
    text = client.get(reverse("study", args=[study.pk])).content.decode()
    assert "withdrawn</span>" in text
    assert "Replace R1" in text


def test_in_a_draft_a_reader_leaves_and_can_come_back():
    study = ready_study(n_readers=2)
    first, second = study.readers.order_by("code")
    withdraw(study, first.code)
    assert [one.code for one in study.readers] == ["R2"]
    assert not study.amendments.exists()
    third = enrol(study=study, reader=ReaderFactory(), actor=study.created_by)
    assert third.code == "R3"
    back = enrol(study=study, reader=first.reader, actor=study.created_by)
    assert (back.pk, back.code, back.withdrawn_at) == (first.pk, "R1", None)
    with pytest.raises(Conflict, match="already"):
        enrol(study=study, reader=second.reader, actor=study.created_by)


def test_a_reserve_takes_over_what_was_not_begun_and_the_certificate_proves_it(study):
    old = study.readers.get(code="R1")
    read(old, 1)
    left = [(r.position, r.item) for r in old.readings.filter(completed_at__isnull=True)]
    reserve = replace(withdraw(study))
    assert reserve.code == "R3"
    assert [(r.position, r.item) for r in reserve.readings.all()] == left
    tokens = set(reserve.readings.values_list("token", flat=True))
    assert not tokens & set(old.readings.values_list("token", flat=True))
    read(reserve, 3)
    assert progress.state_of(reserve)["reading"] is None
    proof = certificate(study)
    assert verify(proof) == []
    assert {row[0] for row in proof["table"]} == {"R1", "R2"}
    (taken,) = proof["takeovers"]
    assert (taken["reader"], taken["replaces"], len(taken["table"])) == ("R3", "R1", 3)
    forged = copy.deepcopy(proof)
    forged["takeovers"][0]["table"][0][3] = "another case"
    assert verify(forged) == ["Reader R3 reads what R1 was not drawn."]


def test_a_reserve_of_a_reserve_is_proved_as_well(study):
    first = replace(withdraw(study))
    read(first, 2)
    second = replace(withdraw(study, first.code))
    assert second.readings.count() == 2
    assert verify(certificate(study)) == []
    with pytest.raises(Conflict, match="R4 took over already"):
        replace(first)


def test_a_case_read_in_one_arm_does_not_pass_on_in_the_other():
    made = crossover()
    enrolment = made.enrolment()
    for _ in range(2):
        answer(enrolment)
    made.study.created_by = made.coordinator
    old = withdraw(made.study, enrolment.code)
    begun = set(
        enrolment.readings.filter(completed_at__isnull=False).values_list("item", flat=True)
    )
    left = replacing.remainder_of(old)
    assert (left.cases, len(left.passing), left.staying) == (4, 8, 2)
    reserve = replace(old)
    assert not begun & set(reserve.readings.values_list("item", flat=True))
    assert verify(certificate(made.study)) == []


def test_a_sealed_first_answer_stays_with_who_gave_it():
    made = two_series()
    add_arms(made.study, plain=["t1"], aided=["t1", "t1c"])
    made = scenario.started(planned(made, schedule="sequential"))
    enrolment = made.enrolment()
    answer(enrolment)
    left = replacing.remainder_of(withdraw(made.study, enrolment.code))
    assert (left.cases, left.staying) == (5, 1)


def test_nobody_takes_over_from_who_reads_or_has_read_all(study):
    enrolment = study.readers.get(code="R1")
    assert "still reads" in replacing.why_no_takeover(enrolment)
    read(enrolment, 4)
    old = withdraw(study)
    assert "has read every case" in replacing.why_no_takeover(old)
    with pytest.raises(Conflict, match="Nobody can take over"):
        replace(old)
    assert study.readers.count() == 2


def test_the_pages_withdraw_replace_and_invite(client, study):
    pages = {
        name: reverse(f"study-{name}-reader", args=[study.pk, "R1"])
        for name in ("withdraw", "replace")
    }
    assert "still reads" in client.get(pages["replace"]).content.decode()
    assert client.post(pages["withdraw"], {"reason": ""}).status_code == 400
    assert client.post(pages["withdraw"], {"reason": "Moved away"}).status_code == 302
    assert "Moved away" in client.get(pages["withdraw"]).content.decode()
    assert "takes over 4 cases in 4 readings" in client.get(pages["replace"]).content.decode()
    sent = {
        "name": "Dr Reserve",
        "email": "reserve@example.org",
        "subspecialty": "neuroradiology",
        "years_of_experience": "5",
        "reason": "Reserve list",
    }
    text = client.post(pages["replace"], sent).content.decode()
    assert "is reader R3" in text
    assert [letter.to for letter in mail.outbox] == [["reserve@example.org"]]
    assert client.post(pages["replace"], sent).status_code == 409


def test_the_export_marks_the_answers_of_who_left(study):
    read(study.readers.get(code="R1"), 1)
    replace(withdraw(study))
    read(study.readers.get(code="R2"), 1)
    lifecycle.close(study=study, actor=study.created_by, reason="Done")
    unblinding.unblind(study=study, actor=study.created_by, reason="Planned", typed_name=study.name)
    study.refresh_from_db()
    data = datasets.load(study, actor=study.created_by)
    marks = {row["reader"]: row["reader_withdrawn"] for row in export.wide_rows(data)}
    assert marks == {"R1": 1, "R2": 0}
    facts = {one.code: (one.withdrawn, one.replaces, one.planned) for one in data.readers}
    assert facts == {"R1": (True, "", 1), "R2": (False, "", 4), "R3": (False, "R1", 3)}


def test_a_case_unblinded_early_is_marked_in_every_read_of_it(study):
    case = study.cases.first()
    read(study.readers.get(code="R1"), 4)
    unblinding.break_blind(
        study=study, code=case.code, actor=study.created_by, reason="Incidental finding"
    )
    lifecycle.close(study=study, actor=study.created_by, reason="Done")
    unblinding.unblind(study=study, actor=study.created_by, reason="Planned", typed_name=study.name)
    study.refresh_from_db()
    data = datasets.load(study, actor=study.created_by)
    for row in export.long_rows(data):
        broken = row["case"] == case.code
        assert row["blind_broken"] == int(broken)
        assert bool(row["blind_broken_at_utc"]) == broken
