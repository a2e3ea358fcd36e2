"""The phases of a study: draft → locked → running → closed → unblinded, one way only."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.utils import timezone

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.studies import checklist
from readerstudy.studies.design import QUESTION_FIELDS
from readerstudy.studies.models import Study, StudyCase

NEXT = {
    Study.State.DRAFT: Study.State.LOCKED,
    Study.State.LOCKED: Study.State.RUNNING,
    Study.State.RUNNING: Study.State.CLOSED,
    Study.State.CLOSED: Study.State.UNBLINDED,
}


def advance(*, study: Study, to: str, actor: Any, reason: str = "") -> Study:
    """Move a study to its next phase and record who did it. Call it within the write."""
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        if NEXT.get(Study.State(study.state)) != to:
            raise Conflict(f"A study that is {study.state} cannot become {to}.")
        old, study.state = study.state, to
        setattr(study, f"{to}_at", timezone.now())
        if to == Study.State.LOCKED:
            study.protocol = protocol_of(study)
            study.protocol_hash = hash_of(study.protocol)
        study.save()
        audit.record(
            actor=actor,
            action=f"study.{to}",
            target=f"study {study.pk}",
            old={"state": old},
            new={"state": to, "protocol_hash": study.protocol_hash},
            reason=reason,
        )
    return study


def require_ready(study: Study, *, before: str) -> None:
    """Refuse a step that the checklist blocks, naming the points."""
    reasons = checklist.blocking(study, before=before)
    if reasons:
        raise Conflict("Not yet: " + "; ".join(check.statement for check in reasons) + ".")


def close(*, study: Study, actor: Any, reason: str) -> Study:
    """End the reading. Answers that arrive later are kept as late."""
    return advance(study=study, to=Study.State.CLOSED, actor=actor, reason=reason)


def protocol_of(study: Study) -> dict[str, Any]:
    """Return everything that defines the study, without any truth, as JSON."""
    return {
        "format": "readerstudy-protocol-4",
        "study": str(study.pk),
        "name": study.name,
        "reader_title": study.reader_title,
        "template": study.template,
        "instructions": study.instructions,
        "viewing": study.viewing,
        "design": study.design,
        "arms": list(study.arms.values("code", "name", "slots")),
        "margin": study.margin,
        "analysis": study.analysis_plan,
        "questions": [
            {
                "code": question.code,
                "text": question.text,
                **{name: getattr(question, name) for name in QUESTION_FIELDS},
                "options": list(question.options.values("code", "label", "anchor", "example")),
            }
            for question in study.questions.prefetch_related("options")
        ],
        "cases": sorted(study.cases.values_list("code", flat=True)),
        "training": sorted(
            study.study_cases.filter(phase=StudyCase.Phase.TRAINING).values_list("item", flat=True)
        ),
        "readers": sorted(study.readers.values_list("code", flat=True)),
        **_withdrawn(study),
    }


def _withdrawn(study: Study) -> dict[str, list[str]]:
    """Return the readers who read no more; nothing where there are none, as in older versions."""
    gone = study.readers.filter(withdrawn_at__isnull=False).values_list("code", flat=True)
    return {"withdrawn_readers": sorted(gone)} if gone else {}


def hash_of(document: Any) -> str:
    """Return the SHA-256 of a JSON document in canonical form."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


ARCHIVABLE = (Study.State.DRAFT, Study.State.CLOSED, Study.State.UNBLINDED)


def archive(*, study: Study, actor: Any, reason: str) -> None:
    """Take a study off the list; nothing of it is deleted or hidden from its own pages."""
    if study.state not in ARCHIVABLE:
        raise Conflict(f"A study that is {study.state} is in use. Close it first.")
    _set_archived(study, timezone.now(), actor, "study.archive", reason)


def unarchive(*, study: Study, actor: Any, reason: str) -> None:
    """Put an archived study back on the list."""
    _set_archived(study, None, actor, "study.unarchive", reason)


def _set_archived(study: Study, at: Any, actor: Any, action: str, reason: str) -> None:
    if not reason.strip():
        raise ReaderStudyError("Give the reason; it is kept in the audit log.")
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        if (study.archived_at is None) == (at is None):
            raise Conflict("The study is archived already." if at else "It is not archived.")
        study.archived_at = at
        study.save(update_fields=("archived_at",))
        audit.record(actor=actor, action=action, target=f"study {study.pk}", reason=reason.strip())
