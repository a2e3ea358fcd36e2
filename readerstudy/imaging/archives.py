"""Unpacking .zip archives of unknown origin without being harmed by what they hold or claim.

The names of the members never become paths by themselves: each is taken apart, cleaned and put
together again, or refused. Sizes, counts and overlaps are checked before the first byte is
unpacked, and no member can write more than it declared.
"""

import errno
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from readerstudy.imaging.archive_names import NameLimits, clean_name, folded
from readerstudy.imaging.errors import (
    ASK_FOR_COPY,
    TooLargeError,
    UnreadableError,
    UnsupportedImageError,
    explained,
)

MIB = 2**20
_BLOCK = 2**18
_END = b"PK\x05\x06"
_END64_LOCATOR = b"PK\x06\x07"
_ENTRY = b"PK\x01\x02"
_END_BYTES, _LOCATOR_BYTES, _END64_BYTES, _LOCAL_BYTES = 22, 20, 56, 30
_LONGEST_COMMENT = 2**16
_ENCRYPTED = 0x1
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_SPLIT_ADVICE = "Pack fewer images into one archive, or import the unpacked folder."
_OTHER_ARCHIVES = (
    (0, b"Rar!", ".rar"),
    (0, b"7z\xbc\xaf\x27\x1c", ".7z"),
    (0, b"BZh", ".bz2"),
    (0, b"\xfd7zXZ\x00", ".xz"),
    (0, b"\x28\xb5\x2f\xfd", ".zst"),
    (257, b"ustar", ".tar"),
)
_OTHER_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".7z", ".rar", ".tar.bz2", ".tar.xz", ".tar.zst")
DEFAULT_NAMES = NameLimits()


@dataclass(frozen=True)
class ArchiveLimits:
    """What an archive may hold.

    Attributes
    ----------
    members : int
        Number of members, folders included.
    total_mb, member_mb : int
        Unpacked size of all members and of one, in MiB.
    ratio : int
        Unpacked size over the archive's own, above ``ratio_free_mb``. Images seldom shrink to
        less than a tenth, but an empty mask shrinks to a thousandth.
    ratio_free_mb : int
        Unpacked size, in MiB, that is never held against the ratio.
    free_mb : int
        What must be left free on the disk afterwards, in MiB.
    names : NameLimits
        How long and how deep a name may be.
    """

    members: int = 50_000
    total_mb: int = 16_384
    member_mb: int = 2_048
    ratio: int = 100
    ratio_free_mb: int = 256
    free_mb: int = 1_024
    names: NameLimits = DEFAULT_NAMES


DEFAULT_LIMITS = ArchiveLimits()


@dataclass(frozen=True)
class Member:
    """One unpacked file: its path below the folder, and its size in bytes."""

    path: PurePosixPath
    size: int


