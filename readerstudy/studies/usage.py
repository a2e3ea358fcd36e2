"""Tell the list of cases in which studies a case is used."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Count, Q, QuerySet

from readerstudy.cases.usage import Collected, Usage, counts_usage
from readerstudy.studies.access import studies_of
from readerstudy.studies.models import Study, StudyCase
from readerstudy.studies.permissions import READ_NOW, Action, is_administrator

BLINDED = (Study.State.LOCKED, Study.State.RUNNING, Study.State.CLOSED)


@counts_usage
class StudiesUse:
    """The studies' answer to the list of cases."""

    def counts(self, cases: Collection[Any]) -> Mapping[Any, Usage]:
        """Return the use of each case that is part of a study."""
        rows = (
            StudyCase.objects.filter(case__in=cases, study__rehearsal_of__isnull=True)
            .values("case")
            .annotate(
                studies=Count("pk"),
                running=Count("pk", filter=Q(study__state=Study.State.RUNNING)),
                blinded=Count("pk", filter=Q(study__state__in=BLINDED)),
            )
        )
        return {row.pop("case"): Usage(**row) for row in rows}

    def blinded(self) -> QuerySet[Any, Any]:
        """Return a query for the cases of blinded studies."""
        return StudyCase.objects.filter(
            study__state__in=BLINDED, study__rehearsal_of__isnull=True
        ).values("case")

    def held(self, cases: Collection[Any], user: Any) -> QuerySet[Any, Any]:
        """Return a query for the cases in locked or running studies that the user cannot amend."""
        rows = StudyCase.objects.filter(
            case__in=cases, study__state__in=READ_NOW, study__rehearsal_of__isnull=True
        )
        if is_administrator(user):
            rows = rows.none()
        return rows.exclude(study__in=studies_of(user, Action.AMEND)).values_list("case", flat=True)

    def collected(self, key: str, user: Any) -> Collected | None:
        """Return the cases of a study of this user."""
        try:
            study = studies_of(user, Action.PROGRESS).filter(pk=uuid.UUID(key)).first()
        except ValueError:
            return None
        if study is None:
            return None
        cases = StudyCase.objects.filter(study=study).values("case")
        return Collected(key, study.name, tuple(study.slots), cases)
