"""Losses of generator against discriminator, from logits or critic values (B,); each a scalar."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - the name every PyTorch reader expects


def logistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return ``-log s(real) - log(1 - s(fake))``, s the sigmoid (Goodfellow 2014)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def logistic_generator(fake: Tensor) -> Tensor:
    """Return ``-log s(fake)``, the form that does not saturate."""
    return F.softplus(-fake).mean()


def wasserstein_critic(real: Tensor, fake: Tensor) -> Tensor:
    """Return ``mean(fake) - mean(real)``: minus the distance the critic sees (Arjovsky 2017)."""
    return fake.mean() - real.mean()


def wasserstein_generator(fake: Tensor) -> Tensor:
    """Return ``-mean(fake)``."""
    return -fake.mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Return ``-log s(real - fake)`` of pairs: real should beat its partner."""
    return F.softplus(fake - real).mean()


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """Return ``-log s(fake - real)`` of pairs."""
    return F.softplus(real - fake).mean()
