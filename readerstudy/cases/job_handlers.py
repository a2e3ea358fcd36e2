"""Background work on cases."""

from __future__ import annotations

from collections import Counter
from typing import Any

from readerstudy.cases.deciding import accept
from readerstudy.cases.models import Case, Preparation, Series
from readerstudy.cases.preparing import KIND, is_certain, parsed, prepare
from readerstudy.cases.verifying import verify_all
from readerstudy.core.errors import Conflict
from readerstudy.core.jobs import JobContext, handles


@handles("verify_cases")
def verify_cases(context: JobContext, *, cases: list[str]) -> dict[str, Any]:
    """Compare every stored image of these cases with its checksum."""
    series = Series.objects.filter(case__in=cases).select_related("case")
    ordered = series.order_by("case__code", "role")
    return verify_all(ordered, actor=context.job.created_by, progress=context.progress)


@handles(KIND)
def prepare_cases(
    context: JobContext, *, cases: list[str], chain: Any = None, auto_accept: bool = False
) -> dict[str, Any]:
    """Prepare cases one by one. Run again, it goes on with those that are not done."""
    steps, job, actor = parsed(chain), str(context.job.pk), context.job.created_by
    found = list(Case.objects.filter(pk__in=cases).order_by("code"))
    parts = len(found) * len(steps)
    states = []
    for number, case in enumerate(found):

        def tell(step: int, _of: int, message: str, done: int = number * len(steps)) -> None:
            context.progress(done + step, parts, f"Case {done // len(steps) + 1}. {message}")

        row = prepare(case=case, chain=steps, job=job, actor=actor, progress=tell)
        if auto_accept and row.state == Preparation.State.PROPOSED and is_certain(row):
            row = _accept_alone(row, actor)
        states.append(row.state)
    context.progress(parts, parts, "Done")
    return {"preparations": dict(Counter(str(state) for state in states))}


def _accept_alone(row: Preparation, actor: Any) -> Preparation:
    """Accept without a person; what stands against it waits for one."""
    try:
        return accept(preparation=row, actor=actor)
    except Conflict:
        return row
