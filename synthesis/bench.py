"""Train and generate with provenance: the engine's results become rows, cases and scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from readerstudy.cases import canonical
from readerstudy.cases.models import Case, Series
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, NotFound, ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.imaging.geometry import Volume
from readerstudy.truth.register import declare_trained_on
from synthesis.first_scores import store_first_scores
from synthesis.folders import extractors_folder, run_folder
from synthesis.generate import SPLIT_FILE, Generator, load_generator
from synthesis.launching import train_together
from synthesis.levels import output_mapping
from synthesis.lineage import keys_of, note_later_sources
from synthesis.manifest import GenerationRecord, ImageRecord, environment, image_record
from synthesis.models import Checkpoint, GenerationRun, TrainingSubject
from synthesis.register import register_generated
from synthesis.segmenters import segments
from synthesis.training.checkpoints import read_json
from synthesis.training.config import TrainingConfig
from synthesis.training.loop import train
from synthesis.training.runs import RunFolder

Progress = Callable[[int, int, str], None]
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class TrainingOrder:
    """What is to be trained, on what, and how it differs from its preset."""

    preset: str
    data: Path
    run: str
    seed: int
    overrides: tuple[str, ...]
    device: str
    processes: int = 1
    start_from: Path | None = None


def train_checkpoint(
    order: TrainingOrder,
    *,
    job: Job | None,
    progress: Progress,
    should_stop: Callable[[], bool] = lambda: False,
    keys: Mapping[str, str] | None = None,
) -> Checkpoint | None:
    """Train a network, or go on with its run, and store the checkpoint with its model card.

    Returns
    -------
    Checkpoint or None
        None if it was asked to stop before its end; the state is saved.
    """
    config = _settings(order)
    folder = RunFolder(run_folder(order.run))
    if order.processes > 1:
        _train_together(order, config, folder, progress, should_stop)
    else:
        train(
            config,
            order.data,
            folder.path,
            resume=folder.config.exists(),
            start_from=order.start_from,
            on_progress=lambda step, of, message, _: progress(step, of, message),
            should_stop=should_stop,
            extractors=extractors_folder(),
        )
    if not folder.weights.exists():
        return None
    return store_checkpoint(order.run, job=job, keys=keys)


def _train_together(
    order: TrainingOrder,
    config: TrainingConfig,
    folder: RunFolder,
    progress: Progress,
    should_stop: Callable[[], bool],
) -> None:
    places = ["--data", str(order.data), "--run-dir", str(folder.path), "--device", config.device]
    places += ["--extractors", str(extractors_folder())]
    more = ["--resume"] if folder.config.exists() else []
    if order.start_from is not None:
        more += ["--start-from", str(order.start_from)]
    train_together(
        [order.preset, *places, "--seed", str(order.seed), *more, *order.overrides],
        folder.path,
        processes=order.processes,
        tell=progress,
        should_stop=should_stop,
    )


def _settings(order: TrainingOrder) -> TrainingConfig:
    """Return the settings; "auto" is decided here once, and kept by a run that goes on."""
    device = order.device
    if device == "auto":
        folder = RunFolder(run_folder(order.run))
        known = read_json(folder.config)["device"] if folder.config.exists() else None
        device = known or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return TrainingConfig.parse(order.preset, order.overrides, seed=order.seed, device=device)
    except ValueError as error:
        raise ReaderStudyError(str(error)) from error


def store_checkpoint(
    run: str, *, job: Job | None, keys: Mapping[str, str] | None = None
) -> Checkpoint:
    """Put a finished run on record: weights, data manifest and the subjects that trained it.

    ``keys`` gives the digest of a subject whose folder is not named as at the source.
    """
    folder = run_folder(run)
    card, split = read_json(folder / "model_card.json"), read_json(folder / SPLIT_FILE)
    generator = load_generator(folder)
    known = keys or {}
    with write_transaction():
        checkpoint, new = Checkpoint.objects.get_or_create(
            run_folder=run,
            defaults={
                "preset": generator.preset,
                "name": generator.preset,
                "weights_sha256": generator.weights_sha256,
                "data_manifest_sha256": split["sha256"],
                "card": card,
                "job": job,
            },
        )
        if not new and checkpoint.weights_sha256 != generator.weights_sha256:
            raise Conflict(f"Run {run} was trained again; give the new run another name.")
        if new:
            names = [subject["name"] for subject in split["subjects"]]
            own = {known[name] for name in names if name in known}
            others = keys_of(name for name in names if name not in known)
            TrainingSubject.objects.bulk_create(
                TrainingSubject(checkpoint=checkpoint, source_key=key)
                for key in sorted(own | others)
            )
            audit.record(
                actor=job.created_by if job else None,
                action="synthesis.train",
                target=f"checkpoint {checkpoint.pk}",
                new={"weights_sha256": checkpoint.weights_sha256},
            )
    return checkpoint


def generate_run(
    checkpoint: str, codes: Sequence[str], *, seed: int, job: Job | None, progress: Progress
) -> GenerationRun:
    """Make and register the synthetic counterpart of each case; goes on where it stopped."""
    stored = Checkpoint.objects.filter(pk=checkpoint).first()
    if stored is None:
        raise NotFound("There is no such checkpoint. Train the network first.")
    if segments(stored):
        raise ReaderStudyError(
            "This network makes label maps, not images. Score a run with it: manage.py score RUN "
            f"--segmentations network:{stored.run_folder}"
        )
    generator = load_generator(run_folder(stored.run_folder))
    if generator.weights_sha256 != stored.weights_sha256:
        raise Conflict("The weights on disk are not those on record. Restore them from a backup.")
    note_later_sources(stored, split_file=SPLIT_FILE)
    run = _open_run(stored, generator, seed, job)
    done = {entry["source"] for entry in run.record["cases"].values()}
    for number, code in enumerate(codes, start=1):
        if code not in done:
            _generate_one(run, generator, Case.objects.get(code=code))
        progress(number, len(codes), f"{number} of {len(codes)} images")
    return run


def _open_run(
    checkpoint: Checkpoint, generator: Generator, seed: int, job: Job | None
) -> GenerationRun:
    empty = GenerationRecord(generator.describe(), environment(generator.device), ())
    record = {"generation": empty.to_dict(), "images": [], "cases": {}}
    return open_run(checkpoint, generator.config.target, seed, record, job)


def open_run(
    checkpoint: Checkpoint, role: str, seed: int, record: dict[str, Any], job: Job | None
) -> GenerationRun:
    """Return the run of a job, or a new one; a new one tells the register who trained for it."""
    defaults = {"role": role, "seed": seed, "record": record}
    with write_transaction():
        if job is None:
            run, new = GenerationRun.objects.create(checkpoint=checkpoint, **defaults), True
        else:
            run, new = GenerationRun.objects.get_or_create(
                checkpoint=checkpoint, job=job, defaults=defaults
            )
        if new:
            actor = job.created_by if job else None
            declare_trained_on(run=run.pk, fingerprints=trained_on(checkpoint), actor=actor)
    return run


def trained_on(checkpoint: Checkpoint) -> set[str]:
    """Return the fingerprints of everybody a checkpoint knows: names, and image files."""
    split = read_json(run_folder(checkpoint.run_folder) / SPLIT_FILE)
    files = {digest for one in split["subjects"] for digest in one["file_sha256"].values()}
    return files | set(checkpoint.training_subjects.values_list("source_key", flat=True))


def _generate_one(run: GenerationRun, generator: Generator, source: Case) -> None:
    _refuse_training_subject(run.checkpoint, source)
    series = inputs_of(source, generator.config.inputs)
    inputs = {role: network_input(one) for role, one in series.items()}
    pixels = generator.volume(inputs, seed=run.seed)
    image = image_record(inputs, pixels, seed=run.seed, seen=generator.seen)
    if image.sources_seen_as != "unseen":
        raise _trained_on(source)
    first = canonical.load_volume(next(iter(series.values())))
    volume = Volume(
        array=to_ras(pixels),  # the turn is its own inverse
        affine_lps=first.affine_lps,
        kind="nifti",
        facts={},
        source_sha256=image.pixel_sha256,
    )
    with write_transaction():
        if _is_made(run, source):
            return
        case = register_generated(
            run=run,
            source=source,
            levels=volume,
            mapping=output_mapping(generator.config),
            record_sha256=_record(run, image),
            actor=run.job.created_by if run.job else None,
        )
        run.record["cases"][image.uuid] = {"source": source.code, "case": case.code}
        run.save(update_fields=("record",))
        store_first_scores(run, source, pixels, inputs, case)


def _is_made(run: GenerationRun, source: Case) -> bool:
    """Look again, under the lock: a worker that was taken for dead may still be at work."""
    run.record = GenerationRun.objects.select_for_update().get(pk=run.pk).record
    return source.code in {entry["source"] for entry in run.record["cases"].values()}


def _record(run: GenerationRun, image: ImageRecord) -> str:
    """Add an image to the run's record; return the fingerprint of what is said of this image."""
    record = GenerationRecord.from_dict(run.record["generation"])
    whole = GenerationRecord(record.generator, record.environment, (*record.images, image))
    run.record["generation"] = whole.to_dict()
    run.record["images"] = [one.uuid for one in whole.images]
    return GenerationRecord(record.generator, record.environment, (image,)).sha256


