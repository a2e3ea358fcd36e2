"""Hand out generated images: NIfTI with its JSON, and DICOM, each marked as synthetic."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import nibabel as nib
import numpy as np

from readerstudy.cases import canonical
from readerstudy.cases.models import Case, Series
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotAllowed, NotFound
from readerstudy.truth.models import Origin
from readerstudy.truth.visibility import why_hidden
from synthesis import dicom_out
from synthesis.dicom_out import MARK, UNITS, Making
from synthesis.models import GenerationRun

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_A_DAY = (2026, 1, 1, 0, 0, 0)  # files of one image are equal at every export


def export_image(*, run: GenerationRun, code: str, actor: Any) -> bytes:
    """Return the image of a case of a run as a zip of NIfTI, JSON and DICOM; the act is recorded.

    Raises
    ------
    NotFound
        If the run made no such image.
    NotAllowed
        If a blinded study hides from the user which images are synthetic.
    """
    entries = run.record.get("cases", {}).items()
    image = next((key for key, entry in entries if entry["case"] == code), None)
    if image is None:
        raise NotFound("This run made no such image.")
    case = Case.objects.select_related("subject").get(code=code)
    if reason := why_hidden(actor, case):
        raise NotAllowed(f"The image is not handed out. {reason}")
    with write_transaction():
        audit.record(
            actor=actor,
            action="synthesis.export_image",
            target=f"run {run.pk}",
            new={"image": image, "case": case.code},
        )
    return zipped(dict(files_of(run, image, case)))


def files_of(run: GenerationRun, image: str, case: Case) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the files of one image; drawn images have one per sequence."""
    known = _image_record(run, image)
    made = case.series.filter(role=run.role) if known.get("sources") else case.series.all()
    for series in made.order_by("role"):
        making = _making(run, image, case, series.role)
        stem = f"{case.code}_{series.role}_synthetic"
        yield f"{stem}.nii.gz", _nifti(series)
        yield f"{stem}.json", json.dumps(dicom_out.sidecar(making), indent=2).encode()
        for name, content in _dicom(series, making):
            yield f"{stem}_dicom/{name}", content


def _image_record(run: GenerationRun, image: str) -> dict[str, Any]:
    stored = run.record.get("generation") or run.record.get("samples") or {}
    for one in stored.get("images", []):
        if one["uuid"] == image:
            found: dict[str, Any] = one
            return found
    raise NotFound("The record of this run does not describe the image.")


def _making(run: GenerationRun, image: str, case: Case, role: str) -> Making:
    known = _image_record(run, image)
    stored = run.record.get("generation") or run.record["samples"]
    mapping = stored["generator"].get("output_mapping", {})
    return Making(
        image=f"{image}/{role}" if not known.get("sources") else image,
        subject=case.subject.code,
        sequence=role,
        model=run.checkpoint.preset,
        weights_sha256=run.checkpoint.weights_sha256,
        code_version=str(stored["environment"].get("code_version", "unknown")),
        record_sha256=Origin.objects.get(case=case).record_sha256,
        pixel_sha256=known["pixel_sha256"],
        seed=int(known["seed"]),
        sources=known.get("sources", {}),
        made_at=run.created_at,
        slope=float(mapping.get("slope", 1.0)),
        unit=UNITS.get(role, "") if mapping.get("slope", 1.0) != 1.0 else "",
    )


def _nifti(series: Series) -> bytes:
    """Return the stored values; those of a map are in its unit."""
    volume = canonical.load_volume(series)
    array = np.ascontiguousarray(volume.array.transpose(2, 1, 0))
    image = nib.Nifti1Image(array, _LPS_TO_RAS @ volume.affine_lps)
    image.header["descrip"] = MARK.encode()
    image.header.set_xyzt_units("mm")
    return gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)


def _dicom(series: Series, making: Making) -> Iterator[tuple[str, bytes]]:
    volume = canonical.load_volume(series)
    affine = np.asarray(volume.affine_lps, dtype=float)
    if making.unit:
        yield from _map(series, making, affine)
        return
    levels = np.clip(np.rint(volume.array), 0, 65535)
    for number, one in enumerate(dicom_out.mr_series(levels, affine, making), start=1):
        yield f"{number:04d}.dcm", dicom_out.encoded(one)


def _map(series: Series, making: Making, affine: Any) -> Iterator[tuple[str, bytes]]:
    """A map goes with the series it lies on: the first input, as MR images of the same study."""
    inputs = series.case.series.exclude(pk=series.pk).order_by("role")
    under = next((one for one in inputs if one.shape == series.shape), series)
    levels = np.clip(np.rint(canonical.load_array(under)), 0, 65535)
    sources = dicom_out.mr_series(levels, affine, making, role=under.role)
    values = canonical.load_array(series)  # in the unit, and so stored in levels times the slope
    mapped = np.rint(values / making.slope)
    yield "map.dcm", dicom_out.encoded(dicom_out.parametric_map(mapped, making, sources))
    for number, one in enumerate(sources, start=1):
        yield f"input_{under.role}/{number:04d}.dcm", dicom_out.encoded(one)


def zipped(files: dict[str, bytes]) -> bytes:
    """Return files as a zip whose bytes depend on nothing but them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _A_DAY), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
