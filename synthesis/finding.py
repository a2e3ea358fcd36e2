"""Find a checkpoint as people name it."""

from __future__ import annotations

from readerstudy.core.errors import NotFound
from synthesis.models import Checkpoint


def find_checkpoint(name: str) -> Checkpoint:
    """Return a checkpoint by its identifier or the name of its run.

    Raises
    ------
    NotFound
    """
    for checkpoint in Checkpoint.objects.all():
        if name in (str(checkpoint.pk), checkpoint.run_folder):
            return checkpoint
    raise NotFound(f"There is no checkpoint {name}. Train one: manage.py train")
