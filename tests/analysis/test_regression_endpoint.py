"""Logistic models of the truth from answers: Park's table, planted truth, held-out areas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from readerstudy import stats
from readerstudy.analysis.carrying_out import Entry, carry_out
from readerstudy.analysis.document import from_dict
from readerstudy.analysis.endpoints.regression import regression
from readerstudy.analysis.endpoints.regression_data import sample_of
from readerstudy.studies.analysis_plan import PlannedAnalysis
from tests.analysis.making import dataset, item, question, read

MARGIN = question("margin", "indistinct", "clear")
NECROSIS = question("necrosis", "yes", "no")
SITE = question("site", "other", "frontal", "thalamus")


def plan(**more):
    made = {"unit": "subject", "event": "idh", "positive": "mutant", "draws": 100, **more}
    return PlannedAnalysis("r", "Models", "margin", "regression", **made)


def table(section, code):
    return next(one for one in section.tables if one.code == code)


def simulated(*, n=160, validation=80, synthetic=60, seed=2, readers=2, strength=2.0):
    """Mutants have a clear margin and no necrosis more often; the site tells nothing."""
    rng = np.random.default_rng(seed)
    items, reads = [], []
    for k in range(n + validation + synthetic):
        is_synthetic = k >= n + validation
        mutant = is_synthetic or rng.random() < 0.4
        cohort = "validation" if n <= k < n + validation else "training"
        references = {"idh": "mutant" if mutant else "wild"}
        if not is_synthetic:
            references |= {"cohort": cohort, "age": f"{60 - 8 * mutant + rng.normal(0, 8):.1f}"}
        of = item(f"C{k:03}", "synthetic" if is_synthetic else "real", references=references)
        items.append(of)
        clear = rng.random() < 1 / (1 + math.exp(-(strength * mutant - strength / 2)))
        none = rng.random() < (0.5 if mutant else 0.2)
        site = ("other", "frontal", "thalamus")[int(rng.integers(3))]
        for r in range(readers):
            seen = clear if rng.random() < 0.95 else not clear
            answers = {
                "margin": "clear" if seen else "indistinct",
                "necrosis": "no" if none else "yes",
                "site": site,
            }
            reads.append(read(f"R{r + 1}", of, answers))
    return dataset(reads, items, questions=[MARGIN, NECROSIS, SITE])


def counted(cells, references=None, asked=MARGIN):
    """A data set from counts: (idh, answer) to how many real training patients."""
    items, reads = [], []
    for (idh, answer), times in cells.items():
        for _ in range(times):
            of = item(f"C{len(items):03}", "real", references={"idh": idh, **(references or {})})
            items.append(of)
            reads.append(read("R1", of, {asked.code: answer}))
    return dataset(reads, items, questions=[asked])


def test_one_feature_is_the_odds_ratio_of_the_published_counts():
    # Park 2021, table 1: distinct margin in 20 of 38 mutant and 4 of 80 wild-type tumours;
    # glm(y ~ x, binomial): log odds ratio of the table, Woolf's standard error
    cells = {("mutant", "clear"): 20, ("mutant", "indistinct"): 18}
    cells |= {("wild", "clear"): 4, ("wild", "indistinct"): 76}
    section = regression(counted(cells), plan())
    found = table(section, "coefficients").rows[0].cells["one_0"]
    beta = math.log(20 * 76 / (18 * 4))
    se = math.sqrt(1 / 20 + 1 / 18 + 1 / 4 + 1 / 76)
    expected = [math.exp(beta + z * se) for z in (0, -1.959963985, 1.959963985)]
    assert (found.value, found.low, found.high) == pytest.approx(expected, rel=1e-6)
    # one binary feature: the area on its own patients is the mean of both shares told right
    training = table(section, "training").rows[0].cells
    assert training["apparent"].value == pytest.approx((20 / 38 + 76 / 80) / 2)
    assert training["corrected"].value <= training["apparent"].value + 0.02


def test_three_models_and_held_out_patients_of_each_reader():
    section = regression(simulated(), plan())
    names = [row.cells["model"] for row in table(section, "training").rows]
    assert names == ["real", "synthetic", "real and synthetic"]
    rows = [row.cells for row in table(section, "performance").rows]
    assert {row["reader"] for row in rows} == {"R1", "R2"}
    assert all(row["n"].value == 80 and row["area"].value > 0.7 for row in rows)
    kept = [r.cells["removed"] for r in table(section, "elimination").rows if r.cells["p"] == ""]
    assert all("Margin: Clear" in one and "Site" not in one for one in kept)
    planted = table(section, "coefficients").rows[0].cells["all_0"]
    assert planted.low < math.exp(2.0) < planted.high
    assert [test.code for test in section.tests] == ["main"] * 4
    assert "held out" in section.tests[0].unit
    assert len(table(section, "probabilities").rows) == 80


def test_probabilities_and_areas_are_those_of_the_final_model():
    data = simulated(synthetic=0)
    section = regression(data, plan())
    sample = sample_of(data, plan())
    probabilities = {
        row.cells["case"]: row.cells["p_0"].value for row in table(section, "probabilities").rows
    }
    truth = [one.outcome for one in sample.validation]
    score = [probabilities[one.item] for one in sample.validation]
    first = table(section, "performance").rows[0].cells
    assert first["area"].value == pytest.approx(stats.auc(truth, score).value)
    assert section.tests == ()


def test_age_is_added_on_real_patients_alone():
    section = regression(simulated(), plan(covariates=("age",)))
    rows = [row.cells for row in table(section, "performance").rows]
    with_age = [row for row in rows if row["model"] == "real, with covariates"]
    without = [row for row in rows if row["model"] == "real"]
    assert with_age[0]["area"].value > without[0]["area"].value
    assert {test.code for test in section.tests} == {"main", "with_covariates"}


def test_without_a_cohort_models_are_cross_validated():
    section = regression(simulated(n=200, validation=0), plan())
    performance = table(section, "performance")
    assert "5-fold cross-validation" in performance.method
    assert [row.cells["model"] for row in performance.rows] == ["real", "real and synthetic"]
    apparent = table(section, "training").rows[0].cells["apparent"].value
    assert performance.rows[0].cells["area"].value <= apparent + 0.01
    assert "in cross-validation" in section.lead[0]


def test_noise_has_no_area_on_patients_that_were_not_seen():
    section = regression(simulated(n=200, validation=150, strength=0.0, seed=5), plan())
    rows = [row.cells for row in table(section, "performance").rows if row.cells["model"] == "real"]
    margin_alone = [row["area"] for row in rows]
    assert all(one.value < 0.75 for one in margin_alone)  # necrosis alone tells something


def test_separation_is_met_with_firth_and_said():
    cells = {("mutant", "clear"): 15, ("wild", "indistinct"): 30, ("mutant", "indistinct"): 5}
    section = regression(counted(cells), plan())
    coefficients = table(section, "coefficients")
    assert any("Firth" in note for note in coefficients.notes)
    found = coefficients.rows[0].cells["all_0"]
    # Firth of one binary feature adds one half to every cell
    assert found.value == pytest.approx((15.5 * 30.5) / (5.5 * 0.5), rel=1e-3)


@pytest.mark.parametrize(
    ("data", "more", "reason"),
    [
        (counted({("mutant", "clear"): 30, ("wild", "clear"): 30}), {}, "no answer varies"),
        (counted({("mutant", "clear"): 3, ("wild", "indistinct"): 50}), {}, "needs 10 of each"),
        (counted({("mutant", "clear"): 30}), {}, "must have two values, found: mutant"),
        (counted({("mutant", "clear"): 30}), {"event": ""}, "must name the outcome"),
        (dataset([], [], questions=[MARGIN]), {}, "must have two values, found: none"),
    ],
)
def test_too_little_is_refused_with_the_reason(data, more, reason):
    document = carry_out(data, [Entry(plan(**more))])
    assert reason in document.sections[0].lead[0]


def test_a_model_that_cannot_be_fitted_is_said_beside_the_others():
    section = regression(simulated(synthetic=4), plan())
    names = [row.cells["model"] for row in table(section, "training").rows]
    assert names == ["real", "real and synthetic"]
    texts = " ".join(block.text for block in section.blocks if block.kind == "passage")
    assert "model of synthetic images: 4 with" in texts


def test_missing_answers_and_unknown_outcomes_are_counted():
    data = simulated(n=120, validation=40, synthetic=0)
    blank = item("X", "real")
    last = data.reads[-1]
    data = dataset(
        [one for one in data.reads if one is not last],
        [*data.items.values(), blank],
        questions=data.protocol.questions,
    )
    section = regression(data, plan())
    sizes = [row.cells["n"].value for row in table(section, "performance").rows]
    assert sizes == [40, 39]
    texts = " ".join(block.text for block in section.blocks if block.kind == "passage")
    assert "1 (outcome not known)" in texts
    assert from_dict(carry_out(data, [Entry(plan())]).to_dict()).title == "A study"
