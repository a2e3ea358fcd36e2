"""The export says of each sitting whether its display was checked, passed, and when."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from readerstudy.analysis import export
from readerstudy.analysis.display_checks import COLUMN_TEXTS, session_rows
from readerstudy.readers import display_check_recording
from readerstudy.reading.models import ReadingSession
from readerstudy.studies.models import Enrolment
from tests.factories import DEVICE, make_display_check, running_study

pytestmark = pytest.mark.django_db
BEGAN = datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.fixture
def study():
    return running_study()


def sitting(enrolment, hours, check):
    at = BEGAN + timedelta(hours=hours)
    ReadingSession.objects.create(
        enrolment=enrolment, started_at=at, last_seen_at=at, display_check=check
    )


def test_one_row_for_each_sitting(study, settings):
    settings.DISPLAY_CHECK = "advised"
    first, second = Enrolment.objects.filter(study=study).order_by("code")
    other = replace(DEVICE, width=2560, height=1440)
    passed = make_display_check(first.reader)
    failed = make_display_check(first.reader, device=other, missed=(0, 1, 2, 3))
    sitting(first, 0, passed)
    sitting(first, 2, failed)
    sitting(first, 4, passed)
    sitting(second, 1, None)
    sitting(second, 3, display_check_recording.skip(user=second.reader, device=DEVICE))
    rows = list(csv.DictReader(io.StringIO(export.to_csv(session_rows(study), COLUMN_TEXTS))))
    told = ("reader", "session", "checked", "passed", "went_on_without", "display")
    assert [tuple(row[name] for name in told) for row in rows] == [
        ("R1", "1", "1", "1", "0", "1"),
        ("R1", "2", "1", "0", "0", "2"),
        ("R1", "3", "1", "1", "0", "1"),
        ("R2", "1", "0", "", "0", ""),
        ("R2", "2", "0", "", "1", "1"),
    ]
    assert rows[0]["started_at_utc"] == "2026-11-20T08:00:00+00:00"
    assert rows[0]["checked_at_utc"] == passed.at.isoformat()
    assert float(rows[0]["smallest_black_percent"]) == pytest.approx(100 * 2 / 255)
    assert rows[1]["smallest_black_percent"] == ""
    assert rows[1]["screen_width"] == "2560"


def test_the_random_name_of_a_display_stays_on_the_server(study):
    enrolment = Enrolment.objects.filter(study=study).first()
    sitting(enrolment, 0, make_display_check(enrolment.reader))
    assert DEVICE.id not in export.to_csv(session_rows(study), COLUMN_TEXTS)
