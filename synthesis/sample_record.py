"""The record of images drawn from seeds: what is needed to draw the same ones again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from synthesis.manifest import ImageSet


@dataclass(frozen=True)
class SampleRecord:
    """One drawn image.

    Attributes
    ----------
    uuid : str
        Random.
    seed : int
        Of latent and noise.
    place : int
        In its batch.
    shape : list of int
        (sequences, height, width).
    pixel_sha256 : str
        `content_sha256` of the int16 result.
    """

    uuid: str
    seed: int
    place: int
    shape: list[int]
    pixel_sha256: str


@dataclass(frozen=True)
class SampleManifest(ImageSet[SampleRecord]):
    """The record of a set of drawn images.

    Attributes
    ----------
    generator : dict
        preset, network settings, weights_sha256, sequences, pixel_mm.
    drawing : dict
        truncation, batch and the finish.
    environment : dict
        See `synthesis.manifest.environment`.
    images : tuple of SampleRecord
    left_out : dict or None
        Where copies of training images were left out: the rule, and the seeds that it met.
    """

    schema = "readerstudy-samples/1"

    generator: dict[str, Any]
    drawing: dict[str, Any]
    environment: dict[str, Any]
    images: tuple[SampleRecord, ...]
    left_out: dict[str, Any] | None = None

    def facts(self) -> dict[str, Any]:
        """Return what is recorded."""
        return {
            "generator": self.generator,
            "drawing": self.drawing,
            "environment": self.environment,
            "images": [asdict(image) for image in self.images],
            **({"left_out": self.left_out} if self.left_out else {}),
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> SampleManifest:
        """Make the manifest of its `facts`."""
        images = tuple(SampleRecord(**image) for image in facts["images"])
        return cls(
            facts["generator"],
            facts["drawing"],
            facts["environment"],
            images,
            facts.get("left_out"),
        )

    @property
    def tried(self) -> int:
        """How many seeds were drawn from: those kept and those left out."""
        return len(self.images) + len(self.left_out["seeds"] if self.left_out else ())

    def alone(self, image: SampleRecord) -> SampleManifest:
        """Return the manifest of one image, which names everything needed to make it again."""
        return SampleManifest(self.generator, self.drawing, self.environment, (image,))

    def with_images(
        self,
        images: Sequence[SampleRecord],
        *,
        rule: Mapping[str, Any] | None = None,
        left_out: Sequence[int] = (),
    ) -> SampleManifest:
        """Return the manifest with further images, and seeds left out by a rule."""
        known = list(self.left_out["seeds"]) if self.left_out else []
        told = {"rule": dict(rule), "seeds": [*known, *left_out]} if rule else self.left_out
        return replace(self, images=(*self.images, *images), left_out=told)
