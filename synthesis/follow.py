"""Run a job from the command line: here, or by a worker whose progress is followed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError

from readerstudy.core import jobs
from readerstudy.core.models import Job

Say = Callable[[str], None]


def silent(_line: str) -> None:
    """Say nothing: what is printed is for a program."""


def do(kind: str, *, title: str, arguments: dict[str, Any], queue: bool, say: Say) -> Job:
    """Have a job done and return it.

    Parameters
    ----------
    queue : bool
        True: leave it to a running worker and follow it. False: work on it in this process.
    say : callable
        Gets a line at each step.

    Raises
    ------
    CommandError
        If the job fails.
    """
    job = jobs.enqueue(kind, title=title, arguments=arguments) if queue else None
    job = job or jobs.run_here(kind, title=title, arguments=arguments, tell=say)
    last = ""
    while not job.is_finished:
        line = f"{job.state} {job.step}/{job.of} {job.message}"
        if line != last:
            say(line)
            last = line
        time.sleep(0.5)
        job.refresh_from_db()
    if job.state == Job.State.FAILED:
        raise CommandError(f"{title} failed: {job.error}")
    return job
