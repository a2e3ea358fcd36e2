"""Who trained a generator may not be shown in a study of its images, unless the protocol says so.

Said here in words, before anything is written; the database refuses it as well
(`readerstudy.truth.triggers`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q

from readerstudy.cases.models import Case, Series
from readerstudy.studies.case_rules import adds_case_rules
from readerstudy.studies.checklist import BLOCKS, PASSED, Check, adds_checks
from readerstudy.studies.models import Study, StudyCase
from readerstudy.truth.models import Origin, TrainedOn

REASON = (
    "The images of this patient trained a generator whose images the study shows. Leave the case "
    "out, or let the design of the protocol admit such patients."
)


@adds_case_rules
def refuse_trained(study: Study, cases: Sequence[Case]) -> dict[Any, str]:
    """Refuse cases of patients who trained a generator of the study, and its images beside them."""
    inside = list(Case.objects.filter(pk__in=_cases_of(study)).select_related("subject"))
    every = [*inside, *cases]
    barred = trained_by(study, runs_of(case.pk for case in every), every)
    if not barred:
        return {}
    own = {case.pk for case in cases}
    # A barred patient is in the study already: then the generator's images cannot join him.
    refused = barred & own or own & _made_here(own)
    return dict.fromkeys(refused, REASON)


def trained_by(study: Study, runs: Iterable[uuid.UUID | None], cases: Sequence[Case]) -> set[Any]:
    """Return which cases are of patients who trained a generator of these runs.

    Empty if the protocol admits them.
    """
    known = TrainedOn.objects.filter(generation_run__in=[run for run in runs if run])
    if study.plan.training_subjects or not known.exists():
        return set()
    fingerprints = known.values("fingerprint")
    keys = [case.subject_id for case in cases]
    by_file = Series.objects.filter(case__subject__in=keys, source_sha256__in=fingerprints)
    subjects = Case.objects.filter(
        Q(subject__source_key__in=fingerprints) | Q(pk__in=by_file.values("case")),
        subject__in=keys,
    )
    barred = set(subjects.values_list("subject", flat=True))
    return {case.pk for case in cases if case.subject_id in barred}


def runs_of(cases: Iterable[Any]) -> set[uuid.UUID]:
    """Return the generation runs that made some of the cases."""
    made = Origin.objects.filter(case__in=list(cases), generation_run__isnull=False)
    return {run for run in made.values_list("generation_run", flat=True) if run}


def _made_here(cases: Iterable[Any]) -> set[Any]:
    made = Origin.objects.filter(case__in=list(cases), generation_run__isnull=False)
    return set(made.values_list("case", flat=True))


def _cases_of(study: Study) -> list[Any]:
    return list(StudyCase.objects.filter(study=study).values_list("case", flat=True))


@adds_checks
def trained_check(study: Study) -> Iterable[Check]:
    """Tell whether patients who trained the generator are in the study; never which."""
    cases = list(study.cases.select_related("subject"))
    runs = runs_of(case.pk for case in cases)
    if not runs:
        return
    if study.plan.training_subjects:
        yield Check(
            "Cases", "Patients who trained the generator are admitted", "As the protocol states"
        )
        return
    count = len(trained_by(study, runs, cases))
    yield Check(
        "Cases",
        f"{count} cases of patients who trained the generator"
        if count
        else "Nobody in it trained the generator",
        "Choose the cases again, or admit them in the design" if count else "By name and by file",
        BLOCKS if count else PASSED,
    )
