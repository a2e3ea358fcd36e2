"""Areas under the curve of one reader: in each arm, and their paired difference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import NAN, Number, number_of, undefined
from readerstudy.analysis.endpoints.graded import Graded
from readerstudy.analysis.endpoints.over_readers import is_clustered
from readerstudy.studies.analysis_plan import PlannedAnalysis

PAIRED, UNPAIRED, CLUSTERED = "paired", "unpaired", "clustered"
TESTS = {
    PAIRED: "DeLong, paired (DeLong 1988), z test",
    UNPAIRED: "DeLong, unpaired, as the reader had different cases in the two arms",
    CLUSTERED: "DeLong, paired, clustered by patient (Obuchowski 1997), z test",
}


@dataclass(frozen=True)
class ReaderDifference:
    """The difference of two arms within one reader; ``kind`` is a key of TESTS."""

    value: float
    low: float
    high: float
    level: float
    p: float
    z: float
    kind: str
    n: int
    n_alone: int
    reason: str

    def number(self, **behind: str) -> Number:
        """Return the difference with its interval."""
        return number_of(self, "difference", behind=behind)


def area_of(block: Graded, entry: PlannedAnalysis, reader: int, arm: int) -> Any:
    """Return the area of a reader in an arm, with the interval that fits the unit."""
    score = block.score[arm, reader]
    seen = ~np.isnan(score)
    level = 1 - entry.alpha
    if is_clustered(block, entry):
        persons = block.subject[seen].tolist()
        return stats.clustered_auc(block.truth[seen], score[seen], persons, level=level)
    return stats.auc(block.truth[seen], score[seen], level=level)


def area_number(block: Graded, entry: PlannedAnalysis, reader: int, arm: int) -> Number:
    """Return the area as a number of a table, or why there is none."""
    behind = {
        "reader": block.readers[reader],
        "arm": block.arms[arm],
        "question": block.question.code,
    }
    seen = ~np.isnan(block.score[arm, reader])
    if not seen.any():
        return undefined("no read in this arm", "area")
    return number_of(area_of(block, entry, reader, arm), "area", behind=behind)


def difference_of(
    block: Graded, entry: PlannedAnalysis, reader: int, *, reference: int, arm: int
) -> ReaderDifference:
    """Return the difference of an arm less the reference within one reader.

    It rests on the cases that the reader read in both arms. Only where there is none such is the
    unpaired test taken, and only for one case per patient.
    """
    old, new = block.score[reference, reader], block.score[arm, reader]
    both = ~np.isnan(old) & ~np.isnan(new)
    alone = int((~np.isnan(old)).sum() + (~np.isnan(new)).sum() - 2 * both.sum())
    level = 1 - entry.alpha
    if both.any():
        clustered = is_clustered(block, entry)
        persons = block.subject[both].tolist() if clustered else None
        found = stats.delong_test(
            block.truth[both], new[both], old[both], cluster=persons, level=level
        )
        return _made(found, CLUSTERED if clustered else PAIRED, alone)
    return _unpaired(block, old, new, level)


def _unpaired(block: Graded, old: Any, new: Any, level: float) -> ReaderDifference:
    seen_old, seen_new = ~np.isnan(old), ~np.isnan(new)
    if not seen_old.any() or not seen_new.any():
        return _none("not read in both arms")
    shared = set(block.subject[seen_old].tolist()) & set(block.subject[seen_new].tolist())
    if shared or np.unique(block.subject[seen_new]).size < seen_new.sum():
        return _none(
            "the reader had different cases of the same patients in the two arms; no test of one "
            "reader fits, see the row of all readers"
        )
    found = stats.delong_test_unpaired(
        block.truth[seen_new],
        new[seen_new],
        block.truth[seen_old],
        old[seen_old],
        level=level,
    )
    return _made(found, UNPAIRED, 0)


def _made(found: Any, kind: str, alone: int) -> ReaderDifference:
    return ReaderDifference(
        value=found.difference,
        low=found.low,
        high=found.high,
        level=found.level,
        p=found.pvalue,
        z=found.z,
        kind=kind,
        n=found.n,
        n_alone=alone,
        reason=(found.reason or "") if math.isnan(found.z) else "",
    )


def _none(reason: str) -> ReaderDifference:
    return ReaderDifference(NAN, NAN, NAN, 0.95, NAN, NAN, PAIRED, 0, 0, reason)
