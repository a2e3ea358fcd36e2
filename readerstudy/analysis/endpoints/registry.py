"""Which function computes which endpoint of a plan, and what is described of every study."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from readerstudy.analysis.document import Section
from readerstudy.analysis.endpoints.agreement import agreement
from readerstudy.analysis.endpoints.auc import area
from readerstudy.analysis.endpoints.comparison import comparison
from readerstudy.analysis.endpoints.cues import described_cues
from readerstudy.analysis.endpoints.described_answers import described_answers
from readerstudy.analysis.endpoints.described_difficulty import described_difficulty
from readerstudy.analysis.endpoints.described_reads import described_reads
from readerstudy.analysis.endpoints.described_repeats import described_repeats
from readerstudy.analysis.endpoints.described_times import described_times
from readerstudy.analysis.endpoints.mrmc import mrmc_difference
from readerstudy.analysis.endpoints.preference import preference
from readerstudy.analysis.endpoints.reference import reference
from readerstudy.analysis.endpoints.regression import regression
from readerstudy.analysis.endpoints.score import score
from readerstudy.analysis.endpoints.survival import survival
from readerstudy.analysis.endpoints.turing import turing
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

Endpoint = Callable[[Dataset, PlannedAnalysis], Section]
Description = Callable[[Dataset], Sequence[Section]]

ENDPOINTS: dict[str, Endpoint] = {
    "agreement": agreement,
    "auc": area,
    "comparison": comparison,
    "mrmc-difference": mrmc_difference,
    "preference": preference,
    "reference": reference,
    "regression": regression,
    "score": score,
    "survival": survival,
    "turing": turing,
}
DESCRIPTIONS: tuple[Description, ...] = (
    described_reads,
    described_answers,
    described_repeats,
    described_times,
    described_difficulty,
    described_cues,
)
