"""What a reader's first page says: the own studies, how far, and what to do now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from readerstudy.reading import gates, training
from readerstudy.reading.calendar import Washout, washout_of
from readerstudy.reading.models import Submission
from readerstudy.reading.parts import progress_of
from readerstudy.reading.planned import is_in_use
from readerstudy.studies import amending
from readerstudy.studies.models import Enrolment, Study

SITTING_MINUTES = 20
WAITING = {"washout": "washout", "qualification": "unqualified"}
CLOSED_STATES = (Study.State.CLOSED, Study.State.UNBLINDED)


@dataclass(frozen=True)
class Link:
    """Something that a reader may open beside reading."""

    text: str
    address: str


LinkMaker = Callable[[Enrolment], Iterable[Link]]
_link_makers: list[LinkMaker] = []


def adds_links(maker: LinkMaker) -> LinkMaker:
    """Register ``maker(enrolment)``, which yields links of a study that the reader may follow."""
    _link_makers.append(maker)
    return maker


@dataclass(frozen=True)
class Entry:
    """One study as its reader sees it. It names nothing but the title for readers."""

    token: str
    title: str
    phase: str  # "open", "washout", "unqualified", "waiting", "done", "closed" or "withdrawn"
    done: int
    total: int
    median_seconds: float | None
    closed_at: datetime | None
    training_left: int = 0
    threshold: float | None = None  # share of the training to get right
    reached: float | None = None  # share got right, once the training is complete
    changed: bool = False  # an amendment is to be read first
    washout: Washout | None = None
    withdrawn_at: datetime | None = None
    links: tuple[Link, ...] = ()

    @property
    def left(self) -> int:
        return self.total - self.done

    @property
    def seconds_left(self) -> float | None:
        return self.left * self.median_seconds if self.median_seconds else None

    @property
    def cases_a_sitting(self) -> int | None:
        """How many cases twenty minutes are enough for; told only where more are left."""
        if not self.median_seconds:
            return None
        enough = int(SITTING_MINUTES * 60 / self.median_seconds)
        return enough if 0 < enough < self.left else None


def entries_of(user: Any) -> list[Entry]:
    """Return the studies of a reader: what can be read first, what is over last."""
    order = ("open", "washout", "unqualified", "waiting", "done", "closed", "withdrawn")
    # The leak sentinel looks at this page too, as a reader would; previews have no place on it.
    enrolments = (
        Enrolment.objects.filter(reader=user)
        .exclude(kind=Enrolment.Kind.PREVIEW)
        .exclude(withdrawn_at__isnull=False, readings__isnull=True)  # left before the lock
        .select_related("study")
    )
    entries = [_entry(enrolment) for enrolment in enrolments.order_by("enrolled_at")]
    return sorted(entries, key=lambda entry: order.index(entry.phase))


def _entry(enrolment: Enrolment) -> Entry:
    study, progress = enrolment.study, progress_of(enrolment)
    gate = gates.gate_of(enrolment) if study.state == Study.State.RUNNING else None
    return Entry(
        token=enrolment.token,
        title=study.reader_title,
        phase=WAITING.get(gate.waiting if gate else "") or _phase(enrolment, progress),
        done=progress["done"],
        total=progress["total"],
        median_seconds=progress["median_seconds"],
        closed_at=study.closed_at,
        training_left=_training_left(enrolment),
        threshold=study.plan.qualification,
        reached=training.right_share(enrolment),
        changed=bool(amending.unread_by(enrolment)),
        washout=washout_of(enrolment),
        withdrawn_at=enrolment.withdrawn_at,
        links=tuple(link for maker in _link_makers for link in maker(enrolment)),
    )


def _training_left(enrolment: Enrolment) -> int:
    training_cases = enrolment.readings.filter(is_in_use(), period=training.TRAINING_PERIOD)
    return training_cases.filter(completed_at__isnull=True).count()


def _phase(enrolment: Enrolment, progress: dict[str, Any]) -> str:
    study = enrolment.study
    if enrolment.withdrawn_at is not None:
        return "withdrawn"
    if study.state in CLOSED_STATES:
        return "closed"
    if study.state != Study.State.RUNNING:
        return "waiting"
    return "open" if progress["done"] < progress["total"] else "done"


def last_receipt(user: Any) -> datetime | None:
    """Return when the server last received an answer of this reader."""
    sent = Submission.objects.filter(reading__enrolment__reader=user)
    return sent.order_by("-received_at").values_list("received_at", flat=True).first()
