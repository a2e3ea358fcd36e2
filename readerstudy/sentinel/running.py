"""One run of the sentinel: walk as the robot, look at truth as a machine, judge, store."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.utils import timezone

from readerstudy.cases.models import Case
from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict
from readerstudy.core.models import Job
from readerstudy.readers.models import User
from readerstudy.reading.models import DisplayForm, EncodedSeries, Reading
from readerstudy.sentinel import words
from readerstudy.sentinel.browser import Browser, InProcess, Live
from readerstudy.sentinel.cues import cases_of, cues_of
from readerstudy.sentinel.enrolling import enrol_robot, retire, sign_in
from readerstudy.sentinel.grep import Search
from readerstudy.sentinel.judging import (
    FOUND,
    GENERATORS,
    Judged,
    judge,
    judge_generators,
    power_missing,
)
from readerstudy.sentinel.limiting import limits_of
from readerstudy.sentinel.models import SentinelRun
from readerstudy.sentinel.recorded import Presentation, Turn
from readerstudy.sentinel.robot import Progress, Robot
from readerstudy.sentinel.separation import Limits
from readerstudy.stats.results import json_safe
from readerstudy.studies.models import Enrolment, Study
from readerstudy.truth.for_machines import look_as_machine
from readerstudy.truth.models import Origin

Verdict = SentinelRun.Verdict
PERMUTATIONS = 999
SEED_BITS = 32


def request_run(*, study: Study, actor: Any) -> Job:
    """Queue a run; while one waits or works no second one is queued, a failed one begins again."""
    number = SentinelRun.objects.filter(study=study).count()
    job = jobs.enqueue(
        "run_sentinel",
        title=f"Look for leaks in {study.name}",
        arguments={"study": str(study.pk), "actor": getattr(actor, "pk", None)},
        actor=actor,
        key=f"run_sentinel:{study.pk}:{number}",
    )
    if job.state == Job.State.FAILED:
        jobs.retry(job=job)
    return job


def latest_job(study: Study) -> Job | None:
    """Return the newest job of the sentinel in a study."""
    return Job.objects.filter(key__startswith=f"run_sentinel:{study.pk}:").first()


def run(
    *,
    study: Study,
    actor: Any,
    progress: Progress = lambda *_: None,
    server: str = "",
    seed: int | None = None,
) -> SentinelRun:
    """Walk a study as the robot, judge every cue and store the result.

    Raises
    ------
    Conflict
        If the study is neither locked nor running, or its images are not prepared.
    ReaderStudyError
        If the robot is refused somewhere, or an image cannot be decoded.
    """
    require_images(study)
    seed = secrets.randbits(SEED_BITS) if seed is None else seed
    prepared = hash_of_images(study)
    origins = look_as_machine(study=study, purpose="Leak sentinel: cues against classes")
    search = Search(
        words.of_truth(study, origins), words.of_cases(study), words.of_the_protocol(study)
    )
    walk, requests = _walk(study, search, seed, progress, server)
    if hash_of_images(study) != prepared:
        raise Conflict("The images were prepared again during the walk. Run the sentinel again.")
    judged, reason = _judged(study, walk, origins, seed)
    return _store(
        study=study,
        at=timezone.now(),
        seed=seed,
        limits=_limits_document(study, judged),
        images_hash=prepared,
        software=software_version(),
        requests=requests,
        presentations=len(walk),
        n_cases=len(cases_of(walk)),
        results=json_safe([asdict(one) for one in judged]),
        words=[asdict(found) for found in search.results()],
        verdict=_verdict(judged, search, reason),
        requested_by=actor if getattr(actor, "pk", None) else None,
    )


def require_images(study: Study) -> None:
    """Refuse to walk before all images are in their one form."""
    if study.state not in (Study.State.LOCKED, Study.State.RUNNING):
        raise Conflict("The sentinel walks a study that is locked or running.")
    if not has_images(study):
        raise Conflict("The images are not prepared yet. The sentinel runs when they are.")


def has_images(study: Study) -> bool:
    """Are all images of a study in their one form?"""
    wanted = study.study_cases.count() * len(study.slots)
    ready = EncodedSeries.objects.filter(study=study, role__in=study.slots).count()
    return ready >= wanted and DisplayForm.objects.filter(study=study).exists()


def hash_of_images(study: Study) -> str:
    """Return a hash of all that a result holds for: stored images, display form, allocation."""
    stored = EncodedSeries.objects.filter(study=study).order_by("case", "role")
    form = DisplayForm.objects.filter(study=study).values("slots", "overlay_buckets", "rule")
    document = {
        "images": list(stored.values_list("case__code", "role", "objects_by_encoding")),
        "form": list(form),
        "allocation": study.allocation.table_hash,
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _walk(
    study: Study, search: Search, seed: int, progress: Progress, server: str
) -> tuple[list[Presentation], int]:
    retire(study=study)
    enrolment = enrol_robot(study=study, seed=seed)
    robot: Any = enrolment.reader
    session = sign_in(robot)
    transport = Live(server) if server else InProcess()
    browser = Browser(transport, str(session.session_key))
    try:
        return Robot(enrolment, browser, search, seed, progress).walk(), browser.count
    finally:
        transport.close()
        retire(study=study, session=session)


def turns_of(study: Study) -> list[Turn]:
    """Return when and on which side the stored order shows each case to each reader."""
    places = {slot.code: slot.place for slot in study.display.slots}
    readings = (
        Reading.objects.filter(
            enrolment__study=study, enrolment__kind=Enrolment.Kind.READER, repeat=0
        )
        .select_related("enrolment")
        .prefetch_related("images")
        .order_by("enrolment", "period", "position")
    )
    last: dict[tuple[int, int], int] = {}
    for one in readings:
        last[one.enrolment_id, one.period] = one.position
    return [
        Turn(
            reader=one.enrolment.code,
            case=str(image.case_id),
            share=one.position / last[one.enrolment_id, one.period],
            place=places.get(image.slot, 0),
        )
        for one in readings
        for image in one.images.all()
    ]


def _judged(
    study: Study, walk: Sequence[Presentation], origins: dict[Any, Origin], seed: int
) -> tuple[list[Judged], str]:
    """Return the judged cues, and why nothing could be proven (empty if something could)."""
    kinds = {str(pk): origin.kind == Origin.Kind.SYNTHETIC for pk, origin in origins.items()}
    known = [case for case in cases_of(walk) if case in kinds]
    if len(known) < len(cases_of(walk)):
        raise Conflict("Not every case has an origin on record. Declare them, then run again.")
    labels = [int(kinds[case]) for case in known]
    names = {str(pk): origin.generator for pk, origin in origins.items()}
    generators = [names[case] for case in known]
    subjects = dict(Case.objects.filter(pk__in=known).values_list("pk", "subject__code"))
    by_text = {str(pk): code for pk, code in subjects.items()}
    blocking = limits_of(study)
    limits = Limits(auc=blocking.auc, p=level_of(blocking.p, generators), permutations=PERMUTATIONS)
    rules: dict[str, Any] = {
        "limits": limits,
        "least_ms": blocking.least_ms,
        "content_blocks": blocking.content_blocks,
        "seed": seed,
    }
    cues, owners = cues_of(walk, turns_of(study)), [by_text[case] for case in known]
    judged = judge(cues, labels, owners, **rules)
    judged += judge_generators(cues, generators, owners, **rules)
    return judged, power_missing(labels, limits)


def level_of(p: float, generators: Sequence[str]) -> float:
    """Return the level of each comparison, so that an honest study is accused in ``p`` of runs."""
    return p / 2 if len({name for name in generators if name}) > 1 else p


def _verdict(judged: Sequence[Judged], search: Search, reason: str) -> str:
    if search.found or any(one.verdict == FOUND for one in judged):
        return Verdict.FOUND
    return Verdict.UNDEFINED if reason else Verdict.CLEAN


def software_version() -> str:
    """Return the version of this program."""
    try:
        return version("readerstudy")
    except PackageNotFoundError:
        return "not installed as a package"


def _limits_document(study: Study, judged: Sequence[Judged]) -> dict[str, Any]:
    """Return the limits, with the level that each comparison was held to."""
    limits = limits_of(study)
    compared = any(one.comparison == GENERATORS for one in judged)
    p_each = limits.p / 2 if compared else limits.p
    return {
        **asdict(limits),
        "p_each": p_each,
        "permutations": PERMUTATIONS,
        "level": Limits().level,
    }


def _store(**columns: Any) -> SentinelRun:
    with write_transaction():
        stored = SentinelRun.objects.create(**columns)
        audit.record(
            actor=stored.requested_by,
            action="sentinel.run",
            target=f"study {stored.study_id}",
            new={
                "verdict": stored.verdict,
                "images_hash": stored.images_hash,
                "seed": stored.seed,
                "found": sorted({r["family"] for r in stored.results if r["verdict"] == FOUND}),
                "words": len(stored.words),
            },
        )
    return stored


def requested_by(pk: int | None) -> User | None:
    """Return who asked for a run; nobody for one that began by itself."""
    return User.objects.filter(pk=pk).first()
