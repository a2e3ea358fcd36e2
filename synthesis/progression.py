"""Time to progression of the patients of a run, read from its stored volumes."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from readerstudy.cases.models import Case
from readerstudy.core.errors import NotFound
from readerstudy.stats import ProgressionRule, compare_progression, progression_rows
from readerstudy.stats.progression_agreement import ProgressionComparison
from synthesis.metrics.regions import ENHANCING, SYNTHETIC
from synthesis.models import GenerationRun, Score
from synthesis.score_rows import ACQUIRED, LABEL_MAP, REFERENCE

Course = tuple[list[float], list[float]]
COLUMNS = (
    "patient", "source", "time", "event", "visits", "nadir_ml", "responded",
    "growth", "shrinkage", "measurable_ml", "confirm_days",
)  # fmt: skip


@dataclass(frozen=True)
class ReadOut:
    """What a run says of progression.

    Attributes
    ----------
    segmentation : str
        Name of the segmentation whose volumes were read.
    rule : ProgressionRule
    rows : list of dict
        For each patient and source (acquired, synthetic, label map): time in days, event.
    compared : ProgressionComparison or None
    reason : str
        Why nothing is compared.
    without_day : int
        Cases with volumes that have no day.
    """

    segmentation: str
    rule: ProgressionRule
    rows: list[dict[str, object]]
    compared: ProgressionComparison | None
    reason: str
    without_day: int

    @property
    def paired(self) -> list[dict[str, object]]:
        """A line for each patient: patient, visits, and a cell (a row or None) for each source."""
        by_patient: dict[object, dict[object, dict[str, object]]] = {}
        for row in self.rows:
            by_patient.setdefault(row["patient"], {})[row["source"]] = row
        return [
            {
                "patient": patient,
                "visits": max(int(str(row["visits"])) for row in found.values()),
                "cells": [found.get(source) for source in (ACQUIRED, SYNTHETIC, REFERENCE)],
            }
            for patient, found in sorted(by_patient.items(), key=lambda one: str(one[0]))
        ]


def segmentations_of(run: GenerationRun) -> list[str]:
    """Return the names of the segmentations whose volumes of a run are stored."""
    scores = Score.objects.filter(
        run=run, metric="volume_ml", region=ENHANCING, candidate=SYNTHETIC, value__isnull=False
    ).exclude(preset__endswith=LABEL_MAP)
    return sorted(set(scores.values_list("preset", flat=True)))


def read_out(run: GenerationRun, segmentation: str, rule: ProgressionRule) -> ReadOut:
    """Read the time to progression of each patient and compare the sources.

    Parameters
    ----------
    run : GenerationRun
    segmentation : str
        One of `segmentations_of`; "" for the only one.
    rule : ProgressionRule

    Raises
    ------
    NotFound
        If there is no such segmentation; the message says what to do.
    """
    chosen = _chosen(run, segmentation)
    courses, without_day = courses_of(run, chosen)
    compared, reason = None, ""
    try:
        compared = compare_progression(courses[ACQUIRED], courses[SYNTHETIC], rule=rule)
    except ValueError as error:
        reason = f"{error}. Cases need a day: give it in a manifest."
    rows = list(progression_rows(courses, rule=rule))
    return ReadOut(chosen, rule, rows, compared, reason, without_day)


def _chosen(run: GenerationRun, segmentation: str) -> str:
    known = segmentations_of(run)
    if not known:
        raise NotFound("No volumes are stored for this run. Score it with a segmentation first.")
    if segmentation and segmentation not in known:
        raise NotFound(f"There is no segmentation {segmentation!r}. Known: {', '.join(known)}.")
    if not segmentation and len(known) > 1:
        raise NotFound(f"The run has several segmentations; name one: {', '.join(known)}.")
    return segmentation or known[0]


def courses_of(
    run: GenerationRun, segmentation: str
) -> tuple[Mapping[str, dict[str, Course]], int]:
    """Return days and volumes of each patient by source, and the number of cases without a day."""
    sources = {one["case"]: one["source"] for one in run.record.get("cases", {}).values()}
    when = {
        code: (subject, day)
        for code, subject, day in Case.objects.filter(code__in=sources.values()).values_list(
            "code", "subject__code", "day"
        )
    }
    courses: dict[str, dict[str, Course]] = defaultdict(dict)
    lacking = set()
    for preset, candidate in ((segmentation, ACQUIRED), (segmentation, SYNTHETIC),
                              (segmentation + LABEL_MAP, REFERENCE)):  # fmt: skip
        for code, volume in _volumes(run, preset, candidate):
            patient, day = when[sources[code]]
            if day is None:
                lacking.add(code)
                continue
            days, volumes = courses[candidate].setdefault(patient, ([], []))
            days.append(float(day))
            volumes.append(volume)
    return {ACQUIRED: {}, SYNTHETIC: {}, **courses}, len(lacking)


def _volumes(run: GenerationRun, preset: str, candidate: str) -> list[tuple[str, float]]:
    rows = Score.objects.filter(
        run=run, preset=preset, candidate=candidate, metric="volume_ml", region=ENHANCING
    ).exclude(value=None)
    return list(rows.order_by("case_code").values_list("case_code", "value"))


def csv_of(found: ReadOut) -> str:
    """Return the table that survival analysis takes: a line for each patient and source."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(found.rows)
    return stream.getvalue()
