"""Change rows behind the program's back, as whoever owns the database can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from readerstudy.core import append_only


@contextmanager
def unguarded() -> Iterator[None]:
    """Take the triggers of append-only tables down for a moment."""
    append_only.remove()
    try:
        yield
    finally:
        append_only.install()
