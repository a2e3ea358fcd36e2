"""What the last run of the sentinel means now, in words that name no class."""

from __future__ import annotations

from typing import Any

from readerstudy.reading.models import Allocation
from readerstudy.sentinel.judging import CLEAN, GENERATORS, SAME
from readerstudy.sentinel.limiting import limits_of
from readerstudy.sentinel.models import SentinelRun
from readerstudy.sentinel.running import hash_of_images
from readerstudy.studies.models import Study

WALKED = (Study.State.LOCKED, Study.State.RUNNING)
Row = dict[str, Any]


def why_stale(run: SentinelRun) -> str:
    """Return why a run no longer holds; empty if it does."""
    if not Allocation.objects.filter(study=run.study).exists():
        return "The study has no allocation"
    if hash_of_images(run.study) != run.images_hash:
        return "The images were prepared again since"
    limits = limits_of(run.study)
    if any(run.limits.get(name) != value for name, value in vars(limits).items()):
        return "The limits were changed since"
    return ""


def has_valid_run(study: Study) -> bool:
    """Is there a run that still holds, whatever it found?"""
    last = SentinelRun.objects.filter(study=study).first()
    return last is not None and not why_stale(last)


def with_verdict(run: SentinelRun, *verdicts: str) -> list[Row]:
    """Return the cues of a run that have one of these verdicts."""
    return [row for row in run.results if row["verdict"] in verdicts]


def is_between(row: Row) -> bool:
    """Does a row compare one generator with the others? Older runs did not."""
    return bool(row.get("comparison") == GENERATORS)


def interval_of(row: Row) -> str:
    """Return "AUC 0.83 (0.74–0.90)", without an interval where there is none."""
    if row["low"] is None:
        return f"AUC {row['auc']:.2f}"
    return f"AUC {row['auc']:.2f} ({row['low']:.2f}–{row['high']:.2f})"


def highest(run: SentinelRun) -> str:
    """Return the highest AUC among the cues that could block, with limit and cases."""
    rows = [row for row in with_verdict(run, CLEAN, SAME) if row["auc"] is not None]
    worst = max(rows, key=lambda row: row["auc"], default=None)
    if worst is None:
        return f"Limit {run.limits['auc']:.2f}, {run.n_cases} cases"
    above = worst["auc"] > run.limits["auc"]
    chance = f", not beyond chance (p = {worst['p']:.2f})" if above else ""
    limit = f"limit {run.limits['auc']:.2f}"
    return f"Highest {interval_of(worst)}{chance}, {limit}, {run.n_cases} cases"
