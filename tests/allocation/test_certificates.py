"""A certificate downloaded from the study's page is drawn again by a stranger to this machine.

The stranger has another working folder, an empty environment, another hash seed, another
language and another time zone; all that is given is the program and the file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

import readerstudy
from readerstudy.reading import amending
from readerstudy.reading.models import Allocation
from readerstudy.reading.scheduling import lock_and_allocate
from readerstudy.studies import design
from readerstudy.studies.models import Arm, Option, Question, Study, StudyCase
from readerstudy.studies.reading_design import ReadingDesign, document_of
from tests import scenario
from tests.factories import ReaderFactory

pytestmark = pytest.mark.django_db
ROOT = Path(readerstudy.__file__).resolve().parents[1]
ELSEWHERE = {
    "PYTHONPATH": str(ROOT),
    "LC_ALL": "tr_TR.UTF-8",  # where the capital of i is not I
    "LANG": "tr_TR.UTF-8",
    "TZ": "Pacific/Chatham",
}
ARMS = {"schedule": "crossover"}
DESIGNS: dict[str, dict] = {
    "crossed": {},
    "one version of each patient": {"plan": "one_version"},
    "split plot": {"plan": "split_plot", "plots": 2},
    "some readers for each case": {"plan": "partial", "readers_per_item": 2},
    "crossover by readers": ARMS,
    "crossover by cases": {**ARMS, "counterbalance": "items"},
    "sequential": {"schedule": "sequential"},
    "hidden repeats": {"repeats": 3, "lag": 3},
    "limited runs in blocks": {"max_run": 2, "blocks": 2},
    "a patient's versions apart": {"gap": 2},
    "beside each other": {"pairing": "subject", "sides_drawn": True},
    "all rules at once": {**ARMS, "repeats": 2, "lag": 2, "max_run": 3, "blocks": 2},
}


def drawn(settings: dict) -> scenario.Scenario:
    """A locked study of a design: eight patients, four of them with both versions."""
    made = scenario.draft(n_readers=4)
    cases = [scenario.make_case(f"p{n % 8}", 40 * n) for n in range(12)]
    scenario.declare(cases[:8], cases[8:])
    together = settings.get("pairing") == "subject"
    versions = settings.get("plan") == "one_version"
    chosen = []
    for number, case in enumerate(cases):
        first = cases[number % 8]
        both = number % 8 < 4
        if (together or versions) and not both:
            continue
        chosen.append(
            design.Chosen(
                case,
                item=first.code if together else case.code,
                place=int(together and number >= 8),
                group="" if together else "ab"[number >= 8],
            )
        )
    design.set_cases(study=made.study, cases=chosen, actor=made.coordinator)
    if together:
        shown = scenario.viewing_of(
            scenario.Slot("t1c", "Left"), scenario.Slot("t1c", "Right", place=1)
        )
        design.set_viewing(study=made.study, document=shown, actor=made.coordinator)
        ask_which(made.study)
    if settings.get("schedule", "single") != "single":
        for position, code in enumerate(("plain", "aided"), start=1):
            Arm.objects.create(study=made.study, position=position, code=code, name=code)
    document = document_of(ReadingDesign(**settings))
    design.set_plan(study=made.study, document=document, actor=made.coordinator)
    lock_and_allocate(study=made.refresh(), actor=made.coordinator, images=False)
    made.refresh()
    return made


def ask_which(study: Study) -> None:
    """Ask the one question that fits cases beside each other."""
    Option.objects.filter(question__study=study).delete()
    study.questions.all().delete()
    Question.objects.create(study=study, position=1, code="which", text="Which?", kind="place")
    Study.objects.filter(pk=study.pk).update(analysis_plan=[])


def downloaded(made: scenario.Scenario, folder: Path) -> Path:
    """Return the file that the coordinator gets after unblinding."""
    Study.objects.filter(pk=made.study.pk).update(state=Study.State.UNBLINDED)
    browser = Client()
    browser.force_login(made.coordinator)
    response = browser.get(reverse("study-certificate", args=[made.study.pk]))
    assert response.status_code == 200
    path = folder / "allocation certificate ı.json"
    path.write_bytes(response.content)
    return path


def verified_elsewhere(path: Path, seed: str) -> subprocess.CompletedProcess[str]:
    """Run the command as another machine would."""
    return subprocess.run(
        [sys.executable, "-m", "readerstudy.cli", "allocation", "verify", path.name],
        cwd=path.parent,
        env={**ELSEWHERE, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", DESIGNS)
def test_a_certificate_of_each_design_is_drawn_again_elsewhere(name, tmp_path):
    assert "READERSTUDY_VAR" not in ELSEWHERE
    assert set(ELSEWHERE) & set(os.environ) <= {"LANG", "LC_ALL", "TZ", "PYTHONPATH"}
    made = drawn(DESIGNS[name])
    path = downloaded(made, tmp_path)
    told = json.loads(path.read_text())
    assert told["table_hash"] == Allocation.objects.get(study=made.study).table_hash
    done = verified_elsewhere(path, seed=str(list(DESIGNS).index(name)))
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(told['table'])} rows" in done.stdout


def test_the_order_of_a_reader_who_came_later_is_drawn_again_elsewhere(tmp_path):
    made = drawn({"plan": "crossed"})
    before = downloaded(made, tmp_path).read_bytes()
    Study.objects.filter(pk=made.study.pk).update(state=Study.State.LOCKED)
    made.refresh()
    amending.add_reader(
        study=made.study, reader=ReaderFactory(), reason="One has left", actor=made.coordinator
    )
    path = downloaded(made, tmp_path)
    told, former = json.loads(path.read_text()), json.loads(before)
    assert (told["table"], told["seed"]) == (former["table"], former["seed"])
    (part,) = told["parts"]
    assert verified_elsewhere(path, "7").returncode == 0
    part["table"][0], part["table"][1] = part["table"][1], part["table"][0]
    path.write_text(json.dumps(told))
    assert verified_elsewhere(path, "7").returncode == 2


@pytest.mark.parametrize("name", ["hidden repeats", "crossover by readers", "beside each other"])
def test_one_exchanged_row_is_found_elsewhere(name, tmp_path):
    path = downloaded(drawn(DESIGNS[name]), tmp_path)
    told = json.loads(path.read_text())
    told["table"][0][3], told["table"][1][3] = told["table"][1][3], told["table"][0][3]
    path.write_text(json.dumps(told))
    done = verified_elsewhere(path, "1")
    assert done.returncode == 2
    assert "differs" in done.stdout


def test_before_unblinding_the_page_keeps_the_letters_and_the_command_says_so(tmp_path):
    made = drawn({"max_run": 2})
    browser = Client()
    browser.force_login(made.coordinator)
    response = browser.get(reverse("study-certificate", args=[made.study.pk]))
    letters = StudyCase.objects.filter(study=made.study).values_list("group", flat=True)
    assert set(letters) == {"a", "b"}
    assert "design" not in response.json()
    path = tmp_path / "certificate.json"
    path.write_bytes(response.content)
    done = verified_elsewhere(path, "1")
    assert done.returncode == 1
    assert "before unblinding" in done.stderr
