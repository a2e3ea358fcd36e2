"""Series as they are, for the staff's viewer: encoded when first asked for, and kept for a while.

An address carries a signed request: which series, in whose axes, by which rule for its values. The
kept chunks lie below the work folder; those that were not looked at longest go first.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import zstandard
from django.conf import settings
from django.core.signing import BadSignature, Signer

from readerstudy.cases import canonical, storage
from readerstudy.cases.access import access_series
from readerstudy.cases.models import Series
from readerstudy.cases.native_cache import Cache
from readerstudy.cases.reporting import report_damage
from readerstudy.core.errors import NotFound
from readerstudy.core.files import write_whole
from readerstudy.imaging import encoding, frames, native
from readerstudy.imaging.geometry import Matrix, Volume

VERSION = 2  # grows with every change of the bytes that a request stands for
LEVEL = 1  # of the compressor: somebody waits
THREADS = 2
SIGNER = Signer(salt="readerstudy.cases.native_images")


@dataclass(frozen=True)
class Request:
    """What one address stands for."""

    series: uuid.UUID
    axes: uuid.UUID  # the series whose axes are those of the frame
    rule: native.LevelRule
    under: uuid.UUID | None = None  # for a label map: the image on whose grid it is sent
    relative: bool = False  # shown without its values, since the truth of the case is hidden

    def token(self) -> str:
        """Return the signed text that stands in an address."""
        rule = self.rule
        return SIGNER.sign_object(
            [
                self.series.hex,
                self.axes.hex,
                self.under.hex if self.under else "",
                [rule.gain, rule.offset, rule.low, rule.high],
                int(self.relative),
            ]
        )


def parse(token: str) -> Request:
    """Return the request of an address; an address that was not made here leads nowhere."""
    try:
        series, axes, under, rule, relative = SIGNER.unsign_object(token)
    except BadSignature:
        raise NotFound("There is no such image.") from None
    return Request(
        uuid.UUID(series),
        uuid.UUID(axes),
        native.LevelRule(*rule),
        uuid.UUID(under) if under else None,
        bool(relative),
    )


def facts_of(series: Series) -> native.ValueFacts:
    """Return what the values of a series are like; measured once."""
    kept = note_of(series, "values")
    if kept.exists():
        read = json.loads(kept.read_text())
        return native.ValueFacts(**{**read, "inside": tuple(read["inside"])})
    facts = native.measure_values(load(series).array)
    write_whole(kept, json.dumps(asdict(facts)).encode())
    return facts


def note_of(series: Series, what: str) -> Path:
    """Return where something found out about the values of a series is kept."""
    folder = _root() / "facts"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{series.sha256}-{what}-{VERSION}.json"


def frame_of(series: Series) -> Matrix:
    """Return the frame along the axes of a series."""
    z, y, x = series.shape
    return native.own_frame((z, y, x), _affine(series))


def placement_of(series: Series, axes: Series) -> native.Placement:
    """Return where a series lies in the axes of another, or in its own."""
    z, y, x = series.shape
    return native.place(
        (z, y, x),
        _affine(series),
        frame_of(axes),
        source_orientation=series.source_orientation,
        own=series.pk == axes.pk,
    )


def _affine(series: Series) -> Matrix:
    return np.asarray(series.affine_lps, dtype=float)


def load(series: Series) -> Volume:
    """Return a series from the store, checked against its checksum.

    Raises
    ------
    DamagedObject
        Gone or changed; put on record, and said with what to do.
    """
    what = "changed"
    try:
        return canonical.load_volume(series)
    except FileNotFoundError:
        what = "gone"
    except (storage.DamagedObject, zstandard.ZstdError):
        pass
    report_damage(name=series.object_name, what=what)
    raise storage.DamagedObject(
        f"The stored image {series.role} of case {series.case.code} is damaged. Restore it from a "
        "backup, or withdraw the case."
    )


def chunk(request: Request, index: int) -> bytes:
    """Return one chunk, compressed with zstd and checked against the checksum of its encoding."""
    series = access_series(request.series)
    cache = Cache(_root() / "levels", settings.VIEWER_CACHE_BYTES)
    name = _name(request, series)
    found = cache.read(name, index)
    if found is None:
        with _only_one(name):  # the browser asks for several chunks at once
            found = cache.read(name, index)
            if found is None:
                cache.store(name, _encode(request, series))
                found = cache.read(name, index)
    if found is None:
        raise NotFound("There is no such image.")
    return found


def _name(request: Request, series: Series) -> str:
    """Name the bytes by everything they depend on."""
    sources = [access_series(pk) for pk in (request.axes, request.under) if pk]
    facts = [
        VERSION,
        series.sha256,
        series.affine_lps,
        series.source_orientation,
        series.pk == request.axes,
        [[one.shape, one.affine_lps, one.source_orientation] for one in sources],
        asdict(request.rule),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _encode(request: Request, series: Series) -> list[bytes]:
    axes = access_series(request.axes)
    own, volume = placement_of(series, axes), load(series)
    if request.under:
        under = placement_of(access_series(request.under), axes)
        levels = native.label_levels(volume, frame_of(axes), own, under)
    else:
        levels = native.image_levels(volume, frame_of(axes), own, request.rule)

    def compressed(part: tuple[int, int]) -> bytes:
        return encoding.compress(encoding.chunk_bytes(levels, part), "zstd", LEVEL)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(compressed, encoding.plan_chunks(levels.shape[0])))


def chunks_of(placement: native.Placement) -> list[list[int]]:
    """Return the slices of each chunk in the order of fetching."""
    shape = frames.plane_geometry(placement.grid, placement.plane)["shape"]
    return [list(part) for part in encoding.plan_chunks(shape[0])]


@contextmanager
def _only_one(name: str) -> Iterator[None]:
    """Let one process or thread encode a series while the others wait for it."""
    folder = _root() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name[:2]).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _root() -> Path:
    return Path(settings.WORK_ROOT) / "viewer"


def as_gzip(packed: bytes) -> bytes:
    """Return a chunk as gzip, for a browser that takes no zstd."""
    return encoding.compress(zstandard.decompress(packed), "gzip")
