"""Amendments after the lock: versioned, with reasons, and never at the cost of the allocation."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.reading import amending, progress, recording, scheduling
from readerstudy.reading.allocation import verify
from readerstudy.reading.models import PeriodOpening, Reading
from readerstudy.studies import amending as protocol
from readerstudy.studies.amending import Wanted
from readerstudy.studies.lifecycle import hash_of
from tests import scenario
from tests.factories import ReaderFactory, body, ready_study, running_study
from tests.reading.test_designs import answer, crossover, pairs, planned

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return running_study()


def amend(study, **wanted):
    return amending.amend(
        study=study, wanted=Wanted(**wanted), reason="A reader asked", actor=study.created_by
    )


def test_the_locked_protocol_stays_and_the_next_version_is_stored_whole(study):
    locked, digest = study.protocol, study.protocol_hash
    stored = amend(study, instructions="Read as in the clinic.", margin=0.12)
    study.refresh_from_db()
    assert (study.protocol, study.protocol_hash) == (locked, digest)
    assert study.version == stored.version == 2
    assert study.protocol_in_force["instructions"] == "Read as in the clinic."
    assert study.hash_in_force == hash_of(stored.protocol) != digest
    assert [change["what"] for change in stored.changes] == ["Instructions", "Equivalence margin"]
    assert stored.changes[1]["old"] == "10 points"
    assert stored.changes[1]["new"] == "12 points"
    record = AuditRecord.objects.get(action="study.amend")
    assert (record.new["version"], record.reason) == (2, "A reader asked")


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "Nothing is changed"),
        ({"margin": 0.7}, "between 0 and 50"),
        ({"instructions": "  "}, "may not be empty"),
        ({"washout_days": -1}, "whole number"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_kept(study, wanted, words):
    with pytest.raises(ReaderStudyError, match=words):
        amend(study, **wanted)
    study.refresh_from_db()
    assert study.version == 1


def test_an_amendment_needs_a_reason(study):
    with pytest.raises(ReaderStudyError, match="reason"):
        amending.amend(study=study, wanted=Wanted(margin=0.2), reason=" ", actor=study.created_by)


def test_a_draft_is_changed_not_amended():
    study = ready_study()
    with pytest.raises(Conflict, match="locked or running"):
        amend(study, margin=0.2)


def test_readers_acknowledge_new_instructions_before_they_go_on(study):
    enrolment = study.readers.first()
    assert progress.state_of(enrolment)["reading"] is not None
    amend(study, helps={"origin": "Think of the vessels."})
    enrolment.refresh_from_db()
    told = progress.state_of(enrolment)
    assert (told["reading"], told["waiting"]["reason"]) == (None, "amended")
    assert protocol.acknowledge(enrolment=enrolment) == 1
    assert progress.state_of(enrolment)["reading"] is not None
    assert AuditRecord.objects.filter(action="study.acknowledge").count() == 1
    assert protocol.acknowledge(enrolment=enrolment) == 0


def test_a_margin_is_no_business_of_the_readers(study):
    amend(study, margin=0.2)
    assert progress.state_of(study.readers.first())["reading"] is not None


def test_an_answer_sent_before_the_amendment_was_read_is_not_lost(study):
    enrolment = study.readers.first()
    token = progress.state_of(enrolment)["reading"]["token"]
    amend(study, instructions="Read as in the clinic.")
    reading = Reading.objects.get(token=token)
    stored, _ = recording.submit(reading=reading, key=str(uuid.uuid4()), body=body())
    assert stored.outcome == "accepted"


def test_a_longer_washout_moves_the_periods_that_wait_for_it():
    made = crossover(washout_days=28)
    enrolment = made.enrolment()
    for _ in range(6):
        answer(enrolment)
    before = PeriodOpening.objects.get(enrolment=enrolment).opens_at
    amend(made.study, washout_days=35)
    after = PeriodOpening.objects.get(enrolment=enrolment).opens_at
    assert after - before == timedelta(days=7)
    assert made.refresh().plan.washout_days == 35


def test_cases_taken_out_of_a_study_are_not_shown_there(study):
    enrolment = study.readers.first()
    code = Reading.objects.get(token=progress.state_of(enrolment)["reading"]["token"]).case.code
    amending.withdraw_cases(
        study=study, codes=[code], reason="Motion artefact", actor=study.created_by
    )
    left = enrolment.readings.filter(withdrawn_at__isnull=True)
    assert left.count() == 3
    assert progress.progress_of(enrolment)["total"] == 3
    assert study.cases.get(code=code).withdrawn_at is None
    with pytest.raises(Conflict, match="before"):
        amending.withdraw_cases(study=study, codes=[code], reason="Again", actor=study.created_by)
    with pytest.raises(ReaderStudyError, match="has no case"):
        amending.withdraw_cases(study=study, codes=["none"], reason="Wrong", actor=study.created_by)


def test_taking_out_one_case_of_a_pair_takes_out_the_pair():
    made = pairs()
    reading = scenario.offer(made.enrolment())
    second = reading.images.exclude(case=reading.case).first().case
    amending.withdraw_cases(
        study=made.study, codes=[second.code], reason="Motion", actor=made.coordinator
    )
    assert scenario.offer(made.enrolment()).item != reading.item


def test_a_reader_added_later_gets_an_own_draw_and_the_others_keep_theirs(study):
    before = scheduling.rows_of(study)
    enrolment = amending.add_reader(
        study=study, reader=ReaderFactory(), reason="R2 is ill", actor=study.created_by
    )
    assert enrolment.code == "R3"
    assert scheduling.rows_of(study) == before
    assert progress.state_of(enrolment)["reading"] is not None
    assert progress.progress_of(enrolment)["total"] == 4
    told = scheduling.certificate(study)
    assert [part["reader"] for part in told["parts"]] == ["R3"]
    assert verify(told) == []
    told["parts"][0]["table"][0][3] = "another"
    assert verify(told) != []
    assert study.protocol_in_force["readers"] == ["R1", "R2", "R3"]


def test_a_reader_added_later_is_not_shown_what_was_taken_out(study):
    code = study.cases.first().code
    amending.withdraw_cases(study=study, codes=[code], reason="x", actor=study.created_by)
    late = amending.add_reader(
        study=study, reader=ReaderFactory(), reason="x", actor=study.created_by
    )
    assert progress.progress_of(late)["total"] == 3


@pytest.mark.parametrize("settings", [{"plan": "split_plot"}, {"plan": "partial"}])
def test_where_cases_were_divided_no_reader_can_be_added(settings):
    made = scenario.started(planned(scenario.draft(), **settings))
    with pytest.raises(Conflict, match="divided among the readers"):
        amending.add_reader(
            study=made.study, reader=ReaderFactory(), reason="x", actor=made.coordinator
        )


def test_members_cannot_be_added_as_readers(study):
    with pytest.raises(Conflict, match="belongs to the staff"):
        amending.add_reader(
            study=study, reader=study.created_by, reason="x", actor=study.created_by
        )
    with pytest.raises(Conflict, match="already"):
        amending.add_reader(
            study=study, reader=study.readers.first().reader, reason="x", actor=study.created_by
        )


def test_the_line_ends_of_a_browser_are_no_change(study):
    sent = study.instructions.replace("\n", "\r\n")
    assert sent != study.instructions
    with pytest.raises(ReaderStudyError, match="Nothing is changed"):
        amend(study, instructions=sent)
