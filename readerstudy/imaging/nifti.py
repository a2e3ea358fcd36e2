"""Reading NIfTI files, with every claim of the header checked before it costs memory."""

import io
from dataclasses import dataclass
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError

from readerstudy.imaging import flags
from readerstudy.imaging.errors import (
    ASK_FOR_COPY,
    OrientationError,
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
from readerstudy.imaging.streams import (
    check_end,
    check_possible,
    opened,
    read_exactly,
    sha256_of_all,
    skip_exactly,
)

_MAX_EXTENSION_BYTES = 64 * 2**20
_UNIT_TO_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_PIXDIM_TOLERANCE = 0.05
_HEADER_STARTS = {
    b"\x5c\x01\x00\x00": 348,
    b"\x00\x00\x01\x5c": 348,
    b"\x1c\x02\x00\x00": 540,
    b"\x00\x00\x02\x1c": 540,
}
_MAGIC_AT = {348: 344, 540: 4}
_TYPE_AT = {348: 70, 540: 12}
_TYPE_CODES = {2, 4, 8, 16, 32, 64, 128, 256, 512, 768, 1024, 1280, 1792, 2304}
_OTHER_TYPE = "Convert them to 16-bit integers or floats."
_MAGICS = (b"n+1", b"ni1", b"n+2", b"ni2")


@dataclass(frozen=True)
class _Opened:
    """A NIfTI header and where its voxels are."""

    header: Any
    shape: tuple[int, int, int]
    body: Path
    offset: int

    @property
    def volume_bytes(self) -> int:
        return int(self.header.get_data_dtype().itemsize) * prod(self.shape)


def looks_like_nifti(path: Path) -> bool:
    """Whether the content, packed or not, begins with a NIfTI header (pairs: the .hdr file)."""
    try:
        with opened(path) as stream:
            start = stream.read(348)
    except (OSError, EOFError):
        return False
    length = _HEADER_STARTS.get(start[:4])
    return length is not None and start[_MAGIC_AT[length] :][:3] in _MAGICS


def looks_like_analyze(path: Path) -> bool:
    """Whether the file is an ANALYZE 7.5 header, which does not tell left from right."""
    with path.open("rb") as stream:
        start = stream.read(349)
    return len(start) == 348 and _HEADER_STARTS.get(start[:4]) == 348 and start[344:347] != b"ni1"


def check_nifti(path: Path) -> None:
    """Check the header of a NIfTI file without reading its voxels.

    Raises
    ------
    ImageError
        Reading the file would fail for what its header says.
    """
    with explained(path, "NIfTI file"):
        _open(path)


def load_nifti(path: str | PathLike[str], *, allow_constant: bool = False) -> Volume:
    """Read a three-dimensional NIfTI-1 or NIfTI-2 file (``.nii``, ``.nii.gz``, ``.hdr``/``.img``).

    Parameters
    ----------
    path : str or PathLike
        The file, or the ``.hdr`` of a pair.
    allow_constant : bool
        Accept an image whose voxels are all equal, as an empty mask is.

    Returns
    -------
    Volume
        Integer values keep their type; values with a slope or intercept are floats. A file
        without orientation gets nibabel's base affine and a flag.

    Raises
    ------
    ImageError
        Damaged, too large, colour, several volumes, crooked orientation, NaN or constant.
    """
    file = Path(path)
    with explained(file, "NIfTI file"):
        image = _open(file)
        affine, told = _affine_lps(file, image.header)
        array = _values(image, _read_body(file, image))
        check_values(file, array, allow_constant=allow_constant)
        digest = sha256_of_all(sorted({file, image.body}))
        return Volume(array, affine, "nifti", {}, digest, told)


def _open(path: Path) -> _Opened:
    with opened(path) as stream:
        header = _read_header(path, stream)
    shape = _shape(path, header)
    itemsize = int(header.get_data_dtype().itemsize)
    check_size(path, shape, 8 if _is_scaled(path, header) else itemsize)
    single = bytes(header["magic"])[:2] == b"n+"
    body = path if single else _partner(path)
    image = _Opened(header, shape, body, int(header["vox_offset"]))
    check_possible(body, image.offset + image.volume_bytes)
    return image


def _read_header(path: Path, stream: BinaryIO) -> Any:
    start = stream.read(348)
    if not start:
        raise TruncatedError(path, "the file is empty", ASK_FOR_COPY)
    length = _HEADER_STARTS.get(start[:4])
    if length is None:
        reason = "it does not begin with a NIfTI header"
        raise UnreadableError(path, reason, "Convert the image to .nii.gz, or leave the file out.")
    start += stream.read(length - 348)
    _check_magic(path, start, length)
    _check_code(path, start, length)
    kind = nib.Nifti1Header if length == 348 else nib.Nifti2Header
    header = kind.from_fileobj(io.BytesIO(start))
    _check_type(path, header)
    _check_offset(path, header)
    return header


def _check_magic(path: Path, start: bytes, length: int) -> None:
    if start[_MAGIC_AT[length] :][:3] in _MAGICS:
        return
    reason = "it is an ANALYZE 7.5 image, which does not say where left is"
    raise UnsupportedImageError(path, reason, "Convert it from its source to .nii.gz.")


def _check_code(path: Path, start: bytes, length: int) -> None:
    order: Literal["little", "big"] = "little" if start[0] else "big"
    code = int.from_bytes(start[_TYPE_AT[length] :][:2], order)
    if code not in _TYPE_CODES:
        reason = f"values of NIfTI type {code} are not read"
        raise UnsupportedImageError(path, reason, _OTHER_TYPE)


def _check_type(path: Path, header: Any) -> None:
    dtype = header.get_data_dtype()
    if dtype.kind == "V":
        advice = "Export the grey values instead of the coloured picture."
        raise UnsupportedImageError(path, "it holds colours", advice)
    if dtype.kind == "c":
        advice = "Save the magnitude (or the phase) as its own file."
        raise UnsupportedImageError(path, "it holds complex numbers", advice)


def _check_offset(path: Path, header: Any) -> None:
    single = bytes(header["magic"])[:2] == b"n+"
    least = int(header["sizeof_hdr"]) if single else 0
    if not least <= float(header["vox_offset"]) <= _MAX_EXTENSION_BYTES:
        reason = "its header points outside the file for the voxel data"
        raise UnreadableError(path, reason, ASK_FOR_COPY)


def _partner(path: Path) -> Path:
    """The .img file of a .hdr file; either may be packed and written in capitals."""
    stem = path.name[: -len(".gz")] if path.name.lower().endswith(".gz") else path.name
    wanted = {f"{Path(stem).stem}{suffix}".lower() for suffix in (".img", ".img.gz")}
    for other in sorted(path.parent.iterdir()):
        if other.name.lower() in wanted and other.is_file() and not other.is_symlink():
            return other
    reason = "it is half of a pair of files: the .img file is not beside it"
    raise UnreadableError(path, reason, "Put the .hdr and the .img file into one folder.")


def _shape(path: Path, header: Any) -> tuple[int, int, int]:
    count = int(header["dim"][0])
    dims = [int(length) for length in header["dim"][1 : count + 1]]
    if not dims or min(dims) < 1:
        raise UnreadableError(path, "its header gives no valid image size", ASK_FOR_COPY)
    dims += [1] * (3 - len(dims))
    volumes = prod(dims[3:])
    if volumes > 1:
        reason = f"it holds {volumes} volumes (time points, echoes or directions), not one"
        raise UnsupportedImageError(path, reason, "Save the volume to be shown as its own file.")
    return dims[0], dims[1], dims[2]


def _read_body(path: Path, image: _Opened) -> bytearray:
    with opened(image.body) as stream:
        skip_exactly(path, stream, image.offset)
        body = read_exactly(path, stream, image.volume_bytes)
        check_end(path, stream)
        return body


def _values(image: _Opened, body: bytearray) -> Array:
    stored = image.header.get_data_dtype()
    flat = np.frombuffer(body, dtype=stored).astype(stored.newbyteorder("="), copy=False)
    if _is_scaled(image.body, image.header):
        slope, intercept = image.header.get_slope_inter()
        flat = flat.astype(np.float64) * slope + intercept
    return cast(Array, flat.reshape(image.shape[::-1]))


def _is_scaled(path: Path, header: Any) -> bool:
    try:
        return header.get_slope_inter() not in {(None, None), (1.0, 0.0)}
    except HeaderDataError as error:
        reason = "its slope and intercept make no sense together"
        raise UnreadableError(path, reason, "Convert the image again from its source.") from error


def _affine_lps(path: Path, header: Any) -> tuple[Matrix, tuple[str, ...]]:
    """Nibabel's choice: the sform where it is set, else the qform, else the base affine."""
    unknown = not int(header["sform_code"]) and not int(header["qform_code"])
    scale = _UNIT_TO_MM.get(int(header["xyzt_units"]) & 7, 1.0)
    affine = _RAS_TO_LPS @ np.asarray(header.get_best_affine(), dtype=np.float64)
    affine[:3] *= scale
    pixdim = np.asarray(header["pixdim"][1:4], dtype=np.float64) * scale
    if int(header["dim"][0]) < 3 and not affine[:3, 2].any():
        affine[:3, 2], pixdim[2] = _across(affine), 1.0
    check_affine(path, affine)
    _check_pixdim(path, affine, pixdim)
    return affine, (flags.POSITION_UNKNOWN,) if unknown else ()


def _across(affine: Matrix) -> Matrix:
    """Unit vector across a single slice whose header gives it no thickness."""
    normal: Matrix = np.cross(affine[:3, 0], affine[:3, 1])
    length = np.linalg.norm(normal)
    return normal / length if length > 0 else normal


def _check_pixdim(path: Path, affine: Matrix, pixdim: Matrix) -> None:
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    if (np.abs(spacing - np.abs(pixdim)) > _PIXDIM_TOLERANCE * spacing).any():
        listed = [", ".join(f"{value:.3g}" for value in sizes) for sizes in (spacing, pixdim)]
        reason = (
            f"wrong orientation matrix: it says voxels of {listed[0]} mm, "
            f"but the voxel sizes in the header are {listed[1]} mm"
        )
        raise OrientationError(path, reason, "Convert the image again from its source.")
