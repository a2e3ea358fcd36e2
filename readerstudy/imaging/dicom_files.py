"""Opening DICOM files: what they are, and whether they hold one grey-level image per plane."""

import io
import logging
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import pydicom
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from readerstudy.imaging.errors import (
    ASK_FOR_COPY,
    NotAnImageError,
    TooLargeError,
    TruncatedError,
    UnreadableError,
    UnsupportedImageError,
    explained,
)

# pydicom logs the values it finds invalid, and these may be names.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL)

_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
_LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
_NO_PICTURES = {
    "1.2.840.10008.5.1.4.1.1.4.2": "MR spectroscopy",
    "1.2.840.10008.5.1.4.1.1.481.2": "a radiotherapy dose",
}
_BLOCK = 2**20
_MAX_INFLATED_BYTES = 128 * 2**20
_LEAVE_OUT = "Leave it out of the folder."
_GREY_INSTEAD = "Export the grey values instead of the coloured picture."


def read_header(path: Path, tags: Sequence[str | int] | None = None) -> Any:
    """Header of one DICOM file, without its pixels.

    Parameters
    ----------
    path : Path
    tags : sequence of str or int, optional
        Keywords and private tags to read; all when left out.

    Raises
    ------
    ImageError
        Not DICOM, or damaged.
    """
    with explained(path, "DICOM file"):
        return _read(path, tags=tags, pixels=False)


def read_pixels(path: Path) -> Any:
    """The whole dataset of one DICOM file.

    Raises
    ------
    ImageError
    """
    with explained(path, "DICOM file"):
        return _read(path, tags=None, pixels=True)


def looks_like_dicom(path: Path) -> bool:
    """Whether the first bytes are those of a DICOM file, with or without a preamble."""
    with path.open("rb") as stream:
        start = stream.read(132)
    return start[128:] == b"DICM" or _starts_bare(start)


def _starts_bare(start: bytes) -> bool:
    """A file without preamble begins with its meta information or with group 8."""
    little = start[:2] == b"\x08\x00" and start[3:4] == b"\x00"
    big = start[:3] == b"\x00\x08\x00" and start[4:6].isalpha() and start[4:6].isupper()
    return len(start) == 132 and (start[:4] == b"\x02\x00\x00\x00" or little or big)


def _read(path: Path, *, tags: Sequence[str | int] | None, pixels: bool) -> Any:
    source: BinaryIO | Path = path
    with path.open("rb") as stream:
        deflated = _seek_dataset(path, stream) == DeflatedExplicitVRLittleEndian
        if deflated:
            source = _inflated(path, stream)
    dataset = pydicom.dcmread(
        cast(Any, source),
        stop_before_pixels=not pixels,
        specific_tags=cast(Any, list(tags) if tags is not None else None),
        force=True,
    )
    if deflated:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    elif "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = _bare_syntax(dataset)
    return dataset


def _bare_syntax(dataset: Any) -> pydicom.uid.UID:
    implicit, little = dataset.original_encoding
    if implicit:
        return ImplicitVRLittleEndian
    return ExplicitVRLittleEndian if little else ExplicitVRBigEndian


def _seek_dataset(path: Path, stream: BinaryIO) -> Any:
    """Go to the first element of the data set; give the transfer syntax the file names."""
    start = stream.read(132)
    if start[128:] != b"DICM":
        if not _starts_bare(start):
            raise UnreadableError(path, "it is not a DICOM file", _LEAVE_OUT)
        stream.seek(0)
    if stream.read(2) != b"\x02\x00":
        return None
    stream.seek(-2, io.SEEK_CUR)
    return pydicom.filereader._read_file_meta_info(stream).get("TransferSyntaxUID")


def _inflated(path: Path, stream: BinaryIO) -> BinaryIO:
    """A deflated data set, unpacked up to the limit and not further."""
    packed = stream.read()
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    blocks: list[bytes] = []
    while not unpacker.eof:
        block = unpacker.decompress(packed, _BLOCK)
        if not block and not unpacker.unconsumed_tail:
            raise TruncatedError(path, "its deflated data end too early", ASK_FOR_COPY)
        blocks.append(block)
        packed = unpacker.unconsumed_tail
        if len(blocks) * _BLOCK > _MAX_INFLATED_BYTES:
            reason = "its deflated data unpack to more than is read"
            raise TooLargeError(path, reason, "Export it uncompressed.")
    return io.BytesIO(b"".join(blocks))


def check_image(path: Path, header: Any) -> None:
    """Refuse DICOM objects whose pixels are not one grey-level image per plane.

    Raises
    ------
    NotAnImageError
        A sound object that holds no grey-level picture; leave it out.
    UnsupportedImageError
        A grey-level image in a form that is not read.
    """
    if not header.get("Rows") or not header.get("Columns"):
        raise NotAnImageError(path, f"it holds no picture ({sop_class_name(header)})", _LEAVE_OUT)
    for wrong, reason, advice in _no_grey_picture(header):
        if wrong:
            raise NotAnImageError(path, reason, advice)
    for wrong, reason, advice in _not_read(header):
        if wrong:
            raise UnsupportedImageError(path, reason, advice)


def _no_grey_picture(header: Any) -> list[tuple[bool, str, str]]:
    sop_class = str(header.get("SOPClassUID") or "")
    photometric = str(header.get("PhotometricInterpretation") or "MONOCHROME2")
    segments = header.get("SegmentSequence") or []
    kind = str(header.get("SegmentationType") or "BINARY")
    complex_mask = sop_class == _LABEL_MAP or (
        sop_class == _SEGMENTATION and (len(segments) > 1 or kind != "BINARY")
    )
    return [
        (sop_class in _NO_PICTURES, f"it is {_NO_PICTURES.get(sop_class)}", _LEAVE_OUT),
        (
            complex_mask,
            "it is a DICOM segmentation of several or graded segments",
            "Export each mask as NIfTI.",
        ),
        (int(header.get("SamplesPerPixel") or 1) != 1, "it is a colour picture", _GREY_INSTEAD),
        (
            not photometric.startswith("MONOCHROME"),
            "it is a colour picture (its values point into a palette)",
            _GREY_INSTEAD,
        ),
    ]


def _not_read(header: Any) -> list[tuple[bool, str, str]]:
    image_type = [str(value) for value in values_of(header.get("ImageType"))]
    allocated = int(header.get("BitsAllocated") or 0)
    stored = int(header.get("BitsStored") or allocated)
    top = int(header.get("HighBit") if header.get("HighBit") is not None else stored - 1)
    binary = str(header.get("SOPClassUID") or "") == _SEGMENTATION
    return [
        (
            "MOSAIC" in image_type,
            "it is a Siemens mosaic: all slices tiled in one picture",
            "Convert it to NIfTI with dcm2niix, and import the NIfTI file.",
        ),
        (
            allocated == 1 and not binary,
            "its pixels have one bit only, as overlays and old masks have",
            "Export the mask as NIfTI.",
        ),
        (
            allocated > 1 and top != stored - 1,
            f"its pixel bits are packed in a retired way (high bit {top} of {stored} stored bits)",
            "Export it again with a present-day program.",
        ),
    ]


def sop_class_name(header: Any) -> str:
    """Plain name of the kind of DICOM object, such as "MR Image Storage"."""
    uid = header.get("SOPClassUID")
    name = str(uid.name) if uid is not None else ""
    return name if name and not name[0].isdigit() else "an unknown kind of object"


def values_of(value: Any) -> list[Any]:
    """The values of an element with none, one or several."""
    if value is None:
        return []
    return [value] if isinstance(value, str | int | float) else list(value)
