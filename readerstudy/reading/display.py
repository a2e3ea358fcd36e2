"""Bring every image of a locked study into the one form in which readers get it.

Three passes over the series of the study, the same for every case whatever its origin:

1. survey: grid, extent of the foreground, step between grey levels;
2. encode: common grid, one background rule, display levels, compressed chunks on disk;
3. store: pad each chunk to one length per study and put it into the object store.

See docs/algorithms/canonical-images.md for the rules and why each exists.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings

from readerstudy.cases import canonical, storage
from readerstudy.cases.models import Series
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging import encoding
from readerstudy.imaging.canonical import canonicalise
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.masks import foreground
from readerstudy.imaging.windowing import default_window
from readerstudy.reading.models import DisplayForm, EncodedSeries
from readerstudy.studies.models import Study

ENCODINGS: tuple[encoding.Encoding, ...] = ("zstd", "gzip")
SUPPORT_ROLE = "t1"
MARGIN_MM = 6.0
MULTIPLE = 4
Progress = Callable[[int, int, str], None]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Survey:
    """What pass 1 finds out about one series."""

    spacing_mm: Triple
    extent_mm: Triple
    quantum: float


@dataclass(frozen=True)
class Grid:
    """The grid that all cases of the study share."""

    shape: tuple[int, int, int]
    spacing_mm: Triple


@dataclass(frozen=True)
class Form:
    """What pass 1 decides for the whole study."""

    study: Study
    grid: Grid
    quantum: float
    masked_by_support: bool
    folder: Path

    def blob(self, series: Series, name: str, number: int) -> Path:
        """Return where pass 2 leaves a chunk before padding."""
        return self.folder / f"{series.pk}-{number}.{name}"

    def note(self, series: Series) -> Path:
        """Return where pass 2 leaves what is known of a series; its presence says done."""
        return self.folder / f"{series.pk}.json"


def prepare(study: Study, progress: Progress) -> dict[str, Any]:
    """Encode all images of a study; safe to run again, goes on where it stopped."""
    series = _series_of(study)
    total = 3 * len(series)
    form = _decide_form(study, series, lambda n, text: progress(n, total, text))
    for number, one in enumerate(series, start=1):
        _encode(one, form)
        progress(len(series) + number, total, f"Encoded {number} of {len(series)} series")
    buckets = _buckets(series, form)
    for number, one in enumerate(series, start=1):
        _store(one, form, buckets)
        progress(2 * len(series) + number, total, f"Stored {number} of {len(series)} series")
    _store_form(series, form, buckets)
    shutil.rmtree(form.folder)
    return {"series": len(series), "shape": list(form.grid.shape)}


def _decide_form(study: Study, series: list[Series], tell: Callable[[int, str], None]) -> Form:
    masked_by_support = all(_has_support(one) for one in series)
    surveys = []
    for number, one in enumerate(series, start=1):
        surveys.append(_survey(one, masked_by_support))
        tell(number, f"Measured {number} of {len(series)} series")
    grid, quantum = common_grid(surveys), max(survey.quantum for survey in surveys)
    return Form(study, grid, quantum, masked_by_support, _scratch(study, grid, quantum))


def _series_of(study: Study) -> list[Series]:
    series = list(
        Series.objects.filter(case__in=study.cases.all(), role__in=study.slots)
        .select_related("case")
        .order_by("case__code", "role")
    )
    if not series:
        raise ReaderStudyError("The study has no images to prepare.")
    return series


def _has_support(series: Series) -> bool:
    """Has the case a T1 on the same grid, whose foreground can serve as the mask?"""
    support = series.case.series.filter(role=SUPPORT_ROLE).first()
    return (
        support is not None
        and support.shape == series.shape
        and bool(np.allclose(support.affine_lps, series.affine_lps, atol=1e-3))
    )


def _mask(series: Series, volume: Volume, masked_by_support: bool) -> npt.NDArray[np.bool_]:
    """Return the foreground: of the case's T1 where all cases have one, so that the outline of
    a generated image is drawn by the same acquired image as that of a real one."""
    if not masked_by_support:
        return foreground(volume.array)
    return foreground(canonical.load_array(series.case.series.get(role=SUPPORT_ROLE)))


def _survey(series: Series, masked_by_support: bool) -> Survey:
    volume = canonical.load_volume(series)
    mask = _mask(series, volume, masked_by_support)
    if not mask.any():
        raise ReaderStudyError(f"Case {series.case.code}: no head or brain was found in it.")
    spans = []
    for axis in range(3):
        used = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        spans.append(float(used[-1] - used[0] + 1) * volume.spacing_mm[axis])
    return Survey(
        spacing_mm=volume.spacing_mm,
        extent_mm=(spans[0], spans[1], spans[2]),
        quantum=encoding.source_quantum(volume.array, mask),
    )


def common_grid(surveys: list[Survey]) -> Grid:
    """Return the grid that holds every case: median spacing, largest extent and a margin."""
    spacing = np.median([survey.spacing_mm for survey in surveys], axis=0).round(4)
    extent = np.max([survey.extent_mm for survey in surveys], axis=0) + 2 * MARGIN_MM
    shape = [int(np.ceil(length / MULTIPLE) * MULTIPLE) for length in extent / spacing]
    return Grid(
        shape=(shape[0], shape[1], shape[2]),
        spacing_mm=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
    )


def _scratch(study: Study, grid: Grid, quantum: float) -> Path:
    """Return the folder of pass 2; another grid or quantum starts afresh."""
    folder = Path(settings.WORK_ROOT) / "encoding" / str(study.pk)
    facts = json.dumps([asdict(grid), quantum, asdict(encoding.DISPLAY_RULE)], sort_keys=True)
    note = folder / "form.json"
    if not note.exists() or note.read_text() != facts:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _write_whole(note, facts.encode())
    return folder


def _encode(series: Series, form: Form) -> None:
    """Write the compressed, not yet padded chunks of one series and its window."""
    if form.note(series).exists():
        return
    levels = display_levels(series, form)
    for number, chunk in enumerate(encoding.plan_chunks(form.grid.shape[0])):
        content = encoding.chunk_bytes(levels, chunk)
        for name in ENCODINGS:
            _write_whole(form.blob(series, name, number), encoding.compress(content, name))
    pixels = hashlib.sha256(levels.astype("<i2").tobytes()).hexdigest()
    note = {"width": default_window([levels]).width, "pixel_sha256": pixels}
    _write_whole(form.note(series), json.dumps(note).encode())


def _write_whole(path: Path, content: bytes) -> None:
    """Let a file appear whole or not at all, whenever the worker dies."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)


