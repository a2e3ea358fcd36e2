"""From voxel values to the bytes that reach a reader's browser.

Everything here exists so that no property of a blob, be it grey levels, background, size or
header, differs between real and synthetic images. See docs/algorithms/canonical-images.md.
"""

import gzip
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import zstandard
from numpy.typing import NDArray

from readerstudy.imaging.windowing import percentile_window

Encoding = Literal["zstd", "gzip"]

# gzip serves the few browsers without zstd: level 1 costs 2.5 % of length and half the time of 6.
DEFAULT_LEVELS: dict[Encoding, int] = {"zstd": 9, "gzip": 1}

_ZSTD_WINDOW_LOG = 23
_ZSTD_MAX_LEVEL = 19
_SKIPPABLE_MAGIC = 0x184D2A50
_SKIPPABLE_HEADER = 8
_GZIP_EMPTY = 22
_GZIP_MAX_EXTRA = 65_535
_BUCKET = 1024


@dataclass(frozen=True)
class DisplayRule:
    """How voxel values become display levels. Stored by version with every study.

    Attributes
    ----------
    version : int
        Grows with every change of the rule or of `encode_display`.
    low_percentile, high_percentile : float
        Percentiles inside the mask that map to `low_level` and `high_level`. They lie within the
        bulk of the tissue, so that a few bright vessels do not decide how dark the brain is.
    low_level, high_level : int
        Levels of the two percentiles.
    minimum, maximum : int
        Levels inside the mask are clipped to this range.
    background : int
        Level outside the mask.
    """

    version: int = 2
    low_percentile: float = 10.0
    high_percentile: float = 90.0
    low_level: int = 400
    high_level: int = 1200
    minimum: int = 1
    maximum: int = 4095
    background: int = 0


DISPLAY_RULE = DisplayRule()


def encode_display(
    array: NDArray[Any],
    mask: NDArray[np.bool_],
    *,
    quantum: float,
    seed: int,
    rule: DisplayRule = DISPLAY_RULE,
) -> NDArray[np.int16]:
    """Map a canonical volume to display levels.

    Parameters
    ----------
    array : ndarray, shape (z, y, x)
        Finite values.
    mask : ndarray of bool, shape (z, y, x)
        Foreground; everything else becomes exactly `rule.background`.
    quantum : float
        Coarsest `source_quantum` of all images of the study, in levels; the same for all. Below
        the image's own quantum it counts as that.
    seed : int
        Of the dither, one per image.

    Returns
    -------
    ndarray of int16, shape (z, y, x)
        Inside the mask `rule.minimum` to `rule.maximum`, C order.

    Raises
    ------
    ValueError
        Empty mask, or no contrast inside it.

    Notes
    -----
    Uniform noise as wide as the image's own step q0 turns its comb of grey levels into an even
    density (Schuchman 1964; Lipshitz et al. 1992, J Audio Eng Soc 40:355). A second uniform noise
    of width sqrt(2 (quantum^2 - q0^2)) brings rounding at the source (q0^2 / 12) plus dither to
    the same variance, quantum^2 / 6, in every image of the study.
    """
    low, high = percentile_window(array, mask, (rule.low_percentile, rule.high_percentile))
    scale = _levels_per_unit(low, high, rule)
    levels = (array[mask].astype(np.float64) - low) * scale
    levels = _dithered(levels, grey_step(array, mask) * scale, quantum, seed)
    encoded = np.full(array.shape, rule.background, dtype=np.int16)
    encoded[mask] = np.clip(np.rint(levels + rule.low_level), rule.minimum, rule.maximum)
    return encoded


@dataclass(frozen=True)
class LinearRule:
    """The same linear map from values to levels for every image of a study.

    Attributes
    ----------
    low, high : float
        Values, in the unit of the images, that become level 0 and level `top`.
    top : int
        Highest level.
    """

    low: float
    high: float
    top: int = 4095

    @property
    def slope(self) -> float:
        """Units of one level: value = slope * level + low."""
        return (self.high - self.low) / self.top


