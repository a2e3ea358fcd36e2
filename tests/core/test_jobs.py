"""Jobs: done once, refused in words, taken over when their worker dies, never lost or doubled."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from readerstudy.celery import app
from readerstudy.core import jobs, tasks
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import Job
from tests.factories import CoordinatorFactory, make_job

ROOT = Path(__file__).resolve().parents[2]
REAL_WAKE = jobs.wake  # the suite's own fixture puts a list in its place

pytestmark = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


@pytest.fixture
def kind() -> Iterator[Callable[[jobs.Handler], str]]:
    """Register a handler for the time of one test; return the name of its kind."""
    names: list[str] = []

    def register(handler: jobs.Handler, name: str = "") -> str:
        names.append(name or f"toy-{len(names)}")
        jobs.handles(names[-1])(handler)
        return names[-1]

    yield register
    for name in names:
        jobs._handlers.pop(name, None)


def stored(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def enqueue(kind: str, **options: Any) -> Job:
    return jobs.enqueue(kind, **{"title": "Toy", "arguments": {}, **options})


def test_a_job_runs_once_and_keeps_its_result(kind):
    calls = []

    def add(context, *, a, b):
        calls.append((a, b))
        return {"sum": a + b}

    job = enqueue(kind(add), arguments={"a": 2, "b": 3})
    assert (stored(job).state, stored(job).attempts) == (Job.State.WAITING, 0)
    assert jobs.work_through("default") == 1
    assert jobs.work_through("default") == 0
    done = stored(job)
    assert calls == [(2, 3)]
    assert (done.state, done.result, done.error) == (Job.State.DONE, {"sum": 5}, "")
    assert done.attempts == 1
    assert done.started_at <= done.finished_at


def test_jobs_of_a_queue_run_in_the_order_they_came(kind):
    order = []
    name = kind(lambda _context, *, number: order.append(number))
    for number in range(3):
        enqueue(name, arguments={"number": number})
    other = enqueue(name, arguments={"number": 99}, queue="gpu")
    assert jobs.work_through("default") == 3
    assert order == [0, 1, 2]
    assert stored(other).state == Job.State.WAITING


def test_an_unforeseen_error_fails_the_job_with_its_words_and_can_be_tried_again(kind):
    faults = [OSError("No space left on device")]

    def fragile(context):
        if faults:
            raise faults.pop()
        return {"fine": True}

    job = enqueue(kind(fragile))
    jobs.work_through("default")
    failed = stored(job)
    assert (failed.state, failed.error) == (Job.State.FAILED, "OSError: No space left on device")
    assert failed.finished_at is not None

    jobs.retry(job=failed)
    waiting = stored(job)
    assert (waiting.state, waiting.error, waiting.finished_at) == (Job.State.WAITING, "", None)
    jobs.work_through("default")
    assert (stored(job).state, stored(job).result) == (Job.State.DONE, {"fine": True})


def test_an_error_of_the_domain_is_shown_as_its_own_sentence(kind):
    def refuse(context):
        raise ReaderStudyError("The study has no images to prepare.")

    job = enqueue(kind(refuse))
    jobs.work_through("default")
    assert stored(job).error == "The study has no images to prepare."


def test_a_job_of_a_kind_that_nobody_handles_fails_and_the_next_one_runs(kind):
    unknown = make_job(kind="of-another-version")
    job = enqueue(kind(lambda _context: {"ran": True}))
    jobs.work_through("default")
    assert stored(unknown).state == Job.State.FAILED
    assert "of-another-version" in stored(unknown).error
    assert stored(job).state == Job.State.DONE


def test_only_a_failed_job_can_be_tried_again(kind):
    job = enqueue(kind(lambda _context: {}))
    with pytest.raises(Conflict, match="Only a failed job"):
        jobs.retry(job=job)


def test_the_same_key_is_never_stored_twice(kind):
    calls = []
    name = kind(lambda _context: calls.append(1))
    person = CoordinatorFactory()
    first = enqueue(name, key="import:abc", actor=person)
    second = enqueue(name, key="import:abc", title="Another title")
    jobs.work_through("default")
    third = enqueue(name, key="import:abc")
    assert first.pk == second.pk == third.pk
    assert Job.objects.count() == len(calls) == 1
    assert (third.state, third.title, third.created_by) == (Job.State.DONE, "Toy", person)


def test_without_a_key_each_call_is_a_job_of_its_own(kind):
    name = kind(lambda _context: {})
    assert enqueue(name).pk != enqueue(name).pk


@committed
def test_the_workers_are_woken_once_the_row_is_stored(kind, woken):
    enqueue(kind(lambda _context: {}), queue="gpu")
    assert woken == ["gpu"]


@committed
def test_two_requests_with_one_key_at_the_same_moment_store_one_job(kind):
    name = kind(lambda _context: {})
    barrier, ids = threading.Barrier(4), []

    def request() -> None:
        try:
            barrier.wait()
            ids.append(enqueue(name, key="same").pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=request) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 4
    assert set(ids) == {Job.objects.get().pk}


@committed
def test_workers_at_the_same_moment_share_the_jobs_and_run_none_twice(kind):
    ran: list[int] = []
    name = kind(lambda _context, *, number: ran.append(number))
    for number in range(12):
        enqueue(name, arguments={"number": number})

    def worker() -> None:
        try:
            jobs.work_through("default")
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ran) == list(range(12))
    assert set(Job.objects.values_list("state", "attempts")) == {(Job.State.DONE, 1)}


# Progress


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    """A clock that the test moves."""
    hands = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: hands.now))
    return hands


def running_job(**options: Any) -> Job:
    job = make_job(**options)
    jobs._take(job)
    return job


def test_progress_is_stored_and_renews_the_lease(clock):
    job = running_job()
    lease = job.lease_until
    jobs.JobContext(job).progress(3, 12, "Encoded 3 of 12 series")
    told = stored(job)
    assert (told.step, told.of, told.message) == (3, 12, "Encoded 3 of 12 series")
    assert told.lease_until > lease


def test_progress_is_stored_at_most_once_a_second_and_always_at_the_end(clock):
    heard: list[str] = []
    context = jobs.JobContext(running_job(), heard.append)
    for step in range(1, 31):
        clock.now += 0.25
        context.progress(step, 30, "images")
    # Steps 1, 5, 9, … lie a second apart; the last is told in any case.
    assert heard == [f"{step} of 30  images" for step in (*range(1, 30, 4), 30)]
    assert stored(context.job).step == 30


def test_a_long_message_is_cut_not_refused(clock):
    context = jobs.JobContext(running_job())
    context.progress(1, 2, "x" * 2000)
    assert len(stored(context.job).message) == 500


# Workers that die


@committed
def test_a_killed_worker_leaves_a_job_that_another_one_finishes_once(kind, tmp_path):
    calls = []
    name = kind(lambda _context: calls.append(1) or {"woke": True}, name="sleepy")
    job = enqueue(name)
    started = tmp_path / "started"
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.core.sleepy_worker", str(started)],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.core.child_settings",
            "TEST_DATABASE": str(connection.settings_dict["NAME"]),
            "TMPDIR": str(tmp_path),
        },
    )
    try:
        wait_until(lambda: started.exists() or child.poll() is not None)
        assert child.poll() is None
        lost = stored(job)
        assert (lost.state, lost.attempts, lost.message) == (Job.State.RUNNING, 1, "Asleep")
        assert jobs.work_through("default") == 0, "nobody else takes a job that is at work"
        time.sleep(2)  # longer than the lease: the heartbeat renews it
        assert jobs.sweep() == 0
    finally:
        child.kill()
        child.wait()
    assert stored(job).state == Job.State.RUNNING
    assert jobs.sweep() == 1, "it lived on this machine, where it can be seen that it is gone"
    assert stored(job).state == Job.State.WAITING
    assert jobs.sweep() == 0
    assert jobs.work_through("default") == 1
    done = stored(job)
    assert (done.state, done.attempts, done.result) == (Job.State.DONE, 2, {"woke": True})
    assert calls == [1]


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def test_a_job_whose_worker_died_three_times_is_shown_as_failed(kind):
    job = enqueue(kind(lambda _context: {}))
    for death in (1, 2, 3):
        taken = jobs._claim("default")
        assert taken is not None
        assert taken.attempts == death
        die(taken)
        assert jobs.sweep() == 1
        assert jobs.sweep() == 0
    failed = stored(job)
    assert failed.state == Job.State.FAILED
    assert failed.error == "The worker stopped 3 times at this job."
    assert failed.finished_at is not None
    assert jobs.work_through("default") == 0

    jobs.retry(job=failed)
    jobs.work_through("default")
    assert (stored(job).state, stored(job).attempts) == (Job.State.DONE, 1)


def test_a_worker_on_another_machine_is_given_up_when_its_lease_has_run_out(kind):
    job = enqueue(kind(lambda _context: {}))
    jobs._claim("default")
    Job.objects.update(worker="elsewhere:1:1")
    assert jobs.sweep() == 0
    die(job)
    assert jobs.sweep() == 1
    assert stored(job).state == Job.State.WAITING


def die(job: Job) -> None:
    """Leave the row as a worker does that is killed and never heard of again."""
    past = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(lease_until=past)


def take_over(job: Job) -> Job:
    """Let the job's lease run out and another worker take it."""
    die(job)
    assert jobs.sweep() == 1
    Job.objects.filter(pk=job.pk).update(state=Job.State.RUNNING, worker="another", attempts=2)
    return stored(job)