def display_levels(series: Series, form: Form) -> npt.NDArray[np.int16]:
    """Return a series on the study's grid as display levels 0 to 4095."""
    volume = canonical.load_volume(series)
    mask = _mask(series, volume, form.masked_by_support)
    put = canonicalise(volume, form.grid.shape, form.grid.spacing_mm, mask=mask)
    return encoding.encode_display(
        put.volume.array, put.mask, quantum=form.quantum, seed=_seed(form.study, series)
    )


def _seed(study: Study, series: Series) -> int:
    text = f"{study.pk}|{series.case.code}|{series.role}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _buckets(series: list[Series], form: Form) -> dict[str, list[int]]:
    """Return the one stored length of each chunk, by encoding."""
    chunks = range(len(encoding.plan_chunks(form.grid.shape[0])))
    return {
        name: [
            encoding.bucket_length(form.blob(one, name, number).stat().st_size for one in series)
            for number in chunks
        ]
        for name in ENCODINGS
    }


def _store(series: Series, form: Form, buckets: dict[str, list[int]]) -> None:
    names = {
        name: [
            storage.put(encoding.pad(form.blob(series, name, number).read_bytes(), name, length))
            for number, length in enumerate(buckets[name])
        ]
        for name in ENCODINGS
    }
    note = json.loads(form.note(series).read_text())
    with write_transaction():
        EncodedSeries.objects.update_or_create(
            study=form.study,
            case=series.case,
            role=series.role,
            defaults={"objects_by_encoding": names, "pixel_sha256": note["pixel_sha256"]},
        )


def _store_form(series: list[Series], form: Form, buckets: dict[str, list[int]]) -> None:
    widths = [json.loads(form.note(one).read_text())["width"] for one in series]
    width = int(np.median(widths))
    chunks = encoding.plan_chunks(form.grid.shape[0])
    with write_transaction():
        DisplayForm.objects.update_or_create(
            study=form.study,
            defaults={
                "shape": list(form.grid.shape),
                "spacing_mm": list(form.grid.spacing_mm),
                "chunks": [list(chunk) for chunk in chunks],
                "buckets": buckets,
                "window": {"width": width, "level": width // 2},
                "rule": {**asdict(encoding.DISPLAY_RULE), "quantum": form.quantum},
            },
        )
