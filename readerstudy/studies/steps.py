"""The way of a draft to its launch: steps, each with its state and one action."""

from __future__ import annotations

from dataclasses import dataclass

from readerstudy.studies import checklist
from readerstudy.studies.models import Study
from readerstudy.studies.reading_design import PLANS, SCHEDULES


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
        Step("Questions", _asked(study), study.questions.exists(), "Edit", "study-questions"),
        Step("Design", _planned(study), True, "Edit", "study-design"),
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


def _asked(study: Study) -> str:
    count, planned = study.questions.count(), len(study.analyses)
    endpoints = f"{planned} planned analys{'is' if planned == 1 else 'es'}"
    return f"{count} question{'' if count == 1 else 's'}, {endpoints}"


def _planned(study: Study) -> str:
    plan = study.plan
    parts = [PLANS[plan.plan], SCHEDULES[plan.schedule]]
    if plan.repeats:
        parts.append(f"{plan.repeats} hidden repeats")
    return "; ".join(parts)


def _counted(title: str, count: int, noun: str, url_name: str) -> Step:
    evidence = f"{count} {noun}{'' if count == 1 else 's'}" if count else "None yet"
    return Step(title, evidence, count > 0, "Change" if count else "Begin", url_name)