def test_a_worker_whose_lease_was_taken_is_stopped_at_its_next_progress(kind):
    reached = []

    def slow(context):
        take_over(context.job)
        context.progress(5, 5, "too late")
        reached.append("the end")

    job = enqueue(kind(slow))
    jobs.work_through("default")
    left = stored(job)
    assert reached == []
    assert (left.state, left.worker, left.message) == (Job.State.RUNNING, "another", "")


@pytest.mark.parametrize("outcome", ["result", "error"])
def test_a_worker_whose_lease_was_taken_cannot_write_an_outcome(kind, outcome):
    def slow(context):
        take_over(context.job)
        if outcome == "error":
            raise ReaderStudyError("I broke, but that is no matter now.")
        return {"made by": "the one who was given up"}

    job = enqueue(kind(slow))
    jobs.work_through("default")
    left = stored(job)
    assert (left.state, left.worker) == (Job.State.RUNNING, "another")
    assert (left.result, left.error, left.finished_at) == ({}, "", None)


@committed
def test_a_silent_handler_keeps_its_lease_even_if_a_heartbeat_fails(kind, settings, monkeypatch):
    settings.JOB_LEASE_SECONDS = 0.9
    lease, beats, swept = jobs._lease, [], []

    def away_once() -> Any:
        if threading.current_thread() is not threading.main_thread():
            beats.append(1)
            if len(beats) == 1:
                raise OperationalError("database is locked")
        return lease()

    def silent(context):
        wait_until(lambda: len(beats) >= 5)
        swept.append(jobs.sweep())

    monkeypatch.setattr(jobs, "_lease", away_once)
    job = enqueue(kind(silent))
    jobs.work_through("default")
    assert swept == [0]
    assert stored(job).state == Job.State.DONE


