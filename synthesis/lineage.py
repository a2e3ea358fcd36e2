"""Who trained a network, under every name by which imports may know them.

An import may be told the name of its source (a hospital, a data set); the digest of a subject is
then of that name and the subject's. Folders of training subjects know nothing of it, so a subject
is remembered under every source that was ever named.
"""

from __future__ import annotations

from collections.abc import Iterable

from readerstudy.cases.ingest import source_key
from readerstudy.core.db import write_transaction
from readerstudy.intake.models import Import
from synthesis.data.splits import Split
from synthesis.folders import run_folder
from synthesis.models import Checkpoint, TrainingSubject
from synthesis.training.checkpoints import read_json


def keys_of(names: Iterable[str]) -> set[str]:
    """Return the digests of subjects under no source and under each that imports have named."""
    sources = {str(options.get("label", "")) for options in _import_options()}
    return {source_key(name, source) for name in names for source in {"", *sources}}


def _import_options() -> list[dict[str, object]]:
    return list(Import.objects.values_list("options", flat=True))


def note_later_sources(checkpoint: Checkpoint, *, split_file: str) -> None:
    """Remember the subjects of a checkpoint under sources that were named since it was stored."""
    path = run_folder(checkpoint.run_folder) / split_file
    split = Split.from_dict(read_json(path))
    names = [entry.name for entry in split.entries]
    with write_transaction():
        TrainingSubject.objects.bulk_create(
            (TrainingSubject(checkpoint=checkpoint, source_key=key) for key in keys_of(names)),
            ignore_conflicts=True,
        )
