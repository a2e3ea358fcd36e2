"""What is done by the clock: functions that a worker calls every hour.

Each must be safe to call again at once, since two workers may both find the hour struck.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)
Work = Callable[[], object]
_hourly: list[Work] = []


def every_hour(work: Work) -> Work:
    """Register a function without arguments."""
    _hourly.append(work)
    return work


def run_hourly() -> int:
    """Call every registered function; one that fails does not keep the others from their turn."""
    failed = 0
    for work in _hourly:
        try:
            work()
        except Exception:
            log.exception("hourly work failed: %s", work.__name__)
            failed += 1
    return failed
