"""Who may see truth, and the recorded act that joins it to a closed study."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotAllowed, ReaderStudyError
from readerstudy.studies import lifecycle
from readerstudy.studies.models import Study
from readerstudy.truth.models import Origin, Unblinding


def unblind(*, study: Study, actor: Any, reason: str, typed_name: str) -> Unblinding:
    """Unblind a closed study: confirmed by typing its name, with a reason, once and for all."""
    if typed_name.strip() != study.name:
        raise ReaderStudyError("To confirm, type the name of the study exactly as it is shown.")
    if not reason.strip():
        raise ReaderStudyError("Give the reason for unblinding; it is kept in the audit log.")
    with write_transaction():
        lifecycle.advance(study=study, to=Study.State.UNBLINDED, actor=actor, reason=reason.strip())
        return Unblinding.objects.create(
            study=study, at=timezone.now(), actor=actor, reason=reason.strip()
        )


def origins_of(study: Study, *, actor: Any) -> dict[Any, Origin]:
    """Return the origin of every case of an unblinded study, and record that truth was seen."""
    if study.state != Study.State.UNBLINDED:
        raise NotAllowed("Truth is not shown before the study is closed and unblinded.")
    with write_transaction():
        audit.record(actor=actor, action="truth.look", target=f"study {study.pk}")
    return Origin.objects.in_bulk(list(study.cases.values_list("pk", flat=True)))
