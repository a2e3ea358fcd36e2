"""Where the files of the generators lie on this machine."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings


def run_folder(name: str) -> Path:
    """Return where a training run lies: below the work folder, or an absolute path itself."""
    return Path(settings.WORK_ROOT) / "runs" / name
