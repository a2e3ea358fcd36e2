"""Terms of regression models: the matrix, its names, and what makes it unusable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.validation import FloatArray

INTERCEPT = "(Intercept)"


def as_matrix(x: npt.ArrayLike) -> FloatArray:
    """Return terms as a finite or missing float array of shape (n, k)."""
    try:
        matrix = np.asarray(x, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"x must hold numbers; make indicator columns first: {error}") from error
    if matrix.ndim == 1:
        matrix = matrix[:, None]
    if matrix.ndim != 2:
        raise ValueError(f"x must have shape (n, k), got {matrix.shape}")
    if np.isinf(matrix).any():
        raise ValueError("x must be finite, got inf")
    return matrix


def term_names(x: Any, names: Sequence[str] | None, k: int) -> tuple[str, ...]:
    """Return one name per column: given, from a DataFrame, or x1, x2 and so on."""
    if names is None:
        names = [str(c) for c in x.columns] if hasattr(x, "columns") else _numbered(k)
    if len(names) != k or len(set(names)) != k or INTERCEPT in names:
        raise ValueError(f"names must be {k} different names for the columns of x, got {names}")
    return tuple(names)


def _numbered(k: int) -> list[str]:
    return [f"x{i + 1}" for i in range(k)]


def refuse_dependent(design: FloatArray, terms: Sequence[str]) -> None:
    """Refuse terms without a unique coefficient; the first column is the intercept."""
    n, k = design.shape
    if n < k:
        raise ValueError(f"x has {k - 1} terms but only {n} rows; use fewer terms")
    scale = np.abs(design).max(axis=0)
    scaled = design / np.where(scale > 0, scale, 1)
    done = 0
    for column in range(1, k + 1):
        rank = np.linalg.matrix_rank(scaled[:, :column])
        if rank == done:
            raise ValueError(
                f"term {terms[column - 1]!r} is constant or a linear combination of the terms "
                "before it; leave it out"
            )
        done = rank
