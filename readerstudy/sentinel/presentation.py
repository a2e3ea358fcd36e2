"""What the page of the sentinel shows, in words and coordinates; no number is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from readerstudy.sentinel import judging, running, standing
from readerstudy.sentinel.advice import ADVICE, LABELS
from readerstudy.sentinel.cues import CONTENT, FAMILIES
from readerstudy.sentinel.models import SentinelRun
from readerstudy.sentinel.standing import is_between
from readerstudy.studies.models import Study

LOW, HIGH = 0.3, 1.0
PAGE_WIDTH, CARD_WIDTH = 160.0, 116.0
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
class Axis:
    """The line from `LOW` to `HIGH`, in pixels."""

    width: float
    limit_auc: float

    def x(self, auc: float) -> float:
        """Return where an AUC lies, from the left."""
        inside = min(max(auc, LOW), HIGH)
        return round(self.width * (inside - LOW) / (HIGH - LOW), 2)

    @property
    def guess(self) -> float:
        return self.x(0.5)

    @property
    def limit(self) -> float:
        return self.x(self.limit_auc)

    @property
    def rest(self) -> float:
        return round(self.width - self.limit, 2)

    @property
    def ticks(self) -> list[dict[str, Any]]:
        return [{"text": f"{tick:g}", "x": self.x(tick)} for tick in (0.5, 1.0)]


@dataclass(frozen=True)
class Mark:
    """One interval on the axis, in pixels."""

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

    @property
    def is_between(self) -> bool:
        """Does it compare one generator with the others?"""
        return is_between(self.row)


def card_of(study: Study) -> dict[str, Any]:
    """Return the context of the card on the launch page: of each family what separates most."""
    context = page_of(study, CARD_WIDTH)
    worst: dict[str, Line] = {}
    for line in (*context.get("judged", ()), *context.get("between", ())):
        best = worst.get(line.family)
        if best is None or _rank(line) > _rank(best):
            worst[line.family] = line
    return {**context, "families": list(worst.values())}


def _rank(line: Line) -> tuple[bool, float]:
    return line.stops, line.row["auc"] or 0


def page_of(study: Study, width: float = PAGE_WIDTH) -> dict[str, Any]:
    """Return the context of the page."""
    runs = list(SentinelRun.objects.filter(study=study).select_related("requested_by")[:HISTORY])
    job = running.latest_job(study)
    return {
        **(shown(runs[0], width) if runs else {}),
        "runs": runs,
        "job": job if job and (not runs or job.created_at > runs[0].at or _at_work(job)) else None,
        "walked": study.state in standing.WALKED,
    }


def _at_work(job: Any) -> bool:
    return not job.is_finished


def shown(run: SentinelRun, width: float) -> dict[str, Any]:
    """Return what is told of one run."""
    axis = Axis(width, run.limits["auc"])
    lines = lines_of(run, axis)
    return {
        "run": run,
        "stale": standing.why_stale(run),
        "judged": [line for line in lines if not _is_content(line) and not line.is_between],
        "between": [line for line in lines if not _is_content(line) and line.is_between],
        "content": [line for line in lines if _is_content(line)],
        "found": [line for line in lines if line.stops],
        "axis": axis,
        "highest": standing.highest(run),
    }


def _is_content(line: Line) -> bool:
    return line.row["family"] in CONTENT


def lines_of(run: SentinelRun, axis: Axis) -> list[Line]:
    """Return the rows. What never varies is told only of a family in which nothing does."""
    judged = judging.simplified([judging.Judged(**row) for row in run.results])
    vary = {(one.comparison, one.family) for one in judged if one.verdict != judging.SAME}
    order = [*FAMILIES, *CONTENT]
    kept = [
        one
        for one in judged
        if one.verdict != judging.SAME or (one.comparison, one.family) not in vary
    ]
    kept.sort(
        key=lambda one: (
            order.index(one.family),
            one.comparison != judging.ORIGIN,
            one.verdict != judging.FOUND,
        )
    )
    few = run.verdict == SentinelRun.Verdict.UNDEFINED
    return [_line(vars(one), axis, few=few) for one in kept]


def _line(row: dict[str, Any], axis: Axis, *, few: bool) -> Line:
    icon, verdict = VERDICTS[row["verdict"]]
    if few and row["verdict"] == judging.CLEAN:
        icon, verdict = "look", "too few cases to say"
    what = "" if row["verdict"] == judging.SAME else row["what"]
    if is_between(row) and row["family"] in CONTENT:
        what = f"{what}, between generators".lstrip(", ")
    return Line(LABELS[row["family"]], what, row, _mark(row, axis), icon, verdict)


def _mark(row: dict[str, Any], axis: Axis) -> Mark | None:
    if row["auc"] is None:
        return None
    return Mark(
        value=axis.x(row["auc"]),
        low=axis.x(row["auc"] if row["low"] is None else row["low"]),
        high=axis.x(row["auc"] if row["high"] is None else row["high"]),
        stops=row["verdict"] == judging.FOUND,
    )
