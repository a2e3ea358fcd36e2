"""Put on record where a case comes from. The only place that writes origins."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.cases.models import Case
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.truth.models import Origin, TrainedOn

MAX_NAME = Origin._meta.get_field("generator").max_length or 0
SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Generated:
    """What is to be said of a synthetic case: the generator, the run, the record's hash."""

    generator: str
    run: uuid.UUID
    record_sha256: str


@dataclass(frozen=True)
class GeneratedElsewhere:
    """What is to be said of a synthetic case that was made outside this project.

    ``run`` and ``record_sha256`` may be empty; two cases are of one run if generator and run agree.
    """

    generator: str
    run: str = ""
    record_sha256: str = ""


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
    _declare_made(case, origin, run=str(generated.run), actor=actor)


def declare_trained_on(*, run: uuid.UUID, fingerprints: Iterable[str], actor: Any) -> None:
    """Record whose images trained the generator of a run, before it makes its first image.

    Parameters
    ----------
    fingerprints : iterable of str
        Digests of subjects' names (``Subject.source_key``) and of image files
        (``Series.source_sha256``).
    """
    rows = [TrainedOn(generation_run=run, fingerprint=one) for one in sorted(set(fingerprints))]
    with write_transaction():
        TrainedOn.objects.bulk_create(rows, ignore_conflicts=True)
        audit.record(
            actor=actor,
            action="truth.declare_trained_on",
            target=f"run {run}",
            new={"fingerprints": len(rows)},
        )


def declare_made_elsewhere(*, case: Case, generated: GeneratedElsewhere, actor: Any) -> None:
    """Record that a case was made by a generator that this project did not run."""
    checked = clean_generated(generated)
    origin = Origin(
        case=case,
        kind=Origin.Kind.SYNTHETIC,
        generator=checked.generator,
        external_run=checked.run,
        record_sha256=checked.record_sha256,
        declared_by=_person(actor),
    )
    _declare_made(case, origin, run=checked.run, actor=actor)


def _declare_made(case: Case, origin: Origin, *, run: str, actor: Any) -> None:
    with write_transaction():
        if _declare(case, origin):
            audit.record(
                actor=actor,
                action="truth.declare_synthetic",
                target=f"case {case.pk}",
                new={"generator": origin.generator, "run": run},
            )


def clean_generated(generated: GeneratedElsewhere) -> GeneratedElsewhere:
    """Return what is said of a generator as it is stored, or refuse it."""
    generator, run = " ".join(generated.generator.split()), " ".join(generated.run.split())
    digest = generated.record_sha256.strip().lower()
    if not generator:
        raise ReaderStudyError("A synthetic case needs the name of its generator.")
    for what, text in (("generator", generator), ("run", run)):
        if len(text) > MAX_NAME:
            raise ReaderStudyError(
                f"The name of a {what} has at most {MAX_NAME} characters; this one has {len(text)}."
            )
    if digest and not SHA256.fullmatch(digest):
        raise ReaderStudyError(
            "A generation record is named by its SHA-256: 64 digits from 0 to f."
        )
    return GeneratedElsewhere(generator, run, digest)


def _declare(case: Case, origin: Origin) -> bool:
    """Store an origin; return False if the same is on record already."""
    stored = Origin.objects.filter(case=case).first()
    if stored is None:
        origin.save(force_insert=True)
        return True
    if not same_origin(stored, origin):
        raise Conflict(f"Case {case.code} is on record as {stored.kind} already.")
    return False


def same_origin(one: Origin, other: Origin) -> bool:
    """Do two origins name the same class and, if synthetic, the same generator and run?"""
    if one.generation_run or other.generation_run:
        return one.generation_run == other.generation_run
    return (one.kind, one.generator, one.external_run) == (
        other.kind,
        other.generator,
        other.external_run,
    )


def _person(actor: Any) -> Any:
    return actor if getattr(actor, "pk", None) else None
