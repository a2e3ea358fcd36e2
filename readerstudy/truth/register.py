"""Put on record where a case comes from. The only place that writes origins."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.cases.models import Case
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict
from readerstudy.truth.models import Origin


@dataclass(frozen=True)
class Generated:
    """What is to be said of a synthetic case: the generator, the run, the record's hash."""

    generator: str
    run: uuid.UUID
    record_sha256: str


def declare_real(*, cases: Iterable[Case], actor: Any) -> None:
    """Record that these cases were acquired on a scanner (or are phantoms that stand for it)."""
    with write_transaction():
        for case in cases:
            origin = Origin(case=case, kind=Origin.Kind.REAL, declared_by=_person(actor))
            if _declare(case, origin):
                audit.record(actor=actor, action="truth.declare_real", target=f"case {case.pk}")


def declare_synthetic(*, case: Case, generated: Generated, actor: Any) -> None:
    """Record which generation run made a case."""
    origin = Origin(
        case=case,
        kind=Origin.Kind.SYNTHETIC,
        generator=generated.generator,
        generation_run=generated.run,
        record_sha256=generated.record_sha256,
        declared_by=_person(actor),
    )
    with write_transaction():
        if _declare(case, origin):
            audit.record(
                actor=actor,
                action="truth.declare_synthetic",
                target=f"case {case.pk}",
                new={"generator": generated.generator, "run": str(generated.run)},
            )


def _declare(case: Case, origin: Origin) -> bool:
    """Store an origin; return False if the same is on record already."""
    stored = Origin.objects.filter(case=case).first()
    if stored is None:
        origin.save(force_insert=True)
        return True
    if (stored.kind, stored.generation_run) != (origin.kind, origin.generation_run):
        raise Conflict(f"Case {case.code} is on record as {stored.kind} already.")
    return False


def _person(actor: Any) -> Any:
    return actor if getattr(actor, "pk", None) else None
