"""Reading grey PNG pictures as single slices, for studies of slice generators.

Only the pixels are read: text, gamma, colour profile, dates and resolution are left behind, and
the values are those that are stored, untouched by any of these.
"""

import io
import zlib
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image

from readerstudy.imaging import flags
from readerstudy.imaging.errors import (
    ASK_FOR_COPY,
    TooLargeError,
    UnreadableError,
    UnsupportedImageError,
    explained,
)
from readerstudy.imaging.frames import Plane, from_plane
from readerstudy.imaging.geometry import Array, Volume, check_values
from readerstudy.imaging.streams import sha256_of

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_SIDE = 4096
_MAX_FILE_BYTES = 128 * 2**20
_NEEDED = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGB_ALPHA = 0, 2, 3, 4, 6
_SAVE_GREY = "Save it as an 8-bit or 16-bit grey PNG without transparency."


def looks_like_png(path: Path) -> bool:
    """Whether the file begins with the PNG signature."""
    with path.open("rb") as stream:
        return stream.read(8) == SIGNATURE


def load_png(
    path: str | PathLike[str], *, allow_constant: bool = False, plane: Plane = "axial"
) -> Volume:
    """Read a grey picture as a volume of one slice.

    Parameters
    ----------
    path : str or PathLike
        8-bit or 16-bit grey; 8-bit RGB or palette whose colours are all grey; alpha only where
        it is opaque throughout. Interlaced or not.
    allow_constant : bool
        Accept a picture whose pixels are all equal.
    plane : {"axial", "coronal", "sagittal"}
        As what the picture is to be looked at: axial with anterior on top, the others with
        superior on top; the patient's right, or anterior, on the left. The file cannot tell.

    Returns
    -------
    Volume
        One voxel thick across the plane (an axial picture has shape (1, rows, columns)), spacing
        1 mm: a picture does not tell its place in the patient.

    Raises
    ------
    ImageError
        Damaged, larger than `MAX_SIDE`, colour, transparent, fewer than 8 bits, or constant.
    """
    file = Path(path)
    with explained(file, "PNG file"):
        array = from_plane(_grey(file)[np.newaxis], plane)
        check_values(file, array, allow_constant=allow_constant)
        facts = {"two_dimensional": True}
        told = (flags.POSITION_UNKNOWN,)
        return Volume(array, np.eye(4), "png", facts, sha256_of(file), told)


def _grey(path: Path) -> Array:
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise TooLargeError(path, "the file is too large for a picture", ASK_FOR_COPY)
    chunks = list(_chunks(path, path.read_bytes()))
    depth, colour = _check_header(path, chunks)
    with Image.open(io.BytesIO(_rebuilt(chunks))) as picture:
        picture.load()
        pixels = np.asarray(picture.convert("RGB") if colour == _PALETTE else picture)
    wanted = np.uint16 if depth == 16 else np.uint8
    return _one_channel(path, pixels).astype(wanted)


def _chunks(path: Path, data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and content of the chunks that hold pixels."""
    if data[:8] != SIGNATURE:
        raise UnreadableError(path, "it does not begin as a PNG file does", ASK_FOR_COPY)
    at = 8
    while at + 12 <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        content = data[at + 8 : at + 8 + length]
        if data[at + 8 + length : at + 12 + length] != _crc(name + content):
            break
        if name in _NEEDED:
            yield name, content
        if name == b"IEND":
            return
        at += 12 + length
    raise UnreadableError(path, "the file ends too early or is damaged", ASK_FOR_COPY)


def _check_header(path: Path, chunks: list[tuple[bytes, bytes]]) -> tuple[int, int]:
    name, header = chunks[0]
    if name != b"IHDR" or len(header) != 13:
        raise UnreadableError(path, "it has no valid PNG header", ASK_FOR_COPY)
    columns, rows = (int.from_bytes(header[at : at + 4], "big") for at in (0, 4))
    if not (0 < columns <= MAX_SIDE and 0 < rows <= MAX_SIDE):
        reason = f"it claims {columns}x{rows} pixels, more than {MAX_SIDE} on a side"
        raise TooLargeError(path, reason, "Crop or down-sample the picture.")
    depth, colour = header[8], header[9]
    if colour in (_GREY, _GREY_ALPHA) and depth < 8:
        raise UnsupportedImageError(path, f"it has only {depth} bits for a grey level", _SAVE_GREY)
    if depth == 16 and colour != _GREY:
        reason = "it holds 16-bit colours or transparency"
        raise UnsupportedImageError(path, reason, _SAVE_GREY)
    return depth, colour


def _rebuilt(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """The same picture without anything that is not pixels."""
    return SIGNATURE + b"".join(
        len(data).to_bytes(4, "big") + name + data + _crc(name + data) for name, data in chunks
    )


def _crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big")


def _one_channel(path: Path, pixels: Array) -> Array:
    if pixels.ndim == 2:
        return pixels
    colours = pixels.shape[2] - (pixels.shape[2] in (2, 4))
    if colours < pixels.shape[2] and (pixels[..., -1] != 255).any():
        raise UnsupportedImageError(path, "it is partly transparent", _SAVE_GREY)
    if (pixels[..., :colours] != pixels[..., :1]).any():
        reason = "it is a colour picture"
        raise UnsupportedImageError(path, reason, "Export the grey values instead of the colours.")
    return np.ascontiguousarray(pixels[..., 0])
