"""Tables of a series: one line per run, and the layout of Wang's Table 2, as CSV and Markdown."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.ranks import adjust_pvalues, paired_t
from synthesis.data.patients import patients_of
from synthesis.training.checkpoints import read_json, write_atomically
from synthesis.training.runs import RunFolder
from synthesis.training.series import Cell, is_finished, read_series

_NAMES = {
    "t1": "T1",
    "t2": "T2",
    "t1c": "contrast-enhanced T1",
    "flair": "T2-FLAIR",
    "adc": "ADC",
}
_SIZES = ("One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight")

Scores = dict[str, float]


@dataclass(frozen=True)
class Table:
    """Lines of text under a header, with a sentence that says how the numbers were made."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def csv(self) -> str:
        """Return comma-separated values."""
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([self.header, *self.rows])
        return stream.getvalue()

    def markdown(self) -> str:
        """Return a Markdown table, the note below."""
        lines = [self.header, ("---",) * len(self.header), *self.rows]
        text = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
        return f"{text}\n\n{self.note}\n" if self.note else f"{text}\n"

    def write(self, folder: Path, name: str) -> None:
        """Write ``name.csv`` and ``name.md``."""
        write_atomically(folder / f"{name}.csv", self.csv().encode())
        write_atomically(folder / f"{name}.md", self.markdown().encode())


def last_scores(run: Path) -> dict[str, Scores]:
    """Return the scores of each held-out subject at the end of a run.

    Raises
    ------
    ValueError
        If the run has none.
    """
    found = [line for line in RunFolder(run).journal.lines() if line["kind"] == "validation"]
    if not found:
        raise ValueError(f"{run.name} was not validated; let it finish first.")
    return {
        subject: {k: math.nan if v is None else v for k, v in scores.items()}
        for subject, scores in found[-1]["subjects"].items()
    }


def do_nothing(run: Path) -> Scores:
    """Return the mean scores of the do-nothing prediction, from the model card."""
    scores = read_json(RunFolder(run).card)["validation"]["scores"]
    return {s["metric"]: math.nan if s["do_nothing"] is None else s["do_nothing"] for s in scores}


def steps_of(run: Path) -> str:
    """Return the steps of a finished run, from its model card; empty if it does not say."""
    return str(read_json(RunFolder(run).card).get("training", {}).get("steps", ""))


def finished_cells(folder: Path) -> list[Cell]:
    """Return the cells of a series that are finished."""
    return [cell for cell in read_series(folder) if is_finished(folder / cell.name)]


def wang_table(folder: Path, data_dir: Path, *, metric: str = "ssim_wang") -> Table:
    """Lay out an input grid as Table 2 of Wang 2023, with the tests of its text.

    Mean and SD of the similarity over the examinations held out, per algorithm; the paired t test
    between the two algorithms over examinations (as published) and over the means of patients
    (several examinations of a patient are not independent); and of each model against the best
    one, over examinations.

    Parameters
    ----------
    folder : Path
        Of the series.
    data_dir : Path
        Says which examinations belong to one patient.
    metric : str
        Score of the runs, in per cent.
    """
    cells = finished_cells(folder)
    scores = {c.name: _column(last_scores(folder / c.name), metric) for c in cells}
    algorithms = list(dict.fromkeys(c.labels["algorithm"] for c in cells))
    grid = {(c.labels["inputs"], c.labels["algorithm"]): scores[c.name] for c in cells}
    best = max(grid, key=lambda place: float(np.nanmean(list(grid[place].values()))))
    names = sorted({name for column in grid.values() for name in column})
    patients = patients_of(data_dir, names)
    header = ("Sequence", *(f"{a} (%)" for a in algorithms))
    header += (
        "P per examination",
        "P per patient",
        *(f"P of {a} against the best" for a in algorithms),
    )
    rows: list[tuple[str, ...]] = []
    size = 0
    for inputs in dict.fromkeys(c.labels["inputs"] for c in cells):
        if _size(inputs) != size:
            size = _size(inputs)
            rows.append((_heading(size), *("",) * (len(header) - 1)))
        columns = [grid.get((inputs, a), {}) for a in algorithms]
        rows.append(
            (
                _in_words(inputs),
                *(_mean_sd(column, places=2) for column in columns),
                _p_between(columns),
                _p_between([_by_patient(column, patients) for column in columns]),
                *(_p_best(grid, (inputs, a), best) for a in algorithms),
            )
        )
    return Table(header, tuple(rows), _wang_note(folder, cells, best, metric, len(names)))


def _wang_note(
    folder: Path, cells: Sequence[Cell], best: tuple[str, str], metric: str, scans: int
) -> str:
    config = read_json(RunFolder(folder / cells[0].name).config)
    split = (
        "Split by patient."
        if config["split_by"] == "patient"
        else "AS PUBLISHED: split by examination, so that a patient can train and be tested; the "
        "numbers flatter the models."
    )
    return (
        f"Mean ± SD of {metric} over {scans} held-out examinations, {len(cells)} models. {split} "
        f"Best: {_in_words(best[0])}, {best[1]}. Two-sided paired t tests, not adjusted."
    )


