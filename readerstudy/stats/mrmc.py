"""Multi-reader multi-case analysis: Obuchowski-Rockette, Dorfman-Berbaum-Metz, U-statistic.

Readers who rate the same cases with several tests are compared by the area under the ROC curve
or by a proportion of successes, with readers, cases or both as samples of a population. Formulas,
assumptions, the worked example and what a reviewer would ask: ``docs/algorithms/mrmc.md``.

References
----------
Obuchowski & Rockette, Commun Stat Simul Comput 1995;24:285. Dorfman, Berbaum & Metz, Invest
Radiol 1992;27:723. Hillis, Obuchowski, Schartz & Berbaum, Stat Med 2005;24:1579 (both are one).
Hillis, Stat Med 2007;26:596 (degrees of freedom). Hillis, Berbaum & Metz, Acad Radiol 2008;15:647.
Hillis, Stat Med 2014;33:330 (designs). Obuchowski, Gallas & Hillis, Acad Radiol 2012;19:1508
(split-plot).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.stats.mrmc_anova import (
    RANDOM,
    Report,
    Scale,
    Spread,
    Table,
    difference_rows,
    mean_squares,
    p_of_f,
    satterthwaite,
    variance_components,
    variance_problem,
)
from readerstudy.stats.mrmc_clustered import clustered_cells, clusters_by_case
from readerstudy.stats.mrmc_covariance import COVARIANCES, make_cells
from readerstudy.stats.mrmc_design import (
    PARTLY,
    Reads,
    balance,
    drop_readers_without_class,
    make_reads,
)
from readerstudy.stats.mrmc_results import MrmcResult, Rows, TestDifference, TestMean, joined
from readerstudy.stats.mrmc_ustat import u_statistic
from readerstudy.stats.quantiles import chi_square_p
from readerstudy.stats.validation import FloatArray, check_choice, check_level, column

__all__ = ["dorfman_berbaum_metz", "obuchowski_rockette", "u_statistic"]

_OR = "Obuchowski-Rockette 1995"
_DBM = "Dorfman-Berbaum-Metz 1992"
_LIMITS = "limits of means clipped to 0..1"
_LAW = {
    "readers and cases": "random readers and cases, F test, degrees of freedom Hillis 2007",
    "readers": "random readers, fixed cases, F test",
    "cases": "fixed readers, random cases, chi-square test",
}
_FEW_READERS = (
    "2 readers say little about a population of readers; consider random='cases' and a claim "
    "about these readers only"
)


def obuchowski_rockette(
    *,
    reader: npt.ArrayLike,
    test: npt.ArrayLike,
    case: npt.ArrayLike,
    truth: npt.ArrayLike | None = None,
    score: npt.ArrayLike,
    data: Any = None,
    cluster: npt.ArrayLike | None = None,
    covariance: str = "delong",
    random: str = "readers and cases",
    nesting: str | None = None,
    metric: str = "auc",
    level: float = 0.95,
    missing: str = "raise",
) -> MrmcResult:
    """Compare tests by the Obuchowski-Rockette analysis of variance with correlated errors.

    Parameters
    ----------
    reader, test, case : array_like (n,) or column names
        Labels; one row per read.
    truth : array_like (n,) or column name
        1 for positive, 0 for negative cases; not needed for ``metric="proportion"``.
    score : array_like (n,) or column name
        Rating, higher means more positive; 1 for success and 0 for failure of a proportion.
    data : DataFrame or mapping of columns, optional
        The table, where column names are given.
    cluster : array_like (n,) or column name, optional
        The patient of each read, where patients have several cases: the covariance is then that
        of patients (Obuchowski 1997; Rao & Scott 1992 for a proportion).
    covariance : {"delong", "jackknife", "unbiased"}
        How the covariance due to cases is estimated; "delong" only with ``cluster``.
    random : {"readers and cases", "readers", "cases"}
        What is a sample of a population. "cases" alone speaks of these readers only and uses
        chi-square; "readers" alone speaks of these cases only.
    nesting : {None, "case in reader", "case in test", "reader in test"}
        Declares a nested design: equal labels under different readers (tests) are then different
        units. With None the design is read off the labels.
    metric : {"auc", "proportion"}
    level : float
        Confidence level.
    missing : {"raise", "omit"}
        Refuse NaN and incomplete designs, or leave out what is incomplete; a warning counts it.

    Returns
    -------
    MrmcResult
        ``means`` rest on the data of their own test alone. Statistics that the data do not
        support are NaN beside ``reason``.

    Raises
    ------
    ValueError
        For wrong shapes, unknown choices, NaN or an incomplete design with ``missing="raise"``,
        repeated reads, a case with two truths, or random readers where there is one reader.

    Examples
    --------
    Two tests, three readers, eight cases:

    >>> rows = [(r, t, c) for t in "AB" for r in (1, 2, 3) for c in range(8)]
    >>> score = [1, 2, 1, 3, 2, 4, 3, 5, 2, 1, 1, 2, 3, 3, 4, 4, 1, 1, 3, 2, 4, 5, 2, 3,
    ...          1, 1, 2, 2, 4, 4, 5, 5, 1, 2, 2, 1, 3, 5, 4, 4, 1, 2, 1, 3, 3, 5, 4, 5]
    >>> result = obuchowski_rockette(
    ...     reader=[r for r, _, _ in rows], test=[t for _, t, _ in rows],
    ...     case=[c for _, _, c in rows], truth=[int(c > 3) for _, _, c in rows], score=score)
    >>> [round(row.value, 4) for row in result.means]
    [0.9167, 0.9896]
    >>> round(result.differences["A", "B"].value, 4), result.df1
    (-0.0729, 1)
    """
    check_choice(covariance, "covariance", COVARIANCES)
    patients = None
    if cluster is not None:
        _check_clustered(covariance, nesting)
        patients = clusters_by_case(column(data, case), column(data, cluster))
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
    table = _table(
        reads, covariance=covariance, random=random, missing=missing, level=level, patients=patients
    )
    design = table.reads.nesting or "fully crossed"
    kind = f"{covariance} covariance" if patients is None else "covariance clustered by patient"
    method = f"{_OR}, {kind}, {_LAW[random]}, {design} design, {_LIMITS}"
    return _analyse(table, random, Report(level, method, table.components()["error"]))


def _check_clustered(covariance: str, nesting: str | None) -> None:
    if covariance != "delong":
        raise ValueError(f'covariance must be "delong" with cluster, got {covariance!r}')
    if nesting is not None:
        raise ValueError("nesting cannot be declared with cluster: give every case its own label")


def _table(
    reads: Reads,
    *,
    covariance: str,
    random: str,
    missing: str,
    level: float,
    patients: dict[Any, Any] | None = None,
) -> Table:
    check_choice(random, "random", RANDOM)
    check_level(level)
    reads = balance(drop_readers_without_class(reads), missing)
    if random != "cases" and reads.cell_test.size == len(reads.tests):
        raise ValueError(
            f"random readers need at least 2 readers, got {len(reads.readers)} for "
            f"{len(reads.tests)} tests; use random='cases' and speak of these readers only"
        )
    cells = make_cells(reads)
    matrix = clustered_cells(cells, patients) if patients else cells.covariance(covariance)
    return Table(reads, cells.value, matrix)


def _analyse(table: Table, random: str, report: Report) -> MrmcResult:
    squares = mean_squares(table)
    return _assemble(
        table,
        random,
        report,
        squares=squares,
        test_square=squares["test"],
        scale=_scale(table, squares, random),
        means=_means(table, random, report),
        components=variance_components(table, squares),
    )


def _scale(table: Table, squares: dict[str, float], random: str) -> Scale:
    c = table.components()
    n, i = table.value.size, table.n_tests
    if i < 2:
        return Scale(math.nan, math.nan)
    per_test = table.readers_per_test.tolist()
    crossed = table.reads.crossed_readers
    j = per_test[0] if crossed else (n**2 - sum(m * m for m in per_test)) / (n * (i - 1))
    if random == "cases":
        return Scale(_fixed_readers_denominator(c, j, crossed), math.inf, chi_square=True)
    error = squares["test:reader" if crossed else "reader(test)"]
    freedom = (i - 1) * (j - 1) if crossed else n - i
    if random == "readers":
        return Scale(error, freedom)
    denominator = error + j * max(c["cov2"] - c["cov3"], 0.0)
    return Scale(denominator, satterthwaite([(error, freedom)], denominator))


def _fixed_readers_denominator(c: dict[str, float], j: float, crossed: bool) -> float:
    if crossed:
        return c["error"] - c["cov1"] + (j - 1) * (c["cov2"] - c["cov3"])
    return c["error"] - c["cov2"] + j * max(c["cov2"] - c["cov3"], 0.0)


def _means(table: Table, random: str, report: Report) -> Rows[TestMean]:
    reads = table.reads_per_test
    return Rows(
        report.mean(label, float(mean), _spread_of_mean(table, index, random), int(reads[index]))
        for index, (label, mean) in enumerate(zip(table.reads.tests, table.test_means, strict=True))
    )


def _spread_of_mean(table: Table, test: int, random: str) -> Spread:
    """Return the variance of one test mean from the data of that test alone."""
    cells = np.flatnonzero(table.test == test)
    j = cells.size
    own = table.covariance[np.ix_(cells, cells)]
    error = float(np.diag(own).mean())
    cov2 = max((float(own.sum()) - error * j) / (j * (j - 1)), 0.0) if j > 1 else 0.0
    if random == "cases":
        return Spread((error + (j - 1) * cov2) / j, math.inf)
    square = float(table.value[cells].var(ddof=1)) if j > 1 else math.nan
    if random == "readers":
        return Spread(square / j, j - 1)
    variance = square / j + cov2
    return Spread(variance, satterthwaite([(square / j, j - 1)], variance))


def _assemble(
    table: Table,
    random: str,
    report: Report,
    *,
    squares: dict[str, float],
    test_square: float,
    scale: Scale,
    means: Rows[TestMean],
    components: dict[str, float],
) -> MrmcResult:
    reads = table.reads
    differences = difference_rows(table, scale, report)
    test = _global_test(table.n_tests - 1, test_square, scale, report.error)
    reasons = [row.reason for row in (*means, *differences) if row.reason]
    labels = [(reads.tests[t], reads.readers[r]) for t, r in _cells(reads)]
    fixed = random == "cases" and reads.crossed_readers
    return MrmcResult(
        method=report.method,
        n=reads.n_reads,
        n_dropped=reads.n_dropped,
        warnings=_warnings(table, random),
        reason=joined([*([test.reason] if test.reason else []), *reasons]),
        metric=reads.metric,
        random=random,
        design=reads.nesting or "fully crossed",
        tests=reads.tests,
        readers=reads.readers,
        n_cases=len(reads.cases),
        n_positive=reads.n_positive,
        n_negative=len(reads.cases) - reads.n_positive,
        auc_by_test_reader=dict(zip(labels, table.value.tolist(), strict=True)),
        means=means,
        differences=differences,
        reader_differences=_reader_differences(table, scale, report) if fixed else Rows(),
        variance_components=components,
        mean_squares=squares,
        f=test.f,
        chi2=test.chi2,
        df1=test.df1,
        df2=test.df2,
        pvalue=test.pvalue,
        denominator=scale.denominator,
        cells=tuple(labels),
        covariance=table.covariance,
        level=report.level,
    )


def _cells(reads: Reads) -> list[tuple[int, int]]:
    return list(zip(reads.cell_test.tolist(), reads.cell_reader.tolist(), strict=True))


def _warnings(table: Table, random: str) -> tuple[str, ...]:
    found = list(table.reads.warnings)
    if table.reads.nesting == PARTLY:
        found.append(
            "some test-reader pairs share all cases and others none; covariances are averaged "
            "over all pairs, 0 where no case is shared"
        )
    if random != "cases" and table.readers_per_test.min() == 2:
        found.append(_FEW_READERS)
    return tuple(found)


@dataclass(frozen=True)
class _GlobalTest:
    df1: float
    f: float = math.nan
    chi2: float = math.nan
    df2: float = math.nan
    pvalue: float = math.nan
    reason: str | None = None


def _global_test(df1: int, test_square: float, scale: Scale, error: float) -> _GlobalTest:
    if df1 == 0:
        return _GlobalTest(0, reason="one test only: there is nothing to compare it with")
    problem = variance_problem(scale.denominator, error)
    if problem:
        return _GlobalTest(df1, reason=problem)
    f = test_square / scale.denominator
    if scale.chi_square:
        return _GlobalTest(df1, chi2=df1 * f, pvalue=chi_square_p(df1 * f, df1))
    return _GlobalTest(df1, f=f, df2=scale.df, pvalue=p_of_f(f, df1, scale.df))


def _reader_differences(table: Table, scale: Scale, report: Report) -> Rows[TestDifference]:
    """Return the differences of tests within each fixed reader, one variance per reader."""
    df = scale.df if math.isinf(scale.df) else len(table.reads.cases) - 1
    rows = []
    for index, name in enumerate(table.reads.readers):
        cells = np.flatnonzero(table.reader == index)
        own = table.covariance[np.ix_(cells, cells)]
        i = cells.size
        error = float(np.diag(own).mean())
        cov1 = (float(own.sum()) - i * error) / (i * (i - 1)) if i > 1 else 0.0
        reads = int(table.reads.read[cells].sum())
        rows += [
            report.difference(
                (table.reads.tests[a], table.reads.tests[b]),
                float(table.value[cells[a]] - table.value[cells[b]]),
                Spread(2.0 * (error - cov1), df),
                reads,
                reader=name,
            )
            for a, b in combinations(range(i), 2)
        ]
    return Rows(rows)


def dorfman_berbaum_metz(
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
) -> MrmcResult:
    """Compare tests by the analysis of variance of jackknife pseudovalues.

    Dorfman, Berbaum & Metz 1992 with the degrees of freedom of Hillis 2007. For random readers
    it gives the same numbers as :func:`obuchowski_rockette` with ``covariance="jackknife"``
    (Hillis et al. 2005); for fixed readers it uses F with (tests - 1)(cases - 1) degrees of
    freedom where the other uses chi-square. Nested designs, for which the crossed table of
    pseudovalues does not exist, are analysed through that equality.

    Parameters
    ----------
    reader, test, case, truth, score, data, random, nesting, metric, level, missing
        As for :func:`obuchowski_rockette`.

    Returns
    -------
    MrmcResult
        ``mean_squares`` are those of the pseudovalues; ``variance_components`` also holds the
        case components of the pseudovalues ("case", "test:case", "reader:case", "residual").

    Raises
    ------
    ValueError
        As for :func:`obuchowski_rockette`.

    Examples
    --------
    >>> rows = [(r, t, c) for t in "AB" for r in (1, 2) for c in range(6)]
    >>> result = dorfman_berbaum_metz(
    ...     reader=[r for r, _, _ in rows], test=[t for _, t, _ in rows],
    ...     case=[c for _, _, c in rows], truth=[int(c > 2) for _, _, c in rows],
    ...     score=[1, 2, 3, 2, 4, 5, 1, 3, 2, 3, 3, 4, 1, 1, 2, 3, 4, 5, 2, 1, 1, 4, 3, 5])
    >>> [round(row.value, 4) for row in result.means]
    [0.8611, 1.0]
    """
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
    table = _table(reads, covariance="jackknife", random=random, missing=missing, level=level)
    error = table.components()["error"]
    if table.reads.nesting:
        method = (
            f"{_DBM} through its equality with {_OR} with jackknife covariance, {_LAW[random]}, "
            f"{table.reads.nesting} design, {_LIMITS}"
        )
        return _analyse(table, random, Report(level, method, error))
    law = _LAW[random].replace("chi-square test", "F test")
    method = f"{_DBM} pseudovalues, {law}, fully crossed design, {_LIMITS}"
    return _analyse_pseudovalues(table, random, Report(level, method, error))


def _analyse_pseudovalues(table: Table, random: str, report: Report) -> MrmcResult:
    cells = make_cells(table.reads)
    i, j = table.n_tests, len(table.reads.readers)
    k = len(table.reads.cases)
    pseudovalues = cells.pseudovalues().reshape(i, j, k)
    squares = _three_way(pseudovalues)
    components = variance_components(table, mean_squares(table))
    components |= _case_components(squares, (i, j, k))
    return _assemble(
        table,
        random,
        report,
        squares=squares,
        test_square=squares["test"] / k,
        scale=_pseudovalue_scale(squares, random, (i, j, k)),
        means=_pseudovalue_means(table, pseudovalues, random, report),
        components=components,
    )


def _three_way(y: FloatArray) -> dict[str, float]:
    """Return the mean squares of a test x reader x case table without replication."""
    names = ("test", "reader", "case")
    grand = float(y.mean())
    effects: dict[tuple[int, ...], FloatArray] = {}
    squares = {}
    for size in (1, 2, 3):
        for axes in combinations(range(3), size):
            others = tuple(axis for axis in range(3) if axis not in axes)
            effect = y.mean(axis=others, keepdims=True) - grand
            effect = effect - sum(e for inner, e in effects.items() if set(inner) < set(axes))
            effects[axes] = effect
            freedom = math.prod(y.shape[axis] - 1 for axis in axes)
            total = float((effect**2).sum()) * math.prod(y.shape[axis] for axis in others)
            name = ":".join(names[axis] for axis in axes)
            squares[name] = total / freedom if freedom else math.nan
    return squares


def _case_components(squares: dict[str, float], shape: tuple[int, int, int]) -> dict[str, float]:
    i, j, _ = shape
    residual = squares["test:reader:case"]
    case = squares["case"] - squares["test:case"] - squares["reader:case"] + residual
    return {
        "case": case / (i * j),
        "test:case": (squares["test:case"] - residual) / j,
        "reader:case": (squares["reader:case"] - residual) / i,
        "residual": residual,
    }


def _pseudovalue_scale(
    squares: dict[str, float], random: str, shape: tuple[int, int, int]
) -> Scale:
    i, j, k = shape
    if i < 2:
        return Scale(math.nan, math.nan)
    if random == "cases":
        return Scale(squares["test:case"] / k, (i - 1) * (k - 1))
    interaction, freedom = squares["test:reader"] / k, (i - 1) * (j - 1)
    if random == "readers":
        return Scale(interaction, freedom)
    excess = max(squares["test:case"] - squares["test:reader:case"], 0.0) / k
    denominator = interaction + excess
    return Scale(denominator, satterthwaite([(interaction, freedom)], denominator))


def _pseudovalue_means(
    table: Table, pseudovalues: FloatArray, random: str, report: Report
) -> Rows[TestMean]:
    reads = table.reads_per_test
    return Rows(
        report.mean(label, float(own.mean()), _pseudovalue_spread(own, random), int(reads[index]))
        for index, (label, own) in enumerate(zip(table.reads.tests, pseudovalues, strict=True))
    )


def _pseudovalue_spread(own: FloatArray, random: str) -> Spread:
    """Return the variance of one test mean from its reader x case table of pseudovalues."""
    j, k = own.shape
    by_case = float(own.mean(axis=0).var(ddof=1)) / k
    if random == "cases":
        return Spread(by_case, k - 1)
    by_reader = float(own.mean(axis=1).var(ddof=1)) / j
    if random == "readers":
        return Spread(by_reader, j - 1)
    rest = own - own.mean(axis=0) - own.mean(axis=1, keepdims=True) + own.mean()
    residual = float((rest**2).sum()) / ((j - 1) * (k - 1) * j * k)
    variance = by_reader + max(by_case - residual, 0.0)
    return Spread(variance, satterthwaite([(by_reader, j - 1)], variance))
