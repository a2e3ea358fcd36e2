"""The point of the launch checklist that the leak sentinel answers, and the run that begins it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from readerstudy.core.models import Job
from readerstudy.reading import scheduling
from readerstudy.sentinel import running, standing
from readerstudy.sentinel.advice import ADVICE, LABELS
from readerstudy.sentinel.models import SentinelRun
from readerstudy.studies.checklist import BLOCKS, LOOK, PASSED, Check, Remedy, adds_checks
from readerstudy.studies.models import Study

RUN = Remedy("study-sentinel-run", "Run the sentinel", posts=True)
SEE = Remedy("study-sentinel", "See result")


@scheduling.follows_images
def run_when_images_are_ready(study: Study, actor: Any) -> None:
    """Queue a run for a study whose images were prepared; a dry run shows the same images."""
    if study.rehearsal_of_id is None:
        running.request_run(study=study, actor=actor)


@adds_checks
def sentinel_checks(study: Study) -> Iterable[Check]:
    if study.rehearsal_of_id is not None or study.state not in standing.WALKED:
        return
    if not running.has_images(study):  # another point says so, and blocks
        return
    last, job = SentinelRun.objects.filter(study=study).first(), running.latest_job(study)
    if last is not None and standing.why_stale(last):
        yield _point("The leak sentinel must run again", standing.why_stale(last), BLOCKS, RUN)
    elif last is not None:
        yield from _result(last)
    elif job is not None and job.state == Job.State.FAILED:
        yield _point("The leak sentinel stopped", job.error, BLOCKS, RUN)
    elif job is not None and not job.is_finished:
        yield _point("The leak sentinel is at work", job.said, BLOCKS, SEE)
    else:
        evidence = "A robot reads the whole study and looks for anything that tells the classes"
        yield _point("The leak sentinel has not run yet", evidence, BLOCKS, RUN)


def _result(run: SentinelRun) -> Iterable[Check]:
    if run.words:
        places = ", ".join(sorted({word["place"] for word in run.words}))
        yield _point("Words of truth reach the readers", f"In {places}", BLOCKS, SEE)
    found = standing.with_verdict(run, "found")
    if found:
        worst = max(found, key=lambda row: row["auc"])
        named = ", ".join(dict.fromkeys(LABELS[row["family"]] for row in found))
        evidence = f"{named}: {standing.interval_of(worst)}. {ADVICE[worst['family']]}"
        only_between = all(standing.is_between(row) for row in found)
        apart = "generators" if only_between else "classes"
        yield _point(f"A cue tells the {apart} apart", evidence, BLOCKS, SEE)
    elif run.verdict == SentinelRun.Verdict.UNDEFINED:
        evidence = (
            f"{run.n_cases} cases are too few to estimate how well a cue separates. "
            f"No word of truth in {run.requests} answers"
        )
        yield _point("The leak sentinel could estimate nothing", evidence, LOOK, SEE)
    elif not run.words:
        yield _point("No cue separates the classes", standing.highest(run), PASSED, SEE)
    yield from _varying(run)
    yield from _between(run)


def _between(run: SentinelRun) -> Iterable[Check]:
    """Say where one generator could not be compared with another."""
    rows = [row for row in run.results if standing.is_between(row)]
    unsaid = [row for row in rows if row["verdict"] == "undefined"]
    if unsaid and not standing.with_verdict(run, "found"):
        evidence = f"{unsaid[0]['reason'].capitalize()}. Generators are not named here"
        yield _point("The generators could not be compared", evidence, LOOK, SEE)


def _varying(run: SentinelRun) -> Iterable[Check]:
    """Name what should be the same for every case and is not, though no class could be told."""
    varying = standing.with_verdict(run, "varies")
    if varying:
        named = ", ".join(row["what"] for row in varying[:3])
        more = f" and {len(varying) - 3} more" if len(varying) > 3 else ""
        yield _point(
            "Something that should be the same for all cases varies", f"{named}{more}", LOOK, SEE
        )


def _point(statement: str, evidence: str, status: str, remedy: Remedy) -> Check:
    return Check("Blinding", statement, evidence, status, before="launch", remedy=remedy)
