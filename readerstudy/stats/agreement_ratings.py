"""Ratings as codes, count tables and weights: the ground under the agreement statistics.

All chance-corrected indices here need only how many raters chose each category for each subject,
so one pass of ``bincount`` replaces any loop over subjects.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.validation import FloatArray, IntArray, check_finite, column

Weights = str | npt.ArrayLike | None

_WIDEST_LOOKUP = 100_000
_LARGEST_TABLE = 50_000_000
_BLOCK_ROWS = 4096
_SHORT_SCALE = 12
_WIDE_SCALE = 32


@dataclass(frozen=True)
class Ratings:
    """Ratings as positions on a scale.

    Attributes
    ----------
    codes : ndarray of int, shape (n_subjects, n_raters)
        Position in ``categories``; -1 where missing.
    categories : tuple
        The scale in order.
    declared : bool
        Whether the caller named the scale, rather than it being the observed levels.
    """

    codes: IntArray
    categories: tuple[Any, ...]
    declared: bool

    @property
    def complete(self) -> npt.NDArray[np.bool_]:
        """Which subjects have all their ratings."""
        return np.asarray((self.codes >= 0).all(axis=1))

    def keep(self, rows: npt.NDArray[np.bool_]) -> Ratings:
        """Return the chosen subjects on the same scale."""
        return Ratings(self.codes[rows], self.categories, self.declared)

    def counts(self) -> Counts:
        """Return how many raters chose each category for each subject."""
        n, q = len(self.codes), len(self.categories)
        if n * q > _LARGEST_TABLE:
            raise ValueError(
                f"ratings hold {q} different values for {n} subjects, which is no scale of "
                'categories: use icc, or krippendorff_alpha with metric="interval"'
            )
        table = _tally(self.codes, -1, q)[:, 1:]
        return Counts(table.astype(float), self.categories, self.declared, self.codes.shape[1])


@dataclass(frozen=True)
class Counts:
    """How many raters chose each category for each subject.

    Attributes
    ----------
    table : ndarray of float, shape (n_subjects, n_categories)
        Whole numbers.
    categories : tuple
        The scale in order.
    declared : bool
        Whether the caller named the scale.
    n_raters : int
        Columns of the ratings, that is, the most ratings a subject can have.
    """

    table: FloatArray
    categories: tuple[Any, ...]
    declared: bool
    n_raters: int

    @property
    def totals(self) -> FloatArray:
        """Ratings per subject."""
        return np.asarray(self.table.sum(axis=1))

    def keep(self, rows: npt.NDArray[np.bool_]) -> Counts:
        """Return the chosen subjects on the same scale."""
        return self if rows.all() else replace(self, table=self.table[rows])

    @property
    def undeclared(self) -> tuple[str, ...]:
        """A warning if the scale was read off the data."""
        return undeclared_scale(self.categories, self.declared)


def ratings_matrix(
    *,
    subject: npt.ArrayLike | str,
    rater: npt.ArrayLike | str,
    rating: npt.ArrayLike | str,
    data: Any = None,
) -> npt.NDArray[Any]:
    """Turn long-form ratings into a matrix of subjects by raters.

    Parameters
    ----------
    subject, rater, rating : array_like or column name
        One entry per rating.
    data : DataFrame or mapping, optional
        Table that holds the named columns.

    Returns
    -------
    ndarray, shape (n_subjects, n_raters)
        Rows and columns in sorted order of their labels; NaN (numbers) or None (labels) where a
        rater did not rate a subject.

    Raises
    ------
    ValueError
        If one rater rated one subject twice, or lengths differ.

    Examples
    --------
    >>> ratings_matrix(subject=[1, 1, 2], rater=["a", "b", "a"], rating=[3, 4, 5])
    array([[ 3.,  4.],
           [ 5., nan]])
    """
    columns = {"subject": subject, "rater": rater, "rating": rating}
    arrays = {name: np.asarray(column(data, values)) for name, values in columns.items()}
    if len({a.shape for a in arrays.values()}) > 1 or arrays["rating"].ndim != 1:
        raise ValueError("subject, rater and rating must be one-dimensional, of one length")
    subjects, rows = np.unique(arrays["subject"], return_inverse=True)
    raters, columns_of = np.unique(arrays["rater"], return_inverse=True)
    cells = rows * raters.size + columns_of
    if np.unique(cells).size < cells.size:
        raise ValueError("a rater rated a subject more than once: choose one rating first")
    numeric = arrays["rating"].dtype.kind in "iufb"
    empty, kind = (np.nan, float) if numeric else (None, object)
    matrix = np.full((subjects.size, raters.size), empty, dtype=kind)
    matrix[rows, columns_of] = arrays["rating"]
    return matrix


def encode(ratings: Any, categories: Sequence[Hashable] | None, name: str = "ratings") -> Ratings:
    """Turn ratings into codes on a scale.

    Parameters
    ----------
    ratings : array_like, shape (n_subjects, n_raters)
        Numbers (NaN missing) or labels (None or NaN missing).
    categories : sequence or None
        The declared scale in order; None takes the sorted observed levels.
    name : str
        What to call the argument in an error.

    Raises
    ------
    ValueError
        For another shape, an empty matrix, or a rating outside the declared scale.
    """
    matrix = _as_matrix(ratings, name)
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(f"{name} must have shape (n_subjects, n_raters), got {matrix.shape}")
    scale = None if categories is None else _check_scale(categories)
    if matrix.dtype.kind in "iufb":
        return _encode_numbers(matrix.astype(float, copy=False), scale, name)
    return _encode_labels(matrix, scale, name)


def count_table(
    ratings: Any, categories: Sequence[Hashable] | None, name: str = "ratings"
) -> Counts:
    """Count how many raters chose each category for each subject.

    Arguments and errors are those of :func:`encode`. Numbers on a short scale, the usual case, are
    counted by comparison with each category, without looking up codes.
    """
    matrix = _as_matrix(ratings, name)
    scale = None if categories is None else _check_scale(categories)
    counted = _compare_with_each(matrix, scale)
    return encode(matrix, categories, name).counts() if counted is None else counted


def _compare_with_each(matrix: npt.NDArray[Any], scale: tuple[Any, ...] | None) -> Counts | None:
    """Count numbers on a short scale; None if there are others, or the scale is not short."""
    if matrix.ndim != 2 or matrix.size == 0 or matrix.dtype.kind not in "iufb":
        return None
    levels = _whole_range(matrix) if scale is None else scale
    if not 0 < len(levels) <= _SHORT_SCALE or not all(isinstance(v, int | float) for v in levels):
        return None
    table = _tally_levels(matrix, levels)
    found = int(table.sum())
    if found < matrix.size and found + int(np.isnan(matrix).sum()) < matrix.size:
        return None
    if scale is None:
        used = table.any(axis=1)
        table, levels = table[used], tuple(np.asarray(levels)[used].tolist())
    return Counts(table.T, levels, scale is not None, matrix.shape[1])


def _whole_range(matrix: npt.NDArray[Any]) -> tuple[int, ...]:
    """Return the whole numbers from the smallest to the largest rating; none if that is long."""
    low, high = float(np.fmin.reduce(matrix, axis=None)), float(np.fmax.reduce(matrix, axis=None))
    if not high - low < _SHORT_SCALE or not low.is_integer():
        return ()
    return tuple(range(int(low), int(high) + 1))


def _tally_levels(matrix: npt.NDArray[Any], levels: tuple[Any, ...]) -> FloatArray:
    """Return how often each row holds each level, shape (n_levels, n_rows)."""
    small = np.uint8 if matrix.shape[1] < 256 else np.uint32
    table = np.empty((len(levels), len(matrix)))
    for start in range(0, len(matrix), _BLOCK_ROWS):
        block = matrix[start : start + _BLOCK_ROWS]
        for row, level in zip(table, levels, strict=True):
            hits = (block == level).astype(small)
            row[start : start + len(block)] = np.einsum("ij->i", hits)
    return table


def _tally(matrix: npt.NDArray[Any], low: int, span: float) -> IntArray:
    """Count the whole numbers ``low .. low + span`` in each row, a block of rows at a time."""
    width = int(span) + 1
    table = np.empty((len(matrix), width), dtype=np.int64)
    offsets = width * np.arange(_BLOCK_ROWS)[:, None] - low
    for start in range(0, len(matrix), _BLOCK_ROWS):
        block = matrix[start : start + _BLOCK_ROWS].astype(np.int64)
        block += offsets[: len(block)]
        counted = np.bincount(block.ravel(), minlength=width * len(block))
        table[start : start + len(block)] = counted.reshape(-1, width)
    return table


def _as_matrix(ratings: Any, name: str) -> npt.NDArray[Any]:
    try:
        matrix = np.asarray(ratings)
        if matrix.dtype.kind in "US":
            matrix = np.asarray(ratings, dtype=object)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular matrix: {error}") from error
    if matrix.dtype.kind == "O" and _only_numbers(matrix):
        return np.asarray([[_number(v) for v in row] for row in matrix], dtype=float)
    return matrix


def numeric_matrix(ratings: Any, need: str, name: str = "ratings") -> FloatArray:
    """Return ratings as a float matrix, NaN missing; ``need`` begins the error about labels.

    Raises
    ------
    ValueError
        For another shape, or entries that are not numbers.
    """
    matrix = _as_matrix(ratings, name)
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ValueError(f"{name} must have shape (n_subjects, n_raters), got {matrix.shape}")
    if matrix.dtype.kind not in "iufb":
        raise ValueError(f"{need}, {name} holds labels")
    return check_finite(matrix.astype(float, copy=False), name)


def _only_numbers(matrix: npt.NDArray[Any]) -> bool:
    return matrix.ndim == 2 and all(
        _is_missing(v) or isinstance(v, int | float | np.number) for v in matrix.ravel()
    )


def _number(value: Any) -> float:
    return np.nan if _is_missing(value) else float(value)


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ == "NAType" or value != value  # noqa: PLR0124


def _check_scale(categories: Sequence[Hashable]) -> tuple[Any, ...]:
    scale = tuple(c.item() if isinstance(c, np.generic) else c for c in categories)
    if len(set(scale)) != len(scale) or not scale:
        raise ValueError(f"categories must be different values, at least one, got {scale}")
    return scale


def _encode_numbers(matrix: FloatArray, scale: tuple[Any, ...] | None, name: str) -> Ratings:
    missing = np.isnan(matrix)
    values = np.where(missing, 0.0, matrix) if missing.any() else matrix
    levels = _levels(values, missing) if scale is None else _numeric_scale(scale)
    codes = _positions(values, levels)
    codes[missing] = -1
    if scale is not None and (codes[~missing] < 0).any():
        outside = values[(codes < 0) & ~missing][0]
        raise ValueError(f"{name} holds {outside:g}, which is not in categories {scale}")
    categories = scale if scale is not None else tuple(_plain(v) for v in levels)
    return Ratings(codes, categories, scale is not None)


def _numeric_scale(scale: tuple[Any, ...]) -> FloatArray:
    if not all(isinstance(c, int | float) for c in scale):
        raise ValueError(f"ratings are numbers but categories are not: {scale}")
    return np.asarray(scale, dtype=float)


def _plain(value: float) -> float | int:
    return int(value) if float(value).is_integer() else float(value)


def _small_integers(values: FloatArray) -> tuple[int, int] | None:
    """Return the range of ``values`` if all are whole and the range is small."""
    low, high = float(values.min()), float(values.max())
    if not high - low < _WIDEST_LOOKUP or not low.is_integer():
        return None
    return (int(low), int(high)) if (values == np.rint(values)).all() else None


def _levels(values: FloatArray, missing: npt.NDArray[np.bool_]) -> FloatArray:
    used = values[~missing] if missing.any() else values.ravel()
    if used.size == 0:
        return np.empty(0)
    bounds = _small_integers(used)
    if bounds is None:
        return np.unique(used)
    present = np.bincount(used.astype(np.intp) - bounds[0])
    return np.flatnonzero(present).astype(np.float64) + bounds[0]


def _positions(values: FloatArray, levels: FloatArray) -> IntArray:
    """Return the position of each value in ``levels``; -1 where it is not there."""
    if levels.size == 0:
        return np.full(values.shape, -1, dtype=np.int64)
    bounds = _small_integers(np.concatenate([[values.min(), values.max()], levels]))
    if bounds is not None and (values == np.rint(values)).all():
        table = np.full(bounds[1] - bounds[0] + 1, -1, dtype=np.int64)
        table[levels.astype(np.intp) - bounds[0]] = np.arange(levels.size)
        return table[values.astype(np.intp) - bounds[0]]
    order = np.argsort(levels)
    spot = np.minimum(np.searchsorted(levels[order], values), levels.size - 1)
    found = order[spot].astype(np.int64)
    return np.where(levels[found] == values, found, -1)


def _encode_labels(matrix: npt.NDArray[Any], scale: tuple[Any, ...] | None, name: str) -> Ratings:
    seen = {v for v in matrix.ravel().tolist() if not _is_missing(v)}
    if scale is None:
        levels = tuple(sorted(seen, key=lambda v: (str(type(v)), v)))
    else:
        levels = scale
        outside = seen - set(scale)
        if outside:
            raise ValueError(f"{name} holds {min(map(repr, outside))}, not in categories {scale}")
    position = {level: i for i, level in enumerate(levels)}
    codes = [[-1 if _is_missing(v) else position[v] for v in row] for row in matrix.tolist()]
    return Ratings(np.asarray(codes, dtype=np.int64), levels, scale is not None)


def agreement_weights(weights: Weights, q: int) -> FloatArray:
    """Return the matrix of agreement weights, 1 on the diagonal.

    Parameters
    ----------
    weights : None, "linear", "quadratic", "ordinal" or matrix
        None counts only exact agreement. The names weigh by the distance ``d`` of positions on
        the scale: ``1 - d/(q-1)``, ``1 - d²/(q-1)²``, and ``1 - d(d+1)/(q(q-1))``.
    q : int
        Number of categories.

    Raises
    ------
    ValueError
        For an unknown name, or a matrix that is not (q, q), symmetric, in 0..1, 1 on the diagonal.
    """
    if weights is None or q == 1:
        return np.eye(q)
    if isinstance(weights, str):
        distance = np.abs(np.subtract.outer(np.arange(q), np.arange(q))).astype(float)
        named = {
            "linear": distance,
            "quadratic": distance**2,
            "ordinal": distance * (distance + 1.0),
        }
        if weights not in named:
            raise ValueError(
                f"weights must be None, {', '.join(named)} or a matrix; got {weights!r}"
            )
        return 1.0 - named[weights] / named[weights].max()
    return _check_weights(np.asarray(weights, dtype=float), q)


def _check_weights(matrix: FloatArray, q: int) -> FloatArray:
    if matrix.shape != (q, q):
        raise ValueError(f"weights must have shape ({q}, {q}), got {matrix.shape}")
    if not np.array_equal(matrix, matrix.T) or not np.all(np.diag(matrix) == 1.0):
        raise ValueError("weights must be symmetric with 1 on the diagonal (agreement, not cost)")
    if not ((matrix >= 0.0) & (matrix <= 1.0)).all():
        raise ValueError("weights must lie in 0..1")
    return matrix


def by_subject(table: FloatArray, values: FloatArray) -> FloatArray:
    """Return for each subject the sum of ``values`` over its ratings.

    A plain loop over the few categories: a threaded matrix product costs more than it saves here.
    """
    return np.asarray(np.einsum("ij,j->i", table, values))


def dot(a: FloatArray, b: FloatArray) -> float:
    """Return the sum of products of two long vectors.

    Not by ``@``: its threads wait for each other on a busy machine, many times longer than the
    sum takes.
    """
    return float(np.einsum("i,i->", a, b))


def quadratic_form(table: FloatArray, matrix: FloatArray) -> FloatArray:
    """Return for each subject the sum of ``matrix`` over all pairs of its ratings."""
    if len(matrix) > _WIDE_SCALE:
        return np.asarray(np.einsum("ij,ij->i", table, table @ matrix))
    total = np.zeros(len(table))
    for counts, column_of in zip(table.T, matrix.T, strict=True):
        total += counts * by_subject(table, column_of)
    return total


def weights_in_words(weights: Weights) -> str:
    """Return how the weights are named in a method."""
    if weights is None:
        return "unweighted"
    return f"{weights} weights" if isinstance(weights, str) else "weights from a matrix"


def undeclared_scale(categories: Sequence[Any], declared: bool) -> tuple[str, ...]:
    """Return a warning if the scale was read off the data."""
    if declared:
        return ()
    return (
        f"categories were not declared: the {len(categories)} observed levels were taken "
        "as the scale",
    )
