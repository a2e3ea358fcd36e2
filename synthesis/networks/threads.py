"""How many processor threads PyTorch may use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def spare_cores() -> int:
    """Return the cores this process may use, less one for the rest of the machine, at least 1."""
    return max(1, len(os.sched_getaffinity(0)) - 1)


@contextmanager
def using_threads(count: int) -> Iterator[None]:
    """Set the number of PyTorch threads, and put the former one back."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