def _refuse_training_subject(checkpoint: Checkpoint, case: Case) -> None:
    if checkpoint.training_subjects.filter(source_key=case.subject.source_key).exists():
        raise _trained_on(case)


def _trained_on(case: Case) -> ReaderStudyError:
    return ReaderStudyError(
        f"Case {case.code} is of a subject that trained this network. Its synthetic "
        "counterpart would not be of an unseen subject; leave the case out."
    )


def inputs_of(case: Case, roles: Sequence[str]) -> dict[str, Series]:
    """Return the input series of a case; refuse a missing one or differing grids."""
    series = {one.role: one for one in case.series.filter(role__in=roles)}
    missing = [role for role in roles if role not in series]
    if missing:
        raise ReaderStudyError(f"Case {case.code} has no {', '.join(missing)} series.")
    grids = {(tuple(one.shape), str(np.round(one.affine_lps, 3))) for one in series.values()}
    if len(grids) > 1:
        raise ReaderStudyError(
            f"The series of case {case.code} lie on different grids. Register them to one first."
        )
    return {role: series[role] for role in roles}


def network_input(series: Series) -> Array:
    """Return a series as the networks read it from files: RAS, float32."""
    return to_ras(canonical.load_array(series)).astype(np.float32)


def to_ras(array: Array) -> Array:
    """Turn an LPS array (z, y, x) to RAS, which the networks are trained in, or back."""
    return np.ascontiguousarray(array[:, ::-1, ::-1])
