"""Verify the audit log: its chain, its anchor, its guards, and that the rows still agree with it.

Each app registers what it can compare: a row with the record that was written beside it. A fault
is a sentence that names what disagrees, and never says what is true of a case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ObjectDoesNotExist

from readerstudy.core import append_only, audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.core.models import AuditRecord

ACTION = "audit.verify"
# What a check meets where a stored document or a reference is not what the program wrote.
UNREADABLE = (
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    ObjectDoesNotExist,
    ReaderStudyError,
)
HEAD = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


@dataclass(frozen=True)
class Scope:
    """What is to be compared: one study or all, and whether stored images are read as well."""

    study: str = ""
    files: bool = False


Check = Callable[[Scope], Iterator[str]]
_checks: dict[str, Check] = {}


def verifies(name: str) -> Callable[[Check], Check]:
    """Register a function that yields a sentence for each row that disagrees with the log."""

    def register(check: Check) -> Check:
        _checks[name] = check
        return check

    return register


@dataclass(frozen=True)
class Part:
    """One thing that was compared, and what disagrees."""

    name: str
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """What a verification found."""

    records: int
    head: str
    study: str
    parts: list[Part]

    @property
    def faults(self) -> list[str]:
        return [fault for part in self.parts for fault in part.faults]

    @property
    def is_whole(self) -> bool:
        return not self.faults

    def as_document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "whole": self.is_whole,
            "records": self.records,
            "head": self.head,
            "study": self.study or None,
            "checks": [{"name": one.name, "faults": one.faults} for one in self.parts],
        }


def head() -> str:
    """Return the anchor of the log: number and hash of its last record.

    Kept outside the server, it later shows that nothing before it was cut off or written anew.
    """
    last = AuditRecord.objects.order_by("-sequence").first()
    return f"{last.sequence}:{last.hash}" if last else f"0:{audit.GENESIS}"


def verify(*, study: str = "", files: bool = False, since: str = "") -> Verdict:
    """Compare everything; change nothing.

    Raises
    ------
    ReaderStudyError
        If ``since`` is no anchor, or there is no such study.
    """
    anchored = list(_anchor(since)) if since else []
    scope = Scope(study=study, files=files)
    parts = [
        Part("chain of hashes", [*audit.broken_links(), *anchored]),
        Part("guards of the database", list(_unguarded())),
        *(_compared(name, check, scope) for name, check in sorted(_checks.items())),
    ]
    return Verdict(AuditRecord.objects.count(), head(), study, parts)


def _compared(name: str, check: Check, scope: Scope) -> Part:
    """Carry out one check; what was changed so much that it cannot be read is a fault as well."""
    faults: list[str] = []
    try:
        for fault in check(scope):
            faults.append(fault)  # one by one: what was found before a damaged row counts
    except NotFound:
        raise
    except UNREADABLE as error:
        said = f"{type(error).__name__}: {error}"
        faults.append(f"A row is so damaged that the rest could not be compared ({said}).")
    return Part(name, faults)


def _anchor(since: str) -> Iterator[str]:
    matched = HEAD.fullmatch(since.strip())
    if matched is None:
        raise ReaderStudyError(
            "An anchor is a number and a hash, such as 1200:3fa9…, as --head prints it."
        )
    number, digest = int(matched[1]), matched[2]
    if number == 0:
        return
    found = AuditRecord.objects.filter(sequence=number).first()
    if found is None:
        last = head().partition(":")[0]
        yield f"The log ends at record {last}, but the anchor names record {number}: it was cut."
    elif found.hash != digest:
        yield f"Record {number} is not the one that the anchor names: the log was written anew."


def _unguarded() -> Iterator[str]:
    for table in append_only.missing():
        yield f"The table {table} is not guarded against changes. Run manage.py migrate."


def record_verification(verdict: Verdict) -> None:
    """Put a verification on record, so that the audit page can tell when the last one was."""
    with write_transaction():
        audit.record(
            actor=None,
            action=ACTION,
            target=f"study {verdict.study}" if verdict.study else "audit log",
            new={
                "records": verdict.records,
                "head": verdict.head,
                "faults": len(verdict.faults),
            },
        )


def last_verification() -> AuditRecord | None:
    """Return the record of the last verification of the whole log."""
    whole = AuditRecord.objects.filter(action=ACTION, target="audit log")
    return whole.order_by("-sequence").first()
