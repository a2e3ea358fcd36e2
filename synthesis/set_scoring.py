"""Score all images of a run as a set, and look for copies of training images among them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
from PIL import Image

from readerstudy.core.errors import ReaderStudyError
from synthesis.folders import extractors_folder, scoring_folder
from synthesis.metrics.encoder import EncoderSettings
from synthesis.metrics.encoder import Progress as EncoderProgress
from synthesis.metrics.extractors import (
    SELF,
    Extractor,
    ExtractorError,
    installed,
    load_extractor,
    train_self,
)
from synthesis.metrics.imagesets import ImageSet, Levels, NamedVolume, levels_of, slices_of
from synthesis.metrics.memorisation import Memorisation
from synthesis.metrics.paired import UndefinedMetricError
from synthesis.metrics.regions import BRAIN, DO_NOTHING, SYNTHETIC
from synthesis.metrics.unpaired import (
    PRESET,
    CopySearch,
    Featured,
    SetScore,
    score_sets,
    search_copies,
)
from synthesis.models import GenerationRun
from synthesis.run_images import (
    before_volumes,
    is_drawn,
    made_volumes,
    real_volumes,
    roles_of,
    training_volumes,
)
from synthesis.score_orders import ScoreOrder
from synthesis.training.checkpoints import write_atomically

COPIES = "copies/1"
Sets = tuple[ImageSet, ImageSet, ImageSet | None, ImageSet | None]


@dataclass(frozen=True)
class SetScores:
    """What was found.

    Attributes
    ----------
    scores : list of (candidate, region, preset, SetScore)
        The region is the sequence where a run made several, else the brain.
    extractor : dict
        See `Extractor.describe`.
    pairs : dict
        By measure of likeness: the limit, the tests, and the most alike pairs, whose pictures
        lie in the folder of the scoring.
    sizes : dict
        Slices of each set, by sequence.
    """

    scores: list[tuple[str, str, str, SetScore]]
    extractor: dict[str, Any]
    pairs: dict[str, Any]
    sizes: dict[str, dict[str, int]]


def score(run: GenerationRun, scoring: UUID, order: ScoreOrder) -> SetScores:
    """Score a run as a set, each sequence that it made alone.

    Raises
    ------
    ReaderStudyError
        If the extractor is missing, or there are no images.
    """
    extractor = _extractor(run, order)
    scores: list[tuple[str, str, str, SetScore]] = []
    pairs: dict[str, Any] = {}
    sizes: dict[str, dict[str, int]] = {}
    for role in roles_of(run):
        try:
            sets = _sets(run, role, order)
        except UndefinedMetricError as error:
            raise ReaderStudyError(f"The sets cannot be compared: {error}.") from error
        region = role if is_drawn(run) else BRAIN
        found, copies = _scores_of(sets, extractor, order)
        scores += [(name, region, preset, one) for name, preset, one in found]
        if copies:
            pairs |= _pictures(copies, scoring_folder(scoring), f"{role} " * is_drawn(run))
        real, made, _, train = sets
        sizes[role] = {
            "real": len(real), "synthetic": len(made), "training": len(train) if train else 0
        }  # fmt: skip
    return SetScores(scores, extractor.describe(), pairs, sizes)


def _scores_of(
    sets: Sets, extractor: Extractor, order: ScoreOrder
) -> tuple[list[tuple[str, str, SetScore]], CopySearch | None]:
    """Return candidate, preset and score of one sequence, and the search for copies."""
    real, made, before, train = sets
    preset, label = f"{PRESET} {extractor.label}", f"{COPIES} {extractor.label}"
    found = _compared(real, made, before, extractor, order)
    scores = [(candidate, preset, one) for candidate, one in found]
    search, reason = _copies(made, train, real, extractor)
    of_copies = (
        search.scores() if search else [SetScore("copies_pixels", float("nan"), reason=reason)]
    )
    return scores + [(SYNTHETIC, label, one) for one in of_copies], search


def _extractor(run: GenerationRun, order: ScoreOrder) -> Extractor:
    """Return the extractor; that of our own is trained when it is wanted first, then kept."""
    home = extractors_folder()
    folder = Path(order.training) if order.training else None
    try:
        if order.extractor == SELF and SELF not in installed(home):
            volumes = list(training_volumes(run, roles_of(run)[0], folder))
            if volumes:
                train_own(run, volumes, every=max(1, order.every // 2))
        return load_extractor(order.extractor, home)
    except (ExtractorError, UndefinedMetricError) as error:
        raise ReaderStudyError(str(error)) from error


def train_own(
    run: GenerationRun,
    volumes: list[NamedVolume],
    *,
    every: int,
    name: str = SELF,
    settings: EncoderSettings | None = None,
    progress: EncoderProgress | None = None,
) -> Extractor:
    """Train the encoder of this installation on training images of a run, and keep it."""
    images = slices_of(volumes, levels_of(volumes), every=every)
    facts = {"checkpoint": run.checkpoint.weights_sha256, "patients": len(volumes)}
    return train_self(
        name, images.images, extractors_folder(), facts=facts, settings=settings, progress=progress
    )


def _sets(run: GenerationRun, role: str, order: ScoreOrder) -> Sets:
    """Return real, synthetic, before contrast and training slices on one grey scale."""
    acquired = list(real_volumes(run, role))
    levels = levels_of(acquired)
    every = 1 if is_drawn(run) else order.every
    real = slices_of(acquired, levels, every=every)
    side = real.images.shape[-1]
    made = slices_of(made_volumes(run, role), levels, every=every, side=side)
    folder = Path(order.training) if order.training else None
    before = _perhaps(before_volumes(run, role), levels, every, side)
    train = _perhaps(training_volumes(run, role, folder), levels, every, side)
    return (
        real.at_most(order.images, seed=order.seed),
        made.at_most(order.images, seed=order.seed),
        before.at_most(order.images, seed=order.seed) if before else None,
        train.at_most(4 * order.images, seed=order.seed) if train else None,
    )


def _perhaps(
    volumes: Iterable[NamedVolume], levels: Levels, every: int, side: int
) -> ImageSet | None:
    kept = list(volumes)
    return slices_of(kept, levels, every=every, side=side) if kept else None


def _compared(
    real: ImageSet, made: ImageSet, before: ImageSet | None, extractor: Extractor,
    order: ScoreOrder,
) -> list[tuple[str, SetScore]]:  # fmt: skip
    candidates = {SYNTHETIC: made, **({DO_NOTHING: before} if before else {})}
    reference = Featured(real, extractor.features(real.images))
    return [
        (name, one)
        for name, images in candidates.items()
        for one in score_sets(
            reference,
            Featured(images, extractor.features(images.images)),
            draws=order.draws,
            seed=order.seed,
        )
    ]


def _copies(
    made: ImageSet, train: ImageSet | None, real: ImageSet, extractor: Extractor
) -> tuple[CopySearch | None, str]:
    if train is None:
        return None, "the training images are not at hand: name their folder"
    try:
        return search_copies(made, train, real, extractor.features), ""
    except UndefinedMetricError as undefined:
        return None, str(undefined)


def _pictures(search: CopySearch, folder: Path, prefix: str) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    return {
        f"{prefix}{measure}".replace(" ", "-"): _measured(
            f"{prefix}{measure}".replace(" ", "-"), found, search, folder
        )
        for measure, found in search.by.items()
    }


def _measured(
    measure: str, found: Memorisation, search: CopySearch, folder: Path
) -> dict[str, Any]:
    pairs = []
    for place, row in enumerate(found.top):
        twin = int(found.made.index[row])
        images = {"made": search.made.images[row], "train": search.train.images[twin]}
        for kind, image in images.items():
            write_atomically(folder / f"{measure}-{place}-{kind}.png", png(image))
        pairs.append(
            {
                "made": search.made.names[row],
                "train": search.train.names[twin],
                "likeness": float(found.made.likeness[row]),
                "closer_than": float(found.closer_than[row]),
                "flagged": bool(found.made.likeness[row] > found.limit),
            }
        )
    return {
        "limit": found.limit,
        "flagged": len(found.flagged),
        "images": len(search.made),
        "held_out": len(found.held_out.index),
        "z": found.z,
        "p": found.p,
        "authentic": found.authentic,
        "pairs": pairs,
    }


def png(image: npt.NDArray[np.float32]) -> bytes:
    """Return a slice (y, x) in [0, 1] as PNG: anterior is up, the patient's right on the left."""
    levels = np.rint(np.clip(image[::-1, ::-1], 0, 1) * 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, "PNG")
    return stream.getvalue()
