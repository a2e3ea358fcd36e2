"""Which function computes which endpoint of a plan, and what is described of every study."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from readerstudy.analysis.document import Section
from readerstudy.analysis.endpoints.agreement import agreement
from readerstudy.analysis.endpoints.auc import area
from readerstudy.analysis.endpoints.mrmc import mrmc_difference
from readerstudy.analysis.endpoints.reference import reference
from readerstudy.analysis.endpoints.score import score
from readerstudy.analysis.endpoints.turing import turing
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import PlannedAnalysis

Endpoint = Callable[[Dataset, PlannedAnalysis], Section]
Description = Callable[[Dataset], Sequence[Section]]

ENDPOINTS: dict[str, Endpoint] = {
    "agreement": agreement,
    "auc": area,
    "mrmc-difference": mrmc_difference,
    "reference": reference,
    "score": score,
    "turing": turing,
}
DESCRIPTIONS: tuple[Description, ...] = ()
