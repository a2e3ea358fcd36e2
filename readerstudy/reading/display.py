"""Bring every image of a locked study into the one form in which readers get it.

Three passes over the series of the study, the same for every case whatever its origin:

1. survey (`surveying`): frame of each case, grid, background rule and grey levels of each slot;
2. encode: common grid, display levels, compressed chunks on disk;
3. store: pad each chunk to one length per slot and put it into the object store.

See docs/algorithms/canonical-images.md for the rules and why each exists.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings

from readerstudy.cases import canonical, storage
from readerstudy.cases.models import Series
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.files import write_whole
from readerstudy.imaging import encoding, frames
from readerstudy.imaging.canonical import Canonical, canonicalise
from readerstudy.imaging.flags import POSITION_UNKNOWN
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.resampling import to_grid
from readerstudy.reading.models import DisplayForm, EncodedSeries, ReadingImage
from readerstudy.reading.surveying import Masks, SlotForm, StudyForm, by_slot_order, decide
from readerstudy.studies.models import Study
from readerstudy.studies.viewing import Viewing

ENCODINGS: tuple[encoding.Encoding, ...] = ("zstd", "gzip")
THREADS = 2
WRITERS = 8
WINDOW_PERCENTILE = 99.5
Progress = Callable[[int, int, str], None]
Levels = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Work:
    """One run over a study: what was decided, and where the files of pass 2 lie."""

    study: Study
    viewing: Viewing
    form: StudyForm
    masks: Masks
    folder: Path

    def blobs(self, series: Series) -> Path:
        """Return where pass 2 leaves the compressed chunks, one after another, before padding."""
        return self.folder / f"{series.pk}.blobs"

    def note(self, series: Series) -> Path:
        """Return where pass 2 leaves what is known of a series; its presence says done."""
        return self.folder / f"{series.pk}.json"

    def chunks(self, role: str) -> list[tuple[int, int]]:
        """Return the chunks of a slot in the order of fetching."""
        slot = self.form.of(role)
        return encoding.plan_chunks(frames.plane_geometry(slot.grid, slot.plane)["shape"][0])


@dataclass(frozen=True)
class Encoded:
    """One series as a stack of display levels, and what was noted on the way."""

    levels: Levels
    foreground: npt.NDArray[np.bool_]
    clipped: int


def prepare(study: Study, progress: Progress) -> dict[str, Any]:
    """Encode all images of a study; safe to run again, goes on where it stopped."""
    series = _series_of(study)
    total = 3 * len(series)
    root = Path(settings.WORK_ROOT) / "encoding" / str(study.pk)
    masks = Masks(root / "masks")
    viewing = study.display
    form = decide(viewing, series, masks, lambda n, text: progress(n, total, text))
    work = Work(study, viewing, form, masks, _scratch(root, viewing, form))
    for number, one in enumerate(series, start=1):
        _encode(one, work)
        progress(len(series) + number, total, f"Encoded {number} of {len(series)} series")
    buckets = {role: _buckets(group, work) for role, group in _by_role(series).items()}
    for number, one in enumerate(series, start=1):
        _store(one, work, buckets[one.role])
        progress(2 * len(series) + number, total, f"Stored {number} of {len(series)} series")
    _store_form(_by_role(series), work, buckets)
    shutil.rmtree(root)
    return {"series": len(series), "slots": len(form.slots)}


def _series_of(study: Study) -> list[Series]:
    """Return what readers were promised at the lock: the slots, and the overlay if all have it."""
    roles = [*study.slots, *shown_overlay(study)]
    series = Series.objects.filter(case__in=study.cases.all(), role__in=roles)
    found = list(by_slot_order(study.display, list(series.select_related("case"))))
    if not found:
        raise ReaderStudyError("The study has no images to prepare.")
    return found


def shown_overlay(study: Study) -> list[str]:
    """Return the role of the overlay, in a list, if the readings of a locked study hold it."""
    overlay = study.display.overlay
    if overlay is None:
        return []
    images = ReadingImage.objects.filter(reading__enrolment__study=study, role=overlay.role)
    return [overlay.role] if images.exists() else []


def _by_role(series: list[Series]) -> dict[str, list[Series]]:
    groups: dict[str, list[Series]] = {}
    for one in series:
        groups.setdefault(one.role, []).append(one)
    return groups


def _scratch(root: Path, viewing: Viewing, form: StudyForm) -> Path:
    """Return the folder of pass 2; another form starts afresh."""
    presets = [asdict(preset) for preset in viewing.presets]
    facts = json.dumps([form.facts(), presets], sort_keys=True)
    folder = root / "chunks"
    note = folder / "form.json"
    if not note.exists() or note.read_text() != facts:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_whole(note, facts.encode())
    return folder


def _encode(series: Series, work: Work) -> None:
    """Write the compressed, not yet padded chunks of one series and what is known of it."""
    if work.note(series).exists():
        return
    encoded = display_levels(series, work)

    def compress(part: tuple[encoding.Encoding, tuple[int, int]]) -> bytes:
        name, chunk = part
        return encoding.compress(encoding.chunk_bytes(encoded.levels, chunk), name)

    parts = [(name, chunk) for name in ENCODINGS for chunk in work.chunks(series.role)]
    # The compressors let go of the interpreter's lock, so that two cores share the work.
    with ThreadPoolExecutor(THREADS) as pool:
        blobs = list(pool.map(compress, parts))
    write_whole(work.blobs(series), b"".join(blobs))
    note = _note(encoded, work) | {"lengths": _by_encoding([len(blob) for blob in blobs])}
    write_whole(work.note(series), json.dumps(note).encode())


def _by_encoding(values: list[Any]) -> dict[encoding.Encoding, list[Any]]:
    """Cut a list that runs over all chunks of the first encoding, then of the next."""
    count = len(values) // len(ENCODINGS)
    return {name: values[n * count : (n + 1) * count] for n, name in enumerate(ENCODINGS)}


def _note(encoded: Encoded, work: Work) -> dict[str, Any]:
    inside = encoded.levels[encoded.foreground]
    wanted = [end for preset in work.viewing.presets for end in (preset.low, preset.high)]
    top, *ends = (
        np.percentile(inside, [WINDOW_PERCENTILE, *wanted]).tolist() if inside.size else [1.0]
    )
    return {
        "pixel_sha256": hashlib.sha256(encoded.levels.astype("<i2").tobytes()).hexdigest(),
        "width": max(2, round(top)),
        "presets": list(zip(ends[::2], ends[1::2], strict=True)),
        "voxels": int(inside.size),
        "clipped": encoded.clipped,
    }


def display_levels(series: Series, work: Work) -> Encoded:
    """Return a series on the grid of its slot as levels, its slices ordered for the screen."""
    slot = work.form.of(series.role)
    frame = work.form.frames_by_case[series.case_id]
    volume = canonical.load_shown(series)
    placed = frames.in_frame(volume, frame)
    if slot.masking == "labels":
        return _labels(series, placed, slot)
    mask = work.masks.of(series, volume, slot.masking)
    inside = frames.in_frame(replace(volume, array=mask), frame).array
    put = canonicalise(
        placed,
        slot.grid.shape,
        slot.grid.spacing_mm,
        mask=inside,
        centre_mm=slot.grid.centre_mm,
        whole_voxels=slot.whole_voxels,
    )
    levels, clipped = _levels(put, slot, _seed(work.study, series))
    return Encoded(
        frames.to_plane(levels, slot.plane), frames.to_plane(put.mask, slot.plane), clipped
    )


def _levels(put: Canonical, slot: SlotForm, seed: int) -> tuple[Levels, int]:
    array, mask = put.volume.array, put.mask
    if slot.linear is None:
        quantum = slot.quantum or 0.0
        return encoding.encode_display(array, mask, quantum=quantum, seed=seed), 0
    return encoding.encode_linear(array, mask, rule=slot.linear, quantum=slot.quantum, seed=seed)


def _labels(series: Series, placed: Volume, slot: SlotForm) -> Encoded:
    """Return a label map on the grid of the first slot: its values stay what they are."""
    put = to_grid(
        placed,
        slot.grid.shape,
        slot.grid.spacing_mm,
        interpolation="nearest",
        centre_mm=slot.grid.centre_mm,
        whole_voxels=slot.whole_voxels and frames.lies_on(placed, slot.grid.spacing_mm),
        outside=0,
    ).array
    labels = put.astype(np.int16)
    if not np.array_equal(labels, put) or labels.min() < 0:
        raise ReaderStudyError(
            f"The {series.role} of case {series.case.code} holds values other than whole numbers "
            "from 0 to 32767, so it is no label map. Import it again, or show no overlay."
        )
    labels = frames.to_plane(labels, slot.plane)
    return Encoded(labels, labels > 0, 0)


def _seed(study: Study, series: Series) -> int:
    text = f"{study.pk}|{series.case.code}|{series.role}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _buckets(series: list[Series], work: Work) -> dict[encoding.Encoding, list[int]]:
    """Return the one stored length of each chunk of a slot, by encoding."""
    notes = [json.loads(work.note(one).read_text())["lengths"] for one in series]
    return {
        name: [
            encoding.bucket_length(lengths)
            for lengths in zip(*(note[name] for note in notes), strict=True)
        ]
        for name in ENCODINGS
    }


def _store(series: Series, work: Work, buckets: dict[encoding.Encoding, list[int]]) -> None:
    note = json.loads(work.note(series).read_text())
    ends = list(accumulate(length for name in ENCODINGS for length in note["lengths"][name]))
    content = work.blobs(series).read_bytes()
    blobs = [content[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    def put(part: tuple[encoding.Encoding, bytes, int]) -> str:
        name, blob, length = part
        return storage.put(encoding.pad(blob, name, length))

    lengths = [(name, length) for name in ENCODINGS for length in buckets[name]]
    parts = [(name, blob, length) for (name, length), blob in zip(lengths, blobs, strict=True)]
    # Each object is flushed to disk by itself; several threads wait for the disk together.
    with ThreadPoolExecutor(WRITERS) as pool:
        names = _by_encoding(list(pool.map(put, parts)))
    with write_transaction():
        EncodedSeries.objects.update_or_create(
            study=work.study,
            case=series.case,
            role=series.role,
            defaults={
                "objects_by_encoding": names,
                "pixel_sha256": note["pixel_sha256"],
                "frame_to_lps": work.form.frames_by_case[series.case_id].tolist(),
                "facts": {"voxels": note["voxels"], "clipped": note["clipped"]},
            },
        )


def _store_form(
    groups: dict[str, list[Series]],
    work: Work,
    buckets: dict[str, dict[encoding.Encoding, list[int]]],
) -> None:
    slots = []
    for slot in work.form.slots:
        notes = [json.loads(work.note(one).read_text()) for one in groups[slot.role]]
        # Of all cases of the slot or of none: letters beside some only would tell them apart.
        sided = all(POSITION_UNKNOWN not in one.flags for one in groups[slot.role])
        told = _slot_document(slot, work, notes)
        slots.append({**told, "sided": sided, "buckets": buckets[slot.role]})
    overlay = work.form.overlay
    rule = {**asdict(encoding.DISPLAY_RULE), "flat": work.form.flat}
    with write_transaction():
        DisplayForm.objects.update_or_create(
            study=work.study,
            defaults={
                "slots": slots,
                "overlay_buckets": buckets[overlay.role] if overlay else None,
                "rule": rule,
            },
        )


def _slot_document(slot: SlotForm, work: Work, notes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the readers' page is told of a slot, and how its levels were made."""
    linear = slot.linear
    top = linear.top if linear else 0
    width = top or int(np.median([note["width"] for note in notes]))
    quantitative = linear if slot.unit else None
    return {
        "role": slot.role,
        "label": slot.label,
        "plane": slot.plane,
        **frames.plane_geometry(slot.grid, slot.plane),
        "chunks": [list(chunk) for chunk in work.chunks(slot.role)],
        "window": {"width": width, "level": width // 2},
        "presets": _presets(work.viewing, notes),
        "value": quantitative
        and {"unit": slot.unit, "slope": quantitative.slope, "intercept": quantitative.low},
        "colour": {"map": slot.colour, "range": [0, top]} if slot.colour else None,
        "made": {
            "whole_voxels": slot.whole_voxels,
            "masking": slot.masking,
            "quantum": slot.quantum,
            "linear": asdict(linear) if linear else None,
        },
    }


def _presets(viewing: Viewing, notes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one window a preset for all cases: the median of the cases' percentiles."""
    shown = []
    for number, preset in enumerate(viewing.presets):
        ends = [note["presets"][number] for note in notes if note["presets"]]
        low, high = np.median(ends, axis=0) if ends else (0.0, 1.0)
        width = max(1, round(float(high - low)))
        level = round(float(high + low) / 2)
        shown.append({"label": preset.label, "width": width, "level": level})
    return shown
