"""Times, raw events and views in the export, also of an answer that was corrected."""

from __future__ import annotations

import uuid

import pytest

from readerstudy.analysis import datasets, export, reading_log
from readerstudy.reading import drift
from readerstudy.reading.recording import submit, undo
from readerstudy.studies import lifecycle
from readerstudy.truth.unblinding import unblind
from tests import scenario

pytestmark = pytest.mark.django_db
FIRST = {
    "rule": "reading-times/3",
    "load_ms": 400,
    "look_ms": 20_000,
    "idle_ms": 5000,
    "away_ms": 0,
    "events": [[400, "loaded"], [900, "input", 1200, 7]],
}
SECOND = {
    "rule": "reading-times/3",
    "load_ms": 100,
    "look_ms": 2500,
    "idle_ms": 0,
    "away_ms": 700,
    "events": [[100, "loaded"], [500, "=CMD()"]],
}
VIEWER = {
    "t1c": {
        "slice": 4,
        "window": {"width": 900, "level": 450},
        "zoom": 2.5,
        "invert": True,
        "slices_seen": [[0, 2], [4, 6]],
    },
    "hanging": "1x1",
}


@pytest.fixture
def corrected():
    """One case answered and corrected, and five cases answered once."""
    made = scenario.running(n_readers=1)
    enrolment = made.enrolment()
    reading = scenario.offer(enrolment)
    sent = scenario.body() | {"clock": FIRST, "viewer": VIEWER}
    submit(reading=reading, key=str(uuid.uuid4()), body=sent)
    undo(reading=reading)
    sent = scenario.body("synthetic") | {"clock": SECOND, "viewer": VIEWER}
    submit(reading=reading, key=str(uuid.uuid4()), body=sent)
    scenario.read_all(enrolment, lambda _: scenario.body())
    return made


@pytest.fixture
def data(corrected):
    made = corrected
    lifecycle.close(study=made.study, actor=made.coordinator, reason="done")
    unblind(
        study=made.refresh(), actor=made.coordinator, reason="planned", typed_name=made.study.name
    )
    return datasets.load(made.refresh(), actor=made.coordinator)


def test_the_time_of_a_case_is_that_of_all_its_answers(data):
    first, second = list(export.wide_rows(data))[:2]
    assert (first["answer_origin"], first["corrections"]) == ("synthetic", 1)
    told = [first[f"{part}_seconds"] for part in ("load", "look", "idle", "away")]
    assert told == [0.5, 22.5, 5.0, 0.7]
    assert first["time_rule"] == "reading-times/3"
    assert [second["look_seconds"], second["corrections"]] == [8.0, 0]


def test_raw_events_name_the_answer_they_belong_to(data):
    rows = list(reading_log.event_rows(data))
    told = [
        (row["answer"], row["at_ms"], row["event"], row.get("lasted_ms"), row.get("inputs"))
        for row in rows
    ]
    assert told == [
        (1, 400, "loaded", None, None),
        (1, 900, "input", 1200, 7),
        (2, 100, "loaded", None, None),
        (2, 500, "'=CMD()", None, None),
    ]
    text = export.to_csv(rows, reading_log.EVENT_COLUMNS).splitlines()
    assert text[0].endswith("case,answer,at_ms,event,lasted_ms,inputs")


def test_views_say_what_was_seen_and_how(data):
    (row,) = [row for row in reading_log.view_rows(data) if row["position"] == 1]
    assert (row["slice"], row["slices_seen"], row["seen_ranges"]) == (5, 4, "1-2|5-6")
    assert (row["window_width"], row["window_level"], row["zoom"]) == (900, 450, 2.5)
    assert row["inverted"] == 1


def test_a_quick_correction_is_not_taken_for_a_quick_reading(corrected):
    enrolment = corrected.enrolment()
    found = next(one for one in drift._answered(corrected.refresh()) if one.reading.position == 1)
    assert (found.seconds, found.idle, found.away) == (23.0, 5.0, 0.7)
    assert found.reading.enrolment_id == enrolment.pk
