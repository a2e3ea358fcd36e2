"""Penalties on gradients with respect to inputs.

The inner gradient is taken by `torch.func.grad` of a functional call and not by a backward pass
with ``create_graph``: a compiled function cannot be differentiated twice from outside, but this
form lies wholly inside it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.func import functional_call


def input_gradient(network: nn.Module, images: Tensor) -> Tensor:
    """Return the gradient of ``sum(network(images))`` with respect to the images.

    Parameters
    ----------
    network : Module
        (B, C, H, W) to (B,).
    images : Tensor (B, C, H, W)

    Returns
    -------
    Tensor (B, C, H, W)
        Differentiable with respect to the weights.
    """
    weights = {**dict(network.named_parameters()), **dict(network.named_buffers())}

    def total(x: Tensor) -> Tensor:
        value: Tensor = functional_call(network, weights, (x,))
        return value.float().sum()

    gradient: Tensor = torch.func.grad(total)(images)
    return gradient


def squared_gradient(network: nn.Module, images: Tensor) -> Tensor:
    """Return the mean over images of the squared length of the gradient (R1 and R2).

    Mescheder 2018 (arXiv 1801.04406): ``R1 = gamma / 2 E |grad D(x)|^2`` at real x; R2 is the
    same at generated x. The factor gamma / 2 is the caller's.
    """
    return input_gradient(network, images).square().sum(dim=(1, 2, 3)).mean()


def gradient_penalty(network: nn.Module, real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Return ``E (|grad D(x)| - 1)^2`` at ``x = share real + (1 - share) fake``.

    Gulrajani 2017 (arXiv 1704.00028).

    Parameters
    ----------
    network : Module
    real, fake : Tensor (B, C, H, W)
    share : Tensor (B,)
        Drawn from U(0, 1).
    """
    between = torch.lerp(fake, real, share[:, None, None, None])
    length = input_gradient(network, between).square().sum(dim=(1, 2, 3)).add(1e-12).sqrt()
    return (length - 1).square().mean()


def path_lengths(network: nn.Module, ws: Tensor, noise: Tensor, direction: Tensor) -> Tensor:
    """Return how far images move in a random direction per unit of style, for each image.

    Karras 2020, eq. 4: ``|J^T y|`` with J the derivative of the image by w and y an image drawn
    from N(0, 1); here y is divided by sqrt(H W), and squares are summed over w and averaged over
    the layers that take a w each.

    Parameters
    ----------
    network : Module
        ``network(ws, noise)`` makes images.
    ws : Tensor (B, styles, latent)
    noise : Tensor (B, n)
    direction : Tensor (B, C, H, W)
        y before the division.

    Returns
    -------
    Tensor (B,)
    """
    weights = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    scale = math.sqrt(direction.shape[2] * direction.shape[3])

    def along(w: Tensor) -> Tensor:
        image: Tensor = functional_call(network, weights, (w, noise))
        return (image * direction / scale).sum()

    gradient: Tensor = torch.func.grad(along)(ws)
    return gradient.square().sum(dim=2).mean(dim=1).add(1e-12).sqrt()
