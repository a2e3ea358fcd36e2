"""The date on which a reader's next part opens, as a calendar file (RFC 5545)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from readerstudy.core.errors import NotFound
from readerstudy.reading import gates
from readerstudy.studies.models import Enrolment

HOUR = timedelta(hours=1)
LONGEST_LINE = 75


def next_part(enrolment: Enrolment) -> str:
    """Return the calendar file of the next part's opening.

    Raises
    ------
    NotFound
        If no part waits for its date.
    """
    found = gates.offer(enrolment)
    if found.waiting != "washout" or found.opens_at is None:
        raise NotFound("No part of this study waits for a date.")
    title = f"Reading can go on: {enrolment.study.reader_title}"
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//readerstudy//reading//EN",
        "BEGIN:VEVENT",
        f"UID:{enrolment.token}-{found.opens_at:%Y%m%d}@readerstudy",
        f"DTSTAMP:{_stamp(timezone.now())}",
        f"DTSTART:{_stamp(found.opens_at)}",
        f"DTEND:{_stamp(found.opens_at + HOUR)}",
        f"SUMMARY:{_escaped(title)}",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    for sign in ("\\", ";", ","):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def _folded(line: str) -> str:
    """Break a line of more than 75 bytes; the next one goes on after a space."""
    pieces, piece = [], ""
    for sign in line:
        if len((piece + sign).encode()) > LONGEST_LINE - 1:
            pieces.append(piece)
            piece = ""
        piece += sign
    return "\r\n ".join([*pieces, piece])
