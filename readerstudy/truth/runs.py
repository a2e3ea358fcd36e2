"""Which generation runs have cases on record, to choose from: those made here and elsewhere."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

from django.db.models import Count

from readerstudy.truth.models import Origin


@dataclass(frozen=True)
class ExternalRun:
    """A run of a generator outside this project, by the names under which it was declared."""

    generator: str
    name: str = ""


RunChoice = uuid.UUID | str | ExternalRun
_FACTS = ("generation_run", "generator", "external_run")


def generation_runs() -> list[tuple[str, str]]:
    """Return the key of each run with a line for the choice, by generator."""
    synthetic = Origin.objects.filter(kind=Origin.Kind.SYNTHETIC)
    runs = synthetic.values_list(*_FACTS).annotate(n=Count("case"))
    return [
        (_key(run, generator, name), f"{generator}, {_run_text(run, name)}{n} cases")
        for run, generator, name, n in runs.order_by("generator", "generation_run", "external_run")
    ]


def _run_text(run: uuid.UUID | None, name: str) -> str:
    if run:
        return f"run {str(run)[:8]}, "
    return f"run {name} made elsewhere, " if name else "made elsewhere, "


def _key(run: uuid.UUID | None, generator: str, name: str) -> str:
    return str(run) if run else json.dumps([generator, name])


def parse_run(key: str) -> RunChoice:
    """Return the run that a key of `generation_runs` stands for."""
    if key.startswith("["):
        return ExternalRun(*json.loads(key))
    return uuid.UUID(key)


def is_of(origin: Origin, run: RunChoice | None) -> bool:
    """Was the case made by this run? None stands for every run."""
    if run is None:
        return True
    if isinstance(run, ExternalRun):
        made = (origin.generation_run, origin.generator, origin.external_run)
        return made == (None, run.generator, run.name)
    return str(origin.generation_run) == str(run)
