"""Opaque letters of the classes, for limits of runs, for blocks, and for versions of a patient.

The draw has to know which cases are of one class, never which class. So each class gets a letter
by lot when the study is locked; the same class has another letter in the next study.
"""

from __future__ import annotations

import secrets
import string

from readerstudy.studies.locking import prepares_lock
from readerstudy.studies.models import Study, StudyCase
from readerstudy.studies.reading_design import ReadingDesign
from readerstudy.truth.models import Origin


@prepares_lock
def give_letters(study: Study) -> None:
    """Write the letters where the design needs them and none were chosen before."""
    rows = StudyCase.objects.filter(study=study)
    if not needs_letters(study.plan) or rows.exclude(group="").exists():
        return
    origins = Origin.objects.in_bulk(list(rows.values_list("case", flat=True)))
    classes = {row.pk: _class_of(origins.get(row.case_id)) for row in rows}
    names = sorted(set(classes.values()))
    lots = secrets.SystemRandom().sample(string.ascii_lowercase, len(names))
    letters = dict(zip(names, lots, strict=True))
    for row in rows:
        row.group = letters[classes[row.pk]]
        row.save(update_fields=("group",))


def needs_letters(plan: ReadingDesign) -> bool:
    """Does the draw have to know which cases are of one class?"""
    if plan.pairing != "single":
        return False
    return plan.plan == "one_version" or plan.max_run > 0 or plan.blocks > 1


def _class_of(origin: Origin | None) -> str:
    return origin.kind if origin else ""
