"""Imported cases as training images: which may be used, and their files for the engine."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from django.conf import settings

from readerstudy.cases import canonical
from readerstudy.cases.models import Case, Series
from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies.models import Study, StudyCase
from readerstudy.truth.models import Origin
from synthesis.data.hashing import json_sha256

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
PATIENTS_FILE = "patients.csv"


def usable_cases(sequences: Sequence[str]) -> list[str]:
    """Return codes of real cases with every sequence that no unfinished study shows.

    A case of a study that is still blinded is left out: training on it would bar it from studies
    of the generator, and the list would tell its class.
    """
    blinded = StudyCase.objects.exclude(study__state=Study.State.UNBLINDED).values("case")
    cases = Case.objects.available().exclude(pk__in=blinded)
    for role in sequences:
        cases = cases.with_role(role)
    real = Origin.objects.filter(case__in=cases, kind=Origin.Kind.REAL)
    return sorted(real.values_list("case__code", flat=True))


def write_cases(codes: Sequence[str], sequences: Sequence[str]) -> Path:
    """Write cases as the engine reads them: ``<case>/<sequence>.nii.gz`` and ``patients.csv``.

    The folder is named for its content and complete or absent.
    """
    name = json_sha256({"cases": sorted(codes), "sequences": sorted(sequences)})[:24]
    folder = Path(settings.WORK_ROOT) / "training-cases" / name
    if folder.exists():
        return folder
    unfinished = folder.with_name(f".{name}.{os.getpid()}")
    shutil.rmtree(unfinished, ignore_errors=True)
    cases = {case.code: case for case in Case.objects.filter(code__in=codes)}
    for code in codes:
        if code not in cases:
            raise ReaderStudyError(f"There is no case {code}.")
        _write_case(unfinished / code, cases[code], sequences)
    (unfinished / PATIENTS_FILE).write_text(_patients(list(cases.values())), encoding="utf-8")
    unfinished.rename(folder)
    return folder


def _write_case(folder: Path, case: Case, sequences: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    series = {one.role: one for one in Series.objects.filter(case=case, role__in=sequences)}
    missing = [role for role in sequences if role not in series]
    if missing:
        raise ReaderStudyError(f"Case {case.code} has no {', '.join(missing)} series.")
    for role, one in series.items():
        volume = canonical.load_volume(one)
        image = nib.Nifti1Image(
            np.ascontiguousarray(volume.array.transpose(2, 1, 0)), _LPS_TO_RAS @ volume.affine_lps
        )
        nib.save(image, folder / f"{role}.nii.gz")


def _patients(cases: Sequence[Case]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("examination", "patient"))
    writer.writerows((case.code, case.subject.code) for case in cases)
    return out.getvalue()


def keys_of(codes: Sequence[str]) -> dict[str, str]:
    """Return for each case the digest under which its patient is remembered."""
    cases = Case.objects.filter(code__in=codes)
    return dict(cases.values_list("code", "subject__source_key"))
