"""Where other systems tell their readers too much; see README.md here."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client

from readerstudy.reading.models import Reading, ReadingImage
from readerstudy.reading.recording import submit
from readerstudy.studies import design, lifecycle
from readerstudy.studies.models import Option, Question
from readerstudy.studies.reading_design import ReadingDesign, document_of
from readerstudy.truth.unblinding import unblind
from tests import scenario

pytestmark = pytest.mark.django_db
SCORE = re.compile(r"scor|accura|correct answer|right answer|\d\s?%|kappa|leader|rank", re.I)


def signed_in(name: str = "reader1") -> Client:
    browser = Client()
    assert browser.login(username=name, password=scenario.PASSWORD)
    return browser


def with_repeats() -> scenario.Scenario:
    """A running study in which one reader is shown three of eight cases twice."""
    made = scenario.draft(4, 4, n_readers=1)
    plan = document_of(ReadingDesign(repeats=3, lag=2))
    design.set_plan(study=made.study, document=plan, actor=made.coordinator)
    made.refresh()
    return scenario.started(made)


def words_of(html: str) -> str:
    main = html[html.find("<main") :]
    return " ".join(re.sub(r"<[^>]*>", " ", main).split())


def test_a_finished_reader_never_sees_a_score_in_any_phase():
    """Elsewhere a banner says how much was right, once the truth is on record."""
    made = scenario.running()
    for number in (0, 1):
        scenario.read_all(made.enrolment(number), lambda _: scenario.body())
    browser, token = signed_in(), made.enrolment().token

    def seen() -> str:
        pages = [words_of(browser.get(path).content.decode()) for path in ("/", "/read/")]
        state = browser.get(f"/api/read/{token}/state").json()
        assert state["reading"] is None
        told = {key: state[key] for key in state if key not in ("forms", "instructions")}
        return " ".join([*pages, str(told)])

    phases = [seen()]
    lifecycle.close(study=made.study, actor=made.coordinator, reason="All is read")
    phases.append(seen())
    unblind(study=made.refresh(), actor=made.coordinator, reason="r", typed_name=made.study.name)
    phases.append(seen())
    assert [SCORE.findall(text) for text in phases] == [[], [], []]


def test_a_case_shown_again_comes_from_other_addresses():
    """Elsewhere the address of an image names it, so that a repeat is known at once."""
    made = with_repeats()
    again = Reading.objects.filter(enrolment=made.enrolment(), repeat=1)
    assert again.count() == 3
    for second in again:
        first = Reading.objects.get(enrolment=second.enrolment, item=second.item, repeat=0)
        tokens = [{one.token for one in r.images.all()} | {r.token} for r in (first, second)]
        assert tokens[0].isdisjoint(tokens[1])
    assert ReadingImage.objects.values("token").distinct().count() == ReadingImage.objects.count()


def test_the_page_cannot_tell_a_repeat_from_a_first_reading():
    made = with_repeats()
    browser, enrolment = signed_in(), made.enrolment()
    shapes = {}
    while state := browser.get(f"/api/read/{enrolment.token}/state").json():
        if state["reading"] is None:
            break
        reading = Reading.objects.get(token=state["reading"]["token"])
        shown = {k: type(v).__name__ for k, v in state["reading"].items()}
        shapes.setdefault(reading.repeat, set()).add(str((shown, len(state["reading"]["token"]))))
        submit(reading=reading, key=str(uuid.uuid4()), body=scenario.body())
    assert shapes[0] == shapes[1]
    assert state["progress"]["total"] == 11


def test_what_a_coordinator_writes_about_arms_levels_and_questions_reaches_no_reader():
    """Elsewhere arm names, notes and the right answers stand in the reader's JSON."""
    made = scenario.draft()
    Question.objects.filter(study=made.study, code="origin").update(
        truth={"source": "origin", "real": "real", "synthetic": "synthetic"}
    )
    assert Option.objects.filter(question__study=made.study).exists()
    made = scenario.started(made)
    told = signed_in().get(f"/api/read/{made.enrolment().token}/state").json()
    for form in told["forms"]:
        for question in form["questions"]:
            assert not {"truth", "arms", "analysis"} & set(question)
    assert "analysis" not in str(told)
    assert made.study.template not in str(told)
