"""Take the files of a plain form, for browsers without script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings

from readerstudy.core.errors import ReaderStudyError
from readerstudy.intake import receiving
from readerstudy.intake.models import Import


def accept(*, batch: Import, files: Sequence[Any]) -> None:
    """Add whole files to an upload.

    Raises
    ------
    ReaderStudyError
        With the name of the first file that cannot be taken; nothing of the form is kept then.
    """
    sent = [{"path": one.name, "size": one.size, "modified": 0} for one in files]
    for start in range(0, len(sent), receiving.AT_ONCE):
        part = slice(start, start + receiving.AT_ONCE)
        answers = receiving.announce(batch=batch, files=sent[part])
        for answer, file in zip(answers, files[part], strict=True):
            if "error" in answer:
                raise ReaderStudyError(f"{file.name}: {answer['error']}")
            _store(batch, answer["token"], file)


def _store(batch: Import, token: str, file: Any) -> None:
    row = batch.files.get(token=token)
    row.batch = batch
    offset = receiving.received_of(row)
    file.seek(offset)
    while content := file.read(settings.INTAKE_PART_BYTES):
        offset = receiving.receive(file=row, offset=offset, content=content)
