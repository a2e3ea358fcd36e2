"""Where other systems fail in the design of a study; see README.md here."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from readerstudy.analysis import datasets, export, running
from readerstudy.cases.withdrawing import withdraw
from readerstudy.reading.models import Reading, Submission
from readerstudy.reading.recording import submit
from readerstudy.reading.scheduling import lock_and_allocate
from readerstudy.studies import cloning
from readerstudy.studies.models import Study
from tests import scenario
from tests.reading.test_designs import training_study

pytestmark = pytest.mark.django_db


def orders(study: Study) -> dict[int, list[str]]:
    """Return the order of the cases of each person."""
    found: dict[int, list[str]] = {}
    rows = Reading.objects.filter(enrolment__study=study).order_by("period", "position")
    for person, case in rows.values_list("enrolment__reader", "case__code"):
        found.setdefault(person, []).append(case)
    return found


def test_the_second_session_of_a_copied_study_shows_another_order():
    """Elsewhere a reader has one seed, and so the same order in every copy."""
    made = scenario.draft(6, 6)
    copy = cloning.clone_study(
        study=made.study, name="Session 2", actor=made.coordinator, with_readers=True
    )
    for study in (made.study, copy):
        lock_and_allocate(study=study, actor=made.coordinator, images=False)
    first, second = orders(made.study), orders(copy)
    assert first.keys() == second.keys()
    for person, order in first.items():
        assert sorted(order) == sorted(second[person])
        assert order != second[person]
    assert len({tuple(order) for order in [*first.values(), *second.values()]}) == 4


def test_nothing_that_happens_while_it_runs_moves_a_case_to_another_place():
    """Elsewhere the order is computed at each call and changes with the list of cases."""
    made = scenario.running(4, 4)
    before = list(Reading.objects.values_list("pk", "token", "period", "position"))
    last = made.enrolment().readings.last()
    withdraw(case=last.case, reason="wrong patient", actor=made.coordinator)
    scenario.make_cases(1, 0)
    scenario.offer(made.enrolment(1))
    assert list(Reading.objects.values_list("pk", "token", "period", "position")) == before


def test_training_is_in_no_row_of_the_export_and_in_no_result():
    """Elsewhere practice is a study of its own, or its rows have to be deleted by hand."""
    made = training_study()
    enrolment = made.enrolment()
    while (state := scenario.state_of(enrolment))["reading"]:
        reading = Reading.objects.get(token=state["reading"]["token"])
        submit(reading=reading, key=str(uuid.uuid4()), body=scenario.body())
    assert Submission.objects.filter(reading__period=0).count() == 2
    Study.objects.filter(pk=made.study.pk).update(state=Study.State.UNBLINDED)
    data = datasets.load(made.refresh(), actor=made.coordinator)
    trained = set(made.study.study_cases.filter(phase="training").values_list("item", flat=True))
    assert {read.period for read in data.reads} == {1}
    found = running.here(made.study, actor=made.coordinator)
    for name, content in export.files(data, found).items():
        if name.startswith(("reads", "reading_", "answers", "results", "agreement")):
            assert not [code for code in trained if f",{code}," in content.decode()], name


def test_posting_the_last_case_first_neither_counts_nor_ends_the_study():
    """Elsewhere the index in the request is believed, and the last one completes the study."""
    made = scenario.running()
    enrolment = made.enrolment()
    scenario.offer(enrolment)
    last = enrolment.readings.last()

    browser = Client()
    assert browser.login(username="reader1", password=scenario.PASSWORD)
    address = f"/api/read/{enrolment.token}/readings/{last.token}/answers"
    sent = {"key": str(uuid.uuid4()), **scenario.body()}
    assert browser.post(address, sent, content_type="application/json").status_code == 404
    told = scenario.state_of(enrolment)
    assert (told["progress"]["done"], told["reading"]["position"]) == (0, 1)
    assert not Submission.objects.exists()
