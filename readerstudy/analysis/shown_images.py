"""The images of an unblinded study one by one, with their origin, for exports."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any

from readerstudy.analysis.exports.archive import BEGINNING
from readerstudy.analysis.exports.bids import ShownImage, bids_files
from readerstudy.analysis.facts import UNKNOWN, Dataset
from readerstudy.analysis.software import software
from readerstudy.cases import canonical
from readerstudy.cases.models import Series
from readerstudy.studies.models import Study, StudyCase
from readerstudy.truth.unblinding import origins_of


def shown_images(study: Study, *, actor: Any) -> Iterator[ShownImage]:
    """Yield every series that the study shows, of the cases of its main phase.

    Raises
    ------
    NotAllowed
        Before the study is unblinded.
    """
    origins = origins_of(study, actor=actor)
    roles = {slot.role for slot in study.display.slots}
    shown = study.study_cases.filter(phase=StudyCase.Phase.MAIN).values("case")
    rows = Series.objects.filter(case__in=shown, role__in=roles)
    for one in rows.select_related("case__subject").order_by("case__code", "role").iterator():
        origin = origins.get(one.case_id)
        yield ShownImage(
            case=one.case.code,
            subject=one.case.subject.code,
            role=one.role,
            origin=origin.kind if origin else UNKNOWN,
            generator=origin.generator if origin else "",
            array=canonical.load_array(one),
            affine_lps=one.affine_lps,
            unit=one.unit,
            stratum=one.case.stratum,
            preparation=tuple(one.preparation),
            sha256=one.sha256,
        )


def bids_archive(data: Dataset, *, actor: Any) -> IO[bytes]:
    """Return the images of a study as a zip, in a temporary file that is gone once closed."""
    file = tempfile.TemporaryFile(prefix="readerstudy-bids-")  # noqa: SIM115 - the response closes it
    images = shown_images(data.study, actor=actor)
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in bids_files(data, images, software=software()):
            packed = zipfile.ZIP_STORED if name.endswith(".gz") else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name, BEGINNING), content, packed)
    file.seek(0)
    return file
