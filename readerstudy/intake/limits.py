"""How much may come in, checked before anything is accepted."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings
from django.db.models import F, Sum

from readerstudy.core.errors import ReaderStudyError
from readerstudy.intake.models import Import, UploadedFile

UNITS = ((2**30, "GB"), (2**20, "MB"), (2**10, "kB"))


class TooMuch(ReaderStudyError):
    """A limit of this server would be exceeded."""

    status = 413
    code = "too_much"


def size_text(count: int) -> str:
    """Return a number of bytes in words."""
    for unit, name in UNITS:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"


def check_file(size: int) -> None:
    """Refuse a single file that is too large."""
    if size > settings.INTAKE_MAX_FILE_BYTES:
        limit = size_text(settings.INTAKE_MAX_FILE_BYTES)
        raise TooMuch(f"The file has {size_text(size)}; at most {limit} are taken.")


def check_whole(batch: Import, *, count: int, size: int) -> None:
    """Refuse more files or bytes than one upload may have, or than the disk has room for."""
    stored = batch.files.aggregate(size=Sum("size", default=0))["size"]
    if batch.files.count() + count > settings.INTAKE_MAX_FILES:
        raise TooMuch(
            f"One upload takes at most {settings.INTAKE_MAX_FILES:,} files. "
            "Divide the folder into several uploads."
        )
    if stored + size > settings.INTAKE_MAX_TOTAL_BYTES:
        raise TooMuch(
            f"One upload takes at most {size_text(settings.INTAKE_MAX_TOTAL_BYTES)}. "
            "Divide the folder into several uploads."
        )
    check_disk(size + _outstanding())


def check_disk(wanted: int) -> None:
    """Refuse what would leave the disk with less than it must keep free."""
    room = free_bytes() - settings.INTAKE_FREE_BYTES
    if wanted > room:
        raise TooMuch(
            f"The disk of the server has room for {size_text(max(0, room))} more, and "
            f"{size_text(wanted)} were announced. Free some space, or ask who runs the server.",
            code="disk_full",
        )


def check_open(user: object) -> None:
    """Refuse another upload to somebody who has several unfinished ones."""
    count = Import.objects.filter(created_by=user, state=Import.State.COLLECTING).count()
    if count >= settings.INTAKE_OPEN_UPLOADS:
        raise TooMuch(
            f"{count} of your uploads are not finished. Finish or cancel one of them first.",
            code="too_many_uploads",
        )


def free_bytes() -> int:
    """Return how much room the disk of the work folder has."""
    folder = Path(settings.WORK_ROOT)
    folder.mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder).free


def _outstanding() -> int:
    """Return the bytes that were announced by all and have not come yet."""
    waiting = UploadedFile.objects.filter(batch__state=Import.State.COLLECTING)
    total: int = waiting.aggregate(rest=Sum(F("size") - F("received"), default=0))["rest"]
    return total
