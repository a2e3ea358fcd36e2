"""Readers' sessions with images of a training: how often they told real from synthetic.

As Park (2021) stopped a training by: readers look at images of several checkpoints, each in a
study of its own. Only unblinded studies that plan a Turing test of single images count; the look
at their truth is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Q

from readerstudy.analysis.datasets import load
from readerstudy.analysis.facts import REAL, Dataset
from readerstudy.core.errors import NotAllowed
from readerstudy.stats.turing_clustered import clustered_against
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Study
from readerstudy.studies.permissions import Action
from synthesis.models import Checkpoint
from synthesis.training.places import SNAPSHOTS

_KEPT_SECONDS = 3600


@dataclass(frozen=True)
class Session:
    """What readers said of images of one checkpoint in one study.

    Attributes
    ----------
    number : int
        In the order of training steps.
    step : int
        Of the checkpoint.
    share, low, high : float
        Reads of real and synthetic images that were right, with a 95 % interval that allows for
        the cases.
    reads, readers : int
    study, study_id : str
    """

    number: int
    step: int
    share: float
    low: float
    high: float
    reads: int
    readers: int
    study: str
    study_id: str


def checkpoints_of(run: str) -> list[Checkpoint]:
    """Return the checkpoints of a training: the finished one, and snapshots put on record."""
    own = Q(run_folder=run) | Q(run_folder__startswith=f"{run}/{SNAPSHOTS}/")
    found = Checkpoint.objects.filter(own).prefetch_related("runs")
    return sorted(found, key=lambda one: one.card["training"]["steps"])


def sessions_of(checkpoints: Iterable[Checkpoint], *, actor: Any) -> list[Session]:
    """Return the sessions that a user may see, in the order of training steps."""
    found = [
        session
        for checkpoint in checkpoints
        for study in _studies(_cases(checkpoint), actor)
        if (session := _kept(checkpoint, study, actor)) is not None
    ]
    found.sort(key=lambda one: (one["step"], one["study"]))
    return [Session(**{**one, "number": number}) for number, one in enumerate(found, start=1)]


def _cases(checkpoint: Checkpoint) -> set[str]:
    records = [run.record.get("cases", {}) for run in checkpoint.runs.all()]
    return {entry["case"] for record in records for entry in record.values()}


def _studies(codes: set[str], actor: Any) -> list[Study]:
    mine = studies_of(actor, Action.MANAGE).filter(rehearsal_of__isnull=True)
    unblinded = mine.filter(state=Study.State.UNBLINDED)
    return list(unblinded.filter(study_cases__case__code__in=codes).distinct())


def _question(study: Study) -> str:
    """Return the question that asks real or synthetic of one image; empty if there is none."""
    planned = (one for one in study.analyses if one.endpoint == "turing")
    entry = next(planned, None)
    return entry.question if entry and study.plan.pairing == "single" else ""


def _kept(checkpoint: Checkpoint, study: Study, actor: Any) -> dict[str, Any] | None:
    """Return a session as plain values; kept for an hour, so that one look is one record."""
    key = f"session:{checkpoint.pk}:{study.pk}:{actor.pk}"
    if (known := cache.get(key)) is None:
        known = _session(checkpoint, study, actor)
        cache.set(key, known, _KEPT_SECONDS)
    return known or None


def _session(checkpoint: Checkpoint, study: Study, actor: Any) -> dict[str, Any]:
    """Return the session; empty if it may not be seen or nobody was asked real or synthetic."""
    try:
        data = load(study, actor=actor)
    except NotAllowed:
        return {}
    right, cases, readers = _answers(data, _question(study), _cases(checkpoint))
    if not right:
        return {}
    found = clustered_against(right, cases)
    made = Session(
        number=0,
        step=checkpoint.card["training"]["steps"],
        share=found.value,
        low=found.low,
        high=found.high,
        reads=len(right),
        readers=len(readers),
        study=study.name,
        study_id=str(study.pk),
    )
    return asdict(made)


def _answers(
    data: Dataset, question: str, made: set[str]
) -> tuple[list[float], list[str], set[str]]:
    """Return right or not, the case, and the readers; other generators' images are left out."""
    reads = [
        read
        for read in data.first_reads
        if question in read.answers and (read.origin == REAL or read.case in made)
    ]
    right = [float(read.answers[question] == read.origin) for read in reads]
    return right, [read.case for read in reads], {read.reader for read in reads}