def test_the_sweeper_wakes_the_queues_that_have_waiting_jobs(woken):
    make_job(queue="gpu")
    make_job(queue="gpu")
    make_job(queue="default", state="done")
    lost = running_job(queue="default")
    die(lost)
    assert tasks.sweep() == 1
    assert sorted(woken) == ["default", "gpu"]


# On the command line


def test_a_job_of_the_command_line_runs_here_and_is_told(kind):
    heard: list[str] = []

    def handler(context, *, a):
        context.progress(1, 1, "half")
        return {"a": a}

    job = jobs.run_here(kind(handler), title="Toy", arguments={"a": 1}, tell=heard.append)
    assert (job.state, job.result, heard) == (Job.State.DONE, {"a": 1}, ["1 of 1  half"])


def test_a_job_stopped_from_the_keyboard_is_failed_and_no_worker_goes_on_with_it(kind):
    def interrupted(context):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jobs.run_here(kind(interrupted), title="Toy", arguments={}, tell=lambda _: None)
    job = Job.objects.get()
    assert job.state == Job.State.FAILED
    assert job.error == "It was stopped before its end. Trying again goes on from what is saved."
    assert jobs.work_through("default") == 0


# The broker


@pytest.fixture
def broker(monkeypatch) -> Callable[..., None]:
    """Point Celery at a broker for the time of one test."""

    def point(url: str, **transport: Any) -> None:
        monkeypatch.setattr(app, "_pool", None)
        monkeypatch.setattr(app.amqp, "_producer_pool", None)
        monkeypatch.setitem(app.conf, "broker_url", url)
        monkeypatch.setitem(app.conf, "broker_transport_options", transport)
        monkeypatch.setattr(jobs, "wake", REAL_WAKE)

    return point


@committed
def test_a_job_is_stored_although_no_broker_listens(kind, broker):
    broker("amqp://127.0.0.1:9//")
    job = enqueue(kind(lambda _context: {}))
    assert stored(job).state == Job.State.WAITING
    assert jobs.work_through("default") == 1


@committed
def test_a_job_is_stored_although_the_folder_of_messages_is_missing(kind, broker, tmp_path):
    missing = str(tmp_path / "missing")
    broker(
        "filesystem://",
        data_folder_in=missing,
        data_folder_out=missing,
        control_folder=str(tmp_path),
    )
    job = enqueue(kind(lambda _context: {}))
    assert stored(job).state == Job.State.WAITING


@committed
def test_a_message_to_the_worker_names_its_queue_and_nothing_of_the_job(kind, broker, tmp_path):
    (tmp_path / "queue").mkdir()
    folder = str(tmp_path / "queue")
    broker(
        "filesystem://",
        data_folder_in=folder,
        data_folder_out=folder,
        control_folder=str(tmp_path / "control"),
    )
    enqueue(kind(lambda _context, **_: {}), arguments={"folder": "Doe_Jane"}, title="Of Doe_Jane")
    (message,) = (tmp_path / "queue").iterdir()
    assert message.name.endswith(".default.msg")
    assert "Doe_Jane" not in message.read_text()
