"""Names of uploaded files: where they may lead, and where not."""

from __future__ import annotations

import re

from readerstudy.core.errors import ReaderStudyError

MAX_PART_BYTES, MAX_PATH_BYTES, MAX_DEPTH = 255, 1000, 24
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def safe_path(name: object) -> str:
    """Return the path of an uploaded file below the upload, or refuse it in words.

    Separators of both kinds count, so that a name made on one system leads nowhere on another.
    """
    if not isinstance(name, str) or not name:
        raise ReaderStudyError("The file has no name.")
    if CONTROL.search(name) or not _can_be_stored(name):
        raise ReaderStudyError("The name holds characters that no file name may have. Rename it.")
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[/\\]", name):
        raise ReaderStudyError("The name begins at the root of a disk. Choose the folder instead.")
    parts = [part for part in re.split(r"[/\\]", name) if part not in {"", "."}]
    if ".." in parts:
        raise ReaderStudyError("The name leads out of the upload. Rename the file.")
    if not parts or len(parts) > MAX_DEPTH:
        raise ReaderStudyError(f"The file lies more than {MAX_DEPTH} folders deep.")
    sizes = [len(part.encode()) for part in parts]
    if max(sizes) > MAX_PART_BYTES or sum(sizes) + len(sizes) > MAX_PATH_BYTES:
        raise ReaderStudyError("The name is too long. Shorten the names of file and folders.")
    return "/".join(parts)


def _can_be_stored(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


class Tree:
    """The names of one upload: no file may stand where another needs a folder."""

    def __init__(self, names: list[str]) -> None:
        self.files: set[str] = set()
        self.folders: set[str] = set()
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Take a name in, or refuse it."""
        above = _folders_of(name)
        if name in self.files:
            raise ReaderStudyError("Another file of this upload has the same name. Rename one.")
        if name in self.folders or not self.files.isdisjoint(above):
            raise ReaderStudyError("A file and a folder have the same name. Rename one of them.")
        self.files.add(name)
        self.folders.update(above)


def _folders_of(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]
