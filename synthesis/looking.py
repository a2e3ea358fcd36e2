"""Look at what a generation run made: each image beside the acquired one, with its scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from readerstudy.cases.models import Case
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.truth.visibility import why_hidden
from synthesis.models import GenerationRun, Score

SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Made:
    """One synthetic image, the case it was made from, and its scores in the order of the table."""

    source: Case
    case: Case
    scores: list[Score | None]


@dataclass(frozen=True)
class Look:
    """What a user may see of a run."""

    run: GenerationRun
    made: list[Made]
    drawn: list[Case]  # images made without a source
    measures: list[tuple[str, str]]  # preset and metric of each column
    hidden: int
    why_hidden: str


def look_at_run(*, run: GenerationRun, actor: Any) -> Look:
    """Return the images of a run whose origin a user may see, and record the look."""
    pairs, drawn = _pairs(run), _drawn(run)
    shown = [*(case for pair in pairs for case in pair), *drawn]
    reasons = {case.code: why_hidden(actor, case) for case in shown}
    open_pairs = [pair for pair in pairs if not any(reasons[case.code] for case in pair)]
    open_drawn = [case for case in drawn if not reasons[case.code]]
    scores = list(
        Score.objects.filter(run=run, candidate=SYNTHETIC, region="brain").exclude(case_code="")
    )
    measures = sorted({(one.preset, one.metric) for one in scores})
    if open_pairs or open_drawn:
        with write_transaction():
            codes = [case.code for case in (*(case for _, case in open_pairs), *open_drawn)]
            audit.record(
                actor=actor, action="truth.look", target=f"run {run.pk}", new={"cases": codes}
            )
    return Look(
        run=run,
        made=[Made(*pair, _in_columns(pair, scores, measures)) for pair in open_pairs],
        measures=measures,
        drawn=open_drawn,
        hidden=len(pairs) - len(open_pairs) + len(drawn) - len(open_drawn),
        why_hidden=next((reason for reason in reasons.values() if reason), ""),
    )


def why_closed(run: GenerationRun, actor: Any) -> str:
    """Return why a user may not see the images of a run; empty if they may."""
    shown = [*(case for pair in _pairs(run) for case in pair), *_drawn(run)]
    reasons = (why_hidden(actor, case) for case in shown)
    return next((reason for reason in reasons if reason), "")


def _pairs(run: GenerationRun) -> list[tuple[Case, Case]]:
    entries = [entry for entry in run.record.get("cases", {}).values() if entry["source"]]
    codes = {code for entry in entries for code in (entry["source"], entry["case"])}
    found = Case.objects.filter(code__in=codes).prefetch_related("series")
    cases = {case.code: case for case in found}
    pairs = [(cases[entry["source"]], cases[entry["case"]]) for entry in entries]
    return sorted(pairs, key=lambda pair: pair[0].code)


def _drawn(run: GenerationRun) -> list[Case]:
    entries = run.record.get("cases", {}).values()
    codes = [entry["case"] for entry in entries if not entry["source"]]
    found = Case.objects.filter(code__in=codes).order_by("code")
    return list(found.prefetch_related("series"))


def _in_columns(
    pair: tuple[Case, Case], scores: Iterable[Score], measures: list[tuple[str, str]]
) -> list[Score | None]:
    own = {(one.preset, one.metric): one for one in scores if one.case_code == pair[1].code}
    return [own.get(measure) for measure in measures]
