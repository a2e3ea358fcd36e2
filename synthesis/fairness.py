"""What the leak check of a study will see of a generation run, before there is a study.

A reader is shown real and synthetic images after one and the same processing: canonical storage,
one mask rule, one display encoding with one dither. Here that path is run on the images of a run
and on acquired images of the same series, and the levels that a browser would hold go through the
cues of the leak sentinel. What lies in the addresses, headers and the order belongs to the study
and is looked at there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.cases import canonical
from readerstudy.cases.models import Case, Series
from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotAllowed, ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.imaging import encoding
from readerstudy.imaging.masks import foreground
from readerstudy.sentinel import advice, pixels
from readerstudy.sentinel.cues import BACKGROUND, COMB, SLICES, Cue
from readerstudy.sentinel.judging import FOUND, Judged, judge, power_missing
from readerstudy.sentinel.separation import Limits
from readerstudy.stats.results import json_safe
from readerstudy.studies.models import Study, StudyCase
from readerstudy.truth.models import Origin
from readerstudy.truth.visibility import BLINDED, why_hidden
from synthesis.models import GenerationRun

Array = npt.NDArray[Any]
Tell = Callable[[int, int, str], None]
MOST_IMAGES = 60  # of each class
PERMUTATIONS = 999
_FAMILIES = {COMB: pixels.COMB, BACKGROUND: pixels.BACKGROUND, SLICES: pixels.SLICES}


@dataclass(frozen=True)
class Shown:
    """One image of the comparison."""

    case: Case
    series: Series
    synthetic: bool


def request_report(*, run: GenerationRun, actor: Any) -> Job:
    """Queue the report of a run; refused while a blinded study hides its images."""
    for one in _made(run):
        if reason := why_hidden(actor, one.case):
            raise NotAllowed(f"The report is not made. {reason}")
    number = Job.objects.filter(key__startswith=_key(run)).count()
    job = latest_report(run)
    if job is not None and not job.is_finished:
        return job
    with write_transaction():
        audit.record(actor=actor, action="synthesis.fairness", target=f"run {run.pk}", new={})
        return jobs.enqueue(
            "fairness",
            title="See what the leak check will see",
            arguments={"run": str(run.pk)},
            actor=actor,
            key=f"{_key(run)}{number}",
        )


def latest_report(run: GenerationRun) -> Job | None:
    """Return the newest job of a run's report."""
    return Job.objects.filter(key__startswith=_key(run)).first()


def _key(run: GenerationRun) -> str:
    return f"fairness:{run.pk}:"


def images_of(run: GenerationRun) -> list[Shown]:
    """Return images of the run, and acquired ones of the same series to hold against them.

    Acquired ones of a study that is still blinded are left out.
    """
    role = run.role.split("+")[0]
    made = _made(run)
    forms = {_form(one) for one in made}
    real = Origin.objects.filter(kind=Origin.Kind.REAL).values("case")
    studies = Study.objects.filter(rehearsal_of__isnull=True, state__in=BLINDED)
    blinded = StudyCase.objects.filter(study__in=studies).values("case")
    cases = Case.objects.available().with_role(role).filter(pk__in=real).exclude(pk__in=blinded)
    cases = cases.order_by("code")
    acquired = (_shown(case, role, synthetic=False) for case in cases.iterator(100))
    same_form = (one for one in acquired if _form(one) in forms)
    return [*made, *islice(same_form, MOST_IMAGES)]


def _made(run: GenerationRun) -> list[Shown]:
    role = run.role.split("+")[0]
    codes = [entry["case"] for entry in run.record.get("cases", {}).values()]
    cases = Case.objects.filter(code__in=codes).order_by("code")[:MOST_IMAGES]
    return [_shown(case, role, synthetic=True) for case in cases]


def _form(shown: Shown) -> tuple[int, ...]:
    """The axis along which it is one slice: pictures are held against pictures of one plane."""
    return tuple(axis for axis, length in enumerate(shown.series.shape) if length == 1)


def _shown(case: Case, role: str, *, synthetic: bool) -> Shown:
    series = case.series.filter(role=role).first() or case.series.order_by("role").first()
    if series is None:
        raise ReaderStudyError(f"Case {case.code} has no images.")
    return Shown(case, series, synthetic)


def report(run: GenerationRun, *, tell: Tell, seed: int = 0) -> dict[str, Any]:
    """Judge the pixel cues of a run, as stored and as shown.

    Returns
    -------
    dict
        ``n_synthetic``, ``n_real``, ``limit`` (AUC), ``reason`` (why nothing could be proven),
        ``found`` (does a cue as shown separate the classes?) and ``cues``: for each family its
        name, AUC with interval, p and verdict, ``stored`` before and ``shown`` after the path.
    """
    shown = images_of(run)
    labels = [int(one.synthetic) for one in shown]
    limits = Limits(permutations=PERMUTATIONS)
    reason = power_missing(labels, limits)
    stored, encoded = _facts(shown, tell, seed)
    subjects = [one.case.subject.code for one in shown]
    judged = [
        _judge(facts, labels, subjects, limits, seed) if not _one_class(labels) else []
        for facts in (stored, encoded)
    ]
    return {
        "n_synthetic": sum(labels),
        "n_real": len(labels) - sum(labels),
        "limit": limits.auc,
        "reason": reason,
        "found": any(one.verdict == FOUND for one in judged[1]),
        "cues": [_line(before, after) for before, after in zip(*judged, strict=True)],
    }


def _one_class(labels: Sequence[int]) -> bool:
    return not 0 < sum(labels) < len(labels)


def _facts(shown: Sequence[Shown], tell: Tell, seed: int) -> tuple[list[Any], list[Any]]:
    quantum = 0.0
    stored = []
    for number, one in enumerate(shown, start=1):
        array = canonical.load_shown(one.series).array
        mask = foreground(array)
        quantum = max(quantum, encoding.source_quantum(array, mask))
        stored.append(pixels.facts_of(np.clip(np.rint(array), -32768, 32767).astype(np.int16)))
        tell(number, 2 * len(shown), f"Measured {number} of {len(shown)} images")
    encoded = []
    for number, one in enumerate(shown, start=1):
        array = canonical.load_shown(one.series).array
        levels = encoding.encode_display(
            array, foreground(array), quantum=quantum, seed=seed + number
        )
        encoded.append(pixels.facts_of(levels.astype(np.int16)))
        done = len(shown) + number
        tell(done, 2 * len(shown), f"Encoded {number} of {len(shown)} images")
    return stored, encoded


def _judge(
    facts: Sequence[dict[str, float]],
    labels: Sequence[int],
    subjects: Sequence[str],
    limits: Limits,
    seed: int,
) -> list[Judged]:
    cues = [
        Cue(family, "levels", np.array([[one[name] for name in names] for one in facts]))
        for family, names in {**_FAMILIES, **pixels.CONTENT}.items()
    ]
    return judge(
        cues, labels, subjects, limits=limits, least_ms=0.0, content_blocks=False, seed=seed
    )


def _line(stored: Judged, shown: Judged) -> dict[str, Any]:
    line: dict[str, Any] = json_safe(
        {
            "family": shown.family,
            "name": advice.LABELS[shown.family],
            "advice": advice.ADVICE.get(shown.family, ""),
            "stored": asdict(stored),
            "shown": asdict(shown),
        }
    )
    return line
