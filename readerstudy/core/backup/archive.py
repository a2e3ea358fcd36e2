"""The archive of a backup: a tar in zstd, whose last members are a manifest and its hash.

The manifest names every member with its SHA-256 and length, so that a damaged or cut archive is
known as such before anything of it is used.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

import zstandard

from readerstudy.core.errors import ReaderStudyError

FORMAT = "readerstudy-backup-1"
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
BLOCK = 1 << 20
Sink = Callable[[str], IO[bytes]]


class DamagedArchive(ReaderStudyError):
    """The archive is not what was written."""

    code = "damaged_archive"


@dataclass
class Writer:
    """Adds members to an archive and remembers their hashes."""

    tar: tarfile.TarFile
    members: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, path: Path) -> None:
        """Add one file."""
        with path.open("rb") as file:
            info = tarfile.TarInfo(name)
            info.size, info.mode = os.fstat(file.fileno()).st_size, 0o640
            hashing = _Hashing(file)
            self.tar.addfile(info, hashing)
        self.members[name] = {"sha256": hashing.digest.hexdigest(), "bytes": info.size}

    def finish(self, facts: dict[str, Any]) -> dict[str, Any]:
        """Write the manifest and its hash; return the manifest."""
        manifest = {"format": FORMAT, **facts, "members": self.members}
        content = json.dumps(manifest, indent=1, sort_keys=True).encode()
        self._put(MANIFEST, content)
        self._put(SEAL, hashlib.sha256(content).hexdigest().encode())
        return manifest

    def _put(self, name: str, content: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        self.tar.addfile(info, io.BytesIO(content))


class _Hashing:
    """A file that hashes what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self.file.read(size)
        self.digest.update(content)
        return content


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """Open an archive for writing; the bytes are on the disk when the block ends."""
    with path.open("xb") as raw:
        os.fchmod(raw.fileno(), 0o600)  # it holds truth and password hashes
        compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
        with (
            compressor.stream_writer(raw, closefd=False) as stream,
            tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            yield Writer(tar)
        raw.flush()
        os.fsync(raw.fileno())


def read(path: Path, sink: Sink | None = None) -> dict[str, Any]:
    """Read a whole archive and compare every hash; return its manifest.

    Parameters
    ----------
    sink
        Opens the place that a member is written to; None: nothing is kept.

    Raises
    ------
    DamagedArchive
        If one byte differs, or something is missing or put in.
    """
    try:
        found, manifest, seal = _members(path, sink)
    except (zstandard.ZstdError, tarfile.TarError, EOFError, ValueError) as error:
        raise DamagedArchive(_damaged(path, f"it cannot be unpacked ({error})")) from error
    if manifest is None or hashlib.sha256(manifest).hexdigest().encode() != seal:
        raise DamagedArchive(_damaged(path, "its list of contents is missing or changed"))
    document: dict[str, Any] = json.loads(manifest)
    if document.get("format") != FORMAT:
        raise ReaderStudyError(f"This version does not know backups of {document.get('format')!r}.")
    for name in sorted({*found, *document["members"]}):
        if found.get(name) != document["members"].get(name):
            raise DamagedArchive(_damaged(path, f"{name} is not as it was stored"))
    return document


def _damaged(path: Path, why: str) -> str:
    return f"The backup {path.name} is damaged: {why}. Nothing was restored; take an older one."


def _members(
    path: Path, sink: Sink | None
) -> tuple[dict[str, dict[str, Any]], bytes | None, bytes | None]:
    found: dict[str, dict[str, Any]] = {}
    ends: dict[str, bytes] = {}
    with (
        path.open("rb") as raw,
        tarfile.open(fileobj=(stream := _Unpacked(raw)), mode="r|") as tar,  # type: ignore[call-overload]
    ):
        for info in tar:
            content = tar.extractfile(info) if info.isfile() else None
            if content is None or not _is_safe(info.name):
                raise DamagedArchive(_damaged(path, f"{info.name!r} does not belong into it"))
            if info.name in (MANIFEST, SEAL):
                ends[info.name] = content.read()
            else:
                found[info.name] = _copy(content, sink(info.name) if sink else None)
        stream.finish()
    return found, ends.get(MANIFEST), ends.get(SEAL)


class _Unpacked:
    """Bytes unpacked as they are asked for; a frame that does not end is known as such."""

    def __init__(self, raw: IO[bytes]) -> None:
        self.raw, self.ready = raw, bytearray()
        self.frame = zstandard.ZstdDecompressor().decompressobj()

    def read(self, size: int) -> bytes:
        while len(self.ready) < size and not self.frame.eof:
            if not (block := self.raw.read(BLOCK)):
                raise EOFError("it ends too early")
            self.ready += self.frame.decompress(block)
        content = bytes(self.ready[:size])
        del self.ready[:size]
        return content

    def finish(self) -> None:
        """Read to the end, where the checksum of the whole stands."""
        while self.read(BLOCK):
            pass
        if self.frame.unused_data or self.raw.read(1):
            raise ValueError("something was put behind its end")


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _copy(content: IO[bytes], target: IO[bytes] | None) -> dict[str, Any]:
    digest, length = hashlib.sha256(), 0
    try:
        while block := content.read(BLOCK):
            digest.update(block)
            length += len(block)
            if target:
                target.write(block)
        if target:
            target.flush()
            os.fsync(target.fileno())
    finally:
        if target:
            target.close()
    return {"sha256": digest.hexdigest(), "bytes": length}
