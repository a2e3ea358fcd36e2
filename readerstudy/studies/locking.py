"""What has to be written into a study within the transaction that locks it.

Apps above this one register a function, so that truth can fill in what a training case discloses
without the reading knowing truth.
"""

from __future__ import annotations

from collections.abc import Callable

from readerstudy.studies.models import Study

BeforeLock = Callable[[Study], None]
_before_lock: list[BeforeLock] = []


def prepares_lock(function: BeforeLock) -> BeforeLock:
    """Register a function that is called with the draft right before it is locked."""
    _before_lock.append(function)
    return function


def prepare(study: Study) -> None:
    """Call all registered functions; any refusal keeps the study a draft."""
    for function in _before_lock:
        function(study)
