"""Batch normalisation over the whole batch when several processes share it.

PyTorch's own, `torch.nn.SyncBatchNorm`, works on GPUs only; this one works wherever the processes
can add up numbers. Mean and variance are those of all samples, and the gradient runs through both,
so that n processes take the steps that one would.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from synthesis.training import parallel


class _Total(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(_ctx: Any, value: Tensor) -> Tensor:
        return parallel.total(value)

    @staticmethod
    def backward(_ctx: Any, *gradients: Any) -> Tensor:
        return parallel.total(gradients[0])


def _total(value: Tensor) -> Tensor:
    summed: Tensor = _Total.apply(value)  # type: ignore[no-untyped-call]
    return summed


class SharedBatchNorm(nn.Module):
    """`torch.nn.BatchNorm2d` or 3d, whose batch is that of all processes.

    Parameters and buffers have the same names; in evaluation mode it is the same function.

    Parameters
    ----------
    like : BatchNorm2d or BatchNorm3d
        With scale, shift, running statistics and a momentum; its tensors are taken over.
    """

    num_batches_tracked: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, like: nn.BatchNorm2d | nn.BatchNorm3d) -> None:
        super().__init__()
        self.eps = like.eps
        self.momentum = float(like.momentum or 0.0)
        self.weight, self.bias = like.weight, like.bias
        for name, buffer in like.named_buffers():
            self.register_buffer(name, buffer)
        self.train(like.training)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, ...), B being this process's share."""
        wide = x.float()
        shape = (1, -1, *([1] * (x.dim() - 2)))
        mean, variance = self._moments(wide) if self.training else self._running()
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        return (wide * scale.view(shape) + shift.view(shape)).to(x.dtype)

    def _running(self) -> tuple[Tensor, Tensor]:
        return self.running_mean, self.running_var

    def _moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        axes = [0, *range(2, x.dim())]
        count = x.numel() // x.shape[1] * parallel.size()
        mean = _total(x.sum(axes)) / count
        centred = x - mean.view(1, -1, *([1] * (x.dim() - 2)))
        variance = _total(centred.square().sum(axes)) / count
        self._remember(mean, variance * (count / max(count - 1, 1)))
        return mean, variance

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def normalises_batches(network: nn.Module) -> bool:
    """Tell whether a network has batch normalisation."""
    kinds = (nn.BatchNorm2d, nn.BatchNorm3d, SharedBatchNorm)
    return any(isinstance(module, kinds) for module in network.modules())


def share_batch_norm(network: nn.Module) -> None:
    """Replace every batch normalisation of a network by one over all processes, in place."""
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d | nn.BatchNorm3d):
            setattr(network, name, SharedBatchNorm(child))
        else:
            share_batch_norm(child)
