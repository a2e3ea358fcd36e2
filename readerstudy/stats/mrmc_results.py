"""Result objects of the multi-reader multi-case methods."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np

from readerstudy.stats.results import Estimate, Result
from readerstudy.stats.validation import FloatArray


@dataclass(frozen=True, kw_only=True)
class TestMean(Estimate):
    """The mean performance of one test over readers.

    Attributes
    ----------
    label : object
        Test.
    value, se, df, low, high : float
        ``df`` is infinite where the normal distribution is used.
    """

    __test__ = False  # not a test class of pytest

    label: Any
    se: float = math.nan
    df: float = math.nan


@dataclass(frozen=True, kw_only=True)
class TestDifference(Estimate):
    """The difference of two tests, first minus second in sorted label order.

    Attributes
    ----------
    first, second : object
        Tests.
    reader : object
        The reader, where the difference is of one (fixed) reader; else None.
    value, se, df, t, pvalue, low, high : float
        ``t`` is a normal deviate where ``df`` is infinite.
    """

    __test__ = False

    first: Any
    second: Any
    reader: Any = None
    se: float = math.nan
    df: float = math.nan
    t: float = math.nan
    pvalue: float = math.nan

    @property
    def label(self) -> tuple[Any, Any]:
        """Return both tests."""
        return self.first, self.second

    def summary(self) -> str:
        """Return the tests, the difference with its interval and p."""
        return f"{self.first} - {self.second}: {super().summary()}, p = {self.pvalue:.6g}"


Row = TypeVar("Row", TestMean, TestDifference)


class Rows(tuple[Row, ...], Generic[Row]):
    """Rows by position, by iteration or by label; a column (``value``, ``se``, ...) as an array.

    ``rows[0]``, ``rows["digital"]``, ``rows["digital", "film"]``, ``rows.value``. A whole number
    is always a position; where labels are numbers, use ``rows.by(label)``.
    """

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        """Return the row at a position or with a label."""
        return super().__getitem__(key) if isinstance(key, int | slice) else self.by(key)

    def by(self, label: Any) -> Row:
        """Return the row with this label.

        Raises
        ------
        ValueError
            If no row has it; the message lists the labels.
        """
        for row in self:
            if row.label == label:
                return row
        raise ValueError(f"no row {label!r}; there are {[row.label for row in self]}")

    def column(self, name: str) -> FloatArray:
        """Return one field of all rows."""
        return np.array([getattr(row, name) for row in self], dtype=float)

    @property
    def value(self) -> FloatArray:
        """Return the estimates."""
        return self.column("value")

    @property
    def se(self) -> FloatArray:
        """Return the standard errors."""
        return self.column("se")

    @property
    def df(self) -> FloatArray:
        """Return the degrees of freedom."""
        return self.column("df")

    @property
    def low(self) -> FloatArray:
        """Return the lower limits."""
        return self.column("low")

    @property
    def high(self) -> FloatArray:
        """Return the upper limits."""
        return self.column("high")

    @property
    def t(self) -> FloatArray:
        """Return the test statistics of differences."""
        return self.column("t")

    @property
    def pvalue(self) -> FloatArray:
        """Return the p-values of differences."""
        return self.column("pvalue")


@dataclass(frozen=True, kw_only=True)
class MrmcResult(Result):
    """What a multi-reader multi-case analysis says; ``n`` and ``n_dropped`` count reads.

    Attributes
    ----------
    metric : str
        "auc" or "proportion".
    random : str
        The random effects: "readers and cases", "readers" or "cases".
    design : str
        "fully crossed", a nesting, or "cases partly shared".
    tests, readers : tuple
        Labels in sorted order.
    n_cases, n_positive, n_negative : int
        Distinct cases used.
    auc_by_test_reader : dict
        Performance (AUC or proportion) by (test, reader).
    means : Rows of TestMean
    differences : Rows of TestDifference
        Every pair of tests.
    reader_differences : Rows of TestDifference
        By reader; only for fixed readers.
    variance_components : dict
        "reader", "test:reader", "error", "cov1", "cov2", "cov3" on the scale of the metric;
        negative estimates are reported as they are.
    mean_squares : dict
    f, df1, df2, pvalue : float
        Global test that all tests are equal; ``f`` and ``df2`` are NaN where ``chi2`` is used.
    chi2 : float
        Global test for fixed readers, ``df1`` degrees of freedom.
    denominator : float
        What the mean square of the tests is divided by.
    cells : tuple of (test, reader)
        Order of rows and columns of ``covariance``.
    covariance : ndarray (c, c)
        Covariance of the cells due to cases.
    level : float
    """

    metric: str
    random: str
    design: str
    tests: tuple[Any, ...]
    readers: tuple[Any, ...]
    n_cases: int
    n_positive: int
    n_negative: int
    auc_by_test_reader: Mapping[tuple[Any, Any], float]
    means: Rows[TestMean]
    differences: Rows[TestDifference]
    reader_differences: Rows[TestDifference] = field(default_factory=Rows)
    variance_components: Mapping[str, float]
    mean_squares: Mapping[str, float] = field(default_factory=dict)
    f: float = math.nan
    chi2: float = math.nan
    df1: float = math.nan
    df2: float = math.nan
    pvalue: float = math.nan
    denominator: float = math.nan
    cells: tuple[tuple[Any, Any], ...]
    covariance: FloatArray
    level: float = 0.95

    def summary(self) -> str:
        """Return the means, the only difference or the global test, and the method."""
        means = ", ".join(f"{row.label} {row.value:.4f}" for row in self.means)
        size = f"{len(self.readers)} readers, {self.n_cases} cases, {self.n} reads"
        return f"{means}; {self._test()}; {size}; {self.method}"

    def _test(self) -> str:
        if len(self.differences) == 1:
            (d,) = self.differences
            return (
                f"difference {d.value:.4f} ({100 * d.level:g} % interval {d.low:.4f} to "
                f"{d.high:.4f}), p = {d.pvalue:.4g}"
            )
        if math.isnan(self.pvalue):
            return f"no global test: {self.reason}"
        statistic = (
            f"F = {self.f:.4g}" if math.isnan(self.chi2) else f"chi-square = {self.chi2:.4g}"
        )
        return f"{statistic}, p = {self.pvalue:.4g}"


@dataclass(frozen=True, kw_only=True)
class UStatisticResult(MrmcResult):
    """A U-statistic analysis.

    Attributes
    ----------
    moments : dict
        By pair of tests (a test with itself for its variance): "moments" (M1 to M8 of Gallas 2006
        for the AUC, four moments for a proportion), "coefficients", "covariance" (unbiased) and
        "covariance_biased" (never negative for a variance).
    """

    moments: Mapping[tuple[Any, Any], Mapping[str, Any]] = field(default_factory=dict)


def joined(reasons: list[str]) -> str | None:
    """Return distinct reasons as one text, or None."""
    return "; ".join(dict.fromkeys(reasons)) or None
