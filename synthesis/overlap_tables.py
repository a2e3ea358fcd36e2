"""Scores of segmentations by group of cases (such as the grade) and case by case."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass

from readerstudy.cases.models import Case
from readerstudy.truth.models import ReferenceStandard
from synthesis.metrics.resampling import Interval, mean_interval
from synthesis.metrics.segmentation import PRESET
from synthesis.models import GenerationRun, Score

GRADES = ("who_grade", "grade")
METRICS = ("dice", "hd95_mm", "volume_ml", "volume_error_ml")
COLUMNS = ("case", "patient", "day", "group", "preset", "candidate", "region", "metric", "value",
           "reason")  # fmt: skip
ALL, NO_GROUP = "all", "no group"


@dataclass(frozen=True)
class GroupLine:
    """Mean Dice of one group in one region under one preset, with its interval over patients."""

    preset: str
    region: str
    candidate: str
    group: str
    dice: Interval


@dataclass(frozen=True)
class _Source:
    patient: str
    day: int | None
    group: str


def by_group(run: GenerationRun, *, with_reference: bool) -> list[GroupLine]:
    """Return the mean Dice of all cases and of each group, with intervals over patients.

    The group of a case is its grade on record (reference standard ``who_grade`` or ``grade``),
    else its stratum.

    Parameters
    ----------
    run : GenerationRun
    with_reference : bool
        May the reference standard be used? Not for those who must stay blind.
    """
    sources = _sources(run, with_reference=with_reference)
    grouped = {source.group for source in sources.values()} != {NO_GROUP}
    cells: dict[tuple[str, str, str, str], list[tuple[str, float]]] = defaultdict(list)
    rows = Score.objects.filter(run=run, preset__startswith=PRESET, metric="dice")
    for score in rows.exclude(value=None).order_by("case_code"):
        source = sources[score.case_code]
        for group in {ALL, source.group} if grouped else {ALL}:
            key = (score.preset, score.region, score.candidate, group)
            cells[key].append((source.patient, score.value or 0.0))
    order = sorted(cells, key=lambda key: (key[0], key[1], key[2], key[3] != ALL, key[3]))
    return [GroupLine(*key, _interval(cells[key])) for key in order]


def _interval(values: list[tuple[str, float]]) -> Interval:
    return mean_interval([value for _, value in values], [patient for patient, _ in values])


def cases_csv(run: GenerationRun) -> str:
    """Return every score of segmentations as CSV: a line for each case, region and metric.

    It tells which cases are synthetic, and grades on record: only for those who may know.
    """
    sources = _sources(run, with_reference=True)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    rows = Score.objects.filter(run=run, preset__startswith=PRESET).exclude(case_code="")
    for score in rows.order_by("case_code", "preset", "region", "metric", "candidate"):
        source = sources[score.case_code]
        told = (source.patient, source.day, source.group)
        of = (score.preset, score.candidate, score.region, score.metric)
        writer.writerow([score.case_code, *told, *of, score.value, score.reason])
    return stream.getvalue()


def _sources(run: GenerationRun, *, with_reference: bool) -> dict[str, _Source]:
    """Return patient, day and group of the source of each synthetic case, by its code."""
    entries = {one["case"]: one["source"] for one in run.record.get("cases", {}).values()}
    cases = {
        case.code: case
        for case in Case.objects.filter(code__in=entries.values()).select_related("subject")
    }
    grades = _grades(list(cases.values())) if with_reference else {}
    return {
        made: _Source(
            cases[source].subject.code,
            cases[source].day,
            grades.get(source) or cases[source].stratum or NO_GROUP,
        )
        for made, source in entries.items()
        if source in cases
    }


def _grades(cases: list[Case]) -> dict[str, str]:
    known = ReferenceStandard.objects.current().filter(case__in=cases, endpoint__in=GRADES)
    rows = known.order_by("endpoint").values_list("case__code", "value")
    return {code: f"grade {value}" for code, value in rows}
