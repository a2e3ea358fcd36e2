"""Example images beside the levels of a scale: stored as a fresh PNG, served under opaque names.

An upload is decoded within limits and encoded again, so that neither text nor anything else of
the file reaches a reader. The name in the address belongs to one study alone and says nothing.
"""

from __future__ import annotations

import io
import warnings
from typing import Any, BinaryIO

from django.db.models import Q
from PIL import Image, UnidentifiedImageError

from readerstudy.cases import storage
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.core.tokens import new_token
from readerstudy.studies.design import require_draft
from readerstudy.studies.models import Option, Study
from readerstudy.studies.questioning import question_of

MAX_BYTES = 4 * 2**20
MAX_SIDE = 4096
SHOWN_SIDE = 512
FORMATS = ("PNG", "JPEG")


def set_example(*, study: Study, code: str, option: str, file: BinaryIO, actor: Any) -> Option:
    """Store an example image of one level of a draft's question, in place of any before."""
    name = storage.put(reencoded(file.read(MAX_BYTES + 1)))
    return _write(study, code, option, name, actor)


def remove_example(*, study: Study, code: str, option: str, actor: Any) -> Option:
    """Take the example image of a level away."""
    return _write(study, code, option, "", actor)


def _write(study: Study, code: str, option: str, name: str, actor: Any) -> Option:
    with write_transaction():
        held = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(held)
        level = question_of(held, code).options.filter(code=option).first()
        if level is None:
            raise NotFound(f"“{code}” has no level “{option}”. Save the levels first.")
        level.example, level.example_token = name, new_token() if name else ""
        level.save(update_fields=("example", "example_token"))
        audit.record(
            actor=actor,
            action="study.set_example",
            target=f"study {held.pk}",
            new={"question": code, "level": option, "sha256": name},
        )
    return level


def reencoded(content: bytes) -> bytes:
    """Return a picture as a plain PNG of at most 512 pixels a side, grey or colour.

    Raises
    ------
    ReaderStudyError
        If it is too large, no PNG or JPEG, or damaged.
    """
    if len(content) > MAX_BYTES:
        raise ReaderStudyError(
            f"The image is larger than {MAX_BYTES // 2**20} MB. Make it smaller."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                return _plain(opened)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, MemoryError) as error:
        raise ReaderStudyError(
            "The file is no PNG or JPEG picture, or it is damaged. Save it again as PNG."
        ) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large() from error


def _plain(opened: Image.Image) -> bytes:
    if max(opened.size) > MAX_SIDE:
        raise _too_large()
    grey = opened.mode in ("1", "L", "LA", "I", "I;16", "F")
    if opened.mode in ("I", "I;16", "F"):
        raise ReaderStudyError("Save the picture with 8 bits a channel; this one has more.")
    opened.load()
    picture = opened.convert("L" if grey else "RGB")
    picture.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
    fresh = Image.new(picture.mode, picture.size)
    fresh.paste(picture)
    out = io.BytesIO()
    fresh.save(out, format="PNG", optimize=True)
    return out.getvalue()


def _too_large() -> ReaderStudyError:
    return ReaderStudyError(f"The picture has more than {MAX_SIDE} pixels a side. Make it smaller.")


def read_example(*, token: str, user: Any) -> bytes:
    """Return an example image to somebody of its study; the same 404 for all others."""
    mine = Q(question__study__enrolments__reader=user) | Q(question__study__memberships__user=user)
    levels = Option.objects.exclude(example="").filter(mine, example_token=token)
    level = levels.first() if token else None
    if level is None:
        raise NotFound("There is no such image.")
    with storage.open_verified(level.example) as file:
        return file.read()
