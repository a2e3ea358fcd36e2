"""The drift monitor: hand-worked figures, named limits, and no truth."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from scipy import stats as scipy_stats

from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.reading import (
    alerts,
    attempts,
    calendar,
    drift,
    gates,
    opening_early,
    progress,
    recording,
    training,
)
from readerstudy.reading.models import PeriodOpening, Reading, Submission
from readerstudy.studies import deviations
from tests import scenario
from tests.factories import body, running_study
from tests.reading.test_designs import answer, crossover, planned, training_study

pytestmark = pytest.mark.django_db


def read(enrolment, answers: list[tuple[str, float]], **clock) -> None:
    """Answer in turn; each with a level of confidence and its seconds."""
    for level, seconds in answers:
        token = progress.state_of(enrolment)["reading"]["token"]
        sent = body(seconds, confidence=level)
        sent["clock"] |= clock
        reading = Reading.objects.get(token=token)
        recording.submit(reading=reading, key=str(uuid.uuid4()), body=sent)


def found_of(study, code: str = "R1") -> drift.Drift:
    return drift.drift_of(study)[study.readers.get(code=code).pk]


def scale(found: drift.Drift, code: str = "confidence") -> drift.ScaleUse:
    return next(one for one in found.scales if one.question.code == code)


@pytest.fixture(scope="module")
def half_and_half() -> list[tuple[str, float]]:
    return [("1", 30.0)] * 10 + [("5", 10.0)] * 10


def test_a_change_of_the_scale_is_tested_against_the_own_first_half(half_and_half):
    study = running_study(n_each=10)
    read(study.readers.get(code="R1"), half_and_half)
    use = scale(found_of(study))
    assert use.counts == {"1": 10, "2": 0, "3": 0, "4": 0, "5": 10}
    assert use.halves[0]["1"] == use.halves[1]["5"] == 10
    expected = scipy_stats.chi2_contingency([[10, 0], [0, 10]], correction=False).pvalue
    assert use.pvalue == pytest.approx(expected)
    told = [alert.statement for alert in alerts.alerts_of("R1", found_of(study))]
    assert any("otherwise than before" in one for one in told)
    assert "R1 reads much faster than at first" in told


def test_pace_is_told_in_blocks_of_ten(half_and_half):
    study = running_study(n_each=10)
    read(study.readers.get(code="R1"), half_and_half)
    found = found_of(study)
    assert found.block_medians == [30.0, 10.0]
    (alert,) = [one for one in alerts.alerts_of("R1", found) if "faster" in one.statement]
    assert alert.evidence == "Median 10 s in the last 10 readings, 30 s in the first; limit: half"


def test_few_answers_are_not_tested_and_say_so():
    study = running_study(n_each=3)
    read(study.readers.get(code="R1"), [("3", 20.0)] * 6)
    use = scale(found_of(study))
    assert (use.pvalue, use.reason) == (None, "tested from 20 answers on")
    assert alerts.alerts_of("R1", found_of(study)) == []
    assert found_of(study, "R2").scales == []


def test_one_level_for_nearly_everything_is_an_alert_with_its_limit():
    study = running_study(n_each=6)
    read(study.readers.get(code="R1"), [("5", 20.0)] * 11 + [("4", 20.0)])
    (alert,) = alerts.alerts_of("R1", found_of(study))
    assert "uses one level" in alert.statement
    assert "11 of 12 answers are" in alert.evidence
    assert alert.evidence.endswith("limit 90 %")


def test_hidden_repeats_are_compared_with_the_own_first_answer():
    made = scenario.started(planned(scenario.draft(n_real=6, n_synthetic=6), repeats=6, lag=3))
    enrolment = made.enrolment()
    levels = {0: "2", 1: "4"}
    while progress.state_of(enrolment)["reading"]:
        reading = scenario.offer(enrolment)
        level = levels[reading.repeat] if reading.position % 2 else "3"
        sent = scenario.body(confidence=level)
        recording.submit(reading=reading, key=str(uuid.uuid4()), body=sent)
    found = found_of(made.study, enrolment.code)
    both = {one.question.code: (one.same, one.n) for one in found.repeats}
    given = {
        (one.reading.item, one.reading.repeat): one.body["answers"]["confidence"]
        for one in Submission.objects.select_related("reading")
    }
    again = [key for key in given if key[1] == 1]
    same = sum(given[item, 0] == given[item, 1] for item, _ in again)
    assert both == {"origin": (6, 6), "confidence": (same, 6)}
    assert found.repeated == (6 + same, 12)


def test_long_absences_are_counted():
    study = running_study(n_each=4)
    read(study.readers.get(code="R1"), [("2", 20.0), ("3", 20.0), ("4", 20.0)], away_ms=700_000)
    found = found_of(study)
    assert found.long_pauses == 3
    (alert,) = alerts.alerts_of("R1", found)
    assert "3 cases with more than 10 min idle or away; limit 3" in alert.evidence


def test_the_board_shows_drift_and_alerts_and_no_truth(client, half_and_half):
    study = running_study(n_each=10)
    read(study.readers.get(code="R1"), half_and_half)
    client.force_login(study.created_by)
    text = client.get(reverse("study", args=[study.pk])).content.decode()
    assert "R1 reads much faster than at first" in text
    assert "Remind R2" in text
    assert "synthetic: " not in text.lower()


def washed() -> scenario.Scenario:
    made = crossover(washout_days=28)
    for _ in range(6):
        answer(made.enrolment())
    return made


def test_the_calendar_counts_the_days_to_the_next_period():
    enrolment = washed().enrolment()
    washout = calendar.washout_of(enrolment)
    assert (washout.period, washout.is_open, washout.days_left) == (2, False, 28)
    assert 0 <= washout.done_x <= washout.today_x <= washout.opens_x < calendar.WIDTH
    PeriodOpening.objects.update(opens_at=timezone.now() - timedelta(days=1))
    assert calendar.washout_of(enrolment).days_left == 0


def test_before_the_first_washout_there_is_no_calendar():
    assert calendar.washout_of(crossover().enrolment()) is None


def test_a_period_opened_early_is_a_deviation(client):
    made = washed()
    client.force_login(made.coordinator)
    address = reverse("study-open-early", args=[made.study.pk, "R1"])
    enrolment = made.study.readers.get(code="R1")
    planned_at = PeriodOpening.objects.get(enrolment=enrolment).opens_at
    assert (
        "R1 can go on"
        in client.post(address, {"reason": "Leaves the hospital"}, follow=True).content.decode()
    )
    assert gates.offer(enrolment).current.period == 2
    opening = PeriodOpening.objects.get(enrolment=enrolment)
    assert (opening.planned_at, opening.opened_by) == (planned_at, made.coordinator)
    (entry,) = deviations.deviations_of(made.study)
    assert (entry.kind, entry.reader) == ("washout shortened", "R1")
    assert f"{planned_at:%Y-%m-%d}" in entry.text
    assert AuditRecord.objects.get(action="study.open_early").reason == "Leaves the hospital"


def test_who_waits_for_nothing_cannot_be_let_in_early(client):
    study = running_study()
    with pytest.raises(Conflict, match="does not wait"):
        opening_early.open_early(
            enrolment=study.readers.first(), reason="x", actor=study.created_by
        )
    client.force_login(study.created_by)
    address = reverse("study-open-early", args=[study.pk, "R1"])
    assert "does not wait" in client.post(address, {"reason": "x"}, follow=True).content.decode()


def failed() -> scenario.Scenario:
    made = training_study(qualification=0.9)
    enrolment = made.enrolment()
    while gates.offer(enrolment).current is not None:
        wrong = {"real": "synthetic", "synthetic": "real"}
        reading = scenario.offer(enrolment)
        right = training._right_answers(reading)["origin"]
        answer(enrolment, origin=wrong[right])
    return made


def test_another_attempt_is_a_training_of_its_own_in_a_new_order():
    made = failed()
    enrolment = made.enrolment()
    assert gates.offer(enrolment).waiting == "qualification"
    first = enrolment.readings.filter(period=0).count()
    added = attempts.allow_attempt(
        enrolment=enrolment, reason="Misread the scale", actor=made.coordinator
    )
    assert len(added) == first
    assert {reading.repeat for reading in added} == {1}
    while (now := gates.offer(enrolment).current) is not None and now.period == 0:
        right = training._right_answers(now)["origin"]
        answer(enrolment, origin=right)
    assert gates.offer(enrolment).current.period == 1
    assert "training repeated" in {e.kind for e in deviations.deviations_of(made.study)}
    record = AuditRecord.objects.get(action="study.allow_attempt")
    assert record.new["attempt"] == 2


def test_further_attempts_are_not_part_of_the_certificate():
    from readerstudy.reading.allocation import verify
    from readerstudy.reading.scheduling import certificate

    made = failed()
    attempts.allow_attempt(enrolment=made.enrolment(), reason="x", actor=made.coordinator)
    assert verify(certificate(made.refresh())) == []


def test_an_attempt_needs_a_failure_and_a_reason():
    made = training_study(qualification=0.9)
    with pytest.raises(Conflict, match="has not failed"):
        attempts.allow_attempt(enrolment=made.enrolment(), reason="x", actor=made.coordinator)
    with pytest.raises(ReaderStudyError, match="reason"):
        attempts.allow_attempt(enrolment=made.enrolment(), reason=" ", actor=made.coordinator)
