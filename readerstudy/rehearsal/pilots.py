"""Variance components that a dry run estimated, to plan the size of a study with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from readerstudy.rehearsal.models import Rehearsal
from readerstudy.rehearsal.recovery import COMPONENTS
from readerstudy.studies.models import Study


@dataclass(frozen=True)
class Pilot:
    """One dry run as a pilot: the inputs of the planner by name, and where they come from."""

    number: int
    inputs: dict[str, float]
    source: str

    def is_used(self, given: Mapping[str, Any]) -> bool:
        """Are these the components that a plan rests on, unchanged?"""
        return all(given.get(name) == value for name, value in self.inputs.items())


def pilots_of(study: Study) -> list[Pilot]:
    """Return the dry runs of a study that compared two arms, the newest first."""
    runs = Rehearsal.objects.filter(study=study, result__isnull=False)
    return [found for run in runs if (found := pilot_of(run)) is not None]


def pilot_of(run: Rehearsal) -> Pilot | None:
    """Return what a dry run estimated of its planned comparison of arms; None if it has none."""
    rows = run.result["endpoints"] if run.result else []
    row = next((row for row in rows if row.get("components")), None)
    if row is None:
        return None
    inputs = {name: row["components"][name] for name in COMPONENTS}
    inputs["pilot_cases"] = int(inputs["pilot_cases"])
    source = (
        f"dry run {run.number}, “{row['title']}”: {run.readers} simulated readers, "
        f"{inputs['pilot_cases']} cases, seed {run.seed}"
    )
    return Pilot(run.number, inputs, source)
