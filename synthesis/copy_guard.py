"""Tell drawn images that are copies of training images, before they become cases.

The rule is that of the search for copies by pixels (`synthesis.metrics.memorisation`): an image is
a copy if it is more like its nearest training slice, or the mirror image of that, than 99.5 % of
the slices of unseen real cases are to theirs. An image of several sequences is a copy if one of
them is. No such rule proves privacy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from readerstudy.core.errors import ReaderStudyError
from synthesis.manifest import Pixels
from synthesis.metrics.imagesets import NamedVolume
from synthesis.metrics.memorisation import (
    FloatArray,
    limit_of,
    mirrored,
    nearest,
    pixel_vectors,
)
from synthesis.models import Checkpoint, GenerationRun
from synthesis.run_images import real_volumes, roles_of, training_volumes

_RULE, _LEAST = "copies/1 pixels", 2


@dataclass(frozen=True, eq=False)
class _Sequence:
    """The training slices of one sequence as unit vectors, and the likeness that is too much."""

    train: FloatArray
    flipped: FloatArray
    limit: float
    unseen: int

    def copied(self, images: Sequence[Pixels]) -> list[bool]:
        """Tell of slices (height, width) which are copies."""
        found = nearest(pixel_vectors(np.stack(images)), self.train, flipped=self.flipped)
        return [bool(likeness > self.limit) for likeness in found.likeness]


class CopyGuard:
    """Knows the training slices of a generator; see the module.

    Raises
    ------
    ReaderStudyError
        If training slices or unseen real ones are not at hand.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        run = GenerationRun(checkpoint=checkpoint, record={"samples": {}})  # to be made
        self.sequences = {role: _sequence(run, role) for role in roles_of(run)}

    def copied(self, images: Sequence[Pixels]) -> list[bool]:
        """Tell of images (sequences, height, width), in the order of the run, which are copies."""
        by_sequence = [
            known.copied([image[channel] for image in images])
            for channel, known in enumerate(self.sequences.values())
        ]
        return [any(found) for found in zip(*by_sequence, strict=True)]

    def rule(self) -> dict[str, Any]:
        """Return what the record says of the rule."""
        return {
            "name": _RULE,
            "limits": {role: known.limit for role, known in self.sequences.items()},
            "training_slices": {role: len(known.train) for role, known in self.sequences.items()},
            "unseen_slices": {role: known.unseen for role, known in self.sequences.items()},
        }


def _sequence(run: GenerationRun, role: str) -> _Sequence:
    train, unseen = _slices(training_volumes(run, role)), _slices(real_volumes(run, role))
    if min(len(train), len(unseen)) < _LEAST:
        raise ReaderStudyError(
            "Copies can be left out only where the training images are at hand (imported, or in "
            f"the folder of the order) and real cases that the generator never met: found "
            f"{len(train)} and {len(unseen)} slices. Import some, or draw without leaving out."
        )
    images = np.stack(train)
    vectors, flipped = pixel_vectors(images), pixel_vectors(mirrored(images))
    held_out = nearest(pixel_vectors(np.stack(unseen)), vectors, flipped=flipped)
    return _Sequence(vectors, flipped, limit_of(held_out), len(unseen))


def _slices(volumes: Iterable[NamedVolume]) -> list[FloatArray]:
    """Return slices as they are drawn: the first row on top."""
    return [np.asarray(volume.values[0][::-1, ::-1], dtype=np.float64) for volume in volumes]