def _column(scores: Mapping[str, Scores], metric: str) -> Scores:
    return {name: values[metric] for name, values in scores.items()}


def _by_patient(column: Scores, patients: Mapping[str, str]) -> Scores:
    grouped: dict[str, list[float]] = {}
    for name, value in column.items():
        grouped.setdefault(patients[name], []).append(value)
    return {patient: float(np.mean(values)) for patient, values in grouped.items()}


def _p_between(columns: Sequence[Scores]) -> str:
    if len(columns) != 2 or not all(columns):
        return ""
    return _p(paired(columns[0], columns[1]))


def _p_best(
    grid: Mapping[tuple[str, str], Scores], place: tuple[str, str], best: tuple[str, str]
) -> str:
    if place not in grid:
        return ""
    return "best" if place == best else _p(paired(grid[place], grid[best]))


def paired(one: Scores, other: Scores) -> float:
    """Return p of the paired t test over the names both have; NaN where it is undefined."""
    both = sorted(set(one) & set(other))
    a, b = np.array([one[n] for n in both]), np.array([other[n] for n in both])
    return float(paired_t(a, b, missing="omit").pvalue)


def series_table(folder: Path, *, metrics: Sequence[str] | None = None) -> Table:
    """One line per run: mean ± SD over the held-out subjects, and the test against the best run.

    The last column has the two-sided paired t test of the first metric against the run that is
    best in it, adjusted by Holm for the number of runs; empty where runs hold out different
    subjects, as folds do. The last line is the do-nothing prediction.
    """
    cells = finished_cells(folder)
    scores = {cell.name: last_scores(folder / cell.name) for cell in cells}
    shown = tuple(metrics or next(iter(next(iter(scores.values())).values())))
    columns = {name: _column(subjects, shown[0]) for name, subjects in scores.items()}
    labels = list(dict.fromkeys(key for cell in cells for key in cell.labels))
    header = (*labels, "subjects", *shown, "steps", f"P ({shown[0]})")
    tests = _against_best(columns, falls="mae" in shown[0])
    rows = [
        (
            *(cell.labels.get(key, "") for key in labels),
            str(len(scores[cell.name])),
            *(_mean_sd(_column(scores[cell.name], metric)) for metric in shown),
            steps_of(folder / cell.name),
            tests[cell.name],
        )
        for cell in cells
    ]
    rows += _pooled(scores, shown, labels)
    nothing = do_nothing(folder / cells[0].name)
    last = (*(_number(nothing.get(metric, math.nan)) for metric in shown), "", "")
    rows.append((*_padded("do nothing", len(labels)), "", *last))
    return Table(header, tuple(rows), "Mean ± SD over held-out subjects.")


def _pooled(
    scores: Mapping[str, Mapping[str, Scores]], shown: Sequence[str], labels: Sequence[str]
) -> list[tuple[str, ...]]:
    """Return the line over all subjects of a cross-validation, each held out once."""
    everybody = [name for subjects in scores.values() for name in subjects]
    if len(scores) < 2 or len(set(everybody)) != len(everybody):
        return []
    merged = {name: values for subjects in scores.values() for name, values in subjects.items()}
    means = tuple(_mean_sd(_column(merged, metric)) for metric in shown)
    return [(*_padded("all folds", len(labels)), str(len(merged)), *means, "", "")]


def _padded(first: str, length: int) -> tuple[str, ...]:
    return (first, *("",) * (length - 1)) if length else ()


def _against_best(columns: Mapping[str, Scores], *, falls: bool) -> dict[str, str]:
    means = {name: float(np.nanmean(list(column.values()))) for name, column in columns.items()}
    best = (min if falls else max)(means, key=lambda name: means[name])
    others = [name for name in columns if name != best and set(columns[name]) == set(columns[best])]
    raw = np.array([paired(columns[name], columns[best]) for name in others])
    adjusted = _holm(raw)
    told = {name: _p(float(p)) for name, p in zip(others, adjusted, strict=True)}
    return {name: "best" if name == best else told.get(name, "") for name in columns}


def _holm(raw: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    return adjust_pvalues(raw, method="holm").adjusted if raw.size else raw


def _mean_sd(column: Scores, *, places: int | None = None) -> str:
    """Return mean ± SD, to so many decimals or as many as the size of each wants."""
    values = np.array([v for v in column.values() if not math.isnan(v)])
    if not values.size:
        return ""
    told = [float(values.mean()), *([float(values.std(ddof=1))] if values.size > 1 else [])]
    return " ± ".join(_number(v) if places is None else f"{v:.{places}f}" for v in told)


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.4f}"


def _p(value: float) -> str:
    if math.isnan(value):
        return "undefined"
    return "<.001" if value < 0.001 else f"{value:.3f}"


def _size(inputs: str) -> int:
    return len(inputs.split("+"))


def _heading(size: int) -> str:
    return f"**{_SIZES[size - 1]} MRI sequence{'s' if size > 1 else ''}**"


def _in_words(inputs: str) -> str:
    first, *others = (_NAMES.get(role, role) for role in inputs.split("+"))
    if not others:
        return first
    if len(others) == 1:
        return f"{first} with {others[0]}"
    return f"{first} with {', '.join(others[:-1])} and {others[-1]}"
