"""`manage.py verify_audit` finds each change that was planted by SQL, the triggers taken down."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.urls import reverse

from readerstudy.core import audit, verifying
from readerstudy.core.models import AuditRecord
from readerstudy.reading import recording
from readerstudy.reading.models import Submission
from readerstudy.studies.models import Study
from readerstudy.truth.recording_reference import record_reference
from readerstudy.truth.unblinding import break_blind
from tests import scenario
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db


@pytest.fixture
def made():
    made = scenario.running(2, 2, 1)
    enrolment = made.enrolment()
    reading = scenario.offer(enrolment)
    recording.submit(reading=reading, key=str(uuid.uuid4()), body=scenario.body())
    recording.undo(reading=reading)
    recording.submit(reading=reading, key=str(uuid.uuid4()), body=scenario.body("synthetic"))
    recording.submit(reading=scenario.offer(enrolment), key=str(uuid.uuid4()), body=scenario.body())
    case = made.study.cases.order_by("code").first()
    actor = made.coordinator
    for value, reason in (("2", ""), ("3", "Second look")):
        record_reference(
            case=case, endpoint="grade", value=value, method="", reason=reason, actor=actor
        )
    break_blind(study=made.study, code=case.code, actor=actor, reason="Needed for care")
    return made


def faults(**options) -> list[str]:
    return verifying.verify(**options).faults


def run(*options: str) -> tuple[int, str]:
    out, code = io.StringIO(), 0
    try:
        call_command("verify_audit", *options, stdout=out)
    except SystemExit as left:
        code = int(left.code or 0)
    return code, out.getvalue()


def test_what_was_done_through_the_program_agrees(made):
    assert faults(files=True) == []
    assert faults(study=str(made.study.pk)) == []
    code, text = run()
    assert code == 0
    assert "everything agrees" in text
    names = {part.name for part in verifying.verify().parts}
    assert {"allocations", "answers", "origins", "protocols", "reference standards"} <= names


def sql(*statements: str) -> Callable[[], None]:
    def plant() -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    return plant


def _insert() -> None:
    """Put a record in behind the last but one, with a hash that fits its own content."""
    last = AuditRecord.objects.last()
    former = AuditRecord.objects.get(sequence=last.sequence - 1)
    AuditRecord.objects.filter(pk=last.pk).update(sequence=last.sequence + 1)
    row = AuditRecord(
        sequence=last.sequence,
        at=last.at,
        action="study.describe",
        target="study 1",
        previous_hash=former.hash,
    )
    row.hash = audit.record_hash(row)
    row.save(force_insert=True)


def _swap() -> None:
    one, other = AuditRecord.objects.order_by("-sequence")[1:3]
    AuditRecord.objects.filter(pk=one.pk).update(sequence=10**6)
    AuditRecord.objects.filter(pk=other.pk).update(sequence=one.sequence)
    AuditRecord.objects.filter(pk=one.pk).update(sequence=other.sequence)


def _body() -> None:
    row = Submission.objects.filter(outcome="accepted").last()
    row.body["answers"]["origin"] = "synthetic"
    row.body["clock"]["look_ms"] = 1
    row.save(update_fields=("body",))


def _body_and_its_hash() -> None:
    from readerstudy.studies.lifecycle import hash_of

    row = Submission.objects.filter(outcome="accepted").last()
    row.body["clock"]["look_ms"] = 1
    row.body_hash = hash_of([row.reading.token, row.body])
    row.save(update_fields=("body", "body_hash"))


def _protocol() -> None:
    from readerstudy.studies.lifecycle import hash_of

    study = Study.objects.get(protocol__isnull=False)
    study.protocol["margin"] = 0.4
    study.protocol_hash = hash_of(study.protocol)
    study.save(update_fields=("protocol", "protocol_hash"))


MIDDLE = "sequence = (SELECT MAX(sequence) - 3 FROM core_auditrecord)"
PLANTED: dict[str, tuple[Callable[[], None], str]] = {
    "reason": (
        sql(f"UPDATE core_auditrecord SET reason = 'x' WHERE {MIDDLE}"),
        "was changed after it was written",
    ),
    "actor": (
        sql(f"UPDATE core_auditrecord SET actor_id = NULL WHERE {MIDDLE}"),
        "was changed after it was written",
    ),
    "time": (
        sql(f"UPDATE core_auditrecord SET at = '2020-01-01 00:00:00' WHERE {MIDDLE}"),
        "was changed after it was written",
    ),
    "deleted record": (
        sql(f"DELETE FROM core_auditrecord WHERE {MIDDLE}"),
        "is missing before record",
    ),
    "inserted record": (_insert, "was changed after it was written"),
    "swapped records": (_swap, "does not follow the record before it"),
    "rating": (
        sql(
            "UPDATE reading_rating SET choice_id = (SELECT MIN(o.id) FROM studies_option o "
            "WHERE o.question_id = reading_rating.question_id AND o.id <> choice_id)"
        ),
        "the ratings are not those",
    ),
    "deleted rating": (sql("DELETE FROM reading_rating"), "the ratings are not those"),
    "body": (_body, "does not have its hash"),
    "body and its hash": (_body_and_its_hash, "does not agree with the log"),
    "outcome": (
        sql("UPDATE reading_submission SET outcome = 'late' WHERE supersedes_id IS NULL"),
        "is stored as late",
    ),
    "deleted answer": (
        sql(
            "DELETE FROM reading_rating",
            "DELETE FROM reading_submission WHERE supersedes_id IS NOT NULL",
        ),
        "is gone",
    ),
    "protocol": (
        sql("UPDATE studies_study SET protocol = '{}' WHERE protocol IS NOT NULL"),
        "does not have its hash",
    ),
    "protocol and its hash": (_protocol, "is not the one that was locked"),
    "state": (sql("UPDATE studies_study SET state = 'closed'"), "by the log it is running"),
    "question": (
        sql("UPDATE studies_question SET text = 'Which one is better?' WHERE code = 'origin'"),
        "is not as the protocol in force states it",
    ),
    "order of the readings": (
        sql("UPDATE reading_reading SET position = position + 1000"),
        "are not those that were drawn",
    ),
    "seed": (
        sql("UPDATE reading_allocation SET seed = 'another'"),
        "is not the one in the log",
    ),
    "input of the draw": (
        sql("UPDATE reading_allocation SET design = '{}'"),
        "could not be compared",
    ),
    "truth": (
        sql(
            "UPDATE truth_origin SET kind = 'synthetic', generator = 'x' WHERE kind = 'real' "
            "AND case_id = (SELECT MIN(case_id) FROM truth_origin WHERE kind = 'real')"
        ),
        "was changed",
    ),
    "generator": (
        sql("UPDATE truth_origin SET generator = 'other' WHERE kind = 'synthetic'"),
        "was changed",
    ),
    "deleted truth": (sql("DELETE FROM truth_origin WHERE kind = 'real'"), "is gone"),
    "reference standard": (
        sql("UPDATE truth_referencestandard SET value = '4' WHERE supersedes_id IS NOT NULL"),
        "is not as the log states it",
    ),
    "unblinding": (
        sql("DELETE FROM truth_caseunblinding"),
        "are not those in the log",
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_change_is_found_and_named(name, made):
    plant, words = PLANTED[name]
    with unguarded():
        plant()
    found = faults()
    assert any(words in fault for fault in found), found
    assert not [one for one in found if "synthetic" in one or "real" in one.split()]
    assert run("--no-record")[0] == 2


def test_a_trigger_that_was_taken_down_is_found(made):
    with unguarded():
        assert any("core_auditrecord is not guarded" in one for one in faults())


def test_the_anchor_shows_that_the_log_was_cut(made):
    anchor = run("--head")[1].strip()
    number, digest = anchor.split(":")
    assert (int(number), len(digest)) == (AuditRecord.objects.count(), 64)
    assert faults(since=anchor) == []
    with unguarded():
        AuditRecord.objects.filter(sequence__gt=int(number) - 1).delete()
    assert audit_chain() == []  # the chain alone cannot know
    (cut,) = [one for one in faults(since=anchor) if "anchor" in one]
    assert f"names record {number}: it was cut" in cut


def audit_chain() -> list[str]:
    return list(audit.broken_links())


def test_the_anchor_shows_that_the_log_was_written_anew(made):
    anchor = verifying.head()
    previous = audit.GENESIS
    with unguarded():
        for row in AuditRecord.objects.order_by("sequence"):
            row.reason, row.previous_hash = row.reason.upper(), previous
            row.hash = previous = audit.record_hash(row)
            row.save()
    assert audit_chain() == []
    assert any("written anew" in one for one in faults(since=anchor))


def test_wrong_use_is_told(made):
    with pytest.raises(CommandError, match="An anchor is a number and a hash"):
        call_command("verify_audit", "--since", "x")
    with pytest.raises(CommandError, match="There is no study"):
        call_command("verify_audit", "--study", "x")


def test_damaged_images_are_found_when_files_are_read(made):
    from readerstudy.cases import storage
    from readerstudy.cases.models import Series

    path = storage.path_of(Series.objects.first().object_name)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert faults() == []
    assert any("no longer has the content" in one for one in faults(files=True))


def test_the_json_says_what_was_compared(made):
    code, text = run("--json")
    document = json.loads(text)
    assert (code, document["whole"], document["study"]) == (0, True, None)
    assert document["head"].endswith(AuditRecord.objects.get(sequence=document["records"]).hash)


def test_discarded_dry_runs_are_no_fault(made):
    from readerstudy.rehearsal import discarding
    from readerstudy.rehearsal.cloning import clone_for_rehearsal, open_reading
    from readerstudy.rehearsal.models import Rehearsal

    rehearsal = Rehearsal.objects.create(
        study=made.study, number=1, readers=1, seed="s", assumptions={}
    )
    clone = clone_for_rehearsal(rehearsal=rehearsal, actor=made.coordinator)
    open_reading(clone=clone, actor=made.coordinator, seed="s", progress=lambda *_: None)
    reading = clone.readers.get().readings.order_by("period", "position").first()
    recording.submit(reading=reading, key=str(uuid.uuid4()), body=scenario.body())
    assert faults() == []
    discarding.discard(rehearsal=rehearsal, actor=made.coordinator, reason="Done")
    assert faults() == []


def test_the_audit_page_tells_when_it_was_verified_last(client, made):
    client.force_login(made.coordinator)
    page = lambda: " ".join(client.get(reverse("audit")).content.decode().split())  # noqa: E731
    assert "not verified yet" in page()
    run()
    assert "Last verified" in page()
    assert "everything agreed" in page()
    with unguarded():
        Study.objects.update(state="closed")
    assert run()[0] == 2
    assert "1 fault was found" in page()
