"""Background work on cases."""

from __future__ import annotations

from typing import Any

from readerstudy.cases.models import Series
from readerstudy.cases.verifying import verify_all
from readerstudy.core.jobs import JobContext, handles


@handles("verify_cases")
def verify_cases(context: JobContext, *, cases: list[str]) -> dict[str, Any]:
    """Compare every stored image of these cases with its checksum."""
    series = Series.objects.filter(case__in=cases).select_related("case")
    ordered = series.order_by("case__code", "role")
    return verify_all(ordered, actor=context.job.created_by, progress=context.progress)
