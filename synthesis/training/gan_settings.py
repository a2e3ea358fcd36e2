"""Settings of the adversarial ways of training, and of the slices they train on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from synthesis.data.slices import FITS, Fit, SliceRule


@dataclass(frozen=True, kw_only=True)
class SliceSettings:
    """Which slices are used and how; see `synthesis.data.slices.SliceRule`.

    Attributes
    ----------
    first, last : float
        Which slices: from this share of the volume up to that one, 0 to 1.
    fit : {"stretch", "pad", "field"}
        The whole plane whatever its aspect; padded to a square; or a square of field_mm.
    field_mm : float
        Side of the square around the brain where fit is "field".
    white_percentile : float
        Percentile of the brain's grey levels that becomes white.
    least_brain : float
        Slices with less brain than this share of the plane are left out.
    scored : int
        Images drawn to score the generator.
    freeze : int
        Layers of the discriminator, counted from the image, that keep the weights of the run
        started from (FreezeD, Mo 2020, arXiv 2002.10964); 0 for none.
    extractor : str
        Whose features FID and KID of each validation are made of: the name of an extractor of
        this machine, "auto" for the first that is there and else the built-in one, or "none".
    """

    first: float = 0.0
    last: float = 1.0
    fit: Fit = "pad"
    field_mm: float = 224.0
    white_percentile: float = 99.8
    least_brain: float = 0.0
    scored: int = 128
    freeze: int = 0
    extractor: str = "auto"

    def __post_init__(self) -> None:
        if not 0.0 <= self.first < self.last <= 1.0:
            raise ValueError(f"first and last must be 0 <= first < last <= 1, got {self}")
        if self.fit not in FITS:
            raise ValueError(f"fit must be {', '.join(FITS)}, got {self.fit!r}")
        if self.field_mm <= 0 or not 50 <= self.white_percentile <= 100:
            raise ValueError("field_mm must be positive, white_percentile between 50 and 100")
        if not 0.0 <= self.least_brain < 1.0 or self.scored < 4 or self.freeze < 0:
            raise ValueError("least_brain lies in [0, 1), scored is at least 4, freeze at least 0")

    def rule(self, network: Any) -> SliceRule:
        """Return the rule for the images of a network."""
        return SliceRule(
            plane=network.plane,
            size=network.size,
            first=self.first,
            last=self.last,
            fit=self.fit,
            field_mm=self.field_mm,
            white_percentile=self.white_percentile,
            least_brain=self.least_brain,
        )

    @property
    def further_sequences(self) -> tuple[str, ...]:
        """Sequences needed beside those of the network: none."""
        return ()

    def check_against(self, network: Any) -> None:
        """Refuse what does not go with the network; nothing here."""


@dataclass(frozen=True, kw_only=True)
class DcganSettings(SliceSettings):
    """Settings of the objective "dcgan".

    Attributes
    ----------
    beta1, beta2 : float
        Of Adam: 0.5 from Radford 2016; Han 2018 does not state them.
    """

    beta1: float = 0.5
    beta2: float = 0.999


@dataclass(frozen=True, kw_only=True)
class WganSettings(SliceSettings):
    """Settings of the objective "wgan".

    Attributes
    ----------
    critic_steps : int
        Steps of the critic per step of the generator.
    clip : float
        Weights of the critic are kept in [-clip, clip]; not used with a penalty.
    penalty : float
        Weight of the gradient penalty (Gulrajani 2017, 10 there); 0 for clipping instead.
    optimiser : {"rmsprop", "adam"}
        RMSprop (Arjovsky 2017, Han 2018), or Adam with betas 0 and 0.9 (Gulrajani 2017).
    """

    critic_steps: int = 5
    clip: float = 0.01
    penalty: float = 0.0
    optimiser: Literal["rmsprop", "adam"] = "rmsprop"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.critic_steps < 1 or self.clip <= 0 or self.penalty < 0:
            raise ValueError("critic_steps is at least 1, clip positive, penalty not negative")
        if self.optimiser not in ("rmsprop", "adam"):
            raise ValueError(f"optimiser must be rmsprop or adam, got {self.optimiser!r}")

    def check_against(self, network: Any) -> None:
        """Refuse a gradient penalty with a critic that looks at whole batches."""
        if self.penalty and network.critic_norm == "batch":
            raise ValueError(
                "A gradient penalty needs a critic that judges each image alone: set "
                "critic_norm=instance or critic_norm=none."
            )


@dataclass(frozen=True, kw_only=True)
class StyleGan2Settings(SliceSettings):
    """Settings of the objective "stylegan2".

    Attributes
    ----------
    loss : {"logistic", "relativistic"}
        Non-saturating logistic (Karras 2020), or relativistic pairing (as in R3GAN, Huang 2024).
    r1 : float
        gamma of the penalty on the discriminator's gradient at real images.
    r2 : float
        The same at generated images; the relativistic loss needs it.
    r1_every : int
        Steps between penalties (16 in Karras 2020; 1 for the relativistic loss).
    path_weight : float
        Weight of the path length penalty; 0 for none.
    path_every : int
        Steps between path length penalties.
    path_decay : float
        Of the running mean of path lengths.
    path_shrink : int
        The penalty is computed on a batch this many times smaller.
    mixing : float
        Share of images with styles of two latents.
    style_decay : float
        Of the running mean of w.
    beta1, beta2 : float
        Of Adam, before the correction for lazy penalties.
    augment : {"none", "fixed", "adaptive"}
        Augmentation of real and generated images alike before the discriminator.
    augment_probability : float
        Of each transform: the value with "fixed", the first one with "adaptive".
    augment_target : float
        Mean sign of the discriminator at real images that "adaptive" aims at.
    augment_speed : float
        Thousands of images after which the probability can have gone from 0 to 1.
    augment_every : int
        Steps between adaptations.
    mirror : bool
        Let the augmentation swap left and right of the image.
    """

    loss: Literal["logistic", "relativistic"] = "logistic"
    r1: float = 10.0
    r2: float = 0.0
    r1_every: int = 16
    path_weight: float = 2.0
    path_every: int = 4
    path_decay: float = 0.01
    path_shrink: int = 2
    mixing: float = 0.9
    style_decay: float = 0.995
    beta1: float = 0.0
    beta2: float = 0.99
    augment: Literal["none", "fixed", "adaptive"] = "none"
    augment_probability: float = 0.0
    augment_target: float = 0.6
    augment_speed: float = 500.0
    augment_every: int = 4
    mirror: bool = False
    least_brain: float = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss not in ("logistic", "relativistic"):
            raise ValueError(f"loss must be logistic or relativistic, got {self.loss!r}")
        if self.loss == "relativistic" and (self.r2 <= 0 or self.r1 <= 0):
            raise ValueError("The relativistic loss needs both penalties: set r1 and r2.")
        if self.augment not in ("none", "fixed", "adaptive"):
            raise ValueError(f"augment must be none, fixed or adaptive, got {self.augment!r}")
        for name in ("r1_every", "path_every", "path_shrink", "augment_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("r1", "r2", "path_weight"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        for name in ("path_decay", "mixing", "style_decay", "augment_probability"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie between 0 and 1, got {getattr(self, name)}")
        if self.augment_speed <= 0:
            raise ValueError(f"augment_speed must be positive, got {self.augment_speed}")
