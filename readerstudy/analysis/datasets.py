"""From rows to data sets: the locked reads of an unblinded study, joined with truth once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db.models import Count, Max, QuerySet

from readerstudy.adjudication.models import Consensus
from readerstudy.analysis.facts import UNKNOWN, Dataset, Read, ReaderFacts
from readerstudy.analysis.protocol_facts import items_of, protocol_of, settled_of
from readerstudy.reading.answering import value_of
from readerstudy.reading.clocks import clocks_of
from readerstudy.reading.models import Rating, Reading, Submission
from readerstudy.reading.planned import is_in_use, is_planned
from readerstudy.reading.training import TRAINING_PERIOD
from readerstudy.studies.models import Enrolment, Study
from readerstudy.truth.models import CaseUnblinding, Origin, ReferenceStandard
from readerstudy.truth.unblinding import origins_of

FEW = 500  # readings that are asked for one by one; of more the whole study is


def load(study: Study, *, actor: Any) -> Dataset:
    """Return the data set of an unblinded study; the look at truth is recorded."""
    origins = origins_of(study, actor=actor)
    reads = reads_of(study, list(accepted(study)), origins)
    kinds = [origin.kind for origin in origins.values()]
    allocated = Reading.objects.filter(enrolment__in=study.readers, period__gt=TRAINING_PERIOD)
    planned = allocated.filter(is_planned())
    outcomes = Submission.objects.filter(reading__in=allocated)
    return Dataset(
        study=study,
        readers=_readers(study),
        reads=reads,
        n_real=kinds.count(Origin.Kind.REAL),
        n_synthetic=kinds.count(Origin.Kind.SYNTHETIC),
        late=outcomes.filter(outcome=Submission.Outcome.LATE).count(),
        duplicates=outcomes.filter(outcome=Submission.Outcome.DUPLICATE).count(),
        missing=planned.count() - len(reads),
        withdrawn=allocated.count() - planned.count(),
        protocol=protocol_of(study),
        items=items_of(study, origins),
        settled=settled_of(study),
    )


def reads_of(
    study: Study, submissions: list[Submission], origins: Mapping[Any, Origin]
) -> list[Read]:
    """Return the reads that some accepted submissions of a study stand for."""
    ratings = _ratings_by_submission(submissions)
    keys = {one.reading_id for one in submissions}
    few = keys if len(keys) <= FEW else None
    clocks = clocks_of(study, readings=few)
    in_use = Reading.objects.filter(is_in_use(), enrolment__study=study)
    if few is not None:
        in_use = in_use.filter(pk__in=few)
    withdrawn = keys - set(in_use.values_list("pk", flat=True))
    broken = broken_items(study)
    return [
        replace(
            _read(
                one,
                origins.get(one.reading.case_id),
                ratings.get(one.pk, []),
                clocks[one.reading_id],
                withdrawn,
            ),
            reader_withdrawn=one.reading.enrolment.withdrawn_at is not None,
            blind_broken_at=broken.get(one.reading.item),
        )
        for one in submissions
    ]


def fingerprint(study: Study) -> str:
    """Return a digest of what the data set rests on, without reading the data set.

    It changes with every answer, withdrawal, correction of the reference standard, consensus and
    amendment: where two are equal, so are the data sets.
    """
    cases = study.cases.values("pk")
    parts = [
        str(study.pk),
        study.hash_in_force,
        _last(Submission.objects.filter(reading__enrolment__study=study), "received_at"),
        _last(ReferenceStandard.objects.filter(case__in=cases), "recorded_at"),
        _last(CaseUnblinding.objects.filter(study=study), "at"),
        _last(Consensus.objects.filter(discordance__round__study=study), "at"),
        str(sorted(study.cases.filter(withdrawn_at__isnull=False).values_list("code", flat=True))),
        str(sorted(study.readers.values_list("code", "withdrawn_at"), key=str)),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _last(rows: QuerySet[Any], when: str) -> str:
    """Return how many rows there are and when the last one came; rows are only ever added."""
    found = rows.aggregate(count=Count("pk"), last=Max(when))
    return f"{rows.model.__name__} {found['count']} {found['last']}"


def broken_items(study: Study) -> dict[str, Any]:
    """Return by item when the blind was first broken for one of its cases."""
    found: dict[str, Any] = {}
    broken = CaseUnblinding.objects.filter(study=study).order_by("-at")
    items = dict(study.study_cases.values_list("case", "item"))
    for row in broken:
        found[items[row.case_id]] = row.at
    return found


def accepted(study: Study) -> QuerySet[Submission]:
    """Return the answers that stand, of readers and without training, in reading order."""
    return (
        Submission.objects.filter(
            reading__enrolment__study=study,
            reading__enrolment__kind=Enrolment.Kind.READER,
            reading__period__gt=TRAINING_PERIOD,
            outcome=Submission.Outcome.ACCEPTED,
            superseded_by__isnull=True,
        )
        .select_related("reading__case__subject", "reading__enrolment")
        .order_by("reading__enrolment__code", "reading__period", "reading__position")
    )


def _ratings_by_submission(submissions: list[Submission]) -> dict[Any, list[Rating]]:
    ratings: dict[Any, list[Rating]] = {}
    found = Rating.objects.filter(submission__in=submissions).select_related("question", "choice")
    for rating in found.order_by("question__position"):
        ratings.setdefault(rating.submission_id, []).append(rating)
    return ratings


def _read(
    submission: Submission,
    origin: Origin | None,
    ratings: list[Rating],
    clocks: list[dict[str, Any]],
    withdrawn: set[int],
) -> Read:
    reading = submission.reading
    return Read(
        reader=reading.enrolment.code,
        period=reading.period,
        position=reading.position,
        arm=reading.arm,
        stage=reading.stage,
        repeat=reading.repeat,
        item=reading.item,
        case=reading.case.code,
        subject=reading.case.subject.code,
        origin=origin.kind if origin else UNKNOWN,
        generator=origin.generator if origin else "",
        answers={
            rating.question.code: value_of(rating) for rating in ratings if not rating.not_evaluable
        },
        not_evaluable=frozenset(r.question.code for r in ratings if r.not_evaluable),
        received_at=submission.received_at,
        clocks=tuple(clocks),
        withdrawn=reading.pk in withdrawn,
        viewer=submission.body.get("viewer") or {},
    )


def _readers(study: Study) -> list[ReaderFacts]:
    enrolments = study.readers.select_related("reader__profile")
    return [_facts(enrolment) for enrolment in enrolments]


def _facts(enrolment: Enrolment) -> ReaderFacts:
    profile = getattr(enrolment.reader, "profile", None)
    return ReaderFacts(
        code=enrolment.code,
        years=profile.years_of_experience if profile else None,
        subspecialty=profile.subspecialty if profile else "",
        planned=enrolment.readings.filter(is_planned(), period__gt=TRAINING_PERIOD).count(),
        withdrawn=enrolment.withdrawn_at is not None,
        replaces=enrolment.replaces.code if enrolment.replaces else "",
    )
