"""Add cases to a draft, beside those it has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from readerstudy.cases.flags import label
from readerstudy.cases.models import Case, Series
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies import case_rules
from readerstudy.studies.design import require_draft
from readerstudy.studies.models import Study, StudyCase


def refusals(study: Study, cases: Sequence[Case]) -> dict[Any, str]:
    """Return for each case that cannot be added to a study why, by identifier."""
    keys = [case.pk for case in cases]
    inside = set(
        StudyCase.objects.filter(study=study, case__in=keys).values_list("case", flat=True)
    )
    roles: dict[Any, set[str]] = {}
    shown = Series.objects.filter(case__in=keys, role__in=study.slots)
    for key, role in shown.values_list("case", "role"):
        roles.setdefault(key, set()).add(role)
    reasons = {
        case.pk: _refusal(study, case, case.pk in inside, roles.get(case.pk, set()))
        for case in cases
    }
    told = {key: reason for key, reason in reasons.items() if reason}
    return case_rules.refusals_of(study, cases) | told


def _refusal(study: Study, case: Case, inside: bool, roles: set[str]) -> str:
    if inside:
        return "It is in the study already."
    if case.withdrawn_at is not None:
        return "It was withdrawn."
    missing = [label(role) for role in study.slots if role not in roles]
    if missing:
        return f"The study shows {', '.join(missing)}, which the case does not have."
    return ""


def add_cases(*, study: Study, cases: Iterable[Case], actor: Any) -> int:
    """Add cases to a draft; refused as a whole if one of them does not fit."""
    cases = sorted(cases, key=lambda case: case.code)  # by random code: the order tells nothing
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(study)
        reasons = refusals(study, cases)
        for case in cases:
            if case.pk in reasons:
                raise ReaderStudyError(f"Case {case.code}: {reasons[case.pk]}")
        StudyCase.objects.bulk_create(
            StudyCase(study=study, case=case, item=case.code) for case in cases
        )
        audit.record(
            actor=actor,
            action="study.add_cases",
            target=f"study {study.pk}",
            new={"cases": [case.code for case in cases]},
        )
    return len(cases)