def encode_linear(
    array: NDArray[Any],
    mask: NDArray[np.bool_],
    *,
    rule: LinearRule,
    quantum: float | None,
    seed: int,
) -> tuple[NDArray[np.int16], int]:
    """Map a canonical volume to levels by a map that the study fixes.

    Parameters
    ----------
    array : ndarray, shape (z, y, x)
        Finite values.
    mask : ndarray of bool, shape (z, y, x)
        Foreground; everything else becomes level 0.
    rule : LinearRule
    quantum : float or None
        As for `encode_display`. None where all images of the study have the same grey levels, so
        that their combs tell nothing: no dither, every value to the nearest level.
    seed : int
        Of the dither, one per image.

    Returns
    -------
    encoded : ndarray of int16, shape (z, y, x)
        0 to `rule.top`, C order.
    clipped : int
        Foreground voxels outside the range of the rule.
    """
    values = array[mask].astype(np.float64)
    clipped = int(((values < rule.low) | (values > rule.high)).sum())
    levels = (values - rule.low) / rule.slope
    if quantum is not None:
        levels = _dithered(levels, grey_step(array, mask) / rule.slope, quantum, seed)
    encoded = np.zeros(array.shape, dtype=np.int16)
    encoded[mask] = np.clip(np.rint(levels), 0, rule.top)
    return encoded, clipped


def _dithered(
    levels: NDArray[np.float64], own: float, quantum: float, seed: int
) -> NDArray[np.float64]:
    random = np.random.default_rng(seed)
    for width in (own, np.sqrt(2 * max(0.0, quantum**2 - own**2))):
        levels += width * (random.random(levels.size) - 0.5)
    return levels


def source_quantum(
    array: NDArray[Any], mask: NDArray[np.bool_], *, rule: DisplayRule = DISPLAY_RULE
) -> float:
    """Step between the grey levels of an image, in display levels.

    Parameters
    ----------
    array, mask : ndarray, shape (z, y, x)
    rule : DisplayRule

    Returns
    -------
    float
        800 / (number of grey levels between the two percentiles); 0 where values form a
        continuum.
    """
    return grey_step(array, mask) * levels_per_unit(array, mask, rule=rule)


def levels_per_unit(
    array: NDArray[Any], mask: NDArray[np.bool_], *, rule: DisplayRule = DISPLAY_RULE
) -> float:
    """Display levels of one unit of an image's values.

    Raises
    ------
    ValueError
        Empty mask, or no contrast inside it.
    """
    low, high = percentile_window(array, mask, (rule.low_percentile, rule.high_percentile))
    return _levels_per_unit(low, high, rule)


def grey_step(array: NDArray[Any], mask: NDArray[np.bool_]) -> float:
    """Step between the grey levels of an image, in its own unit.

    Parameters
    ----------
    array, mask : ndarray, shape (z, y, x)
        The mask is not empty.

    Returns
    -------
    float
        0 where values form a continuum, that is where fewer than half of the voxels share their
        value with another in their slice. The median over up to nine slices, since some scanners
        scale each slice differently.
    """
    filled = np.flatnonzero(mask.any(axis=(1, 2)))
    chosen = np.unique(filled[np.linspace(0, filled.size - 1, 9).round().astype(int)])
    steps = [_step(array[z][mask[z]]) for z in chosen]
    return float(np.median(steps))


def _step(values: NDArray[Any]) -> float:
    levels, counts = np.unique(values, return_counts=True)
    shared = levels[counts > 1].astype(np.float64)
    if shared.size < 2 or counts[counts > 1].sum() < 0.5 * values.size:
        return 0.0
    return float(np.percentile(np.diff(shared), 5))


def _levels_per_unit(low: float, high: float, rule: DisplayRule) -> float:
    return (rule.high_level - rule.low_level) / (high - low)


