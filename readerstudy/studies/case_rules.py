"""What else forbids a case in a study. Apps above this one register rules it cannot know."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from readerstudy.cases.models import Case
from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies.models import Study

Rule = Callable[[Study, Sequence[Case]], dict[Any, str]]
_rules: list[Rule] = []


def adds_case_rules(rule: Rule) -> Rule:
    """Register ``(study, cases to be added) -> reason by identifier of each case refused``."""
    _rules.append(rule)
    return rule


def refusals_of(study: Study, cases: Sequence[Case]) -> dict[Any, str]:
    """Return for each case that a rule keeps out of a study why."""
    return {key: why for rule in _rules for key, why in rule(study, cases).items()}


def require_allowed(study: Study, cases: Sequence[Case]) -> None:
    """Refuse cases that a rule keeps out."""
    reasons = refusals_of(study, cases)
    for case in cases:
        if case.pk in reasons:
            raise ReaderStudyError(f"Case {case.code}: {reasons[case.pk]}")
