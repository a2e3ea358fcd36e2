"""From rows (reader, test, case, truth, score) to the table that the MRMC methods work on.

Each test-reader pair is one cell; a cell holds the scores of all cases, NaN where it has no
read. Which cells share which cases is the design, and the design decides what is estimable.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.validation import (
    FloatArray,
    IntArray,
    as_binary,
    as_vector,
    check_choice,
    column,
    missing_rows,
    same_length,
)

NESTINGS = ("case in reader", "case in test", "reader in test")
METRICS = ("auc", "proportion")
PARTLY = "cases partly shared"
_NAMED = 5
_MAX_TABLE = 1 << 22


@dataclass(frozen=True)
class Reads:
    """Scores by cell and case.

    Attributes
    ----------
    tests, readers, cases : tuple
        Labels in sorted order; ``cases`` with the positives first.
    cell_test, cell_reader : ndarray of int (c,)
        Test and reader of each cell, tests outermost.
    scores : ndarray (c, k)
        NaN where the case was not read in the cell.
    n_positive : int
        The first ``n_positive`` cases are positive; all of them for a proportion.
    metric : {"auc", "proportion"}
    nesting : str or None
        As declared or found.
    n_dropped : int
        Reads left out.
    warnings : tuple of str
    """

    tests: tuple[Any, ...]
    readers: tuple[Any, ...]
    cases: tuple[Any, ...]
    cell_test: IntArray
    cell_reader: IntArray
    scores: FloatArray
    n_positive: int
    metric: str
    nesting: str | None
    n_dropped: int
    warnings: tuple[str, ...]

    @property
    def read(self) -> npt.NDArray[np.bool_]:
        """Return which cases each cell has read, shape (c, k)."""
        return ~np.isnan(self.scores)

    @property
    def n_reads(self) -> int:
        """Return the number of reads in use."""
        return int(np.count_nonzero(self.read))

    @property
    def crossed_readers(self) -> bool:
        """Return whether every reader has every test."""
        return self.cell_test.size == len(self.tests) * len(self.readers)

    def keep_cells(self, keep: npt.NDArray[np.bool_], warning: str) -> Reads:
        """Return the reads without some cells, and without what only they had."""
        lost = int(np.count_nonzero(self.read[~keep]))
        return _compact(
            replace(
                self,
                cell_test=self.cell_test[keep],
                cell_reader=self.cell_reader[keep],
                scores=self.scores[keep],
                n_dropped=self.n_dropped + lost,
                warnings=(*self.warnings, warning),
            )
        )


@dataclass(frozen=True)
class _Factor:
    labels: tuple[Any, ...]
    codes: IntArray


def make_reads(
    *,
    reader: npt.ArrayLike,
    test: npt.ArrayLike,
    case: npt.ArrayLike,
    truth: npt.ArrayLike | None,
    score: npt.ArrayLike,
    data: Any = None,
    metric: str = "auc",
    nesting: str | None = None,
    missing: str = "raise",
) -> Reads:
    """Check the rows of an MRMC study and arrange them by cell and case.

    Parameters
    ----------
    reader, test, case, truth, score : array_like (n,) or column names
        One row per read. ``truth`` is not needed for a proportion.
    data : DataFrame or mapping of columns, optional
        The table, where column names are given.
    metric : {"auc", "proportion"}
        ``score`` is a rating, or 1 for success and 0 for failure.
    nesting : {None, "case in reader", "case in test", "reader in test"}
        Declares that equal labels under different readers (or tests) are different units.
    missing : {"raise", "omit"}
        What to do with NaN.

    Raises
    ------
    ValueError
        For wrong shapes, unknown columns, NaN, a read that occurs twice, a case with two truths,
        fewer than one read, or a score other than 0 and 1 for a proportion.
    """
    check_choice(metric, "metric", METRICS)
    if nesting is not None:
        check_choice(nesting, "nesting", NESTINGS)
    values = _score_values(column(data, score), metric)
    truths = _truth_values(column(data, truth), values.size, metric)
    factors = {
        name: factorise(column(data, labels), name)
        for name, labels in (("reader", reader), ("test", test), ("case", case))
    }
    same_length(
        **{name: factor.codes for name, factor in factors.items()}, truth=truths, score=values
    )
    bad = missing_rows(missing, truth=truths, score=values)
    if bad.any():
        factors = {n: _Factor(f.labels, f.codes[~bad]) for n, f in factors.items()}
        values, truths = values[~bad], truths[~bad]
    if not values.size:
        raise ValueError("score holds no read: give at least one row without missing values")
    factors, warnings = _apply_nesting(factors, nesting)
    reads = _arrange(factors, truths, values, metric)
    return replace(reads, nesting=nesting, n_dropped=int(np.count_nonzero(bad)), warnings=warnings)


def _score_values(score: npt.ArrayLike, metric: str) -> FloatArray:
    return as_binary(score, "score") if metric == "proportion" else as_vector(score, "score")


def _truth_values(truth: npt.ArrayLike | None, size: int, metric: str) -> FloatArray:
    if metric == "proportion":
        return np.ones(size)
    if truth is None:
        raise ValueError('truth is needed for metric="auc": 1 for positive, 0 for negative cases')
    return as_binary(truth, "truth")


def factorise(labels: npt.ArrayLike, name: str) -> _Factor:
    """Return the sorted distinct labels and the code of each row.

    Raises
    ------
    ValueError
        If the labels are not one-dimensional or one is missing.
    """
    array = np.asarray(labels)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, got shape {array.shape}")
    if array.dtype.kind in "iub":
        return _factorise_integers(array)
    if array.dtype.kind == "f":
        if np.isnan(array).any():
            raise ValueError(f"{name} has {int(np.isnan(array).sum())} missing labels (NaN)")
        found, codes = np.unique(array, return_inverse=True)
        return _Factor(tuple(found.tolist()), codes)
    # numpy would turn the numbers among text labels into text
    values = list(labels) if isinstance(labels, Sequence) else array.tolist()
    return _factorise_objects(values, name)


def _factorise_integers(array: npt.NDArray[np.integer[Any]]) -> _Factor:
    if not array.size:
        return _Factor((), np.empty(0, dtype=np.int64))
    low, high = int(array.min()), int(array.max())
    if high - low >= _MAX_TABLE:
        found, codes = np.unique(array, return_inverse=True)
        return _Factor(tuple(found.tolist()), codes)
    shifted = array.astype(np.int64) - low
    seen = np.zeros(high - low + 1, dtype=bool)
    seen[shifted] = True
    place = np.cumsum(seen) - 1
    return _Factor(tuple((np.flatnonzero(seen) + low).tolist()), place[shifted])


def _factorise_objects(values: list[Hashable], name: str) -> _Factor:
    distinct = dict.fromkeys(values)
    absent = sum(1 for v in distinct if v is None or v != v)  # noqa: PLR0124 - NaN is not itself
    if absent:
        raise ValueError(f"{name} has missing labels (None or NaN); name every {name}")
    labels = tuple(_sorted(distinct))
    place = {label: i for i, label in enumerate(labels)}
    return _Factor(labels, np.fromiter(map(place.__getitem__, values), np.int64, len(values)))


def _sorted(labels: Iterable[Any]) -> list[Any]:
    try:
        return sorted(labels)
    except TypeError:
        return sorted(labels, key=lambda label: (type(label).__name__, str(label)))


def _apply_nesting(
    factors: dict[str, _Factor], nesting: str | None
) -> tuple[dict[str, _Factor], tuple[str, ...]]:
    if nesting is None:
        return factors, ()
    inner, outer = nesting.split(" in ")
    nested, shared = _within(factors[inner], factors[outer])
    if not shared:
        return factors, ()
    warning = (
        f"{shared} {inner} labels occur under more than one {outer}; as nesting={nesting!r} "
        f"declares, they are taken as different {inner}s"
    )
    return {**factors, inner: nested}, (warning,)


def _within(inner: _Factor, outer: _Factor) -> tuple[_Factor, int]:
    """Return ``inner`` with labels made unique by ``outer``, and how many were shared."""
    pair = inner.codes * len(outer.labels) + outer.codes
    pairs, codes = np.unique(pair, return_inverse=True)
    per_label = np.bincount(pairs // len(outer.labels), minlength=len(inner.labels))
    labels = tuple(
        (inner.labels[p // len(outer.labels)], outer.labels[p % len(outer.labels)])
        for p in pairs.tolist()
    )
    return _Factor(labels, codes), int(np.count_nonzero(per_label > 1))


def _arrange(
    factors: dict[str, _Factor], truths: FloatArray, values: FloatArray, metric: str
) -> Reads:
    reader, test, case = factors["reader"], factors["test"], factors["case"]
    positive = _truth_of_cases(case, truths)
    place, cases, n_positive = _positives_first(case, positive)
    grid = test.codes * len(reader.labels) + reader.codes
    used = np.bincount(grid, minlength=len(test.labels) * len(reader.labels)) > 0
    cells = np.flatnonzero(used)
    row = (np.cumsum(used) - 1)[grid]
    flat = row * len(cases) + place[case.codes]
    _refuse_duplicates(flat, cells.size * len(cases), factors)
    scores = np.full(cells.size * len(cases), np.nan)
    scores[flat] = values
    return _compact(
        Reads(
            tests=test.labels,
            readers=reader.labels,
            cases=cases,
            cell_test=cells // len(reader.labels),
            cell_reader=cells % len(reader.labels),
            scores=scores.reshape(cells.size, len(cases)),
            n_positive=n_positive,
            metric=metric,
            nesting=None,
            n_dropped=0,
            warnings=(),
        )
    )


def _truth_of_cases(case: _Factor, truths: FloatArray) -> npt.NDArray[np.bool_]:
    size = len(case.labels)
    rows = np.bincount(case.codes, minlength=size)
    positives = np.bincount(case.codes, weights=truths, minlength=size)
    some: npt.NDArray[np.bool_] = positives > 0
    mixed = np.flatnonzero(some & (positives < rows))
    if mixed.size:
        raise ValueError(
            f"truth must be the same in all reads of a case; it differs for {mixed.size} cases: "
            + named(case.labels[i] for i in mixed)
        )
    return some


def _positives_first(
    case: _Factor, positive: npt.NDArray[np.bool_]
) -> tuple[IntArray, tuple[Any, ...], int]:
    present = np.bincount(case.codes, minlength=len(case.labels)) > 0
    order = np.concatenate(
        (np.flatnonzero(present & positive), np.flatnonzero(present & ~positive))
    )
    place = np.zeros(len(case.labels), dtype=np.int64)
    place[order] = np.arange(order.size)
    return place, tuple(case.labels[i] for i in order), int(np.count_nonzero(present & positive))


def _refuse_duplicates(flat: IntArray, size: int, factors: dict[str, _Factor]) -> None:
    seen = np.zeros(size, dtype=bool)
    seen[flat] = True
    if np.count_nonzero(seen) == flat.size:
        return
    _, first = np.unique(flat, return_index=True)
    again = np.setdiff1d(np.arange(flat.size), first)
    examples = (
        " / ".join(f"{n} {f.labels[f.codes[i]]}" for n, f in factors.items()) for i in again
    )
    raise ValueError(
        f"{again.size} reads occur more than once, average or choose first: {named(examples)}"
    )


def named(items: Iterable[Any]) -> str:
    """Return the first few items as text, with the number of the others."""
    texts = [str(i) for i in items]
    rest = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + rest


def _compact(reads: Reads) -> Reads:
    """Drop labels and cases that no cell uses."""
    tests, cell_test = np.unique(reads.cell_test, return_inverse=True)
    readers, cell_reader = np.unique(reads.cell_reader, return_inverse=True)
    used: npt.NDArray[np.bool_] = np.any(reads.read, axis=0)
    return replace(
        reads,
        tests=tuple(reads.tests[i] for i in tests),
        readers=tuple(reads.readers[i] for i in readers),
        cases=tuple(c for c, u in zip(reads.cases, used, strict=True) if u),
        cell_test=cell_test,
        cell_reader=cell_reader,
        scores=reads.scores if used.all() else reads.scores[:, used],
        n_positive=int(np.count_nonzero(used[: reads.n_positive])),
    )


def drop_readers_without_class(reads: Reads, *, whole: bool = True) -> Reads:
    """Leave out readers who read only one class in some test; a warning names them.

    With ``whole`` false they are left out in that test only.
    """
    if reads.metric == "proportion":
        return reads
    sides = np.split(reads.read, [reads.n_positive], axis=1)
    lacking: npt.NDArray[np.bool_] = ~(np.any(sides[0], axis=1) & np.any(sides[1], axis=1))
    if not lacking.any():
        return reads
    readers = np.unique(reads.cell_reader[lacking])
    out: npt.NDArray[np.bool_] = np.isin(reads.cell_reader, readers) if whole else lacking
    names = named(reads.readers[i] for i in readers)
    if out.all():
        raise ValueError(f"truth has one class only for every reader ({names}): no AUC exists")
    where = "left out" if whole else "left out there"
    return reads.keep_cells(
        ~out, f"{readers.size} readers read one class only in some test and are {where}: {names}"
    )


def balance(reads: Reads, missing: str) -> Reads:
    """Return reads in which any two cells share all their cases or none, with the design found.

    Raises
    ------
    ValueError
        If reads are missing and ``missing="raise"``, or if nothing is left; it counts them.
    """
    reads = _complete_readers(reads, missing)
    read = reads.read
    if read.all():
        return replace(reads, nesting=_found_nesting(reads, np.zeros(len(read), dtype=np.int64)))
    groups = _linked_cells(read)
    common = np.empty_like(read)
    for group in np.unique(groups):
        common[groups == group] = read[groups == group].all(axis=0)
    lost = int(np.count_nonzero(read & ~common))
    if lost:
        return balance(_reduce(reads, common, lost, missing), missing)
    return replace(reads, nesting=_found_nesting(reads, groups))


def _complete_readers(reads: Reads, missing: str) -> Reads:
    per_reader = np.bincount(reads.cell_reader, minlength=len(reads.readers))
    if reads.crossed_readers or (per_reader == 1).all():
        return reads
    out = np.flatnonzero(per_reader < len(reads.tests))
    names = named(reads.readers[i] for i in out)
    text = f"{out.size} readers lack a test: {names}"
    if missing == "raise":
        raise ValueError(
            f'{text}; use u_statistic, or pass missing="omit" to leave these readers out'
        )
    if out.size == len(reads.readers):
        raise ValueError(f"{text}; no reader has all tests, use u_statistic")
    return reads.keep_cells(~np.isin(reads.cell_reader, out), f"left out: {text}")


def _linked_cells(read: npt.NDArray[np.bool_]) -> IntArray:
    """Return a group number per cell; cells that share a case are in one group."""
    shared = read.astype(np.float32)
    linked = (shared @ shared.T) > 0
    group = np.arange(len(read))
    while True:
        lowest = np.where(linked, group[None, :], len(read)).min(axis=1)
        if np.array_equal(lowest, group):
            return group
        group = lowest


def _reduce(reads: Reads, common: npt.NDArray[np.bool_], lost: int, missing: str) -> Reads:
    cases = int(np.count_nonzero((reads.read & ~common).any(axis=0)))
    if missing == "raise":
        raise ValueError(
            f"the design is incomplete: {cases} cases were not read by all readers in all tests "
            f'({lost} reads have no counterpart); use u_statistic, or pass missing="omit" to '
            "leave these cases out"
        )
    if not common.any(axis=1).all():
        raise ValueError(
            "the design is incomplete and no case was read by all readers in all tests; use "
            "u_statistic"
        )
    return drop_readers_without_class(
        _compact(
            replace(
                reads,
                scores=np.where(common, reads.scores, np.nan),
                n_dropped=reads.n_dropped + lost,
                warnings=(
                    *reads.warnings,
                    f"incomplete design reduced: {cases} cases ({lost} reads) left out, as not "
                    "every reader read them in every test",
                ),
            )
        )
    )


def _found_nesting(reads: Reads, groups: IntArray) -> str | None:
    """Return the declared nesting after checking it, or the one the data have."""
    if not reads.crossed_readers:
        found: str | None = "reader in test"
    elif len(np.unique(groups)) == 1:
        found = None
    elif _follows(groups, reads.cell_reader):
        found = "case in reader"
    elif _follows(groups, reads.cell_test):
        found = "case in test"
    else:
        found = PARTLY
    if reads.nesting is not None and found != reads.nesting and found is not None:
        raise ValueError(f"nesting={reads.nesting!r} is declared, but the data are {found!r}")
    return found


def _follows(groups: IntArray, factor: IntArray) -> bool:
    """Return whether cells share their cases exactly where they share the factor."""
    same_group = groups[:, None] == groups[None, :]
    return bool((same_group == (factor[:, None] == factor[None, :])).all())
