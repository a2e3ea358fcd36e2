"""What the list of cases says of imports: the last one, and what could not come in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.urls import reverse

from readerstudy.cases.browser_sections import Entry, HeadLine, adds_line, adds_section
from readerstudy.cases.ingest import ERROR, OK
from readerstudy.intake.models import Import
from readerstudy.intake.results import outcomes_of


@dataclass(frozen=True)
class LastImport:
    """When the last import ended, and what came of it."""

    at: datetime
    ok: int
    failed: int
    address: str


def last_import() -> LastImport | None:
    """Return the import that ended last."""
    ended = Import.objects.filter(finished_at__isnull=False, counts__has_any_keys=[OK, ERROR])
    batch = ended.order_by("-finished_at").first()
    if batch is None or batch.finished_at is None:
        return None
    return LastImport(
        at=batch.finished_at,
        ok=batch.counts.get(OK, 0),
        failed=batch.counts.get(ERROR, 0),
        address=reverse("import", args=[batch.pk]),
    )


@adds_line
def last_import_line(user: Any) -> HeadLine | None:
    """Say when the last import was and how it went."""
    del user
    last = last_import()
    if last is None:
        return None
    said = f"{last.ok} ok, {last.failed} failed"
    return HeadLine(before="last import", at=last.at, after=said, address=last.address)


@adds_section
class FailedSection:
    """Series that could not be imported, of the imports whose lists are still kept."""

    key, label = "failed", "Failed"

    def count(self, user: Any) -> int:
        """Return how many series failed."""
        del user
        number = Cast(KT("counts__error"), models.IntegerField())
        found = _open().annotate(failed=number).aggregate(total=Sum("failed", default=0))
        total: int = found["total"]
        return total

    def entries(self, user: Any, start: int, end: int) -> Sequence[Entry]:
        """Return a slice of them, newest first. Their names stay in the import's own list."""
        del user
        found: list[Entry] = []
        for batch in _open():
            found += list(_entries(batch))
            if len(found) >= end:
                break
        return found[start:end]


def _open() -> models.QuerySet[Import]:
    kept = Import.objects.filter(state=Import.State.FINISHED, counts__has_key=ERROR)
    return kept.order_by("-finished_at")


def _entries(batch: Import) -> list[Entry]:
    address = f"{reverse('import', args=[batch.pk])}?show={ERROR}"
    faults = [one for one in enumerate(outcomes_of(batch), start=1) if one[1].status == ERROR]
    return [
        Entry(name=f"Row {number}", reason=one.reason, at=batch.finished_at, address=address)
        for number, one in faults
    ]
