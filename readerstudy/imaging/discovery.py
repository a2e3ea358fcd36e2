"""Finding the image series below a folder, and saying why the other files are none."""

import os
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

from readerstudy.imaging import bids
from readerstudy.imaging.case_names import name_cases
from readerstudy.imaging.dicom import load_dicom_series
from readerstudy.imaging.errors import ImageError, NotAnImageError, UnreadableError, explained
from readerstudy.imaging.found import Entry, FoundSeries, Status, unusable
from readerstudy.imaging.found_dicom import DicomFile, dicom_entries, dicom_file, is_dicom
from readerstudy.imaging.found_files import image_entry, image_kind, other_entry
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.mgh import load_mgh
from readerstudy.imaging.nifti import load_nifti
from readerstudy.imaging.png import load_png
from readerstudy.imaging.sidecars import with_sidecar

__all__ = ["FoundSeries", "Status", "find_series", "load"]


def find_series(folder: str | PathLike[str]) -> list[FoundSeries]:
    """List the images in a folder and all folders below it.

    Parameters
    ----------
    folder : str or PathLike
        A folder, or a single file. Links are not followed.

    Returns
    -------
    list of FoundSeries
        Sorted by name. DICOM files are grouped by SeriesInstanceUID, also across folders, and
        series with several orientations, echoes, b-values, phases or time points are taken
        apart; files that are no images, and folders below that cannot be read, are listed with
        the reason.

    Raises
    ------
    ImageError
        The folder does not exist or cannot be read.
    """
    root = Path(folder)
    with explained(root, "folder"):
        if root.is_file():
            return _named(root.parent, _sort_out(root.parent, [root]))
        closed: list[Entry] = []
        entries = _sort_out(root, list(_files(root, root, closed)))
        return _named(root, entries + closed)


def _named(root: Path, entries: list[Entry]) -> list[FoundSeries]:
    return sorted(name_cases(root, entries), key=lambda one: (one.name, one.paths))


def load(found: FoundSeries) -> Volume:
    """Read a series that `find_series` listed.

    Raises
    ------
    ImageError
        The series was listed with a reason, or cannot be read.
    """
    if found.status != "ok":
        raise UnreadableError(found.paths[0], found.reason, found.advice)
    constant = found.role == "mask"
    path = found.paths[0]
    if found.kind == "nifti":
        return with_sidecar(load_nifti(path, allow_constant=constant), path)
    if found.kind == "mgh":
        return load_mgh(path, allow_constant=constant)
    if found.kind == "png":
        return load_png(path, allow_constant=constant, plane=found.plane)
    chosen = found.frames or None
    return load_dicom_series(found.paths, frames=chosen, allow_constant=constant)


def _files(root: Path, folder: Path, closed: list[Entry]) -> Iterator[Path]:
    """Yield the files of a folder and of those below; folders left out go to `closed`."""
    with explained(folder, "folder"), os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    left_out = bids.SKIPPED_FOLDERS if bids.is_bids(folder) else {}
    for entry in listed:
        path = folder / entry.name
        if not entry.is_dir(follow_symlinks=False):
            yield path
        elif entry.name in left_out:
            closed.append(unusable(root, path, "skipped", left_out[entry.name]))
        else:
            try:
                yield from _files(root, path, closed)
            except ImageError as error:
                closed.append(unusable(root, path, "error", error.reason, error.advice))


def _sort_out(root: Path, files: list[Path]) -> list[Entry]:
    found: list[Entry] = []
    dicom: list[DicomFile] = []
    for file in files:
        try:
            with explained(file, "image"):
                found.extend(_entries_of(root, file, dicom))
        except ImageError as error:
            status: Status = "skipped" if isinstance(error, NotAnImageError) else "error"
            found.append(unusable(root, file, status, error.reason, error.advice))
    return [*found, *dicom_entries(root, dicom)]


def _entries_of(root: Path, file: Path, dicom: list[DicomFile]) -> list[Entry]:
    """Entries of a file that stands for itself; a DICOM file goes to `dicom` instead."""
    if file.is_symlink() or not file.is_file() or file.name.upper() == "DICOMDIR":
        return [other_entry(root, file)]
    kind = image_kind(file)
    if kind is not None:
        return [image_entry(root, file, kind)]
    if not is_dicom(file):
        return [other_entry(root, file)]
    dicom.append(dicom_file(file))
    return []
