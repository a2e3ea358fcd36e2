"""Put uploaded files under their names, where the images of an import are looked for."""

from __future__ import annotations

import json
from pathlib import Path

from readerstudy.core.errors import ReaderStudyError
from readerstudy.intake import folders
from readerstudy.intake.models import Import


def root_of(batch: Import) -> Path:
    """Return the folder (or file) that holds the images of an import."""
    place = folders.place_of(batch)
    if batch.kind == Import.Kind.FOLDER:
        return folder_of(batch)
    if batch.kind == Import.Kind.UPLOAD:
        _collect(batch)
    return place.files


def folder_of(batch: Import) -> Path:
    """Return which folder of this machine is imported."""
    path = folders.place_of(batch).source
    if not path.exists():
        raise ReaderStudyError("The names of this import were removed. Begin a new one.")
    return Path(json.loads(path.read_text())["path"])


def _collect(batch: Import) -> None:
    """Move each whole file to its name; moving again does nothing."""
    place = folders.place_of(batch)
    place.files.mkdir(exist_ok=True)
    sizes = {str(token): size for token, size in batch.files.values_list("token", "size")}
    for line in folders.read_lines(place.names):
        part, target = place.parts / line["token"], place.files / line["path"]
        if line["token"] not in sizes or target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if sizes[line["token"]] == 0:
            part.touch()
        if not part.exists() or part.stat().st_size != sizes[line["token"]]:
            raise ReaderStudyError("A file of the upload has not come whole. Upload it again.")
        part.replace(target)
    if not any(place.files.iterdir()):
        raise ReaderStudyError("There are no files in this upload.")
