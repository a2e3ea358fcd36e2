"""Cases that a study shares with others: what unblinding one of them means for the blind of the
others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from readerstudy.core.errors import NotAllowed
from readerstudy.studies.deviations import Entry, adds_deviations
from readerstudy.studies.models import Enrolment, Membership, Study
from readerstudy.truth.models import Unblinding
from readerstudy.truth.visibility import BLIND_ROLES, BLINDED


def blinded_with(study: Study) -> QuerySet[Study]:
    """Return the other studies that show some of the same cases and are still blinded."""
    others = Study.objects.filter(rehearsal_of__isnull=True, state__in=BLINDED)
    shared = others.filter(study_cases__case__in=study.cases.values("pk"))
    return shared.exclude(pk=study.pk).distinct()


def shared_cases(study: Study) -> int:
    """Return how many cases of a study are shown in studies that are still blinded."""
    shown = blinded_with(study).values("study_cases__case")
    return study.cases.filter(pk__in=shown).distinct().count()


def require_no_part(user: Any, study: Study) -> None:
    """Refuse the truth of a study to who must stay blind to the same cases elsewhere.

    Raises
    ------
    NotAllowed
        If the user reads, or has a blind role, in a study that shares cases and is still blinded.
    """
    if getattr(user, "pk", None) is None:
        return
    others = blinded_with(study)
    reads = Enrolment.objects.filter(study__in=others, reader=user)
    blind = Membership.objects.filter(study__in=others, user=user, role__in=BLIND_ROLES)
    if reads.exclude(kind=Enrolment.Kind.PREVIEW).exists() or blind.exists():
        raise NotAllowed(
            "You have a blind part in another study that shows some of these cases and is not "
            "unblinded. Ask somebody without such a part to open the results."
        )


@adds_deviations
def unblinded_elsewhere(study: Study) -> Iterable[Entry]:
    """Yield the studies with cases of this one that were unblinded while this one was blind.

    Names and cases are left out: the other study may not be open to whoever sees this list.
    """
    if study.locked_at is None:
        return
    cases = study.cases.values("pk")
    rows = Unblinding.objects.filter(
        study__study_cases__case__in=cases, study__rehearsal_of__isnull=True
    )
    rows = rows.exclude(study=study).filter(at__gte=study.locked_at).distinct()
    for row in rows:
        if study.unblinded_at is not None and row.at >= study.unblinded_at:
            continue
        count = study.cases.filter(pk__in=row.study.cases.values("pk")).distinct().count()
        yield Entry(
            at=row.at,
            kind="unblinded elsewhere",
            reader="",
            text=f"{count} cases were unblinded with another study that shows them too",
        )
