"""Make cases of images that ``generate`` wrote to a folder, after proving what they are."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from readerstudy.cases import canonical
from readerstudy.cases.ingest import source_key
from readerstudy.cases.models import Case
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging.geometry import Volume
from readerstudy.truth.models import Origin
from readerstudy.truth.register import declare_trained_on
from synthesis.bench import inputs_of, to_ras, trained_on
from synthesis.data.hashing import content_sha256
from synthesis.data.subjects import load_volume
from synthesis.generate import RECORD_FILE
from synthesis.levels import output_mapping
from synthesis.manifest import GenerationRecord, ImageRecord, RecordError
from synthesis.models import Checkpoint, GenerationRun
from synthesis.networks.registry import network_config
from synthesis.register import register_generated

REGISTERED, KNOWN, REFUSED = "registered", "known", "refused"


@dataclass(frozen=True)
class Outcome:
    """What became of one image."""

    image: str
    subject: str
    status: str
    case: str = ""
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the entry that ``register --json`` prints."""
        return asdict(self)


@dataclass(frozen=True)
class Written:
    """One image of a folder with its record."""

    record: GenerationRecord
    image: ImageRecord
    path: Path


def register_folder(*, folder: Path, checkpoint: Checkpoint, actor: Any) -> list[Outcome]:
    """Register the images of a folder as counterparts of the cases they were made from.

    The record must be unchanged and name the checkpoint's weights, each image must be the one its
    record describes, and its source must be an imported real case under the same name.

    Raises
    ------
    ReaderStudyError
        If the folder has no usable record, or it names other weights.
    """
    record = _record(folder)
    if record.generator["weights_sha256"] != checkpoint.weights_sha256:
        raise ReaderStudyError("The record names other weights than those of the checkpoint.")
    config = network_config(record.generator["preset"], **record.generator["network"])
    run = _run(checkpoint, record, config.target, actor)
    return [
        _register(run, Written(record, image, path), config, actor)
        for image, path in _images(folder, record)
    ]


def _record(folder: Path) -> GenerationRecord:
    path = folder / RECORD_FILE
    if not path.is_file():
        raise ReaderStudyError(f"{folder.name} has no {RECORD_FILE}: generate wrote nothing here.")
    try:
        return GenerationRecord.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (RecordError, ValueError, KeyError, TypeError) as error:
        raise ReaderStudyError(f"{RECORD_FILE} cannot be used: {error}") from error


def _images(folder: Path, record: GenerationRecord) -> list[tuple[ImageRecord, Path]]:
    told = {}
    for path in sorted(folder.glob("*/*_synthetic.json")):
        told[json.loads(path.read_text(encoding="utf-8"))["ImageUUID"]] = path
    missing = [image.uuid for image in record.images if image.uuid not in told]
    if missing:
        raise ReaderStudyError(f"The JSON beside image {missing[0]} is missing. Generate again.")
    return [
        (image, told[image.uuid].with_name(told[image.uuid].stem + ".nii.gz"))
        for image in record.images
    ]


def _run(checkpoint: Checkpoint, record: GenerationRecord, role: str, actor: Any) -> GenerationRun:
    """Return the run of this record, once: its fingerprint is its name."""
    known = GenerationRun.objects.filter(
        checkpoint=checkpoint, record__folder_record_sha256=record.sha256
    ).first()
    if known is not None:
        return known
    empty = {"generation": record.to_dict(), "images": [], "cases": {}}
    with write_transaction():
        run = GenerationRun.objects.create(
            checkpoint=checkpoint,
            role=role,
            seed=record.images[0].seed if record.images else 0,
            record={**empty, "folder_record_sha256": record.sha256},
        )
        declare_trained_on(run=run.pk, fingerprints=trained_on(checkpoint), actor=actor)
    return run


def _register(run: GenerationRun, written: Written, config: Any, actor: Any) -> Outcome:
    record, image, path = written.record, written.image, written.path
    name = path.parent.name
    if image.uuid in run.record["cases"]:
        return Outcome(image.uuid, name, KNOWN, run.record["cases"][image.uuid]["case"])
    try:
        source = _source(name, run, image)
        volume = _volume(path, image, source, config)
    except ReaderStudyError as error:
        return Outcome(image.uuid, name, REFUSED, reason=error.message)
    one = GenerationRecord(record.generator, record.environment, (image,))
    with write_transaction():
        case = register_generated(
            run=run,
            source=source,
            levels=volume,
            mapping=output_mapping(config),
            record_sha256=one.sha256,
            actor=actor,
        )
        run.record["cases"][image.uuid] = {"source": source.code, "case": case.code}
        run.record["images"] = list(run.record["cases"])
        run.save(update_fields=("record",))
    return Outcome(image.uuid, name, REGISTERED, case.code)


def _source(name: str, run: GenerationRun, image: ImageRecord) -> Case:
    key = source_key(name)
    if image.sources_seen_as != "unseen" or run.checkpoint.training_subjects.filter(source_key=key):
        raise ReaderStudyError(f"{name} trained this network; the image is not of unseen data.")
    real = Origin.objects.filter(kind=Origin.Kind.REAL).values("case")
    found = Case.objects.available().filter(subject__source_key=key, pk__in=real).first()
    if found is None:
        raise ReaderStudyError(
            f"No imported real case is called {name}. Import its source images first."
        )
    return found


def _volume(path: Path, image: ImageRecord, source: Case, config: Any) -> Volume:
    """Return the image on the grid of its source, proven by the fingerprint of its levels."""
    values = load_volume(path).values
    levels = np.rint(values / output_mapping(config).slope).astype(np.int16)
    if content_sha256(levels) != image.pixel_sha256:
        raise ReaderStudyError(f"{path.name} of {path.parent.name} is not the image of its record.")
    first = canonical.load_volume(next(iter(inputs_of(source, config.inputs).values())))
    if first.shape != levels.shape:
        raise ReaderStudyError(f"Case {source.code} lies on another grid than the image.")
    return Volume(
        array=to_ras(levels),
        affine_lps=first.affine_lps,
        kind="nifti",
        facts={},
        source_sha256=image.pixel_sha256,
    )
