"""The points of the launch checklist that concern planning."""

from __future__ import annotations

from collections.abc import Iterable

from readerstudy.rehearsal.models import Rehearsal, SampleSize
from readerstudy.studies.checklist import LOOK, PASSED, Check, adds_checks
from readerstudy.studies.models import Study


@adds_checks
def size_checks(study: Study) -> Iterable[Check]:
    stated = SampleSize.objects.filter(study=study).first()
    yield Check(
        "Protocol",
        "Sample size stated" if stated else "No sample size stated",
        stated.result["sentence"] if stated else "Plan it on the page Sample size",
        PASSED if stated else LOOK,
    )


@adds_checks
def rehearsal_checks(study: Study) -> Iterable[Check]:
    last = Rehearsal.objects.filter(study=study, result__isnull=False).first()
    if last is None:
        yield Check("Protocol", "No dry run", "Simulated readers can try the study first", LOOK)
        return
    whole = last.result["verification"]["is_whole"]
    yield Check(
        "Protocol",
        "Dry run passed" if whole else "The dry run lost answers",
        f"Dry run {last.number}: {last.readers} simulated readers, median "
        f"{last.result['median_hours']:.1f} h",
        PASSED if whole else LOOK,
    )
