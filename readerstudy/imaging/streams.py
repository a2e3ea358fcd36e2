"""Reading plain or gzip-packed files by the byte, never more than was asked for."""

import gzip
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from readerstudy.imaging.errors import ASK_FOR_COPY, TooLargeError, TruncatedError

_BLOCK = 2**20
_MAX_TRAILING_BYTES = 2**20
_MAX_DEFLATE_RATIO = 1032
_GZIP = b"\x1f\x8b"


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, unpacked where its content (not its name) is gzip."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file


def check_possible(path: Path, needed: int) -> None:
    """Refuse a file whose bytes cannot hold what its header claims, even if packed.

    Raises
    ------
    TruncatedError
    """
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    available = path.stat().st_size * (_MAX_DEFLATE_RATIO if packed else 1)
    if needed > available:
        raise _too_short(path)


def read_exactly(path: Path, stream: BinaryIO, count: int) -> bytearray:
    """Read `count` bytes in blocks, so that a lying file costs only what it really holds.

    Raises
    ------
    TruncatedError
    """
    data = bytearray()
    while len(data) < count:
        block = stream.read(min(_BLOCK, count - len(data)))
        if not block:
            raise _too_short(path)
        data += block
    return data


def skip_exactly(path: Path, stream: BinaryIO, count: int) -> None:
    """Read past `count` bytes without keeping them.

    Raises
    ------
    TruncatedError
    """
    while count > 0:
        block = stream.read(min(_BLOCK, count))
        if not block:
            raise _too_short(path)
        count -= len(block)


def check_end(path: Path, stream: BinaryIO, allowed: int = _MAX_TRAILING_BYTES) -> None:
    """Read to the end, where gzip keeps its checksum, and refuse much more data than expected.

    Raises
    ------
    TooLargeError
    """
    extra = 0
    while block := stream.read(_BLOCK):
        extra += len(block)
        if extra > allowed:
            raise TooLargeError(path, "it holds more data than its header says", ASK_FOR_COPY)


def _too_short(path: Path) -> TruncatedError:
    return TruncatedError(path, "the file is shorter than its header says", ASK_FOR_COPY)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_all(paths: list[Path], part: str = "") -> str:
    """Digest of several files whatever their order, and of the part of them that is meant."""
    digests = sorted(sha256_of(path) for path in paths)
    if len(digests) == 1 and not part:
        return digests[0]
    lines = [*digests, part] if part else digests
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
