"""Which generation runs have cases on record, to choose from."""

from __future__ import annotations

from django.db.models import Count

from readerstudy.truth.models import Origin


def generation_runs() -> list[tuple[str, str]]:
    """Return the identifier of each run with a line for the choice, by generator."""
    runs = (
        Origin.objects.filter(generation_run__isnull=False)
        .values_list("generation_run", "generator")
        .annotate(n=Count("case"))
        .order_by("generator", "generation_run")
    )
    return [
        (str(run), f"{generator or 'unnamed generator'}, run {str(run)[:8]}, {n} cases")
        for run, generator, n in runs
    ]
