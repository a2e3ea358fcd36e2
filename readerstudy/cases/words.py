"""Geometry, source and preparation of series in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from readerstudy.cases.models import Series

SOURCES = {"nifti": "NIfTI", "dicom": "DICOM", "png": "PNG"}
STEPS = {
    "register": "registered",
    "registration": "registered",
    "n4": "N4",
    "bias": "N4",
    "brain_mask": "brain only",
    "mask": "brain only",
    "reorient": "reoriented",
    "resample": "resampled",
    "normalise": "normalised",
    "normalize": "normalised",
}


def grid_text(series: Series) -> str:
    """Return columns, rows and slices of a series."""
    return " × ".join(str(size) for size in reversed(series.shape))


def spacing_text(series: Series) -> str:
    """Return the spacing in words, x first; one number where all are the same."""
    steps = [f"{step:.1f}" for step in reversed(series.spacing_mm)]
    return f"{steps[0] if len(set(steps)) == 1 else ' × '.join(steps)} mm"


def geometry(series: Series) -> str:
    """Return grid and spacing in words, x first."""
    return f"{grid_text(series)}, {spacing_text(series)}"


def source_text(series: Iterable[Series]) -> str:
    """Return the forms at the source, each once."""
    kinds = dict.fromkeys(SOURCES.get(one.source_kind, one.source_kind) for one in series)
    return ", ".join(kinds)


def preparation_text(series: Iterable[Series]) -> str:
    """Return the steps that every series went through, or that some differ."""
    done = {tuple(step_words(one)) for one in series}
    if not done or done == {()}:
        return "as imported"
    if len(done) == 1:
        return ", ".join(done.pop())
    every = [step for step in max(done, key=len) if all(step in steps for steps in done)]
    return f"{', '.join(every)}; some series more" if every else "not all series alike"


def step_words(series: Series) -> list[str]:
    """Return the preparation of one series in words, step by step."""
    return [_step(step) for step in series.preparation]


def _step(step: Any) -> str:
    name = str(step.get("name") or step.get("step") or "step") if isinstance(step, dict) else step
    return STEPS.get(name, name.replace("_", " "))


def facts_text(series: Series) -> str:
    """Return the acquisition facts on record, by name."""
    words = {name.replace("_", " "): value for name, value in sorted(series.facts.items())}
    return ", ".join(name if value is True else f"{name} {value}" for name, value in words.items())


def size_text(size: int) -> str:
    """Return a number of bytes as GB or MB."""
    if size >= 10**9:
        return f"{size / 10**9:.1f} GB"
    return f"{size / 10**6:.0f} MB" if size >= 10**6 else f"{max(1, round(size / 1000))} kB"
