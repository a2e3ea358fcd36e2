"""Scores of runs as tables: means with intervals over patients, beside doing nothing."""

from __future__ import annotations

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from readerstudy.cases.models import Case
from synthesis.metrics.resampling import Interval, mean_interval
from synthesis.models import Checkpoint, GenerationRun, Score

SYNTHETIC = "synthetic"
BASELINES = ("do nothing", "acquired")
HIGHER_IS_BETTER = frozenset(
    [
        "ssim",
        "ssim_square",
        "msssim",
        "psnr",
        "cc",
        "mi",
        "dice",
        "precision",
        "recall",
        "density",
        "coverage",
        "vendi",
        "authenticity_pixels",
        "authenticity_features",
        "ccc",
    ]
)
NEITHER = frozenset(
    [
        "mean",
        "bias",
        "relative_bias",
        "volume_ml",
        "volume_error_ml",
        "c2st_accuracy",
        "c2st_auc",
        "c2st_p",
        "neighbour_accuracy",
        "copying_z_pixels",
        "copying_z_features",
        "copying_p_pixels",
        "copying_p_features",
        "pair_similarity",
        "pair_similarity_real",
        "vendi_real",
    ]
)
COLUMNS = (
    "checkpoint", "weights_sha256", "run", "preset", "region", "metric", "candidate",
    "value", "low", "high", "level", "images", "patients", "undefined", "reason",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One metric in one region under one preset.

    Attributes
    ----------
    preset, region, metric : str
    synthetic : Interval
    baseline : Interval or None
    baseline_name : str
        "do nothing" or "acquired".
    difference : Interval or None
        Synthetic less baseline, by image.
    undefined : int
        Images without a value.
    reason : str
        Why they have none, or what to mind.
    """

    preset: str
    region: str
    metric: str
    synthetic: Interval
    baseline: Interval | None
    baseline_name: str
    difference: Interval | None
    undefined: int
    reason: str

    @property
    def direction(self) -> str:
        """Return which way is better; empty where neither is."""
        if self.metric in NEITHER:
            return ""
        return "higher" if self.metric in HIGHER_IS_BETTER else "lower"

    @property
    def is_better(self) -> bool | None:
        """Tell whether the synthetic image beats the baseline, beyond its interval; or None."""
        if self.difference is None or not self.direction or math.isnan(self.difference.low):
            return None
        sign = 1 if self.direction == "higher" else -1
        worst = min(sign * self.difference.low, sign * self.difference.high)
        return worst > 0


def lines_of(runs: Iterable[GenerationRun]) -> list[Line]:
    """Return the scores by image of some runs, in the order of preset, region and metric."""
    scores = list(Score.objects.filter(run__in=list(runs)).exclude(case_code=""))
    patients = _patients({score.case_code for score in scores})
    groups: dict[tuple[str, str, str], dict[str, dict[str, Score]]] = defaultdict(dict)
    for score in scores:
        key = (score.preset, score.region, score.metric)
        groups[key].setdefault(score.candidate, {})[score.case_code] = score
    return [_line(*key, groups[key], patients) for key in sorted(groups)]


def _patients(codes: set[str]) -> dict[str, str]:
    rows = Case.objects.filter(code__in=codes).values_list("code", "subject__code")
    return dict(rows)


def _line(
    preset: str,
    region: str,
    metric: str,
    found: dict[str, dict[str, Score]],
    patients: dict[str, str],
) -> Line:
    made = found.get(SYNTHETIC, {})
    name = next((one for one in BASELINES if one in found), "")
    baseline = found.get(name)
    return Line(
        preset,
        region,
        metric,
        _mean(_values(made), made, patients),
        _mean(_values(baseline), baseline, patients) if baseline else None,
        name,
        _difference(made, baseline, patients) if baseline else None,
        sum(score.value is None for score in made.values()),
        next((score.reason for score in made.values() if score.reason), ""),
    )


def _values(scores: dict[str, Score]) -> list[float]:
    return [math.nan if s.value is None else s.value for s in scores.values()]


def _mean(values: list[float], codes: Iterable[str], patients: dict[str, str]) -> Interval:
    return mean_interval(values, [patients.get(code, code) for code in codes])


def _difference(
    made: dict[str, Score], baseline: dict[str, Score], patients: dict[str, str]
) -> Interval:
    both = [code for code in made if code in baseline]
    a, b = (np.array(_values({c: side[c] for c in both})) for side in (made, baseline))
    return _mean(list(a - b), both, patients)


CASE_COLUMNS = (
    *("source", "case", "candidate", "preset", "region", "metric"),
    *("value", "low", "high", "n", "reason"),
)


def cases_csv(run: GenerationRun) -> str:
    """Return every score of a run as CSV: one row per image, candidate, preset and metric.

    Rows without a case are scores of the whole set.
    """
    entries = run.record.get("cases", {}).values()
    sources = {entry["case"]: entry.get("source") or "" for entry in entries}
    stream = io.StringIO()
    writer = csv.DictWriter(stream, CASE_COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for score in Score.objects.filter(run=run).order_by("case_code", "pk"):
        told = {name: getattr(score, name) for name in CASE_COLUMNS if hasattr(score, name)}
        code = score.case_code
        writer.writerow({**told, "case": code, "source": sources.get(code, "")})
    return stream.getvalue()


@dataclass(frozen=True)
class SetLine:
    """One score of a whole run, beside that of doing nothing."""

    preset: str
    region: str
    metric: str
    synthetic: Score | None
    baseline: Score | None


def set_lines(run: GenerationRun) -> list[SetLine]:
    """Return the scores of a run as a set, in the order in which they were made."""
    groups: dict[tuple[str, str, str], dict[str, Score]] = {}
    for score in Score.objects.filter(run=run, case_code="").order_by("pk"):
        groups.setdefault((score.preset, score.region, score.metric), {})[score.candidate] = score
    return [
        SetLine(*key, found.get(SYNTHETIC), found.get("do nothing"))
        for key, found in groups.items()
    ]


def newest_set_scores(checkpoint: Checkpoint) -> dict[tuple[str, str, str], Score]:
    """Return set scores of the newest run that has them, by preset, region and metric."""
    rows = Score.objects.filter(run__checkpoint=checkpoint, case_code="", candidate=SYNTHETIC)
    return {(s.preset, s.region, s.metric): s for s in rows.order_by("run__created_at", "pk")}


@dataclass(frozen=True)
class Compared:
    """One metric over checkpoints: a cell, or None, for each of them."""

    preset: str
    region: str
    metric: str
    direction: str
    cells: list[dict[str, Any] | None]


def comparison(checkpoints: list[Checkpoint]) -> list[Compared]:
    """Return every metric that is scored, with a cell for each checkpoint."""
    tables = [_cells(checkpoint) for checkpoint in checkpoints]
    keys = sorted({key for table in tables for key in table})
    return [
        Compared(*key, _direction(key[2]), [table.get(key) for table in tables]) for key in keys
    ]


def _direction(metric: str) -> str:
    if metric in NEITHER:
        return ""
    return "higher" if metric in HIGHER_IS_BETTER else "lower"


def _cells(checkpoint: Checkpoint) -> dict[tuple[str, str, str], dict[str, Any]]:
    cells: dict[tuple[str, str, str], dict[str, Any]] = {}
    for line in lines_of(checkpoint.runs.all()):
        one, nothing = line.synthetic, line.baseline
        cells[line.preset, line.region, line.metric] = {
            **vars(one),
            "undefined": line.undefined,
            "reason": line.reason or one.reason,
            "nothing": nothing.value if nothing and line.baseline_name == "do nothing" else None,
        }
    for key, score in newest_set_scores(checkpoint).items():
        cells[key] = {
            "value": math.nan if score.value is None else score.value,
            "low": math.nan if score.low is None else score.low,
            "high": math.nan if score.high is None else score.high,
            "images": score.n or 0,
            "patients": "",
            "level": 0.95,
            "undefined": int(score.value is None),
            "reason": score.reason,
            "nothing": None,
        }
    return cells


def comparison_csv(checkpoints: list[Checkpoint]) -> str:
    """Return the comparison as CSV: one row per checkpoint, preset, region and metric."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for checkpoint in checkpoints:
        for (preset, region, metric), cell in sorted(_cells(checkpoint).items()):
            common = {
                "checkpoint": checkpoint.name,
                "weights_sha256": checkpoint.weights_sha256,
                "run": checkpoint.run_folder,
                "preset": preset,
                "region": region,
                "metric": metric,
            }
            writer.writerow({**common, **_csv_cell(cell), "candidate": SYNTHETIC})
            if cell["nothing"] is not None:
                writer.writerow({**common, "candidate": "do nothing", "value": cell["nothing"]})
    return stream.getvalue()


def _csv_cell(cell: dict[str, Any]) -> dict[str, Any]:
    names = ("value", "low", "high", "level", "images", "patients", "undefined", "reason")
    return {
        name: "" if isinstance(cell[name], float) and math.isnan(cell[name]) else cell[name]
        for name in names
    }
