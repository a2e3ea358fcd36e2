"""Reading DICOM series: classic and enhanced multi-frame, sorted by position in the patient."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from readerstudy.imaging.codestreams import check_codestreams
from readerstudy.imaging.errors import (
    ASK_FOR_COPY,
    MixedSeriesError,
    NotAnImageError,
    OrientationError,
    UnreadableError,
    UnsupportedImageError,
    explained,
)
from readerstudy.imaging.facts import facts_from_dicom
from readerstudy.imaging.geometry import (
    Array,
    Matrix,
    Volume,
    check_affine,
    check_size,
    check_values,
)
from readerstudy.imaging.nifti import sha256_of
from readerstudy.imaging.stacking import Plane, stack

# pydicom logs the values it finds invalid, and these may be names.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

_POSITION_ADVICE = "Export the original slices; screen shots and reformats often lose positions."


@dataclass(frozen=True)
class _Frame:
    """Where one plane's pixels are and how they are rescaled."""

    path: Path
    index: int
    slope: float
    intercept: float


def load_dicom_series(
    paths: Iterable[str | PathLike[str]], *, allow_constant: bool = False
) -> Volume:
    """Read the files of one DICOM series into one volume.

    Parameters
    ----------
    paths : iterable of str or PathLike
        Files in any order: slices are sorted by their position along the slice normal.
    allow_constant : bool
        Accept an image whose voxels are all equal.

    Returns
    -------
    Volume
        Integers as stored, or floats where a rescale slope or intercept applies.

    Raises
    ------
    ImageError
        Damaged, unsupported (colour, mosaic, segmentation), without position, several series,
        orientations or shapes in one, repeated positions, missing or unevenly spaced slices.
    """
    files = sorted(Path(path) for path in paths)
    if not files:
        raise UnreadableError("series", "it has no files", "Choose a folder that holds images.")
    folder = files[0].parent if len(files) > 1 else files[0]
    with explained(folder, "DICOM series"):
        headers = [(file, read_header(file)) for file in files]
        _check_one_series(folder, headers)
        return _load(folder, headers, allow_constant)


def read_header(path: Path, keywords: Sequence[str] | None = None) -> Any:
    """Header of one DICOM file, without its pixels.

    Raises
    ------
    ImageError
        Not DICOM, damaged, or deflated (whose unpacked size cannot be checked beforehand).
    """
    with explained(path, "DICOM file"):
        return _read(path, keywords=keywords, pixels=False)


def looks_like_dicom(path: Path) -> bool:
    """Whether the first bytes are those of a DICOM file, with or without a preamble."""
    with path.open("rb") as stream:
        start = stream.read(132)
    return start[128:] == b"DICM" or _starts_bare(start)


def _starts_bare(start: bytes) -> bool:
    return len(start) == 132 and start[:2] == b"\x08\x00" and start[3:4] == b"\x00"


def _read(path: Path, *, keywords: Sequence[str] | None, pixels: bool) -> Any:
    with path.open("rb") as stream:
        start = stream.read(132)
    if start[128:] == b"DICM":
        meta = pydicom.filereader.read_file_meta_info(path)
        if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
            reason = "it is stored in the deflated transfer syntax, which is not read"
            raise UnsupportedImageError(path, reason, "Export it uncompressed.")
    elif not _starts_bare(start):
        raise UnreadableError(path, "it is not a DICOM file", "Leave it out of the folder.")
    tags = list(keywords) if keywords is not None else None
    dataset = pydicom.dcmread(path, stop_before_pixels=not pixels, specific_tags=tags, force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return dataset


def _check_one_series(folder: Path, headers: list[tuple[Path, Any]]) -> None:
    uids = {str(header.get("SeriesInstanceUID", "")) for _, header in headers}
    if len(uids) > 1:
        reason = f"{len(uids)} series are mixed together"
        raise MixedSeriesError(folder, reason, "Import one series at a time.")


def _load(folder: Path, headers: list[tuple[Path, Any]], allow_constant: bool) -> Volume:
    frames: list[_Frame] = []
    planes: list[Plane] = []
    for path, header in headers:
        with explained(path, "DICOM image"):
            check_image(path, header)
            for frame, plane in _frames(path, header):
                frames.append(frame)
                planes.append(plane)
    order, affine = stack(folder, planes)
    check_affine(folder, affine)
    ordered = [frames[index] for index in order]
    array = _decode(folder, ordered, (planes[0].rows, planes[0].columns))
    check_values(folder, array, allow_constant=allow_constant)
    facts = facts_from_dicom(headers[0][1])
    return Volume(array, affine, "dicom", facts, _series_sha256([path for path, _ in headers]))


def check_image(path: Path, header: Any) -> None:
    """Refuse DICOM objects whose pixels are not one grey-level image per plane.

    Raises
    ------
    UnsupportedImageError
    """
    if not header.get("Rows") or not header.get("Columns"):
        reason = f"it is not an image but {sop_class_name(header)}"
        raise NotAnImageError(path, reason, "Leave it out of the folder.")
    reason, advice = _why_not(header)
    if reason:
        raise UnsupportedImageError(path, reason, advice)


def _why_not(header: Any) -> tuple[str, str]:
    image_type = [str(value) for value in _values(header.get("ImageType"))]
    photometric = str(header.get("PhotometricInterpretation") or "MONOCHROME2")
    faults = (
        (
            "MOSAIC" in image_type,
            "it is a Siemens mosaic: all slices tiled in one picture",
            "Convert it to NIfTI with dcm2niix, and import the NIfTI file.",
        ),
        (
            int(header.get("SamplesPerPixel") or 1) != 1,
            "it is a colour picture",
            "Export the grey values instead of the coloured picture.",
        ),
        (
            photometric != "MONOCHROME2",
            "its grey scale is inverted or uses a palette",
            "Export it as MONOCHROME2.",
        ),
        (
            int(header.get("BitsAllocated") or 0) == 1,
            "it is a DICOM segmentation",
            "Export the mask as NIfTI.",
        ),
        (
            bool(header.get("ModalityLUTSequence")),
            "its values are coded by a look-up table",
            "Export it with plain values.",
        ),
    )
    return next(((reason, advice) for wrong, reason, advice in faults if wrong), ("", ""))


def sop_class_name(header: Any) -> str:
    """Plain name of the kind of DICOM object, such as "MR Image Storage"."""
    uid = header.get("SOPClassUID")
    name = str(uid.name) if uid is not None else ""
    return name if name and not name[0].isdigit() else "an unknown kind of object"


def _values(value: Any) -> list[Any]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value)


