"""Two arms, or real and synthetic images, by the share of right answers: the test that fits.

The same reader may read both versions of a patient or only one; a patient is read by several
readers. The clustered test allows for all of it with these readers fixed; the analysis over readers
takes readers as a sample too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from readerstudy import stats
from readerstudy.analysis.document import NAN, Number, number_of, undefined
from readerstudy.analysis.endpoints.judged import BY_ARM, BoolArray, Judged
from readerstudy.stats.clustered_groups import clustered_comparison
from readerstudy.studies.analysis_plan import PlannedAnalysis

THESE = "These readers, other {units}"
SUCH = "Readers like these, other {units}"
PUBLISHED = "Reads taken as independent, as published; they are not"
OVER_READERS = ("obuchowski_rockette", "u_statistic")


@dataclass(frozen=True)
class View:
    """A difference of two versions under one view of what was sampled.

    Attributes
    ----------
    name, method : str
    first, second, difference : Number
        Shares of right answers, and second less first.
    p, statistic, se, df : float
        Test of no difference; ``df`` infinite for a normal law.
    """

    name: str
    method: str
    first: Number
    second: Number
    difference: Number
    p: float = NAN
    statistic: float = NAN
    se: float = NAN
    df: float = math.inf
    reason: str = ""
    warnings: tuple[str, ...] = ()

    def within(self, margin: float) -> tuple[float, float]:
        """Return one-sided p of "not worse by the margin" and of equivalence within it."""
        if not self.se > 0:
            return NAN, NAN
        below = (self.difference.value + margin) / self.se
        above = (self.difference.value - margin) / self.se
        worse, better = (
            float(special.ndtr(-t) if math.isinf(self.df) else special.stdtr(self.df, -t))
            for t in (below, -above)
        )
        return worse, max(worse, better)


def compared_views(judged: Judged, pair: tuple[int, int]) -> list[View]:
    """Return the views of a comparison; the first one decides.

    That is the analysis over readers and cases where the plan names one and takes readers as
    random, else the clustered test. It never depends on the answers.
    """
    entry = judged.entry
    these = clustered_view(judged, pair)
    views = [these]
    if not entry.consensus:
        such = over_readers_view(judged, pair)
        views = [such, these] if decides_over_readers(entry) else [these, such]
    if {"two_proportions", "non_inferiority"} & set(entry.methods):
        views.append(published_view(judged, pair))
    return views


def decides_over_readers(entry: PlannedAnalysis) -> bool:
    """Does an analysis with readers as a sample decide?"""
    return entry.readers == "random" and bool(set(OVER_READERS) & set(entry.methods))


def in_pair(judged: Judged, pair: tuple[int, int]) -> Judged:
    """Return the reads of two groups."""
    return judged.of(np.isin(judged.group, pair))


def units_of(entry: PlannedAnalysis) -> str:
    return {"subject": "patients", "reader": "readers"}.get(entry.unit, "cases")


def clustered_view(judged: Judged, pair: tuple[int, int], *, name: str = "") -> View:
    """Compare shares with cases or patients as clusters; readers are fixed."""
    part = in_pair(judged, pair)
    name = name or THESE.format(units=units_of(judged.entry))
    if missing := _missing(part, pair):
        return _nothing(name, missing)
    success = part.success.astype(float)
    found = clustered_comparison(
        success, part.cluster, part.group, groups=(pair[1], pair[0]), level=part.level
    )
    row = found.differences[0]
    shares = [
        _clustered_share(part, part.group == group, found.shares[group].n_clusters)
        for group in pair
    ]
    return View(
        name=name,
        method=row.method,
        first=shares[0],
        second=shares[1],
        difference=Number(row.value, "points", row.low, row.high, part.level),
        p=row.pvalue,
        statistic=row.z,
        se=clustered_se(part, pair),
        reason=row.reason or "",
        warnings=found.warnings,
    )


def _clustered_share(part: Judged, keep: BoolArray, clusters: int) -> Number:
    success = part.success[keep].astype(float)
    if clusters == success.size:
        return number_of(
            stats.proportion(int(success.sum()), clusters, level=part.level), "percent"
        )
    found = stats.clustered_proportion(success, part.cluster[keep], level=part.level)
    low, high = found.low_wilson, found.high_wilson
    if math.isnan(low):
        alone = stats.proportion(round(found.value * clusters), clusters, level=part.level)
        low, high = alone.low, alone.high
    return Number(found.value, "percent", low, high, part.level)


def clustered_se(part: Judged, pair: tuple[int, int]) -> float:
    """Return the standard error of a difference of shares, robust to clusters."""
    clusters, place = np.unique(part.cluster, return_inverse=True)
    residual = np.zeros(clusters.size)
    for group, sign in ((pair[1], 1.0), (pair[0], -1.0)):
        keep = part.group == group
        success = part.success[keep].astype(float)
        weights = sign * (success - success.mean()) / keep.sum()
        residual += np.bincount(place[keep], weights=weights, minlength=clusters.size)
    if clusters.size < 2:
        return NAN
    return math.sqrt(float((residual**2).sum()) * clusters.size / (clusters.size - 1))


def _missing(part: Judged, pair: tuple[int, int]) -> str:
    lacking = [part.names[group] for group in pair if not (part.group == group).any()]
    return f"no read of “{lacking[0]}”" if lacking else ""


def _nothing(name: str, reason: str) -> View:
    nothing = undefined(reason, "percent")
    return View(name, "", nothing, nothing, undefined(reason, "points"), reason=reason)


def over_readers_view(judged: Judged, pair: tuple[int, int]) -> View:
    """Compare the mean shares of readers, with readers and cases as samples.

    What is the case: the same item in both arms, or the patient of a real and a synthetic image.
    """
    name = SUCH.format(units=units_of(judged.entry))
    part = in_pair(judged, pair)
    if missing := _missing(part, pair):
        return _nothing(name, missing)
    if np.unique(part.reader).size < 2:
        return _nothing(name, "one reader says nothing about readers like this one")
    case = part.item if part.by == BY_ARM else part.subject
    rows = np.stack((part.reader, part.group, case))
    if np.unique(rows, axis=1).shape[1] < case.size:
        return _nothing(
            name,
            "a reader has several reads of one patient in one version; the analysis over readers "
            "needs one",
        )
    readers, cases = np.unique(part.reader).size, np.unique(case).size
    complete = case.size == 2 * readers * cases
    several = part.by == BY_ARM and np.unique(part.subject).size < cases
    clustered = judged.entry.unit == "subject" and several
    columns: dict[str, Any] = {
        "reader": part.reader,
        "test": np.where(part.group == pair[0], 1, 0),
        "case": case,
        "score": part.success.astype(float),
        "metric": "proportion",
        "level": part.level,
    }
    try:
        found: Any
        if clustered:
            found = stats.obuchowski_rockette(**columns, cluster=part.subject, missing="omit")
        elif complete:
            found = stats.obuchowski_rockette(**columns)
        else:
            found = stats.u_statistic(**columns)
    except ValueError as error:
        return _nothing(name, str(error))
    row = found.differences[0]
    means = {one.label: one for one in found.means}
    return View(
        name=name,
        method=found.method,
        first=number_of(means[1], "percent"),
        second=number_of(means[0], "percent"),
        difference=number_of(row, "points"),
        p=row.pvalue,
        statistic=row.t,
        se=row.se,
        df=row.df,
        reason=row.reason or "",
        warnings=found.warnings,
    )


def published_view(judged: Judged, pair: tuple[int, int]) -> View:
    """Compare the pooled reads as if they were independent, as the paper did."""
    part = in_pair(judged, pair)
    if missing := _missing(part, pair):
        return _nothing(PUBLISHED, missing)
    counts = [
        (int(part.success[part.group == g].sum()), int((part.group == g).sum())) for g in pair
    ]
    (k1, n1), (k2, n2) = counts
    found = stats.two_proportions(k2, n2, k1, n1, level=part.level, assume_independent=True)
    shares = [stats.proportion(k, n, level=part.level) for k, n in counts]
    p1, p2 = k1 / n1, k2 / n2
    return View(
        name=PUBLISHED,
        method=found.method,
        first=number_of(shares[0], "percent"),
        second=number_of(shares[1], "percent"),
        difference=Number(found.difference, "points", found.low, found.high, part.level),
        p=found.p_pooled,
        statistic=found.z_pooled,
        se=math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2),
        reason=found.reason or "",
        warnings=found.warnings,
    )


@dataclass(frozen=True)
class ReaderView:
    """The comparison within one reader."""

    reader: str
    view: View
    test: str


def reader_views(judged: Judged, pair: tuple[int, int]) -> Iterator[ReaderView]:
    """Yield the comparison within each reader.

    A reader who read both versions of every patient is tested by McNemar's exact test where it is
    planned; else the clustered score test serves paired and unpaired versions alike.
    """
    for number, reader in enumerate(judged.readers):
        own = judged.of(judged.reader == number)
        view = clustered_view(own, pair, name=reader)
        paired = _pairs(in_pair(own, pair), pair)
        if "mcnemar" in judged.entry.methods and paired is not None:
            found = stats.mcnemar(*paired, level=judged.level)
            yield ReaderView(
                reader, replace(view, p=found.p_exact, statistic=NAN), "McNemar, exact"
            )
            continue
        yield ReaderView(reader, view, _test_name(in_pair(own, pair)))


def _test_name(part: Judged) -> str:
    if np.unique(part.cluster).size == len(part):
        return "unpaired: two different sets of patients, z test"
    return "score test, clustered (Rotnitzky & Jewell 1990)"


def _pairs(part: Judged, pair: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Return the counts of right in both, second only, first only, neither; None if unpaired."""
    cells: list[dict[int, bool]] = []
    for group in pair:
        keep = part.group == group
        own = dict(zip(part.cluster[keep].tolist(), part.success[keep].tolist(), strict=True))
        if len(own) < keep.sum():
            return None
        cells.append(own)
    first, second = cells
    if not first or set(first) != set(second):
        return None
    now = np.array([second[c] for c in first])
    was = np.array(list(first.values()))
    counts = [int(n.sum()) for n in (now & was, now & ~was, ~now & was, ~now & ~was)]
    return counts[0], counts[1], counts[2], counts[3]
