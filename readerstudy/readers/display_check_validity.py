"""Whether a display is checked: by whom, on which screen, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from readerstudy.readers.display_check_device import COOKIE, Device, device_of
from readerstudy.readers.display_check_targets import WANTED_STEP
from readerstudy.readers.display_check_verdict import steps_text
from readerstudy.readers.models import DisplayCheck

REQUIRED, ADVISED, OFF = "required", "advised", "off"
SAMPLE_WIDTH, SAMPLE_PITCH = 56, 68


def policy() -> str:
    """Return what this server asks of a display before reading."""
    return str(settings.DISPLAY_CHECK)


def good_until(check: DisplayCheck) -> datetime:
    """Return when a check ends, passed or not."""
    return check.at + timedelta(days=settings.DISPLAY_CHECK_DAYS)


def device_from(request: HttpRequest) -> Device | None:
    """Return the display that a request comes from."""
    return device_of(request.COOKIES.get(COOKIE))


def latest_on(*, user: Any, device: Device | None) -> DisplayCheck | None:
    """Return the newest check of this reader on this display, however old."""
    if device is None:
        return None
    rows = DisplayCheck.objects.filter(user=user, device=device.id).order_by("-at", "-pk")
    return next((row for row in rows if device.is_same_screen(_device_of(row))), None)


def _device_of(check: DisplayCheck) -> Device:
    return Device(
        check.device,
        check.screen_width,
        check.screen_height,
        check.pixel_ratio,
        check.colour_depth,
    )


def current_on(*, user: Any, device: Device | None) -> DisplayCheck | None:
    """Return the newest check on this display if it still holds."""
    check = latest_on(user=user, device=device)
    return check if check and timezone.now() < good_until(check) else None


def may_read(*, user: Any, device: Device | None) -> bool:
    """Tell whether reading may begin on this display without going to the check first.

    Advised: a passed check, or the reader's own choice to go without, is on record for this
    display. Required: only a passed one counts.
    """
    if policy() == OFF:
        return True
    check = current_on(user=user, device=device)
    if check is None:
        return False
    skipped = check.outcome == DisplayCheck.Outcome.SKIPPED
    return check.passed or (skipped and policy() == ADVISED)


@dataclass(frozen=True)
class Sample:
    """A small square with the character that was to be read on it, ready for SVG."""

    x: int
    paper: str
    ink: str
    character: str

    @property
    def middle(self) -> float:
        return self.x + SAMPLE_WIDTH / 2


@dataclass(frozen=True)
class Standing:
    """How it stands with the display that a page is on.

    Attributes
    ----------
    code : str
        "unchecked", "passed", "look", "skipped" or "expired".
    """

    code: str
    check: DisplayCheck | None = None

    @property
    def until(self) -> datetime | None:
        return good_until(self.check) if self.check else None

    @property
    def samples(self) -> list[Sample]:
        """The characters at the wanted step, from black to white."""
        answers = self.check.answers if self.check else []
        wanted = [a for a in answers if abs(a["ink"] - a["background"]) == WANTED_STEP]
        return [
            Sample(place * SAMPLE_PITCH, _grey(a["background"]), _grey(a["ink"]), a["character"])
            for place, a in enumerate(wanted)
        ]

    @property
    def wanted(self) -> str:
        return f"{steps_text(WANTED_STEP)} contrast"


def _grey(level: int) -> str:
    return f"#{level:02x}{level:02x}{level:02x}"


def standing(*, user: Any, device: Device | None) -> Standing:
    """Return how it stands with this display, for the reader's first page."""
    check = latest_on(user=user, device=device)
    if check is None:
        return Standing("unchecked")
    return Standing(check.outcome if timezone.now() < good_until(check) else "expired", check)
