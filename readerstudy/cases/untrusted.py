"""Files of unknown origin are read within the limits of this server's settings."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from readerstudy.imaging.archives import ArchiveLimits
from readerstudy.imaging.guarded import Guard
from readerstudy.imaging.reading_limits import ReadingLimits


def image_guard(folder: Path) -> Guard:
    """Return a guard that keeps decoded images in a private folder below this one meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    return Guard(ReadingLimits(**settings.READING_LIMITS), folder=folder)


def archive_limits() -> ArchiveLimits:
    """Return what an archive may hold."""
    return ArchiveLimits(**settings.ARCHIVE_LIMITS)
