"""Reading FreeSurfer's MGH and MGZ files."""

import io
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, cast

import nibabel as nib
import numpy as np

from readerstudy.imaging import flags
from readerstudy.imaging.errors import (
    ASK_FOR_COPY,
    TruncatedError,
    UnreadableError,
    UnsupportedImageError,
    explained,
)
from readerstudy.imaging.geometry import (
    Array,
    Matrix,
    Volume,
    check_affine,
    check_size,
    check_values,
)
from readerstudy.imaging.streams import check_possible, opened, read_exactly, sha256_of

_HEADER_BYTES = 284
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def load_mgh(path: str | PathLike[str], *, allow_constant: bool = False) -> Volume:
    """Read a three-dimensional ``.mgh`` or ``.mgz`` file.

    Parameters
    ----------
    path : str or PathLike
    allow_constant : bool
        Accept an image whose voxels are all equal.

    Returns
    -------
    Volume
        Values as stored. What follows the voxels (recordings, colour table, names) is not read.

    Raises
    ------
    ImageError
        Damaged, too large, several frames, no usable orientation, infinite or constant.
    """
    file = Path(path)
    with explained(file, "MGH file"):
        with opened(file) as stream:
            header = _read_header(file, stream)
            shape = _shape(file, header)
            dtype = header.get_data_dtype()
            size = int(np.prod(shape)) * dtype.itemsize
            check_size(file, shape, dtype.itemsize)
            check_possible(file, _HEADER_BYTES + size)
            body = read_exactly(file, stream, size)
        affine, told = _affine_lps(file, header)
        array = _values(body, dtype, shape)
        check_values(file, array, allow_constant=allow_constant)
        return Volume(array, affine, "mgh", {}, sha256_of(file), told)


def _read_header(path: Path, stream: BinaryIO) -> Any:
    start = stream.read(_HEADER_BYTES)
    if len(start) < _HEADER_BYTES:
        raise TruncatedError(path, "the file is shorter than its header", ASK_FOR_COPY)
    if start[:4] != b"\x00\x00\x00\x01":
        raise UnreadableError(path, "it does not begin with an MGH header", ASK_FOR_COPY)
    return nib.freesurfer.mghformat.MGHHeader.from_fileobj(io.BytesIO(start))


def _shape(path: Path, header: Any) -> tuple[int, int, int]:
    x, y, z, frames = (int(length) for length in header["dims"])
    if min(x, y, z, frames) < 1:
        raise UnreadableError(path, "its header gives no valid image size", ASK_FOR_COPY)
    if frames > 1:
        reason = f"it holds {frames} volumes, not one"
        raise UnsupportedImageError(path, reason, "Save the volume to be shown as its own file.")
    return x, y, z


def _affine_lps(path: Path, header: Any) -> tuple[Matrix, tuple[str, ...]]:
    affine = _RAS_TO_LPS @ np.asarray(header.get_affine(), dtype=np.float64)
    check_affine(path, affine)
    return affine, () if int(header["goodRASFlag"]) == 1 else (flags.POSITION_UNKNOWN,)


def _values(body: bytearray, dtype: Any, shape: tuple[int, int, int]) -> Array:
    flat = np.frombuffer(body, dtype=dtype).astype(dtype.newbyteorder("="), copy=False)
    return cast(Array, flat.reshape(shape[::-1]))
