"""The sentinel on the launch page, on its own page, as a job and on the command line."""

from __future__ import annotations

import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from readerstudy.core import jobs
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import AuditRecord, Job
from readerstudy.core.tasks import load_handlers
from readerstudy.reading.models import EncodedSeries
from readerstudy.reading.scheduling import launch
from readerstudy.sentinel import running
from readerstudy.sentinel.limiting import Blocking, set_limits
from readerstudy.sentinel.models import SentinelRun
from tests import scenario
from tests.factories import locked_study, prepare_images
from tests.sentinel import planted
from tests.tampering import unguarded

pytestmark = pytest.mark.django_db
LENGTH = {
    "family": "length",
    "what": "bytes sent, t1c, zstd",
    "auc": 0.83,
    "low": 0.74,
    "high": 0.9,
    "p": 0.001,
    "verdict": "found",
    "reason": "",
}
CLEAN = {**LENGTH, "family": "order", "what": "as served", "auc": 0.55, "verdict": "clean"}
WORD = {"kind": "a generator's name", "place": "headers of an image", "count": 4}


@pytest.fixture
def study(client):
    made = locked_study()
    prepare_images(made)
    client.force_login(made.created_by)
    return made


def stored(study, **columns) -> SentinelRun:
    run = SentinelRun.objects.get(study=study)
    for name, value in columns.items():
        setattr(run, name, value)
    with unguarded():
        run.save()
    return run


def text_of(client, study, page="study-launch") -> str:
    return " ".join(client.get(reverse(page, args=[study.pk])).content.decode().split())


def test_without_a_run_the_launch_waits_and_offers_one(client, study):
    with unguarded():
        SentinelRun.objects.all().delete()
    text = text_of(client, study)
    assert "The leak sentinel has not run yet" in text
    assert f'action="{reverse("study-sentinel-run", args=[study.pk])}"' in text
    with pytest.raises(Conflict, match="has not run yet"):
        launch(study=study, actor=study.created_by)


def test_the_button_queues_one_run_and_not_two(client, study):
    with unguarded():
        SentinelRun.objects.all().delete()
    for _ in range(2):
        response = client.post(reverse("study-sentinel-run", args=[study.pk]))
        assert response.url == reverse("study-sentinel", args=[study.pk])
    assert Job.objects.filter(kind="run_sentinel").count() == 1
    assert "The leak sentinel is at work" in text_of(client, study)


def test_a_clean_run_is_stated_with_its_numbers(client, study):
    stored(study, results=[CLEAN], n_cases=40)
    text = text_of(client, study)
    assert "No cue separates the classes" in text
    assert "Highest AUC 0.55 (0.74–0.90), limit 0.60, 40 cases" in text
    launch(study=study, actor=study.created_by)


def test_a_high_auc_that_chance_explains_is_said_to_be_so(client, study):
    stored(study, results=[{**CLEAN, "auc": 0.66, "p": 0.655}], n_cases=24)
    text = text_of(client, study)
    assert "Highest AUC 0.66 (0.74–0.90), not beyond chance (p = 0.66), limit 0.60" in text
    launch(study=study, actor=study.created_by)


def test_a_found_cue_blocks_names_itself_and_says_how_to_remove_it(client, study):
    stored(study, results=[CLEAN, LENGTH], verdict="found")
    text = text_of(client, study)
    assert "A cue tells the classes apart" in text
    assert "Length on the wire: AUC 0.83 (0.74–0.90). Prepare the images again" in text
    with pytest.raises(Conflict, match="A cue tells the classes apart"):
        launch(study=study, actor=study.created_by)
    page = text_of(client, study, "study-sentinel")
    assert "bytes sent, t1c, zstd" in page
    assert "1 cue found" in page


def test_words_of_truth_block_and_are_told_by_kind_and_place(client, study):
    stored(study, words=[WORD], verdict="found")
    with pytest.raises(Conflict, match="Words of truth reach the readers"):
        launch(study=study, actor=study.created_by)
    page = text_of(client, study, "study-sentinel")
    assert "A generator&#x27;s name in headers of an image, 4 times" in page


def test_too_few_cases_pass_with_the_warning_that_nothing_was_estimated(client, study):
    stored(study, verdict="undefined", n_cases=8)
    text = text_of(client, study)
    assert "The leak sentinel could estimate nothing" in text
    assert "8 cases are too few" in text
    launch(study=study, actor=study.created_by)


