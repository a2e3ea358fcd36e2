"""Draw images of an unconditional generator into cases, and cut real slices to go with them.

Both become cases of one picture per sequence by one function, after one last step
(`synthesis.sampling.finished`), with one size of pixel: that of the generator. A reader study that
mixes them can tell them apart by nothing but the anatomy.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from readerstudy.cases import canonical
from readerstudy.cases.ingest import new_case, new_subject
from readerstudy.cases.models import Case, Series, Subject
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import Conflict, NotFound, ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.imaging.geometry import Volume
from readerstudy.truth.register import (
    Generated,
    declare_real,
    declare_synthetic,
)
from synthesis.bench import inputs_of, network_input, open_run
from synthesis.data.hashing import content_sha256
from synthesis.data.slices import SliceRule, cut_slices
from synthesis.data.subjects import Subject as Images
from synthesis.data.subjects import brain_mask
from synthesis.drawing_kinds import FILM_FILE, draws_images, free_for_slices
from synthesis.folders import run_folder
from synthesis.generate import SPLIT_FILE, Generator, load_generator
from synthesis.lineage import note_later_sources
from synthesis.manifest import Pixels
from synthesis.models import Checkpoint, GenerationRun
from synthesis.sample_record import SampleManifest
from synthesis.sampling import (
    BATCH,
    Drawn,
    draw,
    finished,
    image_generator,
    network_of,
    new_manifest,
    pixel_mm,
)
from synthesis.training.config import TrainingConfig

if TYPE_CHECKING:
    from synthesis.copy_guard import CopyGuard

Progress = Callable[[int, int, str], None]
_MOST_COPIES = 4  # times the images asked for; then the generator copies and the order ends


@dataclass(frozen=True)
class DrawOrder:
    """Which checkpoint is to draw how many images from the seeds ``seed``, ``seed + 1``, ...

    With ``exclude_copies`` seeds whose image is like a training image are left out and recorded.
    """

    checkpoint: str
    count: int
    seed: int
    truncation: float
    exclude_copies: bool = False


def open_generator(checkpoint: str) -> tuple[Checkpoint, Generator]:
    """Return a stored checkpoint of an image generator with its network.

    Raises
    ------
    ReaderStudyError
        If there is none, it needs sources, or the weights on disk are others.
    """
    stored = Checkpoint.objects.filter(pk=checkpoint).first()
    if stored is None:
        raise NotFound("There is no such checkpoint. Train the network first.")
    generator = load_generator(run_folder(stored.run_folder))
    if generator.weights_sha256 != stored.weights_sha256:
        raise Conflict("The weights on disk are not those on record. Restore them from a backup.")
    if not draws_images(stored):
        raise ReaderStudyError(
            f"{stored.preset} makes counterparts of cases: name cases, not a count."
        )
    return stored, generator


def draw_run(order: DrawOrder, *, job: Job | None, progress: Progress) -> GenerationRun:
    """Draw and register images; goes on where it stopped.

    Raises
    ------
    ReaderStudyError
        If an order cannot be carried out, or most images are copies of training images.
    """
    stored, generator = open_generator(order.checkpoint)
    guard = _guard(stored) if order.exclude_copies else None
    run = _open_run(stored, generator, order, job)
    while (kept := len(run.record["images"])) < order.count:
        manifest = SampleManifest.from_dict(run.record["samples"])
        _refuse_copying(manifest, order)
        start = order.seed + manifest.tried
        seeds = range(start, start + min(BATCH, order.count - kept))
        _register_batch(run, manifest.tried, _drawn(generator, seeds, order.truncation), guard)
        done = len(run.record["images"])
        progress(done, order.count, f"{done} of {order.count} images")
    return run


def _guard(stored: Checkpoint) -> CopyGuard:
    from synthesis.copy_guard import CopyGuard  # it cuts slices as this module does

    return CopyGuard(stored)


def _refuse_copying(manifest: SampleManifest, order: DrawOrder) -> None:
    left_out = manifest.tried - len(manifest.images)
    if left_out > _MOST_COPIES * max(order.count, BATCH):
        raise ReaderStudyError(
            f"{left_out} of {manifest.tried} images were like training images: this generator "
            "copies them. Train it on more subjects, or for fewer steps."
        )


def _drawn(generator: Generator, seeds: range, truncation: float) -> list[Drawn]:
    try:
        return draw(generator, seeds, truncation=truncation)
    except ValueError as error:
        raise ReaderStudyError(str(error)) from error


def _open_run(
    stored: Checkpoint, generator: Generator, order: DrawOrder, job: Job | None
) -> GenerationRun:
    manifest = new_manifest(generator, truncation=order.truncation)
    role = "+".join(manifest.generator["sequences"])[:16]
    record = {"samples": manifest.to_dict(), "images": [], "cases": {}}
    return open_run(stored, role, order.seed, record, job)


def _register_batch(
    run: GenerationRun, start: int, made: Sequence[Drawn], guard: CopyGuard | None
) -> None:
    """Register a batch whole, unless a worker that was taken for dead has done it meanwhile."""
    actor = run.job.created_by if run.job else None
    copied = guard.copied([one.pixels for one in made]) if guard else [False] * len(made)
    kept = [one for one, copy in zip(made, copied, strict=True) if not copy]
    left_out = [one.record.seed for one, copy in zip(made, copied, strict=True) if copy]
    with write_transaction():
        run.record = GenerationRun.objects.select_for_update().get(pk=run.pk).record
        manifest = SampleManifest.from_dict(run.record["samples"])
        if manifest.tried != start:
            return
        manifest = manifest.with_images(
            [one.record for one in kept],
            rule=guard.rule() if guard else None,
            left_out=left_out,
        )
        for one in kept:
            case = _case_of(
                new_subject(one.record.uuid), one.pixels, _Form.of_record(manifest.generator)
            )
            generated = Generated(
                generator=str(run.checkpoint),
                run=run.pk,
                record_sha256=manifest.alone(one.record).sha256,
            )
            declare_synthetic(case=case, generated=generated, actor=actor)
            run.record["cases"][one.record.uuid] = {"source": None, "case": case.code}
        run.record["samples"] = manifest.to_dict()
        run.record["images"] = [image.uuid for image in manifest.images]
        run.save(update_fields=("record",))


@dataclass(frozen=True)
class _Form:
    """What all slices of a generator have in common: sequences, plane, height and width in mm."""

    sequences: tuple[str, ...]
    plane: str
    pixel_mm: tuple[float, float]

    @classmethod
    def of_record(cls, generator: dict[str, Any]) -> _Form:
        """Read it from the record of a generator."""
        height, width = generator["pixel_mm"]
        plane = generator["network"]["plane"]
        return cls(tuple(generator["sequences"]), plane, (height, width))


def _case_of(subject: Subject, pixels: Pixels, form: _Form) -> Case:
    """Make the case of one picture, real or drawn: one series of one slice per sequence."""
    case = new_case(subject)
    for sequence, image in zip(form.sequences, pixels, strict=True):
        volume = _placed(image, form)
        Series.objects.create(
            case=case, role=sequence, source_orientation="LPS", **canonical.store_volume(volume)
        )
    return case


def _placed(image: Pixels, form: _Form) -> Volume:
    """Put a slice, as it is looked at, into its plane of the LPS axes, one millimetre thick."""
    height, width = form.pixel_mm
    if form.plane == "axial":
        array, spacing = image[None], (width, height, 1.0)
    elif form.plane == "coronal":
        array, spacing = image[::-1, None, :], (width, 1.0, height)
    else:
        array, spacing = image[::-1, :, None], (1.0, width, height)
    array = np.ascontiguousarray(array)
    return Volume(
        array=array,
        affine_lps=np.diag([*spacing, 1.0]),
        kind="nifti",
        facts={},
        source_sha256=content_sha256(array),
    )


def cut_real_slices(
    checkpoint: str, codes: Sequence[str], *, count: int, seed: int, job: Job | None
) -> list[Case]:
    """Cut ``count`` slices out of real cases as the generator's training slices were cut.

    The cases take turns in an order drawn by the seed, which also draws the slice and, where the
    generator pooled the sequences, the sequence. Each slice is a case of the same subject,
    declared real.

    Raises
    ------
    ReaderStudyError
        If a case trained the generator, is not real or lacks a sequence.
    """
    stored, generator = open_generator(checkpoint)
    note_later_sources(stored, split_file=SPLIT_FILE)
    refused = sorted(set(codes) - set(free_for_slices(stored)))
    if refused or not codes:
        raise ReaderStudyError(
            f"Cases {', '.join(refused) or '(none given)'} cannot be cut: they trained this "
            "network, are not real volumes or lack a sequence."
        )
    rng = random.Random(seed)
    order = rng.sample(sorted(codes), len(codes))
    made = []
    with write_transaction():
        for number in range(count):
            source = Case.objects.get(code=order[number % len(order)])
            made.append(_cut_one(stored, generator, source, rng))
        actor = job.created_by if job else None
        declare_real(cases=made, actor=actor)
        audit.record(
            actor=actor,
            action="synthesis.cut_slices",
            target=f"checkpoint {stored.pk}",
            new={"cases": sorted(case.code for case in made), "seed": seed},
        )
    return made


def _cut_one(stored: Checkpoint, generator: Generator, source: Case, rng: random.Random) -> Case:
    shape = network_of(generator)
    slices = cut_slices(images_of(source, shape.roles), shape.roles, slice_rule(stored))
    image = slices.images[rng.randrange(len(slices.images))]
    if shape.pooled:
        image = image[[rng.randrange(len(shape.roles))]]
    height, width = pixel_mm(image_generator(generator))
    form = _Form(shape.outputs, shape.plane, (height, width))
    return _case_of(source.subject, finished(image.astype(np.float32)), form)


def slice_rule(checkpoint: Checkpoint) -> SliceRule:
    """Return how the training slices of a checkpoint were cut."""
    config = TrainingConfig.from_dict(checkpoint.card["training"]["settings"])
    rule: SliceRule = config.objective_settings().rule(config.network_config())
    return rule


def images_of(case: Case, roles: Sequence[str]) -> Images:
    """Return a case as the training reads subjects from files."""
    series = inputs_of(case, roles)
    raw = {role: network_input(one) for role, one in series.items()}
    spacing = next(iter(series.values())).spacing_mm
    return Images(
        name=f"case {case.code}",
        raw=raw,
        mask=brain_mask(raw.values()),
        affine=np.diag([*reversed(spacing), 1.0]),
        file_sha256={role: one.source_sha256 for role, one in series.items()},
    )


def film_of(checkpoint: str, *, seed: int, stops: int, truncation: float) -> dict[str, Any]:
    """Write the film of a walk through ``stops`` seeds beside the weights."""
    from synthesis.film import write_film

    stored, generator = open_generator(checkpoint)
    path = run_folder(stored.run_folder) / FILM_FILE
    partial = path.with_name(f".{FILM_FILE}")
    try:
        frames = write_film(partial, generator, range(seed, seed + stops), truncation=truncation)
    except ValueError as error:
        raise ReaderStudyError(str(error)) from error
    partial.replace(path)
    return {"frames": frames}
