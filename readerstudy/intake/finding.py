"""Find the series of an import: below its folder, and in the archives that lie there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from readerstudy.cases.untrusted import archive_limits
from readerstudy.imaging.archives import archive_kind, unpack
from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.volumes import FoundSeries
from readerstudy.intake.folders import Place

Find = Callable[[Path], list[FoundSeries]]
ZIP = ".zip"


def find(root: Path, *, place: Place, finder: Find) -> list[FoundSeries]:
    """List the series below a folder (or in one file); archives stand with what they hold.

    Raises
    ------
    ImageError
        If the folder cannot be read.
    """
    found: list[FoundSeries] = []
    for one in finder(root):
        found += _inside(one, place, finder) if _is_archive(one) else [one]
    return sorted(found, key=lambda one: (one.name, one.paths))


def _is_archive(found: FoundSeries) -> bool:
    """Tell a zip by its content or name; other kinds of archive are refused with advice."""
    if found.kind != "other" or len(found.paths) != 1:
        return False
    path = found.paths[0]
    try:
        return path.is_file() and not path.is_symlink() and archive_kind(path) is not None
    except ImageError:
        return False


def _inside(archive: FoundSeries, place: Place, finder: Find) -> list[FoundSeries]:
    """Unpack an archive and list what it holds, named after it."""
    path = archive.paths[0]
    target = _free_folder(place) / _stem(path)
    try:
        unpacked = unpack(path, target, archive_limits())
        inside = finder(target) if unpacked.members else []
    except ImageError as error:
        return [_refused(archive, error.reason, error.advice)]
    left_out = [
        _refused(archive, one.reason, "", name=f"{archive.name}/{one.name}")
        for one in unpacked.refused
    ]
    if not inside and not left_out:
        return [_refused(archive, "it holds no files", "Pack the folder again.")]
    return [*_named_after(archive.name, target.name, inside), *left_out]


def _named_after(name: str, root: str, inside: Iterable[FoundSeries]) -> Iterator[FoundSeries]:
    for one in inside:
        yield replace(one, name=name if one.name == root else f"{name}/{one.name}")


def _refused(archive: FoundSeries, reason: str, advice: str, name: str = "") -> FoundSeries:
    return replace(archive, name=name or archive.name, status="error", reason=reason, advice=advice)


def _free_folder(place: Place) -> Path:
    place.unpacked.mkdir(mode=0o700, exist_ok=True)
    folder = place.unpacked / str(sum(1 for _ in place.unpacked.iterdir()) + 1)
    folder.mkdir(mode=0o700)
    return folder


def _stem(path: Path) -> str:
    name = path.name
    return name[: -len(ZIP)] if name.lower().endswith(ZIP) and len(name) > len(ZIP) else name
