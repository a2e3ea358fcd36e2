"""Background jobs: a row with a lease, a heartbeat and a limited number of attempts.

A worker claims a waiting row, renews its lease while it works, and writes the outcome in one
transaction. A worker that dies stops renewing its lease; the sweeper puts the row back to
waiting, or shows it as failed once its attempts are used up. Handlers must therefore be safe to
run again: they skip what is complete and put results in place by rename.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from celery import current_app as celery
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.core.processes import lives

log = logging.getLogger(__name__)
PROGRESS_SECONDS = 1.0
CANCELLED = "It was cancelled."
STOPPED = "It was stopped before its end. Trying again goes on from what is saved."


class LeaseLost(Exception):
    """Another worker took the job over; this one must stop without writing a result."""


@dataclass
class JobContext:
    """What a running handler may do: tell its progress and see what it was asked for."""

    job: Job
    tell: Callable[[str], None] | None = None
    told_at: float = field(default=0.0)

    def progress(self, step: int, of: int, message: str = "") -> None:
        """Record how far the work is, at most once a second, and renew the lease."""
        now = time.monotonic()
        if step != of and now - self.told_at < PROGRESS_SECONDS:
            return
        self.told_at = now
        if self.tell:
            self.tell(f"{step} of {of}  {message}")
        renewed = Job.objects.filter(
            pk=self.job.pk, state=Job.State.RUNNING, worker=self.job.worker
        )
        with write_transaction():
            count = renewed.update(step=step, of=of, message=message[:500], lease_until=_lease())
        if not count:
            raise LeaseLost(f"job {self.job.pk} is no longer this worker's")


Handler = Callable[..., dict[str, Any] | None]
_cleaners: list[Callable[[], object]] = []
_handlers: dict[str, tuple[Handler, str]] = {}


def handles(kind: str, *, queue: str = "default") -> Callable[[Handler], Handler]:
    """Register a function ``(context, **arguments) -> result dict`` for one kind of job."""

    def register(handler: Handler) -> Handler:
        _handlers[kind] = (handler, queue)
        return handler

    return register


def is_handled(kind: str) -> bool:
    """Tell whether this installation can do a kind of job."""
    return kind in _handlers


def enqueue(
    kind: str,
    *,
    title: str,
    arguments: dict[str, Any],
    actor: Any = None,
    key: str | None = None,
    queue: str | None = None,
) -> Job:
    """Store a job and wake a worker once the transaction is through.

    With a ``key`` the same work is never stored twice: the existing job is returned. ``queue``
    overrides the one that the kind of job names.
    """
    queue = queue or _handlers[kind][1]
    defaults = {
        "kind": kind,
        "queue": queue,
        "title": title,
        "arguments": arguments,
        "created_by": actor if getattr(actor, "pk", None) else None,
    }
    with write_transaction():
        if key is None:
            job = Job.objects.create(**defaults)
        else:
            job, _ = Job.objects.get_or_create(key=key, defaults=defaults)
        transaction.on_commit(lambda: wake(queue))
    return job


def wake(queue: str) -> None:
    """Tell the workers of a queue to look at the table. Losing this message costs 20 s."""
    try:
        celery.send_task("readerstudy.core.tasks.work", args=[queue], queue=queue)
    except (BrokerError, OSError):
        log.warning("the broker cannot be reached; the sweeper will find the job")


def retry(*, job: Job) -> None:
    """Put a failed job back to waiting, with fresh attempts; the retry button."""
    with write_transaction():
        count = Job.objects.filter(pk=job.pk, state=Job.State.FAILED).update(
            state=Job.State.WAITING, attempts=0, error="", message="", finished_at=None
        )
        if not count:
            raise Conflict("Only a failed job can be tried again.")
        transaction.on_commit(lambda: wake(job.queue))


def take_back(*, job: Job) -> bool:
    """Fail a job that no worker has; False if one has it. One whose worker died is taken too."""
    if job.state == Job.State.RUNNING and _is_lost(job):
        _give_up(job)
    with write_transaction():
        waiting = Job.objects.filter(pk=job.pk, state=Job.State.WAITING)
        waiting.update(state=Job.State.FAILED, error=STOPPED, finished_at=timezone.now())
    return not Job.objects.filter(pk=job.pk, state=Job.State.RUNNING).exists()


def cancel(*, job: Job) -> bool:
    """Stop a job for good, whoever works at it; False if it had finished.

    A worker notices at its next step and leaves without a result.
    """
    unfinished = Job.objects.filter(pk=job.pk, state__in=(Job.State.WAITING, Job.State.RUNNING))
    with write_transaction():
        return bool(
            unfinished.update(state=Job.State.FAILED, error=CANCELLED, finished_at=timezone.now())
        )


def work_through(queue: str) -> int:
    """Run waiting jobs of a queue until none is left; return how many ran."""
    count = 0
    while job := _claim(queue):
        run(job)
        count += 1
    return count


def run_here(
    kind: str, *, title: str, arguments: dict[str, Any], tell: Callable[[str], None]
) -> Job:
    """Store a job and work on it in this process, for the command line.

    Ctrl-C fails the job, so that no worker goes on with what a person has stopped.
    """
    with write_transaction():
        job = Job.objects.create(
            kind=kind, queue=_handlers[kind][1], title=title, arguments=arguments
        )
        _take(job)
    try:
        run(job, tell=tell)
    except KeyboardInterrupt:
        _finish(job, Job.State.FAILED, error=STOPPED)
        raise
    job.refresh_from_db()
    return job


def _claim(queue: str) -> Job | None:
    with write_transaction():
        waiting = Job.objects.filter(state=Job.State.WAITING, queue=queue)
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True)
        job = waiting.order_by("created_at").first()
        if job is not None:
            _take(job)
        return job


def _take(job: Job) -> None:
    job.state = Job.State.RUNNING
    job.worker = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
    job.attempts += 1
    job.started_at = timezone.now()
    job.lease_until = _lease()
    job.save()


def run(job: Job, *, tell: Callable[[str], None] | None = None) -> None:
    """Run one claimed job to its end and store the outcome."""
    log.info("job %s %s attempt %d", job.kind, job.pk, job.attempts)
    try:
        handler = _handler_of(job)
        with _heartbeat(job):
            result = handler(JobContext(job, tell), **job.arguments) or {}
    except LeaseLost:
        log.warning("job %s %s was taken over", job.kind, job.pk)
    except ReaderStudyError as error:
        _finish(job, Job.State.FAILED, error=error.message)
    except Exception as error:  # noqa: BLE001 - a handler's fault is the job's outcome
        log.error("job %s %s failed\n%s", job.kind, job.pk, traceback.format_exc())
        _finish(job, Job.State.FAILED, error=f"{type(error).__name__}: {error}")
    else:
        _finish(job, Job.State.DONE, result=result)


def _handler_of(job: Job) -> Handler:
    if job.kind not in _handlers:
        raise ReaderStudyError(f"This version knows no jobs of the kind {job.kind!r}.")
    return _handlers[job.kind][0]


def _finish(job: Job, state: Job.State, *, error: str = "", result: Any = None) -> None:
    with write_transaction():
        Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, worker=job.worker).update(
            state=state, error=error, result=result or {}, finished_at=timezone.now()
        )


@contextmanager
def _heartbeat(job: Job) -> Iterator[None]:
    """Renew the lease from a thread, for handlers that are silent for long."""
    stop = threading.Event()

    def beat() -> None:
        try:
            while not stop.wait(settings.JOB_LEASE_SECONDS / 3):
                _renew(job)
        finally:
            connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _renew(job: Job) -> None:
    """Renew the lease; when the database is away, the next beat may still be in time."""
    own = Job.objects.filter(pk=job.pk, state=Job.State.RUNNING, worker=job.worker)
    try:
        with write_transaction():
            own.update(lease_until=_lease())
    except DatabaseError:
        log.exception("the lease of job %s %s could not be renewed", job.kind, job.pk)


def cleans_up(cleaner: Callable[[], object]) -> Callable[[], object]:
    """Register a function that removes what killed processes left; run as a worker starts."""
    _cleaners.append(cleaner)
    return cleaner


def clean_up() -> None:
    """Remove what killed processes left behind."""
    for cleaner in _cleaners:
        cleaner()


def sweep() -> int:
    """Return jobs of dead workers to waiting, or fail them; return how many were found."""
    return sum(
        _give_up(job) for job in Job.objects.filter(state=Job.State.RUNNING) if _is_lost(job)
    )


def _is_lost(job: Job) -> bool:
    """Has the lease run out, or did the worker live on this machine and is gone?"""
    if job.lease_until is None or job.lease_until < timezone.now():
        return True
    host, number, _ = job.worker.rsplit(":", 2)
    return host == socket.gethostname() and not lives(int(number))


def _give_up(job: Job) -> int:
    again = job.attempts < job.max_attempts
    unchanged = Job.objects.filter(
        pk=job.pk, state=Job.State.RUNNING, worker=job.worker, lease_until=job.lease_until
    )
    with write_transaction():
        return unchanged.update(
            state=Job.State.WAITING if again else Job.State.FAILED,
            error="" if again else f"The worker stopped {job.attempts} times at this job.",
            finished_at=None if again else timezone.now(),
        )


def _lease() -> Any:
    return timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
