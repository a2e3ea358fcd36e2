"""Take one DICOM file out of a multipart/related answer, block by block."""

from __future__ import annotations

import hashlib
import os
from email.message import Message
from email.parser import BytesParser
from pathlib import Path

from readerstudy.intake.dicomweb_http import Answer, DicomwebError, TryAgain

MAX_PART_HEADER = 16 * 1024
DICOM = "application/dicom"
START = 132  # a preamble of 128 bytes, then the letters DICM


def save_instance(answer: Answer, path: Path, *, limit: int) -> tuple[int, str]:
    """Write the one instance of an answer to a file; return its size and SHA-256.

    The file appears whole or not at all.

    Raises
    ------
    DicomwebError
        If the answer holds no DICOM file, more than one, or more than ``limit`` bytes.
    TryAgain
        If it ends early.
    """
    temporary = path.with_suffix(".part")
    try:
        with temporary.open("wb") as handle:
            sink = _Sink(handle.fileno(), limit)
            _pour(answer, sink)
            sink.check()
            os.fsync(handle.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return sink.size, sink.digest.hexdigest()


class _Sink:
    """Takes the bytes of the file, and counts them."""

    def __init__(self, descriptor: int, limit: int) -> None:
        self.descriptor, self.limit = descriptor, limit
        self.size = 0
        self.start = b""
        self.digest = hashlib.sha256()

    def take(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > self.limit:
            raise DicomwebError(f"An instance has more than {self.limit // 2**20} MB.")
        if len(self.start) < START:
            self.start += piece[: START - len(self.start)]
        self.digest.update(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(self.descriptor, view) :]

    def check(self) -> None:
        if self.start[128:START] != b"DICM":
            raise DicomwebError("The server sent something that is no DICOM file.")


def _pour(answer: Answer, sink: _Sink) -> None:
    kind = answer.headers.get_content_type()
    if kind == DICOM:
        while piece := answer.read():
            sink.take(piece)
        return
    boundary = answer.headers.get_param("boundary")
    if kind != "multipart/related" or not isinstance(boundary, str) or not boundary:
        raise DicomwebError(
            f"The server answered with {kind} where {DICOM} in multipart/related was asked for."
        )
    _Parts(answer, boundary.encode()).pour(sink)


class _Parts:
    """Reads up to a marker without holding more than a block and the marker."""

    def __init__(self, answer: Answer, boundary: bytes) -> None:
        self.answer = answer
        self.marker = b"\r\n--" + boundary
        self.held = b"\r\n"  # so that a boundary at the very start is one too
        self.ended = False

    def pour(self, sink: _Sink) -> None:
        self._skip_to_part()
        header = self._header()
        if header.get_content_type() not in {DICOM, "application/octet-stream"}:
            raise DicomwebError(
                f"The server sent {header.get_content_type()} in place of a DICOM file."
            )
        self._body(sink)
        if self._after_marker() != b"--":
            raise DicomwebError("The server sent several files where one instance was asked for.")
        while self.answer.read():  # the end of the answer, so that the connection can be kept
            pass

    def _more(self) -> bool:
        piece = b"" if self.ended else self.answer.read()
        self.ended = not piece
        self.held += piece
        return bool(piece)

    def _need(self, count: int) -> None:
        while len(self.held) < count:
            if not self._more():
                raise TryAgain("The answer of the DICOMweb server ended early.")

    def _skip_to_part(self) -> None:
        while self.marker not in self.held:
            self._need(len(self.held) + 1)
            if len(self.held) > 2 * MAX_PART_HEADER + 2**16:
                raise DicomwebError("The server's answer does not hold the parts that it claims.")
        self.held = self.held[self.held.index(self.marker) + len(self.marker) :]
        if self._after_marker() == b"--":
            raise DicomwebError("The server's answer is empty.")

    def _after_marker(self) -> bytes:
        self._need(2)
        two, self.held = self.held[:2], self.held[2:]
        return two

    def _header(self) -> Message:
        """Read the lines up to the empty one; the line's end of the boundary is read already."""
        self.held = b"\r\n" + self.held
        while b"\r\n\r\n" not in self.held:
            self._need(len(self.held) + 1)
            if len(self.held) > MAX_PART_HEADER + 2**16:
                raise DicomwebError("A part of the server's answer has an endless header.")
        lines, self.held = self.held.split(b"\r\n\r\n", 1)
        return BytesParser().parsebytes(lines.lstrip(b"\r\n") + b"\r\n\r\n")

    def _body(self, sink: _Sink) -> None:
        while (at := self.held.find(self.marker)) < 0:
            keep = len(self.marker) - 1
            if len(self.held) > keep:
                sink.take(self.held[:-keep])
                self.held = self.held[-keep:]
            self._need(len(self.held) + 1)
        sink.take(self.held[:at])
        self.held = self.held[at + len(self.marker) :]
