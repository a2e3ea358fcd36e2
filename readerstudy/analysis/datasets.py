"""From rows to data sets: the locked reads of an unblinded study, joined with truth once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Count, Max, QuerySet

from readerstudy.adjudication.models import Consensus
from readerstudy.analysis.facts import UNKNOWN, Dataset, Read, ReaderFacts
from readerstudy.analysis.protocol_facts import items_of, protocol_of, settled_of
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
    reads = reads_of(study, accepted(study), origins)
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


class Standing(NamedTuple):
    """An answer that stands, with the reading that it answers."""

    key: Any
    received_at: Any
    viewer: Any
    reading: int
    period: int
    position: int
    arm: str
    stage: int
    repeat: int
    item: str
    case_key: Any
    case: str
    subject: str
    reader: str
    reader_withdrawn_at: Any


STANDING = (
    *("pk", "received_at", "body__viewer", "reading_id", "reading__period", "reading__position"),
    *("reading__arm", "reading__stage", "reading__repeat", "reading__item", "reading__case_id"),
    *("reading__case__code", "reading__case__subject__code"),
    *("reading__enrolment__code", "reading__enrolment__withdrawn_at"),
)


def reads_of(
    study: Study, answers: QuerySet[Submission], origins: Mapping[Any, Origin]
) -> list[Read]:
    """Return the reads that some answers stand for, in their order; `accepted` returns all."""
    standing = [Standing(*row) for row in answers.values_list(*STANDING)]
    keys = {one.reading for one in standing}
    few = keys if len(keys) <= FEW else None
    ratings = _ratings_by_submission(study, few)
    clocks = clocks_of(study, readings=few)
    in_use = Reading.objects.filter(is_in_use(), enrolment__study=study)
    if few is not None:
        in_use = in_use.filter(pk__in=few)
    withdrawn = keys - set(in_use.values_list("pk", flat=True))
    broken = broken_items(study)
    return [
        _read(
            one,
            origins.get(one.case_key),
            ratings.get(one.key, []),
            clocks=tuple(clocks[one.reading]),
            withdrawn=one.reading in withdrawn,
            broken_at=broken.get(one.item),
        )
        for one in standing
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


class Given(NamedTuple):
    """A stored rating; the names are those of the columns."""

    submission: Any
    question: str
    not_evaluable: bool
    choice: str | None
    choices: Any
    number: float | None
    text: str | None
    region: Any
    places: Any

    @property
    def value(self) -> Any:
        """The value as exports and analyses take it."""
        forms = (self.choice, self.choices, self.number, self.text, self.region, self.places)
        return next((value for value in forms if value is not None), None)


GIVEN = (
    *("submission_id", "question__code", "not_evaluable", "choice__code"),
    *("choices", "number", "text", "region", "places"),
)


def _ratings_by_submission(study: Study, readings: set[Any] | None) -> dict[Any, list[Given]]:
    """Return the ratings of the answers that stand, of some readings or of the whole study."""
    standing = accepted(study).order_by()
    if readings is not None:
        standing = standing.filter(reading__in=readings)
    ratings: dict[Any, list[Given]] = {}
    found = Rating.objects.filter(submission__in=standing.values("pk"))
    for row in found.order_by("question__position").values_list(*GIVEN).iterator():
        ratings.setdefault(row[0], []).append(Given(*row))
    return ratings


def _read(
    one: Standing,
    origin: Origin | None,
    ratings: list[Given],
    *,
    clocks: tuple[dict[str, Any], ...],
    withdrawn: bool,
    broken_at: Any,
) -> Read:
    return Read(
        reader=one.reader,
        period=one.period,
        position=one.position,
        arm=one.arm,
        stage=one.stage,
        repeat=one.repeat,
        item=one.item,
        case=one.case,
        subject=one.subject,
        origin=origin.kind if origin else UNKNOWN,
        generator=origin.generator if origin else "",
        answers={given.question: given.value for given in ratings if not given.not_evaluable},
        not_evaluable=frozenset(given.question for given in ratings if given.not_evaluable),
        received_at=one.received_at,
        clocks=clocks,
        withdrawn=withdrawn,
        reader_withdrawn=one.reader_withdrawn_at is not None,
        blind_broken_at=broken_at,
        viewer=one.viewer or {},
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
