"""Tell the list of cases in how many studies a case is used."""

from __future__ import annotations

from readerstudy.cases.models import Case
from readerstudy.cases.usage import Usage, counts_usage
from readerstudy.studies.models import Study

BLINDED = (Study.State.LOCKED, Study.State.RUNNING, Study.State.CLOSED)


@counts_usage
def usage_in_studies(case: Case) -> Usage:
    studies = Study.objects.filter(study_cases__case=case)
    return Usage(studies.count(), studies.filter(state__in=BLINDED).count())
