"""Small studies whose every answer is drawn from a seed, carried out by the real endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from readerstudy.analysis.carrying_out import carry_out, entries_of
from readerstudy.analysis.document import Document
from readerstudy.analysis.endpoints.registry import ENDPOINTS
from readerstudy.analysis.facts import Dataset, Settled
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


ORDER = replace(question("order", kind="place"), equal=True)


def choices_data() -> Dataset:
    """Three readers choose between a real and a synthetic image of 30 pairs of 25 patients."""
    rng = np.random.default_rng(SEED)
    items, reads = [], []
    for n in range(30):
        origins = ("real", "synthetic") if n % 2 else ("synthetic", "real")
        one = item(f"P{n:02}", subject=f"S{n // 2 if n < 10 else n}")
        pair = replace(one, cases=(f"P{n:02}a", f"P{n:02}b"), origins=origins, generators=("", ""))
        items.append(pair)
        for reader, liking in (("R1", 0.7), ("R2", 0.5), ("R3", 0.4)):
            wanted = origins.index("synthetic" if rng.random() < liking else "real")
            members = [] if rng.random() < 0.1 else [wanted]
            reads.append(read(reader, pair, {"order": {"members": members}}, position=n + 1))
    plan = (
        PlannedAnalysis(
            code="liked",
            title="Liking",
            endpoint="preference",
            question="order",
            unit="subject",
            methods=("clustered_against", "binomial_against"),
            margin=0.2,
        ),
        PlannedAnalysis(
            code="same",
            title="Same choice",
            endpoint="agreement",
            question="order",
            methods=("percent_agreement", "fleiss_kappa", "gwet_ac"),
        ),
    )
    return dataset(reads, items, questions=(ORDER,), plan=plan, places=2)


QUALITY = question("quality", "0", "1", "2", "3", kind="ordinal")


def panel_data() -> Dataset:
    """Three readers score 20 patients, real and synthetic; a panel settled half of what differs."""
    rng = np.random.default_rng(SEED)
    items, reads, settled = [], [], []
    for n in range(40):
        origin = "real" if n % 2 else "synthetic"
        one = item(f"C{n:02}", origin, subject=f"S{n // 2:02}" if n < 36 else f"T{n}")
        items.append(one)
        middle = 1.8 if origin == "real" else 1.2
        given = [str(int(np.clip(round(rng.normal(middle, 0.8)), 0, 3))) for _ in range(3)]
        for reader, level in zip(("R1", "R2", "R3"), given, strict=True):
            reads.append(read(reader, one, {"quality": level}, position=n + 1))
        alike = len(set(given)) == 1
        how = "agreed" if alike else "consensus" if rng.random() < 0.5 else "not_laid"
        value = None if how == "not_laid" else sorted(given)[1]
        settled.append(Settled(one.code, "main", tuple(given), value, how))
    common = {"question": "quality", "unit": "subject"}
    plan = (
        PlannedAnalysis(
            code="held", title="Held", endpoint="score", consensus=True,
            methods=("signed_rank",), **common,
        ),
        PlannedAnalysis(
            code="first", title="First", endpoint="score",
            methods=("clustered_mean_difference",), **common,
        ),
        PlannedAnalysis(
            code="settled", title="Settled", endpoint="comparison", consensus=True,
            methods=("chi_square", "fisher_exact", "cramers_v"), **common,
        ),
        PlannedAnalysis(
            code="panel", title="Of cases", endpoint="comparison", consensus=True,
            question="quality", unit="case", methods=("g_test", "fisher_exact"),
        ),
        PlannedAnalysis(
            code="given", title="Given", endpoint="comparison",
            methods=("chi_square", "g_test", "cramers_v"), **common,
        ),
        PlannedAnalysis(
            code="alike", title="Alike", endpoint="agreement",
            methods=("rwg", "icc", "kendall_w", "gwet_ac"), **common,
        ),
    )  # fmt: skip
    return dataset(
        reads, items, questions=(QUALITY,), plan=plan, settled={"quality": tuple(settled)}
    )


def survival_plan() -> Plan:
    """Overall survival by the graded answers of both arms."""
    return (
        PlannedAnalysis(
            code="os",
            title="Overall survival",
            endpoint="survival",
            question="grade",
            confidence="sure",
            unit="subject",
            time="os_months",
            event="death",
            horizons=(6.0, 12.0),
            methods=("kaplan_meier", "logrank", "cox", "harrell_c"),
            draws=200,
        ),
    )


EDGE = question("edge", "sharp", "blurred", "none", kind="ordinal")
NECROSIS = question("necrosis", "no", "yes")
VOLUME = replace(question("volume", kind="number"), minimum=0.0, maximum=100.0)


def models_data() -> Dataset:
    """Three readers describe 90 real patients and 40 synthetic ones, whose mutation is known."""
    rng = np.random.default_rng(SEED)
    items, reads = [], []
    for n in range(130):
        origin = "real" if n < 90 else "synthetic"
        mutated = bool(n % 2) if origin == "real" else True
        references = {"idh": "mutant" if mutated else "wildtype"}
        one = item(f"C{n:03}", origin, references=references)
        items.append(one)
        for place, reader in enumerate(("R1", "R2", "R3")):
            shift = 0.5 if mutated else -0.4
            answers = {
                "edge": EDGE.levels[int(np.clip(round(rng.normal(1 - shift, 1.0)), 0, 2))],
                "necrosis": "yes" if rng.normal(-shift) > 0 else "no",
                "volume": round(float(np.clip(rng.normal(50 - 6 * shift, 15), 0, 100)), 1) + place,
            }
            reads.append(read(reader, one, answers, position=n + 1))
    plan = (
        PlannedAnalysis(
            code="models",
            title="Models of the mutation",
            endpoint="regression",
            question="edge",
            event="idh",
            methods=("univariable", "logistic", "backward_elimination"),
            draws=20,
        ),
    )
    return dataset(reads, items, questions=(EDGE, NECROSIS, VOLUME), plan=plan)


def carried_out(data: Dataset) -> Document:
    """Return the document of the plan of a data set."""
    return carry_out(data, entries_of(data.protocol.plan), provenance=dict(PROVENANCE))
