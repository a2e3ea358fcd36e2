"""Load the demo study: images in, a network trained, counterparts made, a study launched.

Every step is a job with a key of its own, so that a second start does no work twice and a start
after a crash goes on where the first one stopped.
"""

from __future__ import annotations

import hashlib
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from readerstudy.cases.models import Case
from readerstudy.core import jobs
from readerstudy.core.models import Job
from readerstudy.intake.options import Options
from readerstudy.intake.results import faults_of
from readerstudy.intake.starting import start_folder
from readerstudy.readers.models import User
from readerstudy.reading.scheduling import launch, lock_and_allocate
from readerstudy.sentinel.running import request_run
from readerstudy.sentinel.standing import has_valid_run
from readerstudy.studies.design import create_study, enrol
from readerstudy.studies.models import Study
from readerstudy.truth.selection import choose_cases, pool_of

SEED = 2018
INPUT_ROLES = ("t1", "t2", "flair")
TELL_SECONDS = 10.0
Say = Callable[[str], None]


class StepFailed(RuntimeError):
    """A job of the demo failed; the message says which and why."""


@dataclass(frozen=True)
class Size:
    """How much the demo makes."""

    training_subjects: int
    shown_subjects: int
    spacing_mm: tuple[float, float, float]
    minutes: float
    overrides: tuple[str, ...] = ()


FULL = Size(training_subjects=12, shown_subjects=24, spacing_mm=(2.0, 1.0, 1.0), minutes=2.0)
QUICK = Size(
    training_subjects=3,
    shown_subjects=8,
    spacing_mm=(6.0, 3.0, 3.0),
    minutes=0.1,
    overrides=("crop=[48,48]", "validations=1"),
)


@dataclass(frozen=True)
class Context:
    """Who loads the demo, how large, and where progress is told."""

    size: Size
    actor: User
    say: Say


def load(*, size: Size, data: Path | None, accounts: Sequence[str], say: Say) -> Study:
    """Bring the demo study to the phase “running”; return it."""
    coordinator, *readers = [User.objects.get(username=name) for name in accounts]
    name = study_name(data)
    study = Study.objects.filter(name=name).first()
    if study is not None and study.state not in {Study.State.DRAFT, Study.State.LOCKED}:
        return study
    context = Context(size, coordinator, say)
    training, shown = _images(context, data)
    cases = _import(context, shown)
    checkpoint = _train(context, training)
    run = _generate(context, checkpoint, cases)
    study = _design(name, study, run, coordinator, readers)
    return _launch(context, study)


def study_name(data: Path | None) -> str:
    """Return the name of the demo study for the built-in or the given cases."""
    return "Demo: visual Turing test" if data is None else f"Demo: visual Turing test, {data.name}"


def _images(context: Context, data: Path | None) -> tuple[Path, Path]:
    """Return the folders of training subjects and of subjects to show, made side by side."""
    size = context.size
    jobs_by_group = {"training": _phantoms(context, "training", size.training_subjects, 1, "gpu")}
    if data is None:
        jobs_by_group["shown"] = _phantoms(context, "shown", size.shown_subjects, 1001, "default")
    folders = {
        group: Path(_finish(job, context.say).result["folder"])
        for group, job in jobs_by_group.items()
    }
    return folders["training"], data or folders["shown"]


def _phantoms(context: Context, group: str, count: int, first_seed: int, queue: str) -> Job:
    arguments = {
        "folder": str(Path(settings.WORK_ROOT) / "demo" / group),
        "first_seed": first_seed,
        "count": count,
        "spacing_mm": list(context.size.spacing_mm),
    }
    title = f"Make {count} phantom subjects ({group})"
    key = f"demo:phantoms:{group}"
    return _start(context, "make_phantoms", title, arguments, key=key, queue=queue)


def _import(context: Context, folder: Path) -> list[Case]:
    key = f"demo:import:{_fingerprint(folder)}"
    # Phantoms have no face to recognise; what a given folder holds is for its owner to decide.
    options = Options(faces="keep")
    job = start_folder(path=folder.resolve(), options=options, actor=context.actor, key=key)
    job = _finish(_again(job), context.say)
    for fault in faults_of(job.pk):
        context.say(f"  not imported: {fault['path']}: {fault['reason']}")
    return list(Case.objects.filter(code__in=job.result["cases"]).order_by("code"))


def _fingerprint(folder: Path) -> str:
    """Return a digest of where the files are, their sizes and dates: files put in are seen."""
    found = [str(folder.resolve())]
    for path in sorted(folder.rglob("*")):
        facts = path.lstat()
        found.append(f"{path.relative_to(folder)} {facts.st_size} {facts.st_mtime_ns}")
    return hashlib.sha256("\n".join(found).encode(errors="surrogateescape")).hexdigest()[:16]


