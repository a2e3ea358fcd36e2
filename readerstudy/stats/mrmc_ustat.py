"""Multi-reader multi-case analysis by U-statistics, for any design.

A mean AUC pools all (reader, positive, negative) triples that were read. Its variance is a sum of
product moments of two triples which share the reader, the positive, the negative, some or none
of them (Gallas 2006); with missing reads and split-plot designs only the number of triples of
each kind changes (Gallas et al. 2009).

References
----------
Gallas, Acad Radiol 2006;13:353. Gallas, Pennello & Myers, J Opt Soc Am A 2007;24:B70 (binary).
Gallas, Bandos, Samuelson & Wagner, Commun Stat Theory Methods 2009;38:2586 (variance components).
Gaylor & Hopper, Technometrics 1969;11:691 (degrees of freedom of a sum of components).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.mrmc_anova import (
    RANDOM,
    Report,
    Spread,
    Table,
    mean_squares,
    p_of_f,
    variance_components,
)
from readerstudy.stats.mrmc_covariance import Cells, exclusive, make_cells
from readerstudy.stats.mrmc_design import Reads, drop_readers_without_class, make_reads
from readerstudy.stats.mrmc_results import (
    Rows,
    TestDifference,
    TestMean,
    UStatisticResult,
    joined,
)
from readerstudy.stats.quantiles import chi_square_p
from readerstudy.stats.validation import FloatArray, check_choice, check_level

_LAW = {
    "readers and cases": "random readers and cases, t test with the whole part of the BDG degrees "
    "of freedom, normal above 50 as in iMRMC",
    "readers": "random readers, fixed cases, t test",
    "cases": "fixed readers, random cases, z test",
}
_NORMAL_ABOVE = 50
_SINGULAR = "the covariance of the differences is not positive definite, so no global test exists"


@dataclass(frozen=True)
class _Pair:
    """Covariance of two pooled means (of one mean with itself: its variance).

    Attributes
    ----------
    covariance, biased : float
        Unbiased, and with the moments that count a unit with itself.
    components : ndarray (factors,)
        Biased variance component of readers, then of each class of cases.
    df : ndarray (factors,)
        Number of units behind each component less 1; infinite where no unit is shared.
    moments, coefficients : ndarray
        Both axes-reversed into the order of Gallas 2006.
    """

    covariance: float
    biased: float = math.nan
    components: FloatArray | None = None
    df: FloatArray | None = None
    moments: FloatArray | None = None
    coefficients: FloatArray | None = None


@dataclass(frozen=True)
class _Study:
    """Cells with the pooled mean of each test."""

    cells: Cells
    weight: FloatArray

    @property
    def reads(self) -> Reads:
        return self.cells.reads

    def of(self, test: int) -> npt.NDArray[np.intp]:
        return np.flatnonzero(self.reads.cell_test == test)

    def mean(self, test: int) -> float:
        cells = self.of(test)
        return float(self.weight[cells] @ self.cells.value[cells] / self.weight[cells].sum())

    def shares(self, test: int) -> FloatArray:
        cells = self.of(test)
        return self.weight[cells] / self.weight[cells].sum()


def u_statistic(
    *,
    reader: npt.ArrayLike,
    test: npt.ArrayLike,
    case: npt.ArrayLike,
    truth: npt.ArrayLike | None = None,
    score: npt.ArrayLike,
    data: Any = None,
    random: str = "readers and cases",
    nesting: str | None = None,
    metric: str = "auc",
    level: float = 0.95,
    missing: str = "raise",
) -> UStatisticResult:
    """Compare tests in any design: crossed, split-plot, nested, with missing reads.

    Parameters
    ----------
    reader, test, case, truth, score, data, random, nesting, metric, level
        As for :func:`readerstudy.stats.mrmc.obuchowski_rockette`. The design is whatever the rows
        hold; ``nesting`` only says that equal labels are different units.
    missing : {"raise", "omit"}
        What to do with NaN; a read that has no row is simply not there.

    Returns
    -------
    UStatisticResult
        Means pool all reader-case pairs, so that a reader with more reads weighs more. The
        variance is the unbiased one and can be negative in small studies: then the standard error
        and what follows are NaN beside ``reason``. The global test of more than two tests is a
        Wald F with the smallest degrees of freedom of the pairs.

    Raises
    ------
    ValueError
        For wrong shapes, unknown choices, NaN with ``missing="raise"``, repeated reads, a case
        with two truths.

    Examples
    --------
    A split-plot study: readers 1 and 2 read cases 0 to 7, readers 3 and 4 cases 8 to 15.

    >>> rows = [(r, t, c) for t in "AB" for r in (1, 2, 3, 4)
    ...         for c in (range(8) if r < 3 else range(8, 16))]
    >>> result = u_statistic(
    ...     reader=[r for r, _, _ in rows], test=[t for _, t, _ in rows],
    ...     case=[c for _, _, c in rows], truth=[c % 2 for _, _, c in rows],
    ...     score=[(7 * c + r * r + 3 * (t == "B")) % 5 + 2 * (c % 2) for r, t, c in rows])
    >>> [round(row.value, 4) for row in result.means]
    [0.7812, 0.8203]
    """
    check_choice(random, "random", RANDOM)
    check_level(level)
    reads = make_reads(
        reader=reader,
        test=test,
        case=case,
        truth=truth,
        score=score,
        data=data,
        metric=metric,
        nesting=nesting,
        missing=missing,
    )
    cells = make_cells(drop_readers_without_class(reads, whole=False))
    study = _Study(cells, np.prod([side.count for side in cells.sides], axis=0))
    method = f"U-statistic, Gallas 2006 and 2009, unbiased variance, {_LAW[random]}, "
    report = Report(level, method + "limits of means clipped to 0..1", _error(cells))
    return _analyse(study, random, report)


def _error(cells: Cells) -> float:
    return float(np.nan_to_num(np.diag(cells.covariance("unbiased"))).mean())


def _analyse(study: _Study, random: str, report: Report) -> UStatisticResult:
    reads = study.reads
    tests = range(len(reads.tests))
    pairs = {
        (a, b): _PAIRS[random](study, a, b) for a, b in combinations_with_replacement(tests, 2)
    }
    means = Rows(_mean_row(study, pairs, a, report) for a in tests)
    differences = Rows(
        _difference_row(study, pairs, a, b, report) for a, b in combinations(tests, 2)
    )
    test = _global_test(study, pairs, differences, random)
    table = Table(reads, study.cells.value, study.cells.covariance("unbiased"))
    labels = [
        (reads.tests[t], reads.readers[r])
        for t, r in zip(reads.cell_test, reads.cell_reader, strict=True)
    ]
    reasons = [row.reason for row in (*means, *differences) if row.reason]
    return UStatisticResult(
        method=report.method,
        n=reads.n_reads,
        n_dropped=reads.n_dropped,
        warnings=reads.warnings,
        reason=joined([*([test["reason"]] if test["reason"] else []), *reasons]),
        metric=reads.metric,
        random=random,
        design=_design(reads),
        tests=reads.tests,
        readers=reads.readers,
        n_cases=len(reads.cases),
        n_positive=reads.n_positive,
        n_negative=len(reads.cases) - reads.n_positive,
        auc_by_test_reader=dict(zip(labels, study.cells.value.tolist(), strict=True)),
        means=means,
        differences=differences,
        variance_components=_components(table),
        f=test["f"],
        chi2=test["chi2"],
        df1=test["df1"],
        df2=test["df2"],
        pvalue=test["pvalue"],
        cells=tuple(labels),
        covariance=table.covariance,
        level=report.level,
        moments={
            (reads.tests[a], reads.tests[b]): _exported(pair) for (a, b), pair in pairs.items()
        },
    )


def _design(reads: Reads) -> str:
    return "fully crossed" if reads.crossed_readers and reads.read.all() else "as read"


def _exported(pair: _Pair) -> dict[str, Any]:
    result: dict[str, Any] = {"covariance": pair.covariance}
    if pair.moments is not None and pair.coefficients is not None:
        result["covariance_biased"] = pair.biased
        result["moments"] = pair.moments.tolist()
        result["coefficients"] = pair.coefficients.tolist()
    return result


def _components(table: Table) -> dict[str, float]:
    per_reader = np.bincount(table.reader)
    if table.reads.crossed_readers or (per_reader == 1).all():
        return variance_components(table, mean_squares(table))
    return {"reader": math.nan, "test:reader": math.nan, **table.components()}


def _moment_pair(study: _Study, a: int, b: int) -> _Pair:
    """Return the covariance of two pooled means over readers and cases."""
    numerator, denominator = (_by_reader(study, m, a, b) for m in study.cells.moments)
    axes = numerator.ndim
    total = denominator.ravel()[0]
    products, counts = exclusive(numerator, axes), exclusive(denominator, axes)
    if counts.ravel()[0] <= 0.0:
        return _Pair(math.nan)
    moments = _over(products, counts)
    biased = _over(numerator, denominator)
    coefficients = counts / total
    coefficients.ravel()[0] -= 1.0
    alone = [tuple(int(axis == f) for axis in range(axes)) for f in range(axes)]
    shares = np.array([denominator[place] / total for place in alone])
    level = biased.ravel()[0]
    return _Pair(
        covariance=float((coefficients * moments).sum()),
        biased=float((coefficients * biased).sum()),
        components=np.array(
            [biased[p] - level if s > 0.0 else 0.0 for p, s in zip(alone, shares, strict=True)]
        ),
        df=np.array([round(1.0 / s - 1.0) if s > 0.0 else math.inf for s in shares]),
        moments=moments.ravel()[::-1],
        coefficients=coefficients.ravel()[::-1],
    )


def _by_reader(study: _Study, moments: FloatArray, a: int, b: int) -> FloatArray:
    """Sum cell moments over pairs of readers: any two at 0, the same reader twice at 1."""
    block = moments[..., study.of(a)[:, None], study.of(b)]
    readers_a, readers_b = (study.reads.cell_reader[study.of(t)] for t in (a, b))
    same = readers_a[:, None] == readers_b
    return np.stack((block.sum(axis=(-2, -1)), (block * same).sum(axis=(-2, -1))))


def _over(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0.0)


def _fixed_readers_pair(study: _Study, a: int, b: int) -> _Pair:
    """Return the covariance of two pooled means given the readers."""
    block = study.cells.covariance("unbiased")[np.ix_(study.of(a), study.of(b))]
    return _Pair(float(study.shares(a) @ block @ study.shares(b)))


def _fixed_cases_pair(study: _Study, a: int, b: int) -> _Pair:
    """Return the covariance of two pooled means given the cases, readers exchangeable."""
    cells_a, cells_b = study.of(a), study.of(b)
    same = study.reads.cell_reader[cells_a][:, None] == study.reads.cell_reader[cells_b]
    weights = np.outer(study.shares(a), study.shares(b))
    products = weights * np.outer(study.cells.value[cells_a], study.cells.value[cells_b])
    apart = float(weights[~same].sum())
    if apart <= 0.0:
        return _Pair(math.nan)
    square = float(products[~same].sum()) / apart
    covariance = float(products[same].sum()) - float(weights[same].sum()) * square
    df = float(min(cells_a.size, cells_b.size) - 1)
    return _Pair(covariance, df=np.array([df]))


_PAIRS = {
    "readers and cases": _moment_pair,
    "readers": _fixed_cases_pair,
    "cases": _fixed_readers_pair,
}


def _spread(variance: float, components: FloatArray | None, df: FloatArray | None) -> Spread:
    """Return the variance with its BDG degrees of freedom, at least those of the rarest unit."""
    if df is None:
        return Spread(variance, math.inf)
    if components is None or math.isnan(variance):
        return Spread(variance, float(df.min()))
    total = float(sum(c**2 / d**3 for c, d in zip(components, df, strict=True) if d > 0 and c))
    pooled = max(variance**2 / total if total > 0.0 else math.inf, float(df.min()))
    return Spread(variance, pooled, _table_df(pooled))


def _table_df(df: float) -> float:
    """Return the degrees of freedom that iMRMC looks up: whole, and normal above 50."""
    return math.inf if df > _NORMAL_ABOVE else float(math.floor(df))


def _mean_row(
    study: _Study, pairs: dict[tuple[int, int], _Pair], test: int, report: Report
) -> TestMean:
    pair = pairs[test, test]
    n = int(study.reads.read[study.of(test)].sum())
    return report.mean(
        study.reads.tests[test],
        study.mean(test),
        _spread(pair.covariance, pair.components, pair.df),
        n,
    )


def _difference_row(
    study: _Study, pairs: dict[tuple[int, int], _Pair], a: int, b: int, report: Report
) -> TestDifference:
    n = int(sum(study.reads.read[study.of(t)].sum() for t in (a, b)))
    return report.difference(
        (study.reads.tests[a], study.reads.tests[b]),
        study.mean(a) - study.mean(b),
        _difference_spread(pairs[a, a], pairs[b, b], pairs[a, b]),
        n,
    )


def _difference_spread(first: _Pair, second: _Pair, both: _Pair) -> Spread:
    variance = first.covariance + second.covariance - 2.0 * both.covariance
    if first.df is None or second.df is None:
        return Spread(variance, math.inf)
    df = np.minimum(first.df, second.df)
    if first.components is None or second.components is None or both.components is None:
        return Spread(variance, float(df.min()))
    return _spread(variance, first.components + second.components - 2.0 * both.components, df)


def _global_test(
    study: _Study,
    pairs: dict[tuple[int, int], _Pair],
    differences: Rows[TestDifference],
    random: str,
) -> dict[str, Any]:
    tests = len(study.reads.tests)
    nothing: dict[str, Any] = dict.fromkeys(("f", "chi2", "df2", "pvalue"), math.nan)
    nothing |= {"df1": tests - 1, "reason": None}
    if tests == 1:
        return nothing | {"reason": "one test only: there is nothing to compare it with"}
    if any(row.reason for row in differences):
        return nothing
    covariance = np.empty((tests, tests))
    for (a, b), pair in pairs.items():
        covariance[a, b] = covariance[b, a] = pair.covariance
    wald = _wald([study.mean(t) for t in range(tests)], covariance)
    if wald is None:
        return nothing | {"reason": _SINGULAR}
    if random == "cases":
        return nothing | {"chi2": wald, "pvalue": chi_square_p(wald, tests - 1)}
    f, df2 = wald / (tests - 1), float(differences.df.min())
    reference = _table_df(df2) if random == "readers and cases" else df2
    return nothing | {"f": f, "df2": df2, "pvalue": p_of_f(f, tests - 1, reference)}


def _wald(means: Sequence[float], covariance: FloatArray) -> float | None:
    """Return the Wald statistic of equal means, None where the covariance is not definite."""
    contrast = np.eye(len(means))[:-1] - np.eye(len(means))[1:]
    apart = contrast @ np.array(means)
    spread = contrast @ covariance @ contrast.T
    if np.linalg.eigvalsh(spread)[0] <= 0.0:
        return None
    return float(apart @ np.linalg.solve(spread, apart))
