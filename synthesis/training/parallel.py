"""Data parallel training: every process has the whole network and takes its share of a batch.

Started by ``torchrun``, which sets ``RANK`` and ``WORLD_SIZE``. Each process draws the same batch
number ``step`` and keeps every ``size``-th sample from ``rank`` on; losses are divided by what the
whole batch counts, and gradients are added up. So the loss curve of n processes is that of one,
up to rounding. Without torchrun every function here does nothing, so that a way of training can
call them always.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

_LONGEST_WAIT = timedelta(hours=2)  # the others wait while one process validates


def size() -> int:
    """Return how many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Return the number of this process, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def leads() -> bool:
    """Tell whether this process validates and writes the files: the one of rank 0."""
    return rank() == 0


@contextmanager
def together(device: str) -> Iterator[None]:
    """Join the processes that torchrun started, for the length of a block.

    Over NCCL for ``device`` "cuda", each process with the GPU of its local rank, else over gloo.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield
        return
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if on_gpu else "gloo", timeout=_LONGEST_WAIT)
    try:
        yield
        dist.barrier()  # nobody leaves while another still talks
    finally:
        dist.destroy_process_group()


def share(count: int) -> slice:
    """Return which of ``count`` samples of a batch are this process's: use it as an index."""
    return slice(rank(), count, size())


def total(value: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes, without gradient."""
    summed = value.detach().clone()
    if size() > 1:
        dist.all_reduce(summed)
    return summed


def mean(value: Tensor) -> float:
    """Return the mean over all processes of a mean over the share of each."""
    return total(value).item() / size()


@torch.no_grad()
def add_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Replace each gradient by its sum over all processes; call it after backward.

    Where the loss is a mean over the samples of this process, divide it by `size` first, or by
    the `total` of the weights if it is a weighted mean.
    """
    if size() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    for group in _by_kind(gradients):
        flat = torch.cat([gradient.reshape(-1) for gradient in group])
        dist.all_reduce(flat)
        parts = torch.split(flat, [gradient.numel() for gradient in group])
        for gradient, part in zip(group, parts, strict=True):
            gradient.copy_(part.view_as(gradient))


def part_ways(seed: int, step: int) -> None:
    """Let the global random numbers of each process, those of dropout, be its own from here on.

    Other random numbers are functions of seed and step, drawn for the whole batch.
    """
    if size() > 1:
        words = np.random.SeedSequence([seed, rank(), step]).generate_state(1)
        torch.manual_seed(int(words[0]))


def _by_kind(tensors: list[Tensor]) -> list[list[Tensor]]:
    kinds: dict[torch.dtype, list[Tensor]] = {}
    for tensor in tensors:
        kinds.setdefault(tensor.dtype, []).append(tensor)
    return list(kinds.values())


def agreed(value: float) -> float:
    """Return what the leading process says, so that clocks and requests lead to one decision."""
    if size() == 1:
        return value
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    said = torch.tensor([value], dtype=torch.float64, device=device)
    dist.broadcast(said, src=0)
    return float(said)
