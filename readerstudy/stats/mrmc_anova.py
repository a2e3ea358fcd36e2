"""Analysis of variance of the reader x test table, shared by the MRMC methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from readerstudy.stats.mrmc_design import Reads
from readerstudy.stats.mrmc_results import Rows, TestDifference, TestMean
from readerstudy.stats.quantiles import (
    chi_square_p,
    clip,
    f_p,
    normal_p,
    normal_quantile,
    t_p,
    t_quantile,
)
from readerstudy.stats.validation import FloatArray, IntArray

RANDOM = ("readers and cases", "readers", "cases")
NO_SPREAD = "the variance of the difference is estimated as zero, so no statistic can be had"
NEGATIVE = "the variance is estimated as negative, so no interval or test can be had"
UNKNOWN = (
    "the variance cannot be estimated: it needs two cases of each class, and two readers where "
    "readers are random"
)


@dataclass(frozen=True)
class Table:
    """Performance by cell with its covariance.

    Attributes
    ----------
    reads : Reads
    value : ndarray (c,)
    covariance : ndarray (c, c)
    """

    reads: Reads
    value: FloatArray
    covariance: FloatArray

    @property
    def test(self) -> IntArray:
        """Return the test of each cell."""
        return self.reads.cell_test

    @property
    def reader(self) -> IntArray:
        """Return the reader of each cell."""
        return self.reads.cell_reader

    @property
    def n_tests(self) -> int:
        """Return the number of tests."""
        return len(self.reads.tests)

    @property
    def readers_per_test(self) -> IntArray:
        """Return the number of readers of each test."""
        return np.bincount(self.test, minlength=self.n_tests)

    @property
    def reads_per_test(self) -> IntArray:
        """Return the number of reads of each test."""
        return np.bincount(np.repeat(self.test, self.reads.read.sum(axis=1)))

    @property
    def test_means(self) -> FloatArray:
        """Return the unweighted mean over readers of each test."""
        return np.bincount(self.test, weights=self.value) / self.readers_per_test

    def components(self) -> dict[str, float]:
        """Return error, cov1 (same reader), cov2 (same test) and cov3 (neither), averaged."""
        same_test = self.test[:, None] == self.test
        same_reader = self.reader[:, None] == self.reader
        return {
            "error": float(np.diag(self.covariance).mean()),
            "cov1": _mean(self.covariance[~same_test & same_reader]),
            "cov2": _mean(self.covariance[same_test & ~same_reader]),
            "cov3": _mean(self.covariance[~same_test & ~same_reader]),
        }


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if values.size else 0.0


@dataclass(frozen=True)
class Scale:
    """What the mean square of the tests is compared with.

    Attributes
    ----------
    denominator : float
    df : float
        Of the denominator; infinite for a chi-square test.
    chi_square : bool
        Whether the test is chi-square and not F.
    """

    denominator: float
    df: float
    chi_square: bool = False


@dataclass(frozen=True)
class Spread:
    """The variance of one mean with its degrees of freedom.

    Attributes
    ----------
    variance : float
    df : float
        As reported.
    table_df : float or None
        Those of the reference distribution, where they differ from ``df``.
    """

    variance: float
    df: float
    table_df: float | None = None

    @property
    def reference(self) -> float:
        """Return the degrees of freedom of the reference distribution."""
        return self.df if self.table_df is None else self.table_df


def mean_squares(table: Table) -> dict[str, float]:
    """Return the mean squares of the reader x test table; NaN where there is no freedom."""
    i, per_test = table.n_tests, table.readers_per_test
    n = table.value.size
    means = table.test_means
    test = _ratio(float(per_test @ (means - table.value.mean()) ** 2), i - 1)
    within = table.value - means[table.test]
    if not table.reads.crossed_readers:
        return {"test": test, "reader(test)": _ratio(float(within @ within), n - i)}
    j = n // i
    by_reader = np.bincount(table.reader, weights=table.value) / i - table.value.mean()
    rest = within - by_reader[table.reader]
    return {
        "test": test,
        "reader": _ratio(i * float(by_reader @ by_reader), j - 1),
        "test:reader": _ratio(float(rest @ rest), (i - 1) * (j - 1)),
    }


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else math.nan


def variance_components(table: Table, squares: dict[str, float]) -> dict[str, float]:
    """Return the Obuchowski-Rockette components, negative estimates as they are."""
    c = table.components()
    if not table.reads.crossed_readers:
        reader = squares["reader(test)"] - c["error"] + c["cov2"]
        return {"reader": reader, "test:reader": math.nan, **c}
    interaction = squares["test:reader"]
    reader = (squares["reader"] - interaction) / table.n_tests - c["cov1"] + c["cov3"]
    both = interaction - c["error"] + c["cov1"] + c["cov2"] - c["cov3"]
    return {"reader": reader, "test:reader": both, **c}


def satterthwaite(parts: Sequence[tuple[float, float]], total: float) -> float:
    """Return total² over the sum of part²/df, infinite where no part varies beyond rounding."""
    spread = sum(part**2 / df for part, df in parts if abs(part) > 1e-13 * abs(total))
    return total**2 / spread if spread > 0.0 else math.inf


def negligible(variance: float, error: float) -> bool:
    """Return whether a variance is zero up to rounding."""
    return abs(variance) <= max(1e-14 * abs(error), 1e-24)


def variance_problem(variance: float, error: float) -> str | None:
    """Return why a variance supports no inference, or None."""
    if math.isnan(variance):
        return UNKNOWN
    if negligible(variance, error):
        return NO_SPREAD
    return NEGATIVE if variance < 0.0 else None


def p_of_f(f: float, df1: float, df2: float) -> float:
    """Return the upper tail of F, by chi-square where ``df2`` is infinite."""
    return chi_square_p(df1 * f, df1) if math.isinf(df2) else f_p(f, df1, df2)


def quantile(level: float, df: float) -> float:
    """Return the two-sided deviate, normal where ``df`` is infinite."""
    return normal_quantile(level) if math.isinf(df) else t_quantile(level, df)


def two_sided_p(t: float, df: float) -> float:
    """Return the two-sided p-value, normal where ``df`` is infinite."""
    return normal_p(t) if math.isinf(df) else t_p(t, df)


@dataclass(frozen=True)
class Report:
    """What all rows of one analysis have in common.

    Attributes
    ----------
    level : float
        Confidence level.
    method : str
    error : float
        Error variance of a cell, the yardstick for what counts as zero.
    """

    level: float
    method: str
    error: float

    def mean(self, label: Any, value: float, spread: Spread, n: int) -> TestMean:
        """Return the row of one test mean, limits clipped to 0..1."""
        base: dict[str, Any] = {"label": label, "value": value, **self._base(n)}
        problem = variance_problem(spread.variance, self.error)
        if problem:
            return TestMean(se=_se_of(problem), reason=problem, **base)
        se = math.sqrt(spread.variance)
        half = quantile(self.level, spread.reference) * se
        low, high = clip(value - half, 0.0, 1.0), clip(value + half, 0.0, 1.0)
        return TestMean(se=se, df=spread.df, low=low, high=high, **base)

    def difference(
        self, labels: tuple[Any, Any], value: float, spread: Spread, n: int, *, reader: Any = None
    ) -> TestDifference:
        """Return the row of one difference of tests, limits not clipped."""
        base: dict[str, Any] = {"first": labels[0], "second": labels[1], "reader": reader}
        base |= {"value": value, **self._base(n)}
        problem = variance_problem(spread.variance, self.error)
        if problem:
            return TestDifference(se=_se_of(problem), reason=problem, **base)
        se = math.sqrt(spread.variance)
        half = quantile(self.level, spread.reference) * se
        return TestDifference(
            se=se,
            df=spread.df,
            t=value / se,
            pvalue=two_sided_p(value / se, spread.reference),
            low=value - half,
            high=value + half,
            **base,
        )

    def _base(self, n: int) -> dict[str, Any]:
        return {"level": self.level, "method": self.method, "n": n}


def _se_of(problem: str) -> float:
    return 0.0 if problem == NO_SPREAD else math.nan


def difference_rows(table: Table, scale: Scale, report: Report) -> Rows[TestDifference]:
    """Return all pairs of tests, sharing one denominator."""
    means, tests = table.test_means, table.reads.tests
    per_test = table.readers_per_test.tolist()
    reads = table.reads_per_test
    return Rows(
        report.difference(
            (tests[a], tests[b]),
            float(means[a] - means[b]),
            Spread(scale.denominator * (1.0 / per_test[a] + 1.0 / per_test[b]), scale.df),
            int(reads[a] + reads[b]),
        )
        for a, b in combinations(range(table.n_tests), 2)
    )