def _train(context: Context, data: Path) -> str:
    arguments = {
        "preset": "unet2d-t1c",
        "data": str(data),
        "run": "demo",
        "seed": SEED,
        "overrides": [f"max_minutes={context.size.minutes}", *context.size.overrides],
    }
    job = _work(context, "train", "Train the T1c network", arguments, key="demo:train")
    checkpoint: str = job.result["checkpoint"]
    return checkpoint


def _generate(context: Context, checkpoint: str, cases: list[Case]) -> str:
    complete = [case for case in cases if _is_complete(case)]
    if not complete:
        raise StepFailed(
            "No case has T1, T2 and FLAIR on one grid and T1 after contrast, so there is nothing "
            "to compare. Add such cases to the folder."
        )
    # With few cases each is shown in both versions; else half of the subjects in one each.
    few = len(complete) < 8
    chosen = complete if few else random.Random(SEED).sample(complete, len(complete) // 2)
    arguments = {
        "checkpoint": checkpoint,
        "cases": sorted(case.code for case in chosen),
        "seed": SEED,
    }
    digest = hashlib.sha256(repr(arguments).encode()).hexdigest()[:16]
    title = f"Make {len(chosen)} synthetic counterparts"
    job = _work(context, "generate", title, arguments, key=f"demo:generate:{digest}")
    run: str = job.result["run"]
    return run


def _is_complete(case: Case) -> bool:
    """Has a case every input of the network and the real counterpart, on one grid?"""
    grids = {series.role: tuple(series.shape) for series in case.series.all()}
    wanted = [grids.get(role) for role in (*INPUT_ROLES, "t1c")]
    return None not in wanted and len(set(wanted)) == 1


def _design(
    name: str, study: Study | None, run: str, coordinator: User, readers: list[User]
) -> Study:
    """Return the draft with cases and readers; a draft left half-made is completed."""
    study = study or create_study(
        template="visual-turing-test",
        name=name,
        reader_title="Brain MR reading A",
        actor=coordinator,
    )
    if study.state != Study.State.DRAFT:
        return study
    _choose(study, run, coordinator)
    for reader in readers:
        if not study.enrolments.filter(reader=reader).exists():
            enrol(study=study, reader=reader, actor=coordinator)
    return study


def _choose(study: Study, run: str, coordinator: User) -> None:
    """Show every counterpart, and as many real cases: of other subjects where there are enough."""
    pool = pool_of(study, generation_run=run)
    wanted = len(pool.synthetic)
    subjects = {case.subject_id for case in pool.synthetic}
    complete = [case for case in pool.real if _is_complete(case)]
    others = [case for case in complete if case.subject_id not in subjects]
    choose_cases(
        study=study,
        n_real=min(wanted, len(complete)),
        n_synthetic=wanted,
        seed=SEED,
        actor=coordinator,
        both_versions=len(others) < wanted,
        generation_run=run,
        among=complete,
    )


def _launch(context: Context, study: Study) -> Study:
    if study.state == Study.State.DRAFT:
        lock_and_allocate(study=study, actor=context.actor)
    _finish(Job.objects.get(key=f"encode_study:{study.pk}"), context.say)
    study.refresh_from_db()
    if not has_valid_run(study):
        _finish(_again(request_run(study=study, actor=context.actor)), context.say)
    return launch(study=study, actor=context.actor)


def _work(context: Context, kind: str, title: str, arguments: dict[str, Any], *, key: str) -> Job:
    return _finish(_start(context, kind, title, arguments, key=key), context.say)


def _start(
    context: Context,
    kind: str,
    title: str,
    arguments: dict[str, Any],
    *,
    key: str,
    queue: str | None = None,
) -> Job:
    """Queue a job once; one that failed before is tried again."""
    job = jobs.enqueue(
        kind, title=title, arguments=arguments, actor=context.actor, key=key, queue=queue
    )
    return _again(job)


def _again(job: Job) -> Job:
    if job.state == Job.State.FAILED:
        jobs.retry(job=job)
    return job


def _finish(job: Job, say: Say) -> Job:
    """Wait for a job and tell its progress now and then."""
    told_at = -math.inf
    while True:
        job.refresh_from_db()
        if job.state == Job.State.FAILED:
            raise StepFailed(f"{job.title} failed: {job.error}")
        if job.state == Job.State.DONE:
            return job
        if time.monotonic() - told_at >= TELL_SECONDS:
            told_at = time.monotonic()
            say(f"{job.title}: {job.said}")
        time.sleep(0.5)
