"""Give a reader who did not qualify another attempt at the training block."""

from __future__ import annotations

import secrets
from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.reading import training
from readerstudy.reading.allocation import Row
from readerstudy.reading.allocation_stream import Stream
from readerstudy.reading.models import Reading
from readerstudy.reading.scheduling import store_rows
from readerstudy.studies.models import Enrolment


def allow_attempt(
    *, enrolment: Enrolment, reason: str, actor: Any, seed: str | None = None
) -> list[Reading]:
    """Add the training block once more, in a new order; the attempts before stay on record."""
    if not reason.strip():
        raise ReaderStudyError("Give the reason for another attempt.")
    seed = seed or secrets.token_hex(16)
    with write_transaction():
        if not training.is_unqualified(enrolment):
            raise Conflict(f"Reader {enrolment.code} has not failed the training block.")
        done = list(enrolment.readings.filter(period=training.TRAINING_PERIOD))
        attempt = max(reading.repeat for reading in done) + 1
        rows = _next_rows(enrolment, done, attempt, Stream(seed, f"attempt|{attempt}"))
        readings = store_rows(enrolment.study, {enrolment.code: enrolment}, rows)
        audit.record(
            actor=actor,
            action="study.allow_attempt",
            target=f"study {enrolment.study_id}",
            new={"reader": enrolment.code, "attempt": attempt + 1, "seed": seed},
            reason=reason.strip(),
        )
    return readings


def _next_rows(
    enrolment: Enrolment, done: list[Reading], attempt: int, stream: Stream
) -> list[Row]:
    first = sorted((one for one in done if one.repeat == 0), key=lambda one: one.item)
    last = max(reading.position for reading in done)
    return [
        Row(
            reader=enrolment.code,
            period=training.TRAINING_PERIOD,
            position=last + number,
            item=one.item,
            arm=one.arm,
            repeat=attempt,
            sides=tuple(one.sides),
        )
        for number, one in enumerate(stream.shuffled(first), start=1)
    ]
