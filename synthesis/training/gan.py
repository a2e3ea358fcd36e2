"""What all adversarial ways of training share: slices, the average, scores, sheet and state."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from math import nan
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from synthesis.data.slices import SliceStore, SubjectSlices, cut_slices, stacked
from synthesis.data.splits import Part
from synthesis.data.subjects import Subject
from synthesis.generate import on_device
from synthesis.metrics.extractors import ExtractorError
from synthesis.networks.images import ImageConfig, ImageGenerator
from synthesis.training import parallel
from synthesis.training.checkpoints import CheckpointError
from synthesis.training.config import ConfigError, TrainingConfig
from synthesis.training.contact_sheet import contact_sheet
from synthesis.training.ema import Ema
from synthesis.training.gan_settings import SliceSettings
from synthesis.training.learner import Learner, Score, Validation
from synthesis.training.set_scores import FloatArray, SetScorer, choose_scorer
from synthesis.training.slice_scores import PRESET, diversity, grey_distance, sliced_distance
from synthesis.training.speed import accelerated
from synthesis.training.steps import descend

_AT_ONCE, _COLUMNS = 16, 8
_SCORING, _REAL, _LATENT, _NOISE = 1_000_003, 0, 1, 2
_METRICS: tuple[tuple[str, str, str, Literal["lower", "higher"]], ...] = (
    ("sliced_distance", "slices, 16 x 16", "", "lower"),
    ("grey_distance", "inside the head", "half the grey range", "lower"),
    ("diversity", "slices, 16 x 16", "times that of real slices", "higher"),
)
_OF_SETS: tuple[tuple[str, str, str, Literal["lower", "higher"]], ...] = (
    ("fid", "whole slices", "", "lower"),
    ("kid", "whole slices", "", "lower"),
)


class GanLearner(Learner):
    """Trains a generator of single images against a discriminator.

    Parameters
    ----------
    config : TrainingConfig
    networks : dict of str to Module
        ``{"generator": ImageGenerator, "discriminator": Module}``.
    """

    settings: Any

    def __init__(self, config: TrainingConfig, networks: dict[str, nn.Module]) -> None:
        self.config = config
        self.shape: ImageConfig = config.network_config()
        self.settings = config.objective_settings()
        self.device = torch.device(config.device)
        self.generator = cast(ImageGenerator, on_device(networks["generator"], self.device))
        self.discriminator = on_device(networks["discriminator"], self.device)
        self._freeze(self.settings.freeze)
        self.ema = Ema(self.generator, config.ema_half_life)
        self.make = accelerated(self.generator, config)
        self.judge = accelerated(self.discriminator, config)
        self.generator_optimiser, self.discriminator_optimiser = self.optimisers()
        self.training: list[SubjectSlices] = []
        self.held_out: list[SubjectSlices] = []
        self.untrained: dict[str, float] = {}
        self.extractor: str = self.settings.extractor

    @abstractmethod
    def optimisers(self) -> tuple[torch.optim.Optimizer, torch.optim.Optimizer]:
        """Return those of generator and discriminator."""

    @property
    def average(self) -> ImageGenerator:
        """The averaged generator."""
        return cast(ImageGenerator, self.ema.network)

    def take(self, subject: Subject, part: Part) -> None:
        """Cut the slices of a subject."""
        settings: SliceSettings = self.settings
        if part == "train":
            self.training.append(cut_slices(subject, self.shape.roles, settings.rule(self.shape)))
        elif len(self.held_out) < self.config.validation_limit:
            self.held_out.append(cut_slices(subject, self.shape.roles, settings.rule(self.shape)))

    @property
    def held_bytes(self) -> int:
        """Memory taken by the training slices."""
        return sum(subject.images.nbytes for subject in self.training)

    @cached_property
    def store(self) -> SliceStore:
        """The training slices on the device."""
        return SliceStore(
            self.training,
            pooled=self.shape.pooled,
            empty_channels=self.shape.empty_channels,
            device=self.device,
        )

    @cached_property
    def real(self) -> Tensor:
        """Held-out slices to compare with, at most ``scored``, drawn by the seed."""
        slices = torch.from_numpy(stacked(self.held_out, pooled=self.shape.pooled)).float()
        order = np.random.default_rng([self.config.seed, _SCORING]).permutation(len(slices))
        return slices[torch.from_numpy(order[: self.settings.scored])]

    @cached_property
    def scorer(self) -> SetScorer | None:
        """What FID and KID are made with; None if the run does without."""
        try:
            found = choose_scorer(self.extractor, self.extractors)
        except ExtractorError as error:
            raise ConfigError(str(error)) from error
        if found is not None:
            found.extractor.network.to(self.device)
            self.extractor = found.extractor.name
        return found

    @cached_property
    def _real_features(self) -> FloatArray:
        assert self.scorer is not None  # noqa: S101 - asked for where there is one
        return self.scorer.features(self.real)

    def prepare(self) -> None:
        """Note the size of a pixel and score the generator before its first step."""
        pixel = np.mean([subject.pixel_mm for subject in self.training], axis=0)
        for network in (self.generator, self.average):
            network.pixel_mm.copy_(torch.from_numpy(pixel))
        if not self.untrained:
            self.untrained = self._scores(self.drawn(self.settings.scored))

    def rng(self, *numbers: int) -> torch.Generator:
        """Return a generator of random numbers that depends on the run's seed and ``numbers``."""
        words = np.random.SeedSequence([self.config.seed, *numbers]).generate_state(1, np.uint64)
        return torch.Generator(self.device).manual_seed(int(words[0]) >> 1)

    def real_batch(self, step: int, part: int = 0, batch: int | None = None) -> Tensor:
        """Return a batch of training slices that belongs to a step and a part of it."""
        numbers = (self.config.seed, _REAL, step, part)
        whole = batch or self.config.batch
        images = self.store.draw(whole, numbers)[parallel.share(whole)]
        return images.contiguous(memory_format=torch.channels_last)

    def latents(self, step: int, part: int = 0, batch: int | None = None) -> Tensor:
        """Return latents that belong to a step and a part of it."""
        whole = batch or self.config.batch
        latents = self.generator.draw_latent(self.rng(_LATENT, step, part), whole)
        return latents[parallel.share(whole)]

    def noises(self, step: int, part: int = 0, batch: int | None = None) -> Tensor:
        """Return the noise of a step and a part of it."""
        whole = batch or self.config.batch
        noises = self.generator.draw_noise(self.rng(_NOISE, step, part), whole)
        return noises[parallel.share(whole)]

    def descend(
        self, optimiser: torch.optim.Optimizer, loss: Tensor, *, rate: float, peak: float
    ) -> float:
        """Take one step of an optimiser; return the length of the gradient.

        ``loss`` is a mean over this process's share of the batch.
        """
        part, clip_norm = loss / parallel.size(), self.config.clip_norm
        return descend(optimiser, part, rate=peak * rate, clip_norm=clip_norm)

    def drawn(self, count: int) -> Tensor:
        """Return images of the averaged generator by fixed seeds, on the processor, no empties."""
        rng = self.rng(_SCORING)
        images = []
        with torch.inference_mode():
            for start in range(0, count, _AT_ONCE):
                many = min(_AT_ONCE, count - start)
                latent = self.average.draw_latent(rng, many)
                noise = self.average.draw_noise(rng, many)
                images.append(self.average.render(latent, noise, truncation=1.0).float().cpu())
        return torch.cat(images)[:, : len(self.shape.outputs)].clamp(-1, 1)

    def validate(self) -> Validation:
        """Score the averaged generator beside the untrained one and beside real slices."""
        now = self._scores(self.drawn(self.settings.scored))
        scores = [
            Score(name, preset, region, unit, now[name], self.untrained.get(name, nan), better)
            for name, preset, region, unit, better in self._metrics()
        ]
        scores += [
            replace(score, metric=f"{score.metric}_of_real", value=self._floor[score.metric])
            for score in scores
        ]
        subjects = {one.name: {"slices": float(len(one.images))} for one in self.held_out}
        return Validation(tuple(scores), subjects, self._about())

    def _metrics(self) -> Iterator[tuple[str, str, str, str, Literal["lower", "higher"]]]:
        """Yield name, preset, region, unit and direction; the watched one of a study first."""
        if self.scorer is not None:
            for name, *rest, better in _OF_SETS:
                yield name, self.scorer.preset, rest[0], rest[1], better
        for name, *rest, better in _METRICS:
            yield name, PRESET, rest[0], rest[1], better

    def _about(self) -> dict[str, Any]:
        if self.scorer is None:
            return {}
        sizes = {"made": self.settings.scored, "real": len(self.real)}
        return {"extractor": self.scorer.about(), "images": sizes}

    @cached_property
    def _floor(self) -> dict[str, float]:
        """What training slices score: no generator can be expected to do better."""
        count = min(self.settings.scored, len(self.store.images))
        slices = self.store.draw(count, (self.config.seed, _SCORING))
        return self._scores(slices[:, : len(self.shape.outputs)].cpu())

    def _scores(self, images: Tensor) -> dict[str, float]:
        return {
            "sliced_distance": sliced_distance(images, self.real),
            "grey_distance": grey_distance(images, self.real),
            "diversity": diversity(images, self.real),
            **self._set_scores(images),
        }

    def _set_scores(self, images: Tensor) -> dict[str, float]:
        if self.scorer is None:
            return {}
        return self.scorer.scores(self.scorer.features(images), self._real_features)

    def sheet(self) -> bytes:
        """Draw held-out slices above generated ones."""
        names = ", ".join(self.shape.outputs)
        return contact_sheet(
            [
                (f"real, held out: {names}", self.real[:_COLUMNS].numpy()),
                (f"SYNTHETIC: {names}", self.drawn(2 * _COLUMNS)[:_COLUMNS].numpy()),
                ("SYNTHETIC, further", self.drawn(2 * _COLUMNS)[_COLUMNS:].numpy()),
            ]
        )

    def released(self) -> nn.Module:
        """Return the averaged generator."""
        return self.average

    def state(self) -> dict[str, Any]:
        """Return weights, average and optimisers."""
        return {
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "average": self.average.state_dict(),
            "generator_optimiser": self.generator_optimiser.state_dict(),
            "discriminator_optimiser": self.discriminator_optimiser.state_dict(),
            "untrained": self.untrained,
            "extractor": self.scorer.about() if self.scorer else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a `state`."""
        self.generator.load_state_dict(state["generator"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.average.load_state_dict(state["average"])
        self.generator_optimiser.load_state_dict(state["generator_optimiser"])
        self.discriminator_optimiser.load_state_dict(state["discriminator_optimiser"])
        self.untrained = state["untrained"]
        self._go_on_with(state.get("extractor"))

    def _go_on_with(self, known: dict[str, Any] | None) -> None:
        """Score by the extractor that the run began with, or refuse."""
        if known is None:
            return
        self.extractor = known["name"]
        vars(self).pop("scorer", None)
        now = self.scorer.about() if self.scorer else {}
        if now.get("weights_sha256") != known["weights_sha256"]:
            raise CheckpointError(
                f"The extractor {known['name']} is not the one with which this run was scored "
                f"(weights {known['weights_sha256'][:8]}). Put it back, or start a new run."
            )

    def _freeze(self, layers: int) -> None:
        if not layers:
            return
        if self.config.parent is None:
            raise ConfigError("freeze keeps weights of the run started from: name that run.")
        for layer in freezable(self.discriminator)[:layers]:
            layer.requires_grad_(False)


def freezable(discriminator: nn.Module) -> list[nn.Module]:
    """Return the layers of a discriminator that can be kept, from the image on."""
    if hasattr(discriminator, "blocks"):
        return [discriminator.from_image, *discriminator.blocks]  # type: ignore[list-item, misc]
    return [layer for layer in discriminator.layers if any(True for _ in layer.parameters())]  # type: ignore[union-attr]


@contextmanager
def held_fixed(network: nn.Module) -> Iterator[None]:
    """Take no gradient by the weights of a network."""
    open_weights = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in open_weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in open_weights:
            weight.requires_grad_(True)
