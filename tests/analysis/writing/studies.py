"""Small studies whose every answer is drawn from a seed, carried out by the real endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from readerstudy.analysis.carrying_out import carry_out, entries_of
from readerstudy.analysis.document import Document
from readerstudy.analysis.endpoints.registry import ENDPOINTS
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.analysis_plan import Plan, PlannedAnalysis
from readerstudy.studies.templates.base import turing_analyses
from tests.analysis.making import dataset, item, question, read

SEED = 20261121
PROVENANCE = {"data_sha256": "c" * 64, "software": {"readerstudy": "0.1.0"}}


def turing_data() -> Dataset:
    """Three readers of 40 cases; R2 gives no answer to two cases, R3 repeats three."""
    rng = np.random.default_rng(SEED)
    items = [item(f"C{n:02}", "real" if n % 2 else "synthetic") for n in range(40)]
    reads = []
    for reader, skill in (("R1", 0.75), ("R2", 0.6), ("R3", 0.5)):
        for place, one in enumerate(items):
            right = rng.random() < skill
            other = "synthetic" if one.origin == "real" else "real"
            answers = {"origin": one.origin if right else other}
            answers["confidence"] = str(rng.integers(1, 6))
            if reader == "R2" and place < 2:
                answers = {}
            silent = ("origin",) if not answers else ()
            reads.append(read(reader, one, answers, position=place + 1, not_evaluable=silent))
            if reader == "R3" and place < 3:
                reads.append(read(reader, one, answers, position=place + 41, repeat=1))
    return dataset(reads, items, years={"R1": 9, "R2": 14}, plan=turing_analyses(0.1))


GRADE = question("grade", "low", "high", truth={"source": "reference", "endpoint": "who_grade"})
SURE = replace(question("sure", "1", "2", "3", "4", "5", kind="confidence"), bound_to="grade")


def arms_data(plan: Plan) -> Dataset:
    """Four readers read 40 cases of 36 patients in two arms, with graded confidence."""
    rng = np.random.default_rng(SEED)
    items = []
    for n in range(40):
        right = "high" if n % 2 else "low"
        time = float(rng.exponential(20 if right == "low" else 10))
        references = {
            "who_grade": right,
            "age": f"{rng.normal(60, 9):.1f}",
            "os_months": f"{time:.2f}",
            "death": str(int(rng.random() < 0.7)),
        }
        subject = f"S{n // 2 if n < 8 else n}"
        items.append(
            item(
                f"C{n:02}",
                subject=subject,
                stratum="A" if n < 20 else "B",
                right={"grade": right},
                references=references,
            )
        )
    reads = []
    for number, reader in enumerate(("R1", "R2", "R3", "R4")):
        for arm, gain in (("standard", 0.4), ("cbv", 1.2)):
            for place, one in enumerate(items):
                sign = 1 if one.right["grade"] == "high" else -1
                score = sign * gain + rng.normal() + 0.1 * number
                answers = {
                    "grade": "high" if score > 0 else "low",
                    "sure": str(int(min(5, 1 + abs(score) * 2))),
                }
                reads.append(read(reader, one, answers, arm=arm, position=place + 1))
    arms = (("standard", "Standard MRI"), ("cbv", "With synthetic CBV"))
    return dataset(reads, items, questions=(GRADE, SURE), plan=plan, arms=arms)


def classes_data() -> Dataset:
    """The same reads with endpoints that compare real and synthetic images in one arm."""
    data = turing_data()
    plan = (
        PlannedAnalysis(
            code="right",
            title="Right calls",
            endpoint="reference",
            question="origin",
            methods=("confusion",),
        ),
        PlannedAnalysis(
            code="sure", title="Sureness", endpoint="score", question="confidence", unit="subject"
        ),
        PlannedAnalysis(
            code="alike",
            title="Sureness in both classes",
            endpoint="comparison",
            question="confidence",
            methods=("chi_square",),
        ),
    )
    return replace(data, protocol=replace(data.protocol, plan=plan))


def arms_plan() -> Plan:
    """Every endpoint that the arms can answer and that is registered."""
    common = {"question": "grade", "confidence": "sure"}
    wanted: Sequence[PlannedAnalysis] = (
        PlannedAnalysis(
            code="difference",
            title="Area under the ROC curve: grade",
            endpoint="mrmc-difference",
            primary=True,
            arms=("standard", "cbv"),
            methods=("obuchowski_rockette", "delong_test", "nri_continuous", "idi"),
            **common,
        ),
        PlannedAnalysis(code="area", title="AUC", endpoint="auc", methods=("auc",), **common),
        PlannedAnalysis(
            code="right",
            title="Right grade",
            endpoint="reference",
            question="grade",
            methods=("confusion",),
        ),
        PlannedAnalysis(code="sureness", title="Sureness", endpoint="score", question="sure"),
        PlannedAnalysis(
            code="agree",
            title="Agreement",
            endpoint="agreement",
            question="grade",
            methods=("percent_agreement", "cohen_kappa", "fleiss_kappa", "gwet_ac"),
        ),
    )
    return tuple(one for one in wanted if one.endpoint in ENDPOINTS)


def carried_out(data: Dataset) -> Document:
    """Return the document of the plan of a data set."""
    return carry_out(data, entries_of(data.protocol.plan), provenance=dict(PROVENANCE))