def _frames(path: Path, header: Any) -> list[tuple[_Frame, Plane]]:
    count = int(header.get("NumberOfFrames") or 1)
    per_frame = list(header.get("PerFrameFunctionalGroupsSequence") or [])
    if not per_frame and count == 1:
        return [_frame(path, 0, header, [header])]
    if len(per_frame) != count:
        reason = f"it claims {count} frames but describes {len(per_frame)}"
        raise UnreadableError(path, reason, ASK_FOR_COPY)
    shared = list(header.get("SharedFunctionalGroupsSequence") or [])[:1]
    return [
        _frame(path, index, header, [*_group_items(group), *_shared_items(shared)])
        for index, group in enumerate(per_frame)
    ]


def _shared_items(shared: list[Any]) -> list[Any]:
    return _group_items(shared[0]) if shared else []


def _group_items(group: Any) -> list[Any]:
    names = (
        "PlanePositionSequence",
        "PlaneOrientationSequence",
        "PixelMeasuresSequence",
        "PixelValueTransformationSequence",
    )
    return [item for name in names for item in list(group.get(name) or [])[:1]]


def _frame(path: Path, index: int, header: Any, places: list[Any]) -> tuple[_Frame, Plane]:
    slope = _numbers(path, places, "RescaleSlope", 1, default=1.0)[0]
    intercept = _numbers(path, places, "RescaleIntercept", 1, default=0.0)[0]
    orientation = _numbers(path, places, "ImageOrientationPatient", 6)
    plane = Plane(
        name=path.name,
        position=_numbers(path, places, "ImagePositionPatient", 3),
        row=orientation[:3],
        column=orientation[3:],
        spacing=_numbers(path, places, "PixelSpacing", 2),
        rows=int(header.Rows),
        columns=int(header.Columns),
        thickness=_thickness(path, places),
    )
    return _Frame(path, index, float(slope), float(intercept)), plane


def _thickness(path: Path, places: list[Any]) -> float:
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        value = float(_numbers(path, places, keyword, 1, default=0.0)[0])
        if value > 0:
            return value
    return 1.0


def _numbers(
    path: Path, places: list[Any], keyword: str, count: int, default: float | None = None
) -> Matrix:
    for place in places:
        raw = place.get(keyword)
        if raw is not None and raw != "":
            values = np.atleast_1d(np.asarray(raw, dtype=np.float64))
            if values.size != count or not np.isfinite(values).all():
                raise OrientationError(path, f"its {keyword} is not valid", _POSITION_ADVICE)
            return values
    if default is None:
        reason = f"it does not say where it lies in the patient ({keyword} is missing)"
        raise OrientationError(path, reason, _POSITION_ADVICE)
    return np.full(count, default)


def _decode(folder: Path, frames: list[_Frame], shape: tuple[int, int]) -> Array:
    rescaled = any((frame.slope, frame.intercept) != (1.0, 0.0) for frame in frames)
    check_size(folder, (len(frames), *shape), 8 if rescaled else 4)
    wanted: dict[Path, list[int]] = {}
    for place, frame in enumerate(frames):
        wanted.setdefault(frame.path, []).append(place)
    stored: list[Array] = [np.empty(0)] * len(frames)
    for path, places in wanted.items():
        pixels = _pixels(path, shape, len(places))
        for place in places:
            stored[place] = _rescale(pixels[frames[place].index], frames[place], rescaled)
    return np.stack(stored)


def _pixels(path: Path, shape: tuple[int, int], count: int) -> Array:
    with explained(path, "DICOM image"):
        dataset = _read(path, keywords=None, pixels=True)
        check_codestreams(path, dataset, shape)
        pixels = np.asarray(dataset.pixel_array).reshape(count, *shape)
        return pixels


def _rescale(pixels: Array, frame: _Frame, rescaled: bool) -> Array:
    if not rescaled:
        return pixels
    return pixels.astype(np.float64) * frame.slope + frame.intercept


def _series_sha256(paths: list[Path]) -> str:
    digests = sorted(sha256_of(path) for path in paths)
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()
