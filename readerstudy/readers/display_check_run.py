"""A display check on its way: kept in the signed-in session, so that it can be gone on with.

The characters are drawn again from the seed, which never leaves the server.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from readerstudy.core.errors import NotFound
from readerstudy.core.tokens import new_token
from readerstudy.readers.display_check_device import Device
from readerstudy.readers.display_check_targets import Target, draw
from readerstudy.readers.display_check_verdict import Conditions

KEY = "display_check"
KEEP_SECONDS = 30 * 60


@dataclass(frozen=True)
class Run:
    """The answers so far."""

    seed: str
    device: Device
    conditions: Conditions
    browser: str
    goal: str  # where to go on after the check
    began: float
    answers: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[Target, ...]:
        return draw(self.seed)

    @property
    def place(self) -> int:
        """Index of the target that is to be answered next."""
        return len(self.answers)

    @property
    def is_finished(self) -> bool:
        return self.place >= len(self.targets)

    @property
    def facts(self) -> dict[str, Any]:
        return {"browser": self.browser, "seconds": round(time.time() - self.began)}


def begin(
    session: SessionBase, *, device: Device, conditions: Conditions, browser: str, goal: str
) -> Run:
    """Start a check; one that was under way is forgotten."""
    return _keep(session, Run(new_token(), device, conditions, browser, goal, time.time()))


def present(session: SessionBase, *, device: Device | None) -> Run | None:
    """Return the check under way on this display, None if there is none or it is too old."""
    kept = session.get(KEY)
    if kept is None:
        return None
    run = Run(
        **{
            **kept,
            "device": Device(**kept["device"]),
            "conditions": Conditions(**kept["conditions"]),
            "answers": tuple(kept["answers"]),
        }
    )
    if device is None or device.id != run.device.id or not run.device.is_same_screen(device):
        return None
    return run if time.time() - run.began < KEEP_SECONDS else None


def require(session: SessionBase, *, device: Device | None) -> Run:
    """Return the check under way on this display."""
    run = present(session, device=device)
    if run is None:
        raise NotFound("No display check is under way here. Begin it again.")
    return run


def answer(session: SessionBase, run: Run, *, place: str, text: str) -> Run:
    """Keep what was typed for a target. An answer sent twice, or for another target, changes
    nothing."""
    if place != str(run.place) or run.is_finished:
        return run
    return _keep(session, replace(run, answers=(*run.answers, text.strip().upper()[:1])))


def aim(session: SessionBase, run: Run, *, goal: str) -> Run:
    """Go on to another page after the check than was meant when it began."""
    return _keep(session, replace(run, goal=goal))


def forget(session: SessionBase) -> None:
    """End the check under way."""
    session.pop(KEY, None)


def _keep(session: SessionBase, run: Run) -> Run:
    session[KEY] = asdict(run)
    return run
