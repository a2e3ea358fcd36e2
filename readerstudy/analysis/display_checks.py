"""What the export says of the displays: for each sitting of each reader, checked or not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from readerstudy.readers.display_check_targets import ZONES, percent
from readerstudy.readers.models import DisplayCheck
from readerstudy.reading.models import ReadingSession
from readerstudy.studies.models import Enrolment, Study

COLUMN_TEXTS = {
    "reader": "Code of the reader in this study",
    "session": "Number of the sitting of this reader, from 1; a new one after a pause, half an "
    "hour's silence or on another display",
    "started_at_utc": "When the sitting began, ISO 8601, UTC",
    "last_seen_at_utc": "When the server last heard of it",
    "checked": "1 if a check of the display was gone through and held in this sitting, else 0",
    "passed": "1 if it was passed, 0 if not; empty without a check",
    "went_on_without": "1 if the reader chose to read without a passed check, else 0",
    "checked_at_utc": "When the check, or the choice to go without, was stored",
    "display": "Number of the display of this reader, from 1; empty where it is not known",
    "screen_width": "CSS pixels",
    "screen_height": "CSS pixels",
    "pixel_ratio": "Device pixels for each CSS pixel",
    "colour_depth": "Bits a pixel",
    "light": "The room, as the reader said: dim, normal or bright",
    "characters_seen": "Characters read rightly",
    "characters_shown": "Characters shown",
    **{
        f"smallest_{zone.code}_percent": f"Smallest step read on {zone.name} (grey level "
        f"{zone.background} of 255), per cent of the range; empty where none was read"
        for zone in ZONES
    },
    "algorithm": "Version of targets and rule",
}


def session_rows(study: Study) -> Iterable[dict[str, Any]]:
    """Yield one row per reader and sitting, with the check that held on its display."""
    sessions = (
        ReadingSession.objects.filter(enrolment__study=study, enrolment__kind=Enrolment.Kind.READER)
        .select_related("enrolment", "display_check")
        .order_by("enrolment__code", "started_at", "pk")
    )
    numbers: dict[str, int] = {}
    displays: dict[str, list[str]] = {}
    for session in sessions:
        code, check = session.enrolment.code, session.display_check
        numbers[code] = numbers.get(code, 0) + 1
        yield {
            "reader": code,
            "session": numbers[code],
            "started_at_utc": session.started_at.isoformat(),
            "last_seen_at_utc": session.last_seen_at.isoformat(),
            **_check_cells(check),
            "display": _number(displays.setdefault(code, []), check),
        }


def _number(known: list[str], check: DisplayCheck | None) -> int | str:
    """Return the number of a display; its random name stays on the server."""
    if check is None:
        return ""
    name = f"{check.device} {check.screen_width} {check.screen_height}"
    if name not in known:
        known.append(name)
    return known.index(name) + 1


def _check_cells(check: DisplayCheck | None) -> dict[str, Any]:
    if check is None:
        return {"checked": 0, "passed": "", "went_on_without": 0}
    done = check.outcome != DisplayCheck.Outcome.SKIPPED
    smallest = {
        f"smallest_{code}_percent": "" if step is None else percent(step)
        for code, step in check.smallest.items()
    }
    return {
        "checked": int(done),
        "passed": int(check.passed) if done else "",
        "went_on_without": int(not done),
        "checked_at_utc": check.at.isoformat(),
        "screen_width": check.screen_width,
        "screen_height": check.screen_height,
        "pixel_ratio": check.pixel_ratio,
        "colour_depth": check.colour_depth,
        "light": check.conditions.get("light", ""),
        "characters_seen": check.seen if done else "",
        "characters_shown": len(check.answers) if done else "",
        **smallest,
        "algorithm": check.algorithm,
    }
