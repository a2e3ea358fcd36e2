"""Find the import of a folder that was stopped, to go on with it."""

from __future__ import annotations

from pathlib import Path

from readerstudy.core import jobs
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.intake import collecting
from readerstudy.intake.closing import ENDED
from readerstudy.intake.models import Import
from readerstudy.intake.options import Options


def last_of(path: Path, options: Options) -> Import | None:
    """Return the last import of this path, or none if there was none or its names are gone.

    Raises
    ------
    ReaderStudyError
        If it is at work now, or had other options: files would be taken in two ways.
    """
    imports = Import.objects.filter(kind=Import.Kind.FOLDER).exclude(state__in=ENDED)
    found = next((one for one in imports if _is_of(one, path)), None)
    if found is None:
        return None
    if Options.of(found.options) != options:
        raise ReaderStudyError(
            "The last import of this path had other options. Give the same, or begin anew "
            "without --resume."
        )
    if found.job is not None and not jobs.take_back(job=found.job):
        raise Conflict("A worker is at this import already. Wait until it has finished.")
    return found


def _is_of(batch: Import, path: Path) -> bool:
    try:
        return collecting.folder_of(batch) == path.absolute()
    except ReaderStudyError:
        return False
