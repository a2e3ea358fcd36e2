"""Find the images that the rows of a manifest name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from readerstudy.imaging.dicom import read_header
from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.volumes import FoundSeries
from readerstudy.intake.manifest_rows import Manifest, Row

Find = Callable[[Path], list[FoundSeries]]
UidOf = Callable[[FoundSeries], str]


@dataclass(frozen=True)
class Match:
    """A row with the images it names, under the names that the row gives them."""

    row: Row
    found: FoundSeries | None
    fault: str = ""


@dataclass(frozen=True)
class Matching:
    """What each row names, and what no row names."""

    matches: tuple[Match, ...]
    unnamed: tuple[FoundSeries, ...]


def match(manifest: Manifest, found: Iterable[FoundSeries], *, root: Path) -> Matching:
    """Join rows and images. What two rows name is given to the first and refused to the second."""
    index = _Index(list(found), root)
    taken: dict[int, int] = {}
    matches = [_match(row, index, taken) for row in manifest.rows]
    named = {id(index.found[number]) for number in taken}
    unnamed = tuple(one for one in index.found if id(one) not in named and one.status != "skipped")
    return Matching(tuple(matches), unnamed)


class _Index:
    """The images below a folder, by everything that a row may call them."""

    def __init__(self, found: list[FoundSeries], root: Path) -> None:
        self.found = found
        self.by_name: dict[str, list[int]] = {}
        self.by_folder: dict[str, list[int]] = {}
        self._by_uid: dict[str, list[int]] | None = None
        for number, one in enumerate(found):
            for name in {one.name, *(_relative(path, root) for path in one.paths)}:
                self.by_name.setdefault(name, []).append(number)
            for folder in {str(PurePosixPath(_relative(path, root)).parent) for path in one.paths}:
                self.by_folder.setdefault(folder, []).append(number)

    def named(self, path: str) -> list[int]:
        """Return the images of this name, or those that lie in the folder of this name."""
        if path in self.by_name:
            return self.by_name[path]
        return [n for n in self.by_folder.get(path, []) if self.found[n].status != "skipped"]

    def with_uid(self, uid: str) -> list[int]:
        if self._by_uid is None:
            self._by_uid = {}
            for number, one in enumerate(self.found):
                if text := _uid(one):
                    self._by_uid.setdefault(text, []).append(number)
        return self._by_uid.get(uid, [])


def _relative(path: Path, root: Path) -> str:
    folder = root if root.is_dir() else root.parent
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _uid(found: FoundSeries) -> str:
    if found.kind != "dicom":
        return ""
    try:
        return str(read_header(found.paths[0], ["SeriesInstanceUID"]).get("SeriesInstanceUID", ""))
    except ImageError:
        return ""  # its own fault is told where the series is listed


def _match(row: Row, index: _Index, taken: dict[int, int]) -> Match:
    if not row.names_images:
        return Match(row, None)
    numbers = index.named(row.path) if row.path else index.with_uid(row.series_uid)
    if not numbers:
        return Match(row, None, "there are no such images in the import")
    if len(numbers) > 1:
        names = ", ".join(index.found[number].name for number in numbers[:5])
        return Match(row, None, f"{len(numbers)} series lie there; name one of {names}")
    number = numbers[0]
    if number in taken:
        return Match(row, None, f"row {taken[number]} names the same images already")
    taken[number] = row.number
    return _named(row, index.found[number])


def _named(row: Row, found: FoundSeries) -> Match:
    if found.status != "ok":
        return Match(row, None, ". ".join(part for part in (found.reason, found.advice) if part))
    if row.plane and found.kind != "png":
        return Match(row, None, "only a PNG picture is told its plane; these images know theirs")
    renamed: dict[str, Any] = {"case": row.case, "subject": row.subject or row.case}
    if row.plane:
        renamed["plane"] = row.plane
    if row.sequence:
        renamed["role"] = row.sequence
    return Match(row, replace(found, **renamed))


def case_of_labels(row: Row) -> FoundSeries:
    """Return what stands for the case of a row without images."""
    subject = row.subject or row.case
    return FoundSeries("other", (), "", row.case, None, subject=subject)
