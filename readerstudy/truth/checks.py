"""The points of the launch checklist that need truth. They state counts, never which case."""

from __future__ import annotations

from collections.abc import Iterable

from readerstudy.studies.checklist import BLOCKS, LOOK, PASSED, Check, adds_checks
from readerstudy.studies.models import Study
from readerstudy.truth.models import Origin


@adds_checks
def origin_checks(study: Study) -> Iterable[Check]:
    cases = list(study.cases.values_list("pk", flat=True))
    if not cases:
        return
    origins = Origin.objects.filter(case__in=cases)
    kinds = list(origins.values_list("kind", flat=True))
    missing = len(cases) - len(kinds)
    yield Check(
        "Cases",
        f"{missing} cases without a recorded origin"
        if missing
        else "Origin of every case on record",
        "Declare them as real, or leave them out" if missing else "Hidden until unblinding",
        BLOCKS if missing else PASSED,
    )
    both = {"real", "synthetic"} <= set(kinds)
    yield Check(
        "Cases",
        "Both classes are present" if both else "One class only",
        "Counts are kept from readers" if both else "Nothing could be told apart in this study",
        PASSED if both else LOOK,
    )
