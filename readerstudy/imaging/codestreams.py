"""The image size that compressed DICOM pixel data claim, checked before a decoder believes it."""

from os import PathLike
from typing import Any

from pydicom.encaps import generate_frames
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from readerstudy.imaging.errors import ASK_FOR_COPY, UnreadableError

_LOSSY_SYNTAXES = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)
_SIZE_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}


def check_codestreams(path: str | PathLike[str], dataset: Any, shape: tuple[int, int]) -> None:
    """Refuse compressed frames whose own size differs from Rows and Columns.

    Parameters
    ----------
    path : str or PathLike
    dataset : pydicom.Dataset
        With its pixel data.
    shape : tuple of int
        Rows and columns of the DICOM header.

    Raises
    ------
    UnreadableError
    """
    if not dataset.file_meta.TransferSyntaxUID.is_compressed:
        return
    count = int(dataset.get("NumberOfFrames") or 1)
    for frame in generate_frames(dataset.PixelData, number_of_frames=count):
        claimed = codestream_size(frame)
        if claimed is not None and claimed != shape:
            raise UnreadableError(
                path, "its compressed image has another size than its header", ASK_FOR_COPY
            )


def is_lossy(dataset: Any) -> bool:
    """Whether the transfer syntax itself always loses something."""
    return dataset.file_meta.TransferSyntaxUID in _LOSSY_SYNTAXES


def codestream_size(frame: bytes) -> tuple[int, int] | None:
    """Rows and columns in a JPEG, JPEG-LS or JPEG 2000 header; None where there is none."""
    if frame[:4] == b"\xff\x4f\xff\x51":
        return _jpeg2000_size(frame)
    return _jpeg_size(frame) if frame[:2] == b"\xff\xd8" else None


def _jpeg2000_size(frame: bytes) -> tuple[int, int]:
    x1, y1, x0, y0 = (int.from_bytes(frame[at : at + 4], "big") for at in (8, 12, 16, 20))
    return y1 - y0, x1 - x0


def _jpeg_size(frame: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        if frame[at + 1] in _SIZE_MARKERS:
            rows, columns = (int.from_bytes(frame[at + i : at + i + 2], "big") for i in (5, 7))
            return rows, columns
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None
