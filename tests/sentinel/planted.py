"""Leaks to plant in a prepared study: in stored objects, in rows, in what the server answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import zstandard

from readerstudy.cases import storage
from readerstudy.imaging import encoding
from readerstudy.reading import display, images
from readerstudy.reading.models import EncodedSeries, Reading
from readerstudy.reading.scheduling import lock_and_allocate
from readerstudy.sentinel import running
from readerstudy.sentinel.models import SentinelRun
from readerstudy.truth.models import Origin
from tests import scenario
from tests.tampering import unguarded

ENCODINGS: tuple[encoding.Encoding, ...] = ("zstd", "gzip")
Change = Callable[[np.ndarray, bool], Any]


def prepared(n_real: int = 12, n_synthetic: int = 12, **options: Any) -> scenario.Scenario:
    """A locked study with its images encoded; both classes are drawn from one distribution."""
    made = scenario.draft(n_real, n_synthetic, **options)
    lock_and_allocate(study=made.study, actor=made.coordinator, seed="seed")
    display.prepare(made.refresh(), lambda *_: None)
    made.refresh()
    return made


def is_synthetic(case: Any) -> bool:
    return Origin.objects.get(case=case).kind == Origin.Kind.SYNTHETIC


def walked(made: scenario.Scenario, **options: Any) -> SentinelRun:
    return running.run(study=made.refresh(), actor=None, **{"seed": 11, **options})


def found(run: SentinelRun) -> set[str]:
    """Families that block."""
    return {row["family"] for row in run.results if row["verdict"] == "found"}


def pixels(encoded: EncodedSeries, shape: list[int]) -> np.ndarray:
    """The stored levels, slices in order."""
    chunks = encoding.plan_chunks(shape[0])
    block = np.zeros(shape, dtype=np.int16)
    names = encoded.objects_by_encoding["zstd"]
    for (first, last), name in zip(chunks, names, strict=True):
        reader = zstandard.ZstdDecompressor().stream_reader(
            storage.read(name), read_across_frames=True
        )
        block[first:last] = np.frombuffer(reader.read(), "<i2").reshape(-1, *shape[1:])
    return block


def recode(made: scenario.Scenario, change: Change, *, padded: bool = True) -> None:
    """Put changed levels in the place of the stored ones, with or without the padding."""
    shape = made.study.display_form.slots[0]["shape"]
    chunks = encoding.plan_chunks(shape[0])
    stored = list(EncodedSeries.objects.filter(study=made.study))
    blobs: dict[tuple[Any, str], list[bytes]] = {}
    for one in stored:
        levels = change(pixels(one, shape), is_synthetic(one.case))
        parts = [levels[first:last].tobytes() for first, last in chunks]
        for name in ENCODINGS:
            blobs[one.pk, name] = [encoding.compress(part, name) for part in parts]
    for one in stored:
        for name in ENCODINGS:
            kept = blobs[one.pk, name]
            if padded:
                others = [blobs[other.pk, name] for other in stored]
                lengths = [
                    encoding.bucket_length(map(len, group)) for group in zip(*others, strict=True)
                ]
                kept = [
                    encoding.pad(blob, name, length)
                    for blob, length in zip(kept, lengths, strict=True)
                ]
            one.objects_by_encoding[name] = [storage.put(blob) for blob in kept]
        one.save()


def answering_by_image(monkeypatch: Any, tamper: Callable[[Any, Any], None]) -> None:
    """Let ``tamper(response, image)`` change every answer with an image."""
    honest = images.chunk_response

    def changed(**arguments: Any) -> Any:
        response = honest(**arguments)
        tamper(response, arguments["image"])
        return response

    monkeypatch.setattr(images, "chunk_response", changed)


BETWEEN = {
    "family": "length",
    "what": "bytes sent, t1c, zstd",
    "auc": 0.55,
    "low": 0.4,
    "high": 0.7,
    "p": 0.5,
    "verdict": "clean",
    "reason": "",
    "comparison": "generators",
}


def answering(monkeypatch: Any, tamper: Callable[[Any, bool, int], None]) -> None:
    """Let ``tamper(response, synthetic, count)`` change every answer with an image."""
    honest, counted = images.chunk_response, []

    def changed(**arguments: Any) -> Any:
        response = honest(**arguments)
        counted.append(1)
        tamper(response, is_synthetic(arguments["image"].case_id), len(counted))
        return response

    monkeypatch.setattr(images, "chunk_response", changed)


def real_first(made: scenario.Scenario) -> None:
    """Give every reader all real cases before the synthetic ones."""
    for enrolment in made.study.readers:
        readings = list(Reading.objects.filter(enrolment=enrolment))
        readings.sort(key=lambda one: is_synthetic(one.case_id))
        with unguarded():
            for number, reading in enumerate(readings, start=1):
                reading.position = 1000 + number
                reading.save()
