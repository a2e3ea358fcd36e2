"""Put on record that a stored object no longer has the content that its name states."""

from __future__ import annotations

import logging

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.models import AuditRecord

log = logging.getLogger(__name__)
ACTION = "storage.damage"


def report_damage(*, name: str, what: str) -> None:
    """Log each time a damaged object is asked for, and audit the first time.

    Parameters
    ----------
    name : str
        Name of the object. The record carries it for the staff; the answer to a reader must not.
    what : str
        "changed" or "gone".
    """
    log.error("stored object %s is %s; restore it from a backup", name, what)
    target = f"object {name}"
    with write_transaction():
        if not AuditRecord.objects.filter(action=ACTION, target=target).exists():
            audit.record(actor=None, action=ACTION, target=target, new={"what": what})
