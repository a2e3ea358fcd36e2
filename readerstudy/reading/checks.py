"""The points of the launch checklist that concern the allocation and the images."""

from __future__ import annotations

from collections.abc import Iterable

from readerstudy.reading.models import Allocation, DisplayForm, EncodedSeries, Reading
from readerstudy.studies.checklist import BLOCKS, PASSED, Check, adds_checks
from readerstudy.studies.models import Study


@adds_checks
def allocation_checks(study: Study) -> Iterable[Check]:
    if study.state == Study.State.DRAFT:
        return
    allocation = Allocation.objects.get(study=study)
    rows = Reading.objects.filter(enrolment__study=study).count()
    yield Check(
        "Protocol",
        "Allocation drawn and stored",
        f"{rows} readings, hash {allocation.table_hash[:8]}",
    )


@adds_checks
def image_checks(study: Study) -> Iterable[Check]:
    if study.state == Study.State.DRAFT:
        return
    wanted = study.study_cases.count() * len(study.slots)
    ready = EncodedSeries.objects.filter(study=study).count()
    form = DisplayForm.objects.filter(study=study).first()
    done = form is not None and ready == wanted
    yield Check(
        "Blinding",
        "One form for all images" if done else "Images are being prepared",
        f"{ready} of {wanted} encoded; same grid, type, header and length"
        if done
        else f"{ready} of {wanted} encoded",
        PASSED if done else BLOCKS,
        before="launch",
    )
