"""Fisher's exact test of an r x c table: enumeration of all tables, or sampling with a seed.

References
----------
Fisher, Statistical Methods for Research Workers, 1934. Freeman & Halton, Biometrika 1951;38:141
(r x c). Patefield, Appl Stat 1981;30:91 (random tables with given margins).
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt
from scipy import special

from readerstudy.stats.validation import FloatArray, IntArray

Margins = tuple[int, ...]

TIE = 1e-7
"""Two tables within this relative distance are taken as equally probable, as in R."""


def count_tables(rows: Margins, columns: Margins, limit: int) -> int:
    """Count the tables with these margins, giving up above ``limit``.

    Returns
    -------
    int
        The number of tables; ``limit + 1`` if there are more.
    """
    states: Counter[Margins] = Counter({rows: 1})
    for column in columns[:-1]:
        following: Counter[Margins] = Counter()
        for left, ways in states.items():
            if _compositions_bound(left, column) > limit:
                return limit + 1
            for part in _compositions(left, column):
                following[tuple((np.asarray(left) - part).tolist())] += ways
            if len(following) > limit:
                return limit + 1
        states = following
        if sum(states.values()) > limit:
            return limit + 1
    return sum(states.values())


def _compositions_bound(left: Margins, total: int) -> float:
    bound = 1.0
    for size in sorted(left)[:-1]:
        bound *= min(size, total) + 1
    return bound


def _compositions(left: Margins, total: int) -> IntArray:
    """Return all ways to fill one column: parts at most ``left`` that sum to ``total``."""
    ways = np.zeros((1, 0), dtype=np.int64)
    rest = np.array([total])
    room = sum(left)
    for size in left[:-1]:
        room -= size
        low, high = np.maximum(rest - room, 0), np.minimum(rest, size)
        counts = np.maximum(high - low + 1, 0)
        source = np.repeat(np.arange(len(rest)), counts)
        first = np.repeat(np.cumsum(counts) - counts, counts)
        value = np.arange(len(source)) - first + low[source]
        ways = np.column_stack([ways[source], value])
        rest = rest[source] - value
    return np.column_stack([ways, rest])


def exact_p(table: IntArray) -> float:
    """Return the exact p: the probability of all tables not more probable than this one.

    Columns are filled one after another; partial tables that leave the same row margins and have
    the same probability so far are kept once, with their number.

    Parameters
    ----------
    table : ndarray of int, shape (r, c)
        Counts; every margin above 0.
    """
    if table.shape[0] > table.shape[1]:
        table = table.T
    rows, columns = tuple(table.sum(axis=1).tolist()), np.sort(table.sum(axis=0))[::-1]
    constant = float(
        special.gammaln(np.asarray(rows) + 1).sum()
        + special.gammaln(columns + 1).sum()
        - special.gammaln(table.sum() + 1)
    )
    states = {rows: (np.zeros(1), np.ones(1))}
    for column in columns[:-1].tolist():
        states = _fill_column(states, column)
    terms = [
        (logs - float(special.gammaln(np.asarray(left) + 1).sum()), number)
        for left, (logs, number) in states.items()
    ]
    logs, number = (np.concatenate(parts) for parts in zip(*terms, strict=True))
    observed = -float(special.gammaln(table + 1).sum())
    extreme = logs <= observed + np.log1p(TIE)
    return min(1.0, float((number[extreme] * np.exp(logs[extreme] + constant)).sum()))


_State = dict[Margins, tuple[FloatArray, FloatArray]]


def _fill_column(states: _State, column: int) -> _State:
    gathered: dict[Margins, list[tuple[FloatArray, FloatArray]]] = {}
    for left, (logs, number) in states.items():
        parts = _compositions(left, column)
        steps = -special.gammaln(parts + 1).sum(axis=1)
        for following, step in zip((np.asarray(left) - parts).tolist(), steps, strict=True):
            gathered.setdefault(tuple(following), []).append((logs + step, number))
    return {left: _merge(entries) for left, entries in gathered.items()}


def _merge(entries: list[tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
    logs, number = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    _, first, same = np.unique(np.round(logs, 10), return_index=True, return_inverse=True)
    return logs[first], np.bincount(same, weights=number).astype(np.float64)


def monte_carlo_p(table: IntArray, n_samples: int, seed: int) -> float:
    """Return Fisher's p from random tables with the same margins, ``(b + 1)/(n + 1)``.

    Parameters
    ----------
    table : ndarray of int, shape (r, c)
        Counts.
    n_samples, seed : int
        Random tables, and the seed of the generator.
    """
    from scipy.stats import random_table

    sampler = random_table(table.sum(axis=1), table.sum(axis=0))
    drawn: npt.NDArray[np.float64] = sampler.rvs(
        size=n_samples, random_state=np.random.default_rng(seed)
    )
    logs = -special.gammaln(drawn + 1.0).sum(axis=(1, 2))
    observed = -float(special.gammaln(table + 1.0).sum())
    extreme = int((logs <= observed + np.log1p(TIE)).sum())
    return (extreme + 1.0) / (n_samples + 1.0)
