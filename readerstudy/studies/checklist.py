"""What must hold before a study can be locked or launched, each point with its evidence.

Apps above this one add their own points by registering a function, so that the list is whole
without this app knowing truth or reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from readerstudy.readers.profiles import is_complete
from readerstudy.studies.models import Study

PASSED, LOOK, BLOCKS = "passed", "look", "blocks"
GROUPS = ("Protocol", "Cases", "Readers", "Images", "Blinding", "Analysis")


@dataclass(frozen=True)
class Remedy:
    """Where a point is put right: an address of the study and the words on its button."""

    url_name: str
    label: str
    posts: bool = False


@dataclass(frozen=True)
class Check:
    group: str
    statement: str
    evidence: str
    status: str = PASSED
    before: str = "lock"  # the step that this point blocks: "lock" or "launch"
    remedy: Remedy | None = None


Source = Callable[[Study], Iterable[Check]]
_sources: list[Source] = []


def adds_checks(source: Source) -> Source:
    """Register a function that yields points of the checklist."""
    _sources.append(source)
    return source


def checklist(study: Study) -> list[Check]:
    """Return all points, in the order of the groups."""
    checks = [check for source in _sources for check in source(study)]
    return sorted(checks, key=lambda check: GROUPS.index(check.group))


def blocking(study: Study, *, before: str) -> list[Check]:
    """Return the points that forbid a step; what forbids locking forbids launching too."""
    steps = {"lock"} if before == "lock" else {"lock", "launch"}
    return [c for c in checklist(study) if c.status == BLOCKS and c.before in steps]


@adds_checks
def case_checks(study: Study) -> Iterable[Check]:
    count = study.study_cases.count()
    yield Check(
        "Cases",
        f"{count} cases chosen" if count else "No cases chosen",
        "Every case has the series that is shown" if count else "Choose the cases of the study",
        PASSED if count else BLOCKS,
    )


@adds_checks
def reader_checks(study: Study) -> Iterable[Check]:
    reading = study.readers.filter(withdrawn_at__isnull=True)
    enrolments = list(reading.select_related("reader__profile"))
    yield Check(
        "Readers",
        f"{len(enrolments)} readers invited" if enrolments else "No readers",
        ", ".join(e.code for e in enrolments) or "Invite at least one reader",
        PASSED if enrolments else BLOCKS,
    )
    waiting = [e.code for e in enrolments if not e.reader.has_usable_password()]
    if waiting:
        yield Check(
            "Readers",
            f"{len(waiting)} invitations not accepted yet",
            f"{', '.join(waiting)} can start once the link was used",
            LOOK,
            before="launch",
        )
    stated = [e for e in enrolments if is_complete(getattr(e.reader, "profile", None))]
    if enrolments and len(stated) < len(enrolments):
        unsaid = [e.code for e in enrolments if e not in stated]
        yield Check(
            "Readers",
            f"{len(unsaid)} profiles are not complete",
            f"{', '.join(unsaid)}: years, subspecialty and institution are asked at the sign-in",
            LOOK,
            before="launch",
        )
    elif enrolments:
        yield Check(
            "Readers", "Profiles complete", "Years, subspecialty, institution", before="launch"
        )
