"""Keep label maps that were made elsewhere, uploaded on the staff pages, for scores of a run."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, ReaderStudyError
from synthesis.folders import label_maps_folder
from synthesis.models import GenerationRun

LARGEST_BYTES = 64 * 2**20
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SUFFIXES = (".nii.gz", ".nii")


def keep(*, run: GenerationRun, name: str, files: Sequence[UploadedFile], actor: Any) -> Path:
    """Store a named set of label maps ``<case code>.nii.gz``; return its folder.

    Every file must be named after a synthetic case of the run or its source. They are read and
    checked against the images when a scoring uses them.

    Raises
    ------
    ReaderStudyError
        If the name or a file cannot be used, or the set exists.
    """
    folder = label_maps_folder() / _checked_name(name)
    if folder.exists():
        raise Conflict(f"There are label maps called {name} already. Take another name.")
    named = {file: _checked(run, file) for file in files}
    if len(set(named.values())) < len(named):
        raise ReaderStudyError("Two files are of one case. Leave one of them out.")
    partial = folder.with_name(f".{name}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    digests = {code: _write(partial, code, file) for file, code in named.items()}
    with write_transaction():
        audit.record(
            actor=actor,
            action="synthesis.label_maps",
            target=f"run {run.pk}",
            new={"name": name, "files": digests},
        )
        partial.rename(folder)
    return folder


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ReaderStudyError("Name label maps in small letters, digits and hyphens, at most 40.")
    return name


def _checked(run: GenerationRun, file: UploadedFile) -> str:
    said = file.name or ""
    suffix = next((one for one in _SUFFIXES if said.endswith(one)), "")
    code = said.removesuffix(suffix)
    if not suffix:
        raise ReaderStudyError(f"{said} is not a NIfTI file: give .nii.gz or .nii.")
    known = {code for one in run.record.get("cases", {}).values() for code in one.values()}
    if code not in known:
        raise ReaderStudyError(
            f"{said} is not named after a case of this run. Name each file after the code of a "
            "synthetic case or of its source."
        )
    if (file.size or 0) > LARGEST_BYTES:
        raise ReaderStudyError(f"{said} is larger than {LARGEST_BYTES // 2**20} MiB.")
    return code


def _write(folder: Path, code: str, file: UploadedFile) -> str:
    suffix = ".nii.gz" if (file.name or "").endswith(".gz") else ".nii"
    digest = hashlib.sha256()
    with (folder / f"{code}{suffix}").open("wb") as stream:
        for chunk in file.chunks():
            digest.update(chunk)
            stream.write(chunk)
    return digest.hexdigest()
