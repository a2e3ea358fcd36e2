"""Compare allocations, answers and ratings with the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.core.verifying import Scope, verifies
from readerstudy.reading import allocation
from readerstudy.reading.answering import ratings_of
from readerstudy.reading.models import AllocationPart, Rating, Submission
from readerstudy.reading.scheduling import certificate
from readerstudy.reading.study_audit import seals_of_allocation
from readerstudy.studies.audit_checks import studies_in
from readerstudy.studies.lifecycle import hash_of
from readerstudy.studies.models import Study

FORMS = ("choice_id", "choices", "number", "text", "region", "places", "not_evaluable")


@verifies("allocations")
def allocations(scope: Scope) -> Iterator[str]:
    """Yield what disagrees in the stored results of draws; each is drawn again."""
    logged = AuditRecord.objects.filter(action="study.allocate")
    for study in studies_in(scope).filter(allocation__isnull=False).select_related("allocation"):
        named = f"study {study.pk}"
        for seal in seals_of_allocation(study):
            if not seal.agrees:
                yield f"{seal.what} of {named}: the readings are not those that were drawn."
        yield from (f"Allocation of {named}: {one}" for one in _drawn_again(study))
        record = logged.filter(target=named).last()
        stored = {"seed": study.allocation.seed, "table_hash": study.allocation.table_hash}
        if record is None:
            yield f"The draw of {named} is not in the log."
        elif record.new != stored:
            yield f"The draw of {named} is not the one in the log (record {record.sequence})."


def _drawn_again(study: Study) -> list[str]:
    """Draw a whole allocation again from its stored input; nothing of it leaves this process."""
    document = certificate(study)
    stored = study.allocation
    designs = {
        one.enrolment.code: one.design
        for one in AllocationPart.objects.filter(enrolment__study=study).select_related("enrolment")
    }
    parts = [{**one, "design": designs[one["reader"]]} for one in document["parts"]]
    if any(one["algorithm"] != allocation.ALGORITHM for one in (document, *parts)):
        return []  # drawn by an older version; the hash of its table was compared
    try:
        return allocation.verify({**document, "design": stored.design, "parts": parts})
    except (allocation.ImpossibleDesign, KeyError, TypeError, ValueError) as error:
        return [f"Its input cannot be drawn from any more ({error})."]


@dataclass(frozen=True)
class Said:
    """What the log says of one submission."""

    sequence: int
    action: str
    target: str
    body_hash: str
    reason: str
    study: str


@verifies("answers")
def answers(scope: Scope) -> Iterator[str]:
    """Yield what disagrees between submissions, their ratings and the log."""
    studies = studies_in(scope)
    said = _said()
    seen = set()
    rows: QuerySet[Submission] = Submission.objects.filter(reading__enrolment__study__in=studies)
    related = ("reading__enrolment__study", "reading__case", "supersedes")
    for row in rows.select_related(*related).order_by("received_at").iterator(chunk_size=500):
        seen.add(str(row.pk))
        yield from _submission(row, said.get(str(row.pk)))
    known = {str(pk) for pk in studies.values_list("pk", flat=True)}
    for key, one in said.items():
        if key not in seen and _should_be_there(one, known, whole=not scope.study):
            yield f"The answer of {one.target} is gone (record {one.sequence})."


def _said() -> dict[str, Said]:
    found = {}
    records = AuditRecord.objects.filter(target__startswith="reading ", new__isnull=False)
    for record in records.iterator():
        new = record.new
        if isinstance(new, dict) and "submission" in new:
            found[str(new["submission"])] = Said(
                record.sequence,
                record.action,
                record.target,
                new["body_hash"],
                record.reason,
                new.get("study", ""),
            )
    return found


def _should_be_there(one: Said, known: set[str], *, whole: bool) -> bool:
    """Does the study of an answer still exist, or was it a real one?

    Copies under a preview and dry runs are discarded with all their rows; their studies are gone.
    """
    if one.study in known:
        return True
    if not whole or not one.action.startswith("reading."):
        return False
    clones = AuditRecord.objects.filter(action="rehearsal.clone")
    return one.study not in {record.new["clone"] for record in clones}


def _submission(row: Submission, said: Said | None) -> Iterator[str]:
    named = f"The answer of reading {row.reading_id}"
    if said is None:
        yield f"{named} ({row.pk}) is not in the log."
        return
    named = f"{named} (record {said.sequence})"
    stored = (f"reading {row.reading_id}", row.body_hash, row.reason)
    if stored != (said.target, said.body_hash, said.reason):
        yield f"{named} does not agree with the log: reading, hash or reason differ."
    if said.action.rpartition(".")[2] != row.outcome:
        yield f"{named} is stored as {row.outcome}; the log says {said.action}."
    if hash_of([row.reading.token, row.body]) != row.body_hash:
        yield f"{named} was changed: what the browser sent does not have its hash."
    elif not _ratings_agree(row):
        yield f"{named} was changed: the ratings are not those that the browser sent."


def _ratings_agree(row: Submission) -> bool:
    stored = {one.question_id: _value(one) for one in row.ratings.all()}
    if row.outcome != Submission.Outcome.ACCEPTED:
        return not stored
    try:
        sent = ratings_of(row.reading, row.body.get("answers"))
    except ReaderStudyError:
        return False
    return stored == {one.question_id: _value(one) for one in sent}


def _value(rating: Rating) -> Any:
    return json.loads(json.dumps([getattr(rating, name) for name in FORMS]))
