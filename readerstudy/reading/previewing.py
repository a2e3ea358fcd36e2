"""Show a study to its staff as a reader would see it: an order of its own, never counted."""

from __future__ import annotations

import secrets
from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict
from readerstudy.reading.amending import draw_for_one
from readerstudy.reading.models import DisplayForm
from readerstudy.reading.scheduling import store_rows
from readerstudy.studies.models import Enrolment, Study

PREVIEWABLE = (Study.State.LOCKED, Study.State.RUNNING)


def begin_preview(*, study: Study, user: Any) -> Enrolment:
    """Return the open preview of a member of the staff, or begin one.

    Raises
    ------
    Conflict
        If the study is not locked or running, or its images are still being prepared.
    """
    if study.state not in PREVIEWABLE:
        raise Conflict(
            f"A study can be previewed while it is locked or running, not {study.state}."
        )
    if not DisplayForm.objects.filter(study=study).exists():
        raise Conflict("The images are still being prepared. Preview the study when they are done.")
    with write_transaction():
        previews = study.enrolments.filter(kind=Enrolment.Kind.PREVIEW)
        mine = previews.filter(reader=user, readings__completed_at__isnull=True).distinct()
        if found := mine.first():
            return found
        code = f"P{previews.count() + 1}"
        preview = Enrolment.objects.create(
            study=study, reader=user, code=code, kind=Enrolment.Kind.PREVIEW
        )
        _, rows = draw_for_one(study, code, secrets.token_hex(16))
        store_rows(study, {code: preview}, rows)
        audit.record(
            actor=user, action="preview.begin", target=f"study {study.pk}", new={"code": code}
        )
    return preview
