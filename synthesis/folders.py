"""Where the files of the generators lie on this machine."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from django.conf import settings


def run_folder(name: str) -> Path:
    """Return where a training run lies: below the work folder, or an absolute path itself."""
    return Path(settings.WORK_ROOT) / "runs" / name


def extractors_folder() -> Path:
    """Return where the feature extractors of this installation lie."""
    return Path(settings.WORK_ROOT) / "extractors"


def scoring_folder(scoring: UUID) -> Path:
    """Return where the pictures of a scoring lie."""
    return Path(settings.WORK_ROOT) / "scorings" / str(scoring)


def label_maps_folder() -> Path:
    """Return where label maps that were uploaded for scores lie, a folder for each set."""
    return Path(settings.WORK_ROOT) / "label-maps"
