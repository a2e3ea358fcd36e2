"""The database refuses SQL that changes or deletes what is append-only, on either database."""

from __future__ import annotations

import uuid

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from readerstudy.core import append_only
from readerstudy.core.models import AuditRecord
from readerstudy.reading import recording
from readerstudy.reading.models import Rating, Reading
from readerstudy.studies.lifecycle import close
from readerstudy.studies.models import Study
from readerstudy.truth.models import Origin
from readerstudy.truth.unblinding import break_blind
from tests import scenario
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db
REFUSED = "is append-only: its rows are never"


@pytest.fixture
def made():
    made = scenario.running(1, 1)
    reading = scenario.offer(made.enrolment())
    recording.submit(reading=reading, key=str(uuid.uuid4()), body=scenario.body())
    case = made.study.cases.first()
    break_blind(study=made.study, code=case.code, actor=made.coordinator, reason="A fall")
    return made


def execute(sql: str, *values) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


CHANGES = (
    "UPDATE core_auditrecord SET reason = 'another'",
    "UPDATE core_auditrecord SET actor_id = NULL WHERE actor_id IS NOT NULL",
    "UPDATE core_auditrecord SET sequence = sequence + 1000",
    "DELETE FROM core_auditrecord",
    "UPDATE reading_submission SET outcome = 'late'",
    "DELETE FROM reading_submission",
    "UPDATE reading_rating SET not_evaluable = NOT not_evaluable",
    "DELETE FROM reading_rating",
    "UPDATE reading_allocation SET seed = 'another'",
    "DELETE FROM reading_allocation",
    "UPDATE reading_reading SET arm = 'another'",
    "UPDATE reading_reading SET position = position + 1000",
    "DELETE FROM reading_reading",
    "DELETE FROM reading_readingimage",
    "UPDATE studies_study SET protocol = '{}'",
    "UPDATE studies_study SET protocol_hash = 'x'",
    "UPDATE studies_study SET rehearsal_of_id = id",
    "DELETE FROM studies_study",
    "UPDATE studies_enrolment SET code = 'X'",
    "DELETE FROM studies_enrolment",
    "UPDATE truth_origin SET kind = 'real', generator = '', generation_run = NULL "
    "WHERE kind = 'synthetic'",
    "DELETE FROM truth_origin",
    "UPDATE truth_caseunblinding SET reason = 'another'",
    "DELETE FROM truth_caseunblinding",
)


def test_sql_cannot_change_or_delete(made):
    for sql in CHANGES:
        with pytest.raises(Error, match=REFUSED):
            execute(sql)
    assert AuditRecord.objects.exists()
    assert Rating.objects.exists()
    assert not Study.objects.filter(rehearsal_of__isnull=False).exists()


def test_what_the_life_of_a_row_changes_goes_on(made):
    now = timezone.now()
    assert Reading.objects.update(offered_at=now, completed_at=now, reopened_at=now, draft={})
    close(study=made.study, actor=made.coordinator, reason="All is read")
    assert made.refresh().state == "closed"


def test_a_row_cannot_be_replaced_in_passing():
    if connection.vendor != "sqlite":
        return  # INSERT OR REPLACE is SQLite's own
    scenario.make_cases(1, 0)
    with pytest.raises(Error, match="never replaced"):
        execute("INSERT OR REPLACE INTO core_auditrecord SELECT * FROM core_auditrecord")
    with pytest.raises(Error, match="never replaced"):
        execute("REPLACE INTO truth_origin SELECT * FROM truth_origin")
    assert Origin.objects.count() == 1


def test_a_table_cannot_be_emptied_at_once(made):
    if connection.vendor != "postgresql":
        return  # SQLite has no TRUNCATE
    execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing may be pending for a TRUNCATE
    for table in ("core_auditrecord", "reading_rating"):
        with pytest.raises(Error, match=REFUSED):
            execute(f"TRUNCATE {table} CASCADE")


def test_a_dry_run_keeps_no_rows_and_a_real_study_cannot_be_called_one(made):
    clone = Study.objects.create(
        name="Dry run", viewing={}, created_by=made.coordinator, rehearsal_of=made.study
    )
    clone.delete()
    with pytest.raises(Error, match=REFUSED):
        Study.objects.filter(pk=made.study.pk).update(rehearsal_of=made.study)


def test_missing_triggers_are_named():
    assert append_only.missing() == []
    assert "core_auditrecord" in {rule.table for rule in append_only.rules()}
    with unguarded():
        assert "core_auditrecord" in append_only.missing()
    assert append_only.missing() == []


def test_one_trigger_taken_down_is_named():
    on = " ON core_auditrecord" if connection.vendor == "postgresql" else ""
    name = "append_only_core_auditrecord" + ("" if on else "_delete")
    execute(f"DROP TRIGGER {name}{on}")
    assert append_only.missing() == ["core_auditrecord"]
