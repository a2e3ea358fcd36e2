"""What the page of the sentinel shows, in words and coordinates; no number is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from readerstudy.sentinel import judging, running, standing
from readerstudy.sentinel.advice import ADVICE, LABELS
from readerstudy.sentinel.cues import CONTENT, FAMILIES
from readerstudy.sentinel.models import SentinelRun
from readerstudy.studies.models import Study

WIDTH, LOW, HIGH = 220.0, 0.3, 1.0
HISTORY = 10
VERDICTS = {
    judging.SAME: ("passed", "the same for all"),
    judging.CLEAN: ("passed", "does not separate"),
    judging.FOUND: ("blocks", "separates"),
    judging.VARIES: ("look", "varies"),
    judging.UNDEFINED: ("look", "not estimable"),
    judging.INFORMATION: ("info", "image content"),
}


@dataclass(frozen=True)
class Mark:
    """One interval on the line from `LOW` to `HIGH`, in pixels."""

    value: float
    low: float
    high: float
    stops: bool


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    family: str
    what: str
    row: dict[str, Any]
    mark: Mark | None
    icon: str
    verdict: str

    @property
    def advice(self) -> str:
        return ADVICE[self.row["family"]]

    @property
    def stops(self) -> bool:
        return bool(self.row["verdict"] == judging.FOUND)


def x_of(value: float) -> float:
    """Return where an AUC lies on the line, in pixels from the left."""
    inside = min(max(value, LOW), HIGH)
    return round(WIDTH * (inside - LOW) / (HIGH - LOW), 2)


def page_of(study: Study) -> dict[str, Any]:
    """Return the context of the page."""
    runs = list(SentinelRun.objects.filter(study=study).select_related("requested_by")[:HISTORY])
    job = running.latest_job(study)
    return {
        **(shown(runs[0]) if runs else {}),
        "runs": runs,
        "job": job if job and (not runs or job.created_at > runs[0].at or _at_work(job)) else None,
        "walked": study.state in standing.WALKED,
    }


def _at_work(job: Any) -> bool:
    return not job.is_finished


def shown(run: SentinelRun) -> dict[str, Any]:
    """Return what is told of one run."""
    lines = lines_of(run)
    limit = x_of(run.limits["auc"])
    return {
        "run": run,
        "stale": standing.why_stale(run),
        "judged": [line for line in lines if line.row["family"] not in CONTENT],
        "content": [line for line in lines if line.row["family"] in CONTENT],
        "found": [line for line in lines if line.stops],
        "axis": {
            "width": WIDTH,
            "guess": x_of(0.5),
            "limit": limit,
            "rest": round(WIDTH - limit, 2),
            "ticks": [{"text": f"{tick:g}", "x": x_of(tick)} for tick in (0.5, 1.0)],
        },
        "highest": standing.highest(run),
    }


def lines_of(run: SentinelRun) -> list[Line]:
    """Return the rows: cues of one family that are the same for all cases share one."""
    judged = judging.simplified([judging.Judged(**row) for row in run.results])
    order = [*FAMILIES, *CONTENT]
    judged.sort(key=lambda one: (order.index(one.family), one.verdict != judging.FOUND))
    return [_line(vars(one)) for one in judged]


def _line(row: dict[str, Any]) -> Line:
    icon, verdict = VERDICTS[row["verdict"]]
    what = "" if row["verdict"] == judging.SAME else row["what"]
    return Line(LABELS[row["family"]], what, row, _mark(row), icon, verdict)


def _mark(row: dict[str, Any]) -> Mark | None:
    if row["auc"] is None:
        return None
    return Mark(
        value=x_of(row["auc"]),
        low=x_of(row["auc"] if row["low"] is None else row["low"]),
        high=x_of(row["auc"] if row["high"] is None else row["high"]),
        stops=row["verdict"] == judging.FOUND,
    )