def test_what_should_be_the_same_and_varies_is_to_be_looked_at(client, study):
    stored(study, results=[{**LENGTH, "auc": 0.5, "verdict": "varies"}])
    assert "Something that should be the same for all cases varies" in text_of(client, study)
    launch(study=study, actor=study.created_by)


def test_images_prepared_again_make_a_run_stale(client, study):
    encoded = EncodedSeries.objects.filter(study=study).first()
    encoded.objects_by_encoding = {"zstd": ["0" * 64], "gzip": ["1" * 64]}
    encoded.save()
    assert "The images were prepared again since" in text_of(client, study)
    with pytest.raises(Conflict, match="must run again"):
        launch(study=study, actor=study.created_by)


def test_other_limits_need_a_reason_and_a_new_run(client, study):
    address = reverse("study-sentinel-limits", args=[study.pk])
    sent = {"auc": 0.7, "p": 0.01, "least_ms": 5, "reason": ""}
    assert client.post(address, sent).status_code == 400
    assert client.post(address, {**sent, "auc": 0.4, "reason": "x"}).status_code == 400
    assert client.post(address, {**sent, "reason": "A pilot of 20 cases"}).status_code == 302
    assert "The limits were changed since" in text_of(client, study)
    record = AuditRecord.objects.get(action="sentinel.limits")
    assert (record.old["auc"], record.new["auc"]) == (0.6, 0.7)
    assert record.reason == "A pilot of 20 cases"


@pytest.mark.parametrize("wrong", [{"auc": 1.0}, {"p": 0.5}, {"least_ms": -1.0}])
def test_limits_without_sense_are_refused(study, wrong):
    with pytest.raises(ReaderStudyError):
        set_limits(study=study, limits=Blocking(**wrong), actor=None, reason="Because")


def test_a_study_without_images_is_not_walked(client):
    made = locked_study()
    client.force_login(made.created_by)
    response = client.post(reverse("study-sentinel-run", args=[made.pk]))
    assert response.status_code == 409
    assert "The images are not prepared yet" in response.content.decode()


def test_damaged_images_end_the_walk_with_a_sentence(study):
    with pytest.raises(ReaderStudyError, match="cannot be decoded"):
        running.run(study=study, actor=None)


def test_a_page_that_is_closed_to_others_is_so_for_the_robot(study):
    """The robot has no password and no rights beyond its own enrolment."""
    with pytest.raises(ReaderStudyError):
        running.run(study=study, actor=None)
    robot = study.enrolments.get(kind="robot").reader
    assert (robot.may_coordinate, robot.is_active) == (False, False)
    assert robot.has_usable_password() is False


def test_the_run_follows_the_images_by_itself_and_lets_the_study_launch():
    load_handlers()
    made = scenario.draft(6, 6)
    scenario.lock_and_allocate(study=made.study, actor=made.coordinator, seed="x")
    jobs.work_through("default")
    job = Job.objects.get(kind="run_sentinel")
    assert (job.state, job.error, job.created_by) == ("done", "", made.coordinator)
    run = SentinelRun.objects.get()
    assert (run.verdict, run.requested_by, run.n_cases) == ("clean", made.coordinator, 12)
    launch(study=made.refresh(), actor=made.coordinator)


def test_the_command_prints_json_and_ends_with_2_where_something_was_found(capsys, monkeypatch):
    made = planted.prepared(6, 6)
    call_command("run_sentinel", str(made.study.pk), "--json", "--seed", "5")
    document = json.loads(capsys.readouterr().out)
    assert (document["verdict"], document["n_cases"], document["seed"]) == ("clean", 12, 5)
    assert {"family", "what", "auc", "low", "high", "p"} <= set(document["cues"][0])

    def tamper(response, *_):
        response["X-Made-By"] = "toy"

    planted.answering(monkeypatch, tamper)
    with pytest.raises(SystemExit) as ended:
        call_command("run_sentinel", str(made.study.pk))
    assert ended.value.code == 2
    assert "a generator's name in headers of an image" in capsys.readouterr().out


def test_robots_are_no_readers_of_the_board_or_the_checklist(client):
    made = planted.prepared(3, 3)
    planted.walked(made)
    client.force_login(made.coordinator)
    assert "12 readings, hash" in text_of(client, made.study)
    launch(study=made.refresh(), actor=made.coordinator)
    board = text_of(client, made.study, "study")
    assert "S1" not in board