def plan_chunks(nz: int, first: int = 1, size: int = 16) -> list[tuple[int, int]]:
    """Cut a stack into chunks, from the centre outwards.

    Parameters
    ----------
    nz : int
        Number of slices, at least 1.
    first : int
        Slices of the first pack, in the centre.
    size : int
        Largest number of slices of the other chunks.

    Returns
    -------
    list of tuple of int
        Half-open (z0, z1). The first pack, then alternately above and below it; every slice
        exactly once.
    """
    if min(nz, first, size) < 1:
        raise ValueError("Slices and chunk sizes must be at least 1.")
    low = max(0, (nz - first) // 2)
    high = min(nz, low + first)
    chunks = [(low, high)]
    while low > 0 or high < nz:
        if high < nz:
            chunks.append((high, min(nz, high + size)))
            high = chunks[-1][1]
        if low > 0:
            chunks.append((max(0, low - size), low))
            low = chunks[-1][0]
    return chunks


def chunk_bytes(encoded: NDArray[np.int16], chunk: tuple[int, int]) -> bytes:
    """Slices z0 to z1 as header-less little-endian int16 in C order (z, y, x)."""
    return encoded[chunk[0] : chunk[1]].astype("<i2").tobytes()


def compress(data: bytes, encoding: Encoding, level: int | None = None) -> bytes:
    """Compress a chunk for ``Content-Encoding``.

    Parameters
    ----------
    data : bytes
    encoding : {"zstd", "gzip"}
    level : int, optional
        `DEFAULT_LEVELS` when left out; zstd up to 19.

    Returns
    -------
    bytes
        Without file name and time. The zstd window stays within the 8 MiB that browsers accept
        (RFC 9659); a checksum is included.
    """
    level = DEFAULT_LEVELS[encoding] if level is None else level
    if encoding == "gzip":
        return gzip.compress(data, compresslevel=level, mtime=0)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        min(level, _ZSTD_MAX_LEVEL), source_size=len(data), write_checksum=True
    )
    return zstandard.ZstdCompressor(compression_params=parameters).compress(data)


def bucket_length(lengths: Iterable[int]) -> int:
    """Length to which all blobs of one chunk number and encoding are padded.

    Parameters
    ----------
    lengths : iterable of int
        Lengths of the compressed blobs of all images of the study.

    Returns
    -------
    int
        Multiple of 1024 that leaves room for the smallest padding after the longest blob.
    """
    longest = max(lengths)
    return -(-(longest + _GZIP_EMPTY) // _BUCKET) * _BUCKET


def pad(blob: bytes, encoding: Encoding, length: int) -> bytes:
    """Lengthen a compressed blob without changing what it decodes to.

    Parameters
    ----------
    blob : bytes
        Result of `compress`.
    encoding : {"zstd", "gzip"}
    length : int
        Exact length of the result, as from `bucket_length`.

    Returns
    -------
    bytes
        zstd: followed by a skippable frame (RFC 8878, 3.1.2). gzip: followed by empty members
        (RFC 1952, 2.2) whose extra field takes up the length.

    Raises
    ------
    ValueError
        The length leaves no room for the smallest padding.
    """
    room = length - len(blob)
    smallest = _SKIPPABLE_HEADER if encoding == "zstd" else _GZIP_EMPTY
    if room == 0:
        return blob
    if room < smallest:
        raise ValueError(
            f"A blob of {len(blob)} bytes cannot be padded to {length}: padding needs at least "
            f"{smallest} bytes. Choose the length with bucket_length."
        )
    if encoding == "zstd":
        size = room - _SKIPPABLE_HEADER
        return blob + struct.pack("<II", _SKIPPABLE_MAGIC, size) + bytes(size)
    return blob + b"".join(_empty_member(size) for size in _member_sizes(room))


def _member_sizes(room: int) -> Iterable[int]:
    while room > 0:
        size = min(room, _GZIP_EMPTY + _GZIP_MAX_EXTRA)
        if 0 < room - size < _GZIP_EMPTY:
            size -= _GZIP_EMPTY
        yield size
        room -= size


def _empty_member(size: int) -> bytes:
    extra = size - _GZIP_EMPTY
    header = b"\x1f\x8b\x08\x04" + bytes(4) + b"\x00\xff"
    body = zlib.compress(b"", wbits=-zlib.MAX_WBITS)
    return header + struct.pack("<H", extra) + bytes(extra) + body + bytes(8)
