"""Youden's threshold of one reader, with what it does on the answers that it was chosen from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from readerstudy import stats
from readerstudy.analysis.document import NAN, Number, number_of, undefined
from readerstudy.analysis.endpoints.graded import BoolArray, Graded, IntArray
from readerstudy.analysis.endpoints.roc_curves import threshold_words
from readerstudy.studies.analysis_plan import PlannedAnalysis

OPTIMISM = (
    "Each threshold was chosen as the best one for the same answers from which its sensitivity, "
    "specificity and accuracy are stated. All three are therefore optimistic: in new cases, with "
    "this threshold, lower ones are to be expected. The limits treat the threshold as if it had "
    "been fixed before and do not allow for this choice; a threshold needs new cases to be judged."
)


@dataclass(frozen=True)
class Best:
    """Youden's threshold of one reader and what it does on the same answers."""

    words: str
    j: float
    sensitivity: Number
    specificity: Number
    accuracy: Number
    ties: int
    reason: str = ""


def best_threshold(block: Graded, entry: PlannedAnalysis, reader: int) -> Best:
    """Return Youden's threshold of a reader in the first arm of a block."""
    score = block.score[0, reader]
    seen = ~np.isnan(score)
    truth, own = block.truth[seen], score[seen]
    found = stats.youden(truth, own)
    if not found.points:
        nothing = undefined(found.reason or "no threshold", "percent")
        return Best("", NAN, nothing, nothing, nothing, 0, found.reason or "no threshold")
    threshold = found.points[0].threshold
    called = own >= threshold
    if not called.any():
        words = "never: no case is called positive"
    else:
        words = threshold_words(block, float(own[called].min()))
    right = called == (truth == 1)
    subject = block.subject[seen]
    shares = [
        _share(right[keep], subject[keep], entry)
        for keep in (truth == 1, truth == 0, np.ones(truth.size, dtype=bool))
    ]
    return Best(words, found.j, shares[0], shares[1], shares[2], len(found.points))


def _share(right: BoolArray, subject: IntArray, entry: PlannedAnalysis) -> Number:
    level = 1 - entry.alpha
    if entry.unit != "subject" or np.unique(subject).size == subject.size:
        found = stats.proportion(int(right.sum()), right.size, ci="exact", level=level)
        return number_of(found, "percent")
    made = stats.clustered_proportion(right.astype(float), subject, level=level)
    reason = made.reason or "" if math.isnan(made.low_wilson) else ""
    return Number(made.value, "percent", made.low_wilson, made.high_wilson, level, reason)
