"""The way of a draft to its launch: steps, each with its state and one action."""

from __future__ import annotations

from dataclasses import dataclass

from readerstudy.studies import checklist
from readerstudy.studies.models import Study


@dataclass(frozen=True)
class Step:
    title: str
    evidence: str
    done: bool
    action: str
    url_name: str


def steps_of(study: Study) -> list[Step]:
    """Return the steps of a draft, in order."""
    blocking = checklist.blocking(study, before="lock")
    return [
        Step("Describe", f"Readers see “{study.reader_title}”", True, "Edit", "study-describe"),
        Step("Display", _shown(study), True, "Edit", "study-display"),
        _counted("Choose cases", study.study_cases.count(), "case", "study-cases"),
        _counted("Invite readers", study.readers.count(), "reader", "study-readers"),
        Step(
            "Check and lock",
            f"Not yet: {'; '.join(check.statement for check in blocking)}"
            if blocking
            else "Nothing blocks the lock",
            False,
            "Check",
            "study-launch",
        ),
    ]


def _shown(study: Study) -> str:
    labels = [slot.label for slot in study.display.slots]
    return f"Shows {', '.join(labels)}"


def _counted(title: str, count: int, noun: str, url_name: str) -> Step:
    evidence = f"{count} {noun}{'' if count == 1 else 's'}" if count else "None yet"
    return Step(title, evidence, count > 0, "Change" if count else "Begin", url_name)
