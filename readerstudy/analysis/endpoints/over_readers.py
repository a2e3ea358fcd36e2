"""The mean over readers of an area or a share: which analysis fits the reads, and its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from readerstudy import stats
from readerstudy.analysis.document import NAN, Number, number_of, undefined
from readerstudy.analysis.endpoints.graded import Graded
from readerstudy.stats.mrmc_results import MrmcResult, TestDifference, TestMean
from readerstudy.studies.analysis_plan import PlannedAnalysis

OR, DBM, U = "obuchowski_rockette", "dorfman_berbaum_metz", "u_statistic"
ANALYSES: dict[str, Callable[..., MrmcResult]] = {
    OR: stats.obuchowski_rockette,
    DBM: stats.dorfman_berbaum_metz,
    U: stats.u_statistic,
}
SHORT = {OR: "Obuchowski–Rockette", DBM: "Dorfman–Berbaum–Metz", U: "U-statistic"}
RANDOM_WORDS = {
    "readers and cases": "random readers and cases: the result holds for readers and cases like "
    "these",
    "readers": "random readers, fixed cases: the result holds for readers like these and exactly "
    "these cases",
    "cases": "fixed readers, random cases: the result holds for exactly these readers",
}
ASSUMPTIONS = (
    "readers independent of each other, cases too; areas or shares about normal over readers; "
    "missing reads unrelated to the answer"
)


@dataclass(frozen=True)
class OverReaders:
    """One analysis over readers, or why there is none."""

    name: str
    result: MrmcResult | None
    reason: str = ""

    def mean(self, arm: int) -> TestMean | None:
        """Return the mean of an arm."""
        if self.result is None:
            return None
        return next((row for row in self.result.means if row.label == arm), None)

    def difference(self, reference: int, arm: int) -> TestDifference | None:
        """Return the mean of an arm less that of the reference."""
        rows = self.result.differences if self.result else ()
        for row in rows:
            if row.label == (arm, reference):
                return row
            if row.label == (reference, arm):
                return replace(
                    row,
                    first=arm,
                    second=reference,
                    value=-row.value,
                    low=-row.high,
                    high=-row.low,
                    t=-row.t,
                )
        return None

    def mean_number(self, arm: int, form: str) -> Number:
        return _number(self.mean(arm), form, self.reason)

    def difference_number(self, reference: int, arm: int, form: str) -> Number:
        return _number(self.difference(reference, arm), form, self.reason)

    def df_words(self, reference: int, arm: int) -> str:
        """Return the degrees of freedom, as Hillis or BDG give them; empty for a normal law."""
        row = self.difference(reference, arm)
        return "" if row is None or not math.isfinite(row.df) else f"{row.df:.1f}"


def _number(row: Any, form: str, reason: str) -> Number:
    if row is None:
        return undefined(reason or "no read in this arm", form)
    return number_of(row, form)


def population_of(block: Graded, entry: PlannedAnalysis) -> tuple[str, str]:
    """Return what is random in the analysis, with a warning where the plan cannot be kept."""
    if len(block.readers) < 2:
        warning = "One reader only: the result holds for this reader."
        return "cases", warning if entry.readers == "random" else ""
    if entry.unit == "reader":
        return "readers", ""
    return ("readers and cases" if entry.readers == "random" else "cases"), ""


def is_clustered(block: Graded, entry: PlannedAnalysis) -> bool:
    """Are patients with several cases the unit of analysis?"""
    return entry.unit == "subject" and block.has_repeated_subjects


def main_analysis(block: Graded, entry: PlannedAnalysis) -> str:
    """Return the analysis that decides: the first planned one that fits the reads there are."""
    if is_clustered(block, entry):
        return OR
    planned = [name for name in entry.methods if name in ANALYSES]
    if block.is_complete:
        return planned[0] if planned else OR
    return U


def over_readers(
    block: Graded, entry: PlannedAnalysis, name: str, *, only: int | None = None
) -> OverReaders:
    """Analyse areas under the curve; with ``only`` the share of right calls in one class."""
    clustered = is_clustered(block, entry)
    if clustered and name != OR:
        reason = f"{SHORT[name]} takes cases as independent; some patients have several"
        return OverReaders(name, None, reason)
    rows = block.long(only=only, call=only is not None)
    cluster = rows.pop("cluster")
    if not len(rows["score"]):
        return OverReaders(name, None, "no read of this class")
    extra: dict[str, Any] = {"cluster": cluster} if clustered else {}
    if only is not None:
        extra["metric"] = "proportion"
    try:
        result = ANALYSES[name](
            **rows,
            **extra,
            random=population_of(block, entry)[0],
            level=1 - entry.alpha,
            missing="omit",
        )
    except ValueError as error:
        return OverReaders(name, None, str(error))
    return OverReaders(name, result, result.reason or "")


def all_analyses(block: Graded, entry: PlannedAnalysis) -> list[OverReaders]:
    """Return the analysis that decides, then the other planned ones."""
    main = main_analysis(block, entry)
    planned = [name for name in entry.methods if name in ANALYSES]
    if not block.is_complete and not planned:
        planned = [OR]
    return [over_readers(block, entry, name) for name in dict.fromkeys((main, *planned))]


def why_main(block: Graded, entry: PlannedAnalysis) -> str:
    """Say why another analysis than the planned one decides; empty where it is the planned one."""
    main = main_analysis(block, entry)
    planned = [name for name in entry.methods if name in ANALYSES]
    if is_clustered(block, entry):
        patients = len(set(block.subject.tolist()))
        return (
            f"{len(block.items):,} cases of {patients:,} patients: covariances are those of "
            "patients (Obuchowski 1997), whose cases are not independent."
        )
    if main == U and U not in planned[:1]:
        design = "The design gives readers different cases" if block.planned_gaps else ""
        return (
            f"{design or 'Reads are missing'}: the U-statistic, which uses every read, decides; "
            "analyses that need a full table stand below it, on the cases that have one."
        )
    return ""


def one_sided(row: TestDifference, margin: float) -> tuple[float, float]:
    """Return p of non-inferiority and of equivalence of a difference within ``margin``."""
    if not row.se > 0.0:
        return NAN, NAN
    below, above = (row.value + margin) / row.se, (row.value - margin) / row.se
    inferior, superior = _upper(below, row.df), _upper(-above, row.df)
    return inferior, max(inferior, superior)


def _upper(t: float, df: float) -> float:
    from scipy import special

    return float(special.ndtr(-t) if math.isinf(df) else special.stdtr(df, -t))
