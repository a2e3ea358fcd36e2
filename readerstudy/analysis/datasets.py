"""From rows to data sets: the locked reads of an unblinded study, joined with truth once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from readerstudy.reading.answering import value_of
from readerstudy.reading.clocks import clocks_of
from readerstudy.reading.models import Rating, Reading, Submission
from readerstudy.reading.planned import is_in_use, is_planned
from readerstudy.reading.training import TRAINING_PERIOD
from readerstudy.studies.models import Enrolment, Study
from readerstudy.truth.models import CaseUnblinding, Origin
from readerstudy.truth.unblinding import origins_of

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Read:
    """One accepted reading with its answers and the truth of its case."""

    reader: str
    period: int
    position: int
    arm: str
    stage: int
    repeat: int
    item: str
    case: str
    subject: str
    origin: str
    generator: str
    answers: dict[str, Any]
    not_evaluable: frozenset[str]
    received_at: Any
    clocks: tuple[dict[str, Any], ...]  # of the first answer, then of each correction
    withdrawn: bool = False  # the case was withdrawn after this reading
    reader_withdrawn: bool = False  # the reader was withdrawn later; the answer stands
    blind_broken_at: Any = None  # when this case, or one beside it, was unblinded on its own
    viewer: dict[str, Any] = field(default_factory=dict)

    @property
    def corrections(self) -> int:
        """How many answers the one that stands replaced."""
        return len(self.clocks) - 1


@dataclass(frozen=True)
class ReaderFacts:
    """What tables may say of a reader: code and experience, never the name."""

    code: str
    years: int | None
    subspecialty: str
    planned: int
    withdrawn: bool = False  # reads no more; what was read counts
    replaces: str = ""  # code of the withdrawn reader whose cases were taken over


@dataclass(frozen=True)
class Dataset:
    """All reads of a study with what did not become a read."""

    study: Study
    readers: list[ReaderFacts]
    reads: list[Read]
    n_real: int
    n_synthetic: int
    late: int
    duplicates: int
    missing: int = field(default=0)
    withdrawn: int = field(default=0)  # readings left out because their case was withdrawn

    @property
    def first_reads(self) -> list[Read]:
        """Reads without those of hidden repeats, which say how readers agree with themselves."""
        return [read for read in self.reads if read.repeat == 0]

    def of(self, reader: str) -> list[Read]:
        """Return the reads of one reader."""
        return [read for read in self.reads if read.reader == reader]


def load(study: Study, *, actor: Any) -> Dataset:
    """Return the data set of an unblinded study; the look at truth is recorded."""
    origins = origins_of(study, actor=actor)
    submissions = list(_accepted(study))
    ratings = _ratings_by_submission(submissions)
    clocks = clocks_of(study)
    in_use = Reading.objects.filter(is_in_use(), enrolment__study=study).values_list(
        "pk", flat=True
    )
    withdrawn = {one.reading_id for one in submissions} - set(in_use)
    broken = broken_items(study)
    reads = [
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
    )


def broken_items(study: Study) -> dict[str, Any]:
    """Return by item when the blind was first broken for one of its cases."""
    found: dict[str, Any] = {}
    broken = CaseUnblinding.objects.filter(study=study).order_by("-at")
    items = dict(study.study_cases.values_list("case", "item"))
    for row in broken:
        found[items[row.case_id]] = row.at
    return found


def _accepted(study: Study) -> Iterable[Submission]:
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
