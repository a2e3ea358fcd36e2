"""Reading DICOM series: classic and enhanced multi-frame, sorted by position in the patient."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.pixels.processing import apply_modality_lut
from pydicom.pixels.utils import iter_pixels
from pydicom.sequence import Sequence as Items

from readerstudy.imaging import dicom_frames, flags, traits
from readerstudy.imaging.codestreams import check_codestreams, is_lossy
from readerstudy.imaging.dicom_files import check_image, read_header, read_pixels
from readerstudy.imaging.dicom_frames import Frame, frames_of
from readerstudy.imaging.errors import (
    ASK_FOR_COPY,
    MixedSeriesError,
    UnreadableError,
    explained,
)
from readerstudy.imaging.facts import facts_from_dicom, quality_flags_from_dicom
from readerstudy.imaging.geometry import Array, Volume, check_affine, check_size, check_values
from readerstudy.imaging.stacking import stack
from readerstudy.imaging.streams import sha256_of_all

Chosen = Collection[tuple[int, int]]

IMAGE_KEYWORDS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "SegmentationType",
    "SegmentSequence",
    "ModalityLUTSequence",
    *dicom_frames.KEYWORDS,
    *traits.KEYWORDS,
)
HEADER_TAGS: tuple[str | int, ...] = (*IMAGE_KEYWORDS, *traits.PRIVATE_TAGS)
_MOST_HELD_BYTES = 128 * 2**20
_MAX_INTEGRAL_SLOPE, _MAX_INTEGRAL_INTERCEPT = 1_000, 1_000_000


def load_dicom_series(
    paths: Iterable[str | PathLike[str]],
    *,
    frames: Chosen | None = None,
    allow_constant: bool = False,
) -> Volume:
    """Read the files of one DICOM series into one volume.

    Parameters
    ----------
    paths : iterable of str or PathLike
        Files in any order: slices are sorted by their position along the slice normal.
    frames : collection of (int, int), optional
        Which planes to read: number of the file in `paths` and of the frame in it, from 0. All
        when left out.
    allow_constant : bool
        Accept an image whose voxels are all equal.

    Returns
    -------
    Volume
        Integers as stored; rescaled where the file says so, and then floats unless slope and
        intercept are whole numbers.

    Raises
    ------
    ImageError
        Damaged, unsupported (colour, mosaic), without position, several series, orientations or
        shapes in one, repeated positions, missing or unevenly spaced slices.
    """
    given = [Path(path) for path in paths]
    if not given:
        raise UnreadableError("series", "it has no files", "Choose a folder that holds images.")
    folder = given[0].parent if len(given) > 1 else given[0]
    with explained(folder, "DICOM series"):
        wanted = None if frames is None else {(given[file], index) for file, index in frames}
        held = sum(path.stat().st_size for path in given) <= _MOST_HELD_BYTES
        headers = {path: _checked_header(path, held=held) for path in sorted(given)}
        _check_one_series(folder, headers.values())
        planes = [frame for path in headers for frame in _frames(path, headers[path], wanted)]
        return _load(folder, headers, planes, part=frames, allow_constant=allow_constant)


def _checked_header(path: Path, *, held: bool) -> Any:
    """Header of a file; with its pixels, still packed, where all files together are small."""
    header = read_pixels(path) if held else read_header(path, HEADER_TAGS)
    check_image(path, header)
    return header


def _check_one_series(folder: Path, headers: Iterable[Any]) -> None:
    uids = {str(header.get("SeriesInstanceUID", "")) for header in headers}
    if len(uids) > 1:
        reason = f"{len(uids)} series are mixed together"
        raise MixedSeriesError(folder, reason, "Import one series at a time.")


def _frames(path: Path, header: Any, wanted: Collection[tuple[Path, int]] | None) -> list[Frame]:
    with explained(path, "DICOM image"):
        found = frames_of(path, header)
    return [frame for frame in found if wanted is None or (frame.path, frame.index) in wanted]


def _load(
    folder: Path,
    headers: dict[Path, Any],
    frames: list[Frame],
    *,
    part: Chosen | None,
    allow_constant: bool,
) -> Volume:
    if not frames:
        raise UnreadableError(folder, "it does not hold the frames asked for", ASK_FOR_COPY)
    order, affine = stack(folder, [frame.plane for frame in frames])
    check_affine(folder, affine)
    ordered = [frames[index] for index in order]
    array, told = _decode(folder, ordered, headers)
    check_values(folder, array, allow_constant=allow_constant)
    chosen = "" if part is None else " ".join(str(index) for _, index in sorted(part))
    digest = sha256_of_all(list(headers), chosen if any(index for _, index in part or ()) else "")
    return Volume(array, affine, "dicom", _facts(frames[0], headers), digest, told)


def _facts(frame: Frame, headers: dict[Path, Any]) -> Any:
    """Facts of the file of one frame, with the functional groups of that frame."""
    held = headers[frame.path]
    header = held if _has_pixels(held) else read_header(frame.path)
    groups = header.get("PerFrameFunctionalGroupsSequence")
    if groups:
        header.PerFrameFunctionalGroupsSequence = Items([groups[frame.index]])
    return facts_from_dicom(header)


def _decode(
    folder: Path, frames: list[Frame], headers: dict[Path, Any]
) -> tuple[Array, tuple[str, ...]]:
    shape = (frames[0].plane.rows, frames[0].plane.columns)
    dtype = _result_type(frames, headers)
    check_size(folder, (len(frames), *shape), dtype.itemsize)
    array = np.empty((len(frames), *shape), dtype)
    places: dict[Path, list[int]] = {}
    for place, frame in enumerate(frames):
        places.setdefault(frame.path, []).append(place)
    told: set[str] = set()
    for path, members in places.items():
        with explained(path, "DICOM image"):
            chosen = sorted(members, key=lambda place: frames[place].index)
            dataset = _dataset(path, headers[path], shape)
            told |= _flags(dataset)
            pixels = _pixels(path, dataset, shape, [frames[place].index for place in chosen])
            for place, values in zip(chosen, pixels, strict=True):
                _put(array[place], values, frames[place], dataset)
    return array, tuple(sorted(told))


def _result_type(frames: list[Frame], headers: dict[Path, Any]) -> np.dtype[Any]:
    stored = np.result_type(*{_stored_type(headers[frame.path]) for frame in frames})
    if all((frame.slope, frame.intercept) == (1.0, 0.0) for frame in frames):
        return stored
    whole = stored.kind in "iu" and stored.itemsize <= 2 and all(map(_is_integral, frames))
    return np.dtype(np.int32 if whole else np.float64)


def _is_integral(frame: Frame) -> bool:
    return (
        frame.slope.is_integer()
        and frame.intercept.is_integer()
        and abs(frame.slope) <= _MAX_INTEGRAL_SLOPE
        and abs(frame.intercept) <= _MAX_INTEGRAL_INTERCEPT
    )


def _stored_type(header: Any) -> np.dtype[Any]:
    """Type of the pixels; float pixel data have no PixelRepresentation."""
    if header.get("ModalityLUTSequence"):
        return np.dtype(np.uint16)
    size = max(1, int(header.get("BitsAllocated") or 16) // 8)
    signed = header.get("PixelRepresentation")
    kind = "f" if signed is None and size >= 4 else "i" if signed else "u"
    return np.dtype(f"{kind}{size}")


def _dataset(path: Path, header: Any, shape: tuple[int, int]) -> Any:
    dataset = header if _has_pixels(header) else read_pixels(path)
    if not _has_pixels(dataset):
        raise UnreadableError(path, "it holds no pixels", ASK_FOR_COPY)
    check_codestreams(path, dataset, shape)
    return dataset


def _has_pixels(dataset: Any) -> bool:
    return any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))


def _pixels(
    path: Path, dataset: Any, shape: tuple[int, int], indices: Sequence[int]
) -> Iterator[Array]:
    for values in iter_pixels(dataset, indices=indices):
        if values.shape != shape:
            raise UnreadableError(
                path, "its pixels have another size than its header", ASK_FOR_COPY
            )
        yield values


def _put(target: Array, values: Array, frame: Frame, dataset: Any) -> None:
    if dataset.get("ModalityLUTSequence"):
        values = apply_modality_lut(values, dataset)
    if (frame.slope, frame.intercept) == (1.0, 0.0):
        np.copyto(target, values, casting="safe")
    elif target.dtype.kind == "i":
        target[...] = values.astype(target.dtype) * int(frame.slope) + int(frame.intercept)
    else:
        target[...] = values.astype(np.float64) * frame.slope + frame.intercept


def _flags(dataset: Any) -> set[str]:
    told = set(quality_flags_from_dicom(dataset))
    if str(dataset.get("PhotometricInterpretation")) == "MONOCHROME1":
        told.add(flags.MONOCHROME1)
    if str(dataset.get("LossyImageCompression")) == "01" or is_lossy(dataset):
        told.add(flags.LOSSY)
    if dataset.get("PixelPaddingValue"):
        told.add(flags.PADDED)
    return told
