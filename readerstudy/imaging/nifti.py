"""Reading NIfTI files, with every claim of the header checked before it costs memory."""

import gzip
import hashlib
import io
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, cast

import nibabel as nib
import numpy as np

from readerstudy.imaging.errors import (
    ASK_FOR_COPY,
    OrientationError,
    TooLargeError,
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

_BLOCK = 2**20
_MAX_EXTENSION_BYTES = 64 * 2**20
_MAX_TRAILING_BYTES = 2**20
_MAX_DEFLATE_RATIO = 1032
_UNIT_TO_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_PIXDIM_TOLERANCE = 0.05


def load_nifti(path: str | PathLike[str], *, allow_constant: bool = False) -> Volume:
    """Read a three-dimensional NIfTI-1 or NIfTI-2 file (``.nii``, ``.nii.gz``).

    Parameters
    ----------
    path : str or PathLike
    allow_constant : bool
        Accept an image whose voxels are all equal, as an empty mask is.

    Returns
    -------
    Volume
        Integer values keep their type; values with a slope or intercept are floats.

    Raises
    ------
    ImageError
        Damaged, too large, colour, several volumes, no usable orientation, NaN or constant.
    """
    file = Path(path)
    with explained(file, "NIfTI file"):
        header, body = _read(file)
        affine = _affine_lps(file, header)
        array = _values(header, body)
        check_values(file, array, allow_constant=allow_constant)
        return Volume(array, affine, "nifti", {}, sha256_of(file))


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read(path: Path) -> tuple[Any, bytearray]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file
        header, skipped = _read_header(path, stream)
        needed = _data_bytes(path, header)
        _check_possible(path, skipped + needed, packed)
        offset = int(header["vox_offset"])
        _read_exactly(path, stream, offset - skipped)
        body = _read_exactly(path, stream, needed)
        _check_end(path, stream)
        return header, body


def _read_header(path: Path, stream: BinaryIO) -> tuple[Any, int]:
    start = stream.read(348)
    if not start:
        raise TruncatedError(path, "the file is empty", ASK_FOR_COPY)
    if start[:4] in (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c"):
        start += stream.read(540 - 348)
        header = nib.Nifti2Header.from_fileobj(io.BytesIO(start))
    elif start[:4] in (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c"):
        header = nib.Nifti1Header.from_fileobj(io.BytesIO(start))
    else:
        reason = "it does not begin with a NIfTI header"
        raise UnreadableError(path, reason, "Convert the image to .nii.gz, or leave the file out.")
    _check_header(path, header)
    return header, len(start)


def _check_header(path: Path, header: Any) -> None:
    if bytes(header["magic"])[:2] != b"n+":
        reason = "it is half of a pair of files (.hdr and .img)"
        raise UnsupportedImageError(path, reason, "Convert the pair to one .nii.gz file.")
    kind, itemsize = header.get_data_dtype().kind, header.get_data_dtype().itemsize
    if kind == "V":
        advice = "Export the grey values instead of the coloured picture."
        raise UnsupportedImageError(path, "it holds colours", advice)
    if kind not in "iuf" or itemsize > 8:
        reason = f"values of type {header.get_data_dtype()} are not read"
        raise UnsupportedImageError(path, reason, "Convert them to 16-bit integers or floats.")
    offset = float(header["vox_offset"])
    if not int(header["sizeof_hdr"]) <= offset <= _MAX_EXTENSION_BYTES:
        reason = "its header points outside the file for the voxel data"
        raise UnreadableError(path, reason, ASK_FOR_COPY)


def _data_bytes(path: Path, header: Any) -> int:
    shape = _shape(path, header)
    itemsize = int(header.get_data_dtype().itemsize)
    check_size(path, shape, 8 if _is_scaled(header) else itemsize)
    return itemsize * shape[0] * shape[1] * shape[2]


def _shape(path: Path, header: Any) -> tuple[int, int, int]:
    count = int(header["dim"][0])
    dims = [int(length) for length in header["dim"][1 : count + 1]]
    if not dims or min(dims) < 1:
        raise UnreadableError(path, "its header gives no valid image size", ASK_FOR_COPY)
    dims += [1] * (3 - len(dims))
    volumes = 1
    for length in dims[3:]:
        volumes *= length
    if volumes > 1:
        reason = f"it holds {volumes} volumes (time points, echoes or directions), not one"
        raise UnsupportedImageError(path, reason, "Save the volume to be shown as its own file.")
    return dims[0], dims[1], dims[2]


def _check_possible(path: Path, needed: int, packed: bool) -> None:
    available = path.stat().st_size * (_MAX_DEFLATE_RATIO if packed else 1)
    if needed > available:
        raise _too_short(path)


def _read_exactly(path: Path, stream: BinaryIO, count: int) -> bytearray:
    data = bytearray()
    while len(data) < count:
        block = stream.read(min(_BLOCK, count - len(data)))
        if not block:
            raise _too_short(path)
        data += block
    return data


def _too_short(path: Path) -> TruncatedError:
    return TruncatedError(path, "the file is shorter than its header says", ASK_FOR_COPY)


def _check_end(path: Path, stream: BinaryIO) -> None:
    extra = 0
    while block := stream.read(_BLOCK):
        extra += len(block)
        if extra > _MAX_TRAILING_BYTES:
            reason = "it holds more data than its header says"
            raise TooLargeError(path, reason, ASK_FOR_COPY)


def _values(header: Any, body: bytearray) -> Array:
    stored = header.get_data_dtype()
    shape = tuple(int(length) for length in header.get_data_shape()[:3])
    shape += (1,) * (3 - len(shape))
    flat = np.frombuffer(body, dtype=stored).astype(stored.newbyteorder("="), copy=False)
    if _is_scaled(header):
        slope, intercept = header.get_slope_inter()
        flat = flat.astype(np.float64) * slope + intercept
    return cast(Array, flat.reshape(shape[::-1]))


def _is_scaled(header: Any) -> bool:
    return header.get_slope_inter() not in {(None, None), (1.0, 0.0)}


def _affine_lps(path: Path, header: Any) -> Matrix:
    if not int(header["sform_code"]) and not int(header["qform_code"]):
        reason = "wrong orientation matrix: neither sform nor qform is set, so left is unknown"
        advice = "Convert the image again from its source with the orientation kept."
        raise OrientationError(path, reason, advice)
    scale = _UNIT_TO_MM.get(int(header["xyzt_units"]) & 7, 1.0)
    affine = _RAS_TO_LPS @ np.asarray(header.get_best_affine(), dtype=np.float64)
    affine[:3] *= scale
    check_affine(path, affine)
    _check_pixdim(path, affine, np.asarray(header["pixdim"][1:4], dtype=np.float64) * scale)
    return affine


def _check_pixdim(path: Path, affine: Matrix, pixdim: Matrix) -> None:
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if (np.abs(spacing - np.abs(pixdim)) > _PIXDIM_TOLERANCE * spacing).any():
        listed = [", ".join(f"{value:.3g}" for value in sizes) for sizes in (spacing, pixdim)]
        reason = (
            f"wrong orientation matrix: it says voxels of {listed[0]} mm, "
            f"but the voxel sizes in the header are {listed[1]} mm"
        )
        raise OrientationError(path, reason, "Convert the image again from its source.")
