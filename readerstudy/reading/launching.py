"""What the launch page shows: the checklist in groups, and what still stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from readerstudy.core.models import Job
from readerstudy.studies.checklist import BLOCKS, LOOK, PASSED, Check, Remedy, checklist
from readerstudy.studies.models import Study

# Where the points of a group are put right, while the study is a draft.
REMEDIES = {
    "Protocol": Remedy("study-describe", "Go to it"),
    "Cases": Remedy("study-cases", "Go to it"),
    "Readers": Remedy("study-readers", "Go to it"),
}


@dataclass(frozen=True)
class Point:
    """One row of the checklist, with the page on which it is put right."""

    check: Check
    remedy: Remedy | None


@dataclass(frozen=True)
class Group:
    name: str
    points: list[Point]

    @property
    def passed(self) -> int:
        return sum(point.check.status == PASSED for point in self.points)


@dataclass(frozen=True)
class Launching:
    """The checklist of one study."""

    groups: list[Group]
    step: str | None  # "lock", "launch", or None once the study runs

    @property
    def checks(self) -> list[Check]:
        return [point.check for group in self.groups for point in group.points]

    @property
    def reasons(self) -> list[str]:
        """What blocks the next step, in words."""
        if self.step is None:
            return []
        steps = ("lock",) if self.step == "lock" else ("lock", "launch")
        return [c.statement for c in self.checks if c.status == BLOCKS and c.before in steps]

    @property
    def to_look_at(self) -> int:
        return sum(check.status == LOOK for check in self.checks)


def state_of(study: Study) -> Launching:
    """Return the checklist of a study and its next step."""
    step = {Study.State.DRAFT: "lock", Study.State.LOCKED: "launch"}.get(Study.State(study.state))
    groups = [
        Group(name, [Point(check, _remedy(study, check)) for check in checks])
        for name, checks in groupby(checklist(study), key=lambda check: check.group)
    ]
    return Launching(groups, step)


def _remedy(study: Study, check: Check) -> Remedy | None:
    if check.remedy is not None:
        return check.remedy
    if study.state != Study.State.DRAFT or check.status == PASSED:
        return None
    return REMEDIES.get(check.group)


def preparation_of(study: Study) -> Job | None:
    """Return the job that encodes the images of a study, once it is locked."""
    return Job.objects.filter(key=f"encode_study:{study.pk}").first()
