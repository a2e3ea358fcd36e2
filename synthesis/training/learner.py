"""What the training loop asks of a way of training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from torch import nn

from synthesis.data.splits import Part
from synthesis.data.subjects import Subject

if TYPE_CHECKING:
    from synthesis.training.config import TrainingConfig

RISING = frozenset(
    {"ssim", "ms_ssim", "psnr", "cc", "mi", "dice", "precision", "recall", "density", "coverage"}
    | {"dice_tumour", "dice_core", "dice_enhancing"}
)


class TrainingDivergedError(RuntimeError):
    """The loss became NaN, infinite or far larger than it was."""


@dataclass(frozen=True)
class Score:
    """One number of a validation: how it was made, its value and that of doing nothing.

    ``better`` says in which direction it improves; None takes it from the name (`RISING`).
    """

    metric: str
    preset: str
    region: str
    unit: str
    value: float
    do_nothing: float
    better: Literal["lower", "higher"] | None = None

    @property
    def rises(self) -> bool:
        """Is a larger value the better one?"""
        return self.metric in RISING if self.better is None else self.better == "higher"


@dataclass(frozen=True)
class Validation:
    """Scores averaged over the held-out subjects, of each of them by name, and what they rest on.

    ``about`` is logged with them, such as the extractor of FID and the numbers of images.
    """

    scores: tuple[Score, ...]
    subjects: dict[str, dict[str, float]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def values(self) -> dict[str, float]:
        """Return the mean scores by name."""
        return {score.metric: score.value for score in self.scores}


@dataclass(frozen=True)
class Purpose:
    """What the model card says a network is for.

    Attributes
    ----------
    intended_use : str
    limits : tuple of str
    nothing : str
        What "do nothing" means beside its scores.
    """

    intended_use: str
    limits: tuple[str, ...]
    nothing: str


GENERATING = Purpose(
    "Research on synthetic images: making images for blinded reader studies and comparing "
    "generators.",
    (
        "Not for diagnosis, treatment or any clinical decision.",
        "It can leave out enhancement that is there and add enhancement that is not.",
        "It knows only scanners, sequences and diseases like those it was trained on, "
        "skull-stripped and registered images with a background of zero.",
        "Images of its own training subjects must not be shown as evidence of its quality.",
    ),
    "the input before contrast passed off as the prediction",
)


class Learner(ABC):
    """One way of training: holds networks and data, takes steps, scores itself.

    A step may depend on the weights, the optimiser and the step's number, never on anything else
    that is not part of `state`: that is what makes a resumed run equal to an uninterrupted one.
    Of several processes (`synthesis.training.parallel`) each takes its `share` of the batch and
    adds up gradients: that is what makes them train as one.

    Attributes
    ----------
    config : TrainingConfig
    purpose : Purpose
        For the model card.
    extractors : Path or None
        Folder of the feature extractors of this machine.
    """

    config: TrainingConfig
    purpose: ClassVar[Purpose] = GENERATING
    extractors: Path | None = None

    @property
    def images_per_step(self) -> int:
        """Training images that a step takes, over all processes; for images per second."""
        return self.config.batch

    @abstractmethod
    def take(self, subject: Subject, part: Part) -> None:
        """Keep what is needed of a subject."""

    @abstractmethod
    def prepare(self) -> None:
        """Do what is needed once all subjects are taken, such as scoring the baseline."""

    @property
    @abstractmethod
    def held_bytes(self) -> int:
        """Memory taken by the training images."""

    @abstractmethod
    def step(self, step: int, rate: float) -> dict[str, float]:
        """Take step number ``step`` (from 0) at ``rate`` times the peak learning rate.

        Returns
        -------
        dict of str to float
            Numbers by name, to be logged and checked; one that should fall is called ``"loss"``.
        """

    @abstractmethod
    def validate(self) -> Validation:
        """Score the averaged networks on the held-out subjects."""

    @abstractmethod
    def sheet(self) -> bytes:
        """Draw what the averaged networks make, as a PNG marked as synthetic."""

    @abstractmethod
    def released(self) -> nn.Module:
        """Return the network that is published: the averaged generator."""

    def facts(self) -> dict[str, Any]:
        """Return what else the model card should say, as JSON values; nothing by default."""
        return {}

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Return weights, averages and optimisers as tensors and plain values."""

    @abstractmethod
    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state`."""
