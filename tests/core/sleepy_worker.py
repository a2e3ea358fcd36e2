"""A worker whose handler sleeps until it is killed: ``python -m tests.core.sleepy_worker FILE``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import django


def main(started: Path) -> None:
    django.setup()
    from readerstudy.core import jobs

    @jobs.handles("sleepy")
    def sleepy(context: jobs.JobContext) -> None:
        context.progress(1, 9, "Asleep")
        started.touch()
        time.sleep(600)

    jobs.work_through("default")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
