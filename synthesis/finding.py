"""Find a checkpoint or a run as people name it."""

from __future__ import annotations

from readerstudy.core.errors import NotFound
from synthesis.models import Checkpoint, GenerationRun


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


def find_run(name: str) -> GenerationRun:
    """Return a generation run by its identifier or the beginning of it.

    Raises
    ------
    NotFound
        If there is none, or more than one.
    """
    found = [run for run in GenerationRun.objects.all() if str(run.pk).startswith(name)]
    if len(found) != 1:
        what = "no" if not found else "more than one"
        raise NotFound(f"There is {what} generation run {name}.")
    return found[0]
