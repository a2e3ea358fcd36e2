"""Random numbers that any machine and any language can draw again: SHA-256 in counter mode."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

ALGORITHM = "readerstudy-allocation-2"
T = TypeVar("T")


class Stream:
    """Uniform whole numbers from SHA-256(algorithm | seed | label | counter), 64 bits at a time."""

    def __init__(self, seed: str, label: str) -> None:
        self._prefix = f"{ALGORITHM}|{seed}|{label}|".encode()
        self._counter = 0

    def below(self, bound: int) -> int:
        """Return a number in [0, bound), without modulo bias (rejection)."""
        limit = (1 << 64) - (1 << 64) % bound
        while True:
            block = hashlib.sha256(self._prefix + str(self._counter).encode()).digest()
            self._counter += 1
            value = int.from_bytes(block[:8], "big")
            if value < limit:
                return value % bound

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return a Fisher–Yates shuffle."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return order