@dataclass(frozen=True)
class Refused:
    """One member that was left out, by its cleaned or shortened name, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Unpacked:
    """What came of an archive.

    Attributes
    ----------
    folder : Path
        Where the members lie.
    members : tuple of Member
        In the order of the archive. Their names come from the source and may name patients.
    refused : tuple of Refused
        Members that were left out.
    """

    folder: Path
    members: tuple[Member, ...]
    refused: tuple[Refused, ...]


def archive_kind(path: str | PathLike[str]) -> str | None:
    """Tell an archive by its content and name: ".zip", another suffix, or None for no archive."""
    file = Path(path)
    with explained(file, "file"), file.open("rb") as stream:
        start = stream.read(512)
    if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return ".zip"
    for offset, magic, suffix in _OTHER_ARCHIVES:
        if start[offset : offset + len(magic)] == magic:
            return suffix
    name = file.name.lower()
    return next((suffix for suffix in (*_OTHER_SUFFIXES, ".zip") if name.endswith(suffix)), None)


def unpack(
    archive: str | PathLike[str],
    into: str | PathLike[str],
    limits: ArchiveLimits = DEFAULT_LIMITS,
) -> Unpacked:
    """Unpack a .zip archive into a new folder.

    Parameters
    ----------
    archive : str or PathLike
    into : str or PathLike
        Folder that does not exist yet or is empty. It is emptied again if the archive is refused.
    limits : ArchiveLimits, optional

    Returns
    -------
    Unpacked
        Members that were refused one by one are listed with the reason; the others are unpacked.

    Raises
    ------
    UnsupportedImageError
        An archive of another kind.
    TooLargeError
        More members, bytes or compression than the limits allow, or too little room on the disk.
    UnreadableError
        Damaged, or made to deceive: members that overlap.
    """
    path, folder = Path(archive), Path(into)
    _check_kind(path)
    with explained(path, "zip archive"):
        _check_list(path, limits)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise ValueError("the folder to unpack into must be empty")
        with _emptied_on_error(path, folder), zipfile.ZipFile(path) as opened:
            infos = opened.infolist()
            _check_sizes(path, folder, infos, limits)
            _check_overlap(path, infos)
            return _unpack(opened, folder, infos, limits)


def _check_kind(path: Path) -> None:
    kind = archive_kind(path)
    if kind == ".zip":
        with path.open("rb") as stream:
            if stream.read(2) == b"PK":
                return
        raise UnreadableError(path, "it is named .zip but is none", ASK_FOR_COPY)
    reason = f"it is a {kind} archive" if kind else "it is not a .zip archive"
    advice = "Pack the folder as .zip, or unpack it and import the folder."
    raise UnsupportedImageError(path, reason, advice)


def _check_list(path: Path, limits: ArchiveLimits) -> None:
    """Bound the list of members before the zip module makes an object of each."""
    with path.open("rb") as stream:
        size = _list_bytes(path, stream)
        if size > limits.members * (46 + limits.names.total * 2):
            raise _too_many(path, limits)
        if stream.read(size).count(_ENTRY) > limits.members:
            raise _too_many(path, limits)


def _list_bytes(path: Path, stream: BinaryIO) -> int:
    """Length of the central directory; the stream is left at its start."""
    length = stream.seek(0, 2)
    tail_at = max(0, length - _END_BYTES - _LONGEST_COMMENT)
    stream.seek(tail_at)
    tail = stream.read()
    found = tail.rfind(_END)
    if found < 0 or len(tail) < found + _END_BYTES:
        raise UnreadableError(path, "it ends without a list of its members", ASK_FOR_COPY)
    end = tail_at + found
    size = int(struct.unpack_from("<L", tail, found + 12)[0])
    locator = end - _LOCATOR_BYTES - _END64_BYTES
    if locator >= 0:
        stream.seek(locator)
        extra = stream.read(_LOCATOR_BYTES + _END64_BYTES)
        if extra[_END64_BYTES : _END64_BYTES + 4] == _END64_LOCATOR:
            size, end = int(struct.unpack_from("<Q", extra, 40)[0]), locator
    if size > end:
        raise UnreadableError(path, "its list of members is damaged", ASK_FOR_COPY)
    stream.seek(end - size)
    return size


def _too_many(path: Path, limits: ArchiveLimits) -> TooLargeError:
    return TooLargeError(path, f"it holds more than {limits.members} files", _SPLIT_ADVICE)


def _check_sizes(
    path: Path, folder: Path, infos: list[zipfile.ZipInfo], limits: ArchiveLimits
) -> None:
    total = sum(info.file_size for info in infos)
    if total > limits.total_mb * MIB:
        reason = (
            f"unpacked it would take {total // MIB} MB, more than the {limits.total_mb} allowed"
        )
        raise TooLargeError(path, reason, _SPLIT_ADVICE)
    if total > limits.ratio_free_mb * MIB + limits.ratio * path.stat().st_size:
        reason = f"it unpacks to more than {limits.ratio} times its size, as no set of images does"
        raise TooLargeError(path, reason, "Pack the images again, without other files.")
    if shutil.disk_usage(folder).free < total + limits.free_mb * MIB:
        reason = f"there is not enough room on the disk for the {total // MIB + 1} MB it unpacks to"
        raise TooLargeError(path, reason, "Free some space, then try again.")


def _check_overlap(path: Path, infos: list[zipfile.ZipInfo]) -> None:
    """Refuse members that share bytes of the archive, which only bombs do."""
    with path.open("rb") as stream:
        ordered = sorted(infos, key=lambda info: info.header_offset)
        end = 0
        for info in ordered:
            if info.header_offset < end:
                raise UnreadableError(
                    path, "its members overlap, as only harmful archives do", "Do not use it."
                )
            end = _end_of_member(stream, info)


def _end_of_member(stream: BinaryIO, info: zipfile.ZipInfo) -> int:
    stream.seek(info.header_offset)
    local = stream.read(_LOCAL_BYTES)
    names = sum(struct.unpack_from("<HH", local, 26)) if len(local) == _LOCAL_BYTES else 0
    return info.header_offset + _LOCAL_BYTES + names + info.compress_size


def _unpack(
    opened: zipfile.ZipFile, folder: Path, infos: list[zipfile.ZipInfo], limits: ArchiveLimits
) -> Unpacked:
    members: list[Member] = []
    refused: list[Refused] = []
    taken: set[str] = set()
    for info in infos:
        path, reason = clean_name(info.orig_filename, limits.names)
        reason = reason or _why_not(info, limits)
        if path is None or reason:
            refused.append(Refused(_shown(info.orig_filename), reason))
            continue
        if info.is_dir():
            continue
        reason = _clash(path, taken) or _write(opened, info, folder / path)
        if reason:
            refused.append(Refused(str(path), reason))
        else:
            members.append(Member(path, info.file_size))
    return Unpacked(folder, tuple(members), tuple(refused))


def _why_not(info: zipfile.ZipInfo, limits: ArchiveLimits) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a link; links are not followed"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "not a plain file"
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted; pack it again without a password"
    if info.compress_type not in _METHODS:
        return "compressed by a method that is not read; pack it as an ordinary zip"
    if info.file_size > limits.member_mb * MIB:
        return f"larger than {limits.member_mb} MB"
    return ""


def _clash(path: PurePosixPath, taken: set[str]) -> str:
    """Refuse a name that is taken, also where the disk makes no difference of capitals."""
    key = folded(path)
    if key in taken or any(f"{folded(parent)}\0file" in taken for parent in path.parents):
        return "another member has the same name"
    taken.update({key, f"{key}\0file", *(folded(parent) for parent in path.parents)})
    return ""


def _write(opened: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path) -> str:
    """Write one member as it is read; what is wrong with it comes back as a reason."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with opened.open(info) as source:
            start = source.read(_BLOCK)
            if _is_archive(start):
                return "an archive inside the archive; unpack it first"
            with target.open("xb") as file:
                rest = iter(lambda: source.read(_BLOCK), b"")
                written = sum(file.write(block) for block in chain([start], rest))
    # What zipfile raises for a way of compression it does not know, or for a password.
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        target.unlink(missing_ok=True)
        return "damaged in the archive"
    if written != info.file_size:
        target.unlink()
        return "of another size than the archive says"
    return ""


def _is_archive(start: bytes) -> bool:
    return start[:4] == b"PK\x03\x04" or any(
        start[offset : offset + len(magic)] == magic for offset, magic, _ in _OTHER_ARCHIVES
    )


def _shown(name: str) -> str:
    plain = "".join(letter if letter.isprintable() else "?" for letter in name)
    return plain if len(plain) <= 120 else f"{plain[:117]}…"


@contextmanager
def _emptied_on_error(archive: Path, folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        _empty(folder)
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            reason = "there is not enough room on the disk to unpack it"
            raise TooLargeError(archive, reason, "Free some space, then try again.") from error
        raise


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
