"""Small pictures for the coordinator's list of cases."""

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.frames import plane_of, to_plane
from readerstudy.imaging.masks import foreground
from readerstudy.imaging.windowing import percentile_window


def png_thumbnail(
    array: NDArray[Any],
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    *,
    size: int = 96,
) -> bytes:
    """Middle axial slice as an 8-bit grey PNG; a single slice of another plane as it is looked at.

    Parameters
    ----------
    array : ndarray, shape (z, y, x)
        Canonical order: the picture is in radiological convention.
    spacing_mm : tuple of float
        Along (z, y, x); pixels of the picture are square.
    size : int
        Width and height of the picture in pixels; the slice is fitted in and padded with black.

    Returns
    -------
    bytes
        PNG without any text or time chunk.
    """
    plane = plane_of(array.shape)
    stack = to_plane(array, plane)
    middle = np.asarray(stack[len(stack) // 2], dtype=np.float64)
    z, y, x = spacing_mm
    pixel = {"axial": (y, x), "coronal": (z, x), "sagittal": (z, y)}[plane]
    low, high = _window(array)
    grey = np.clip((middle - low) / (high - low), 0, 1) * 255
    return encode_png(_fit(grey.round().astype(np.uint8), pixel, size))


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode a grey picture of shape (rows, columns) as PNG (ISO/IEC 15948)."""
    rows, columns = pixels.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    lines = b"".join(b"\x00" + pixels[row].tobytes() for row in range(rows))
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _window(array: NDArray[Any]) -> tuple[float, float]:
    try:
        return percentile_window(array, foreground(array), (0.5, 99.5))
    except ValueError:
        low = float(array.min())
        return low, max(float(array.max()), low + 1.0)


def _fit(
    picture: NDArray[np.uint8], spacing_mm: tuple[float, float], size: int
) -> NDArray[np.uint8]:
    rows, columns = picture.shape
    height, width = rows * spacing_mm[0], columns * spacing_mm[1]
    scale = size / max(height, width)
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    small = _average(_average(picture.astype(np.float64), shape[0]).T, shape[1]).T
    out = np.zeros((size, size), dtype=np.uint8)
    top, left = (size - shape[0]) // 2, (size - shape[1]) // 2
    out[top : top + shape[0], left : left + shape[1]] = small.round()
    return out


def _average(picture: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """Resize the first axis by averaging over each new pixel's extent."""
    edges = np.linspace(0, picture.shape[0], rows + 1)
    sums = np.vstack([np.zeros(picture.shape[1]), np.cumsum(picture, axis=0)])
    positions = np.arange(picture.shape[0] + 1)
    below = np.floor(edges).astype(int)
    above = np.minimum(below + 1, positions[-1])
    part = (edges - below)[:, None]
    totals = sums[below] * (1 - part) + sums[above] * part
    averaged: NDArray[np.float64] = np.diff(totals, axis=0) / np.diff(edges)[:, None]
    return averaged
