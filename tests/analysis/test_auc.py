"""Areas of each arm: Van Dyke against R, clusters, thresholds, planted areas, bad input."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from scipy.stats import norm

from readerstudy.analysis.carrying_out import Entry, carry_out
from readerstudy.analysis.document import Number, Passage, Section
from readerstudy.analysis.endpoints.auc import area
from readerstudy.analysis.facts import Dataset
from tests.analysis.graded_reads import entry as difference_entry
from tests.analysis.graded_reads import rated, row, simulated, table
from tests.stats.golden import golden
from tests.stats.golden_mrmc import van_dyke

# R 4.2.2, pROC of the second arm: auc; coords(best.method = "youden"): threshold, sensitivity,
# specificity, accuracy; auc(partial.auc = c(1, 0.8), partial.auc.correct = TRUE)
PROC = {
    "R1": (0.947826086957, 0.844444444444, 0.898550724638, 0.877192982456, 0.90619788871),
    "R2": (0.905314009662, 0.733333333333, 1.0, 0.894736842105, 0.891664749636),
    "R3": (0.921739130435, 0.8, 0.927536231884, 0.877192982456, 0.885328900663),
    "R4": (0.999355877617, 0.977777777778, 1.0, 0.991228070175, 0.998210771158),
    "R5": (0.929951690821, 0.888888888889, 0.869565217391, 0.877192982456, 0.899070977332),
}


def entry(**more: Any) -> Any:
    usual: dict[str, Any] = {
        "code": "area",
        "title": "Area under the ROC curve: grade",
        "endpoint": "auc",
        "arms": ("map",),
        "methods": ("auc", "youden", "partial_auc"),
    }
    return difference_entry(**(usual | more))


def _words(section: Section) -> str:
    return " ".join(one.text for one in section.blocks if isinstance(one, Passage))


def test_areas_and_partial_areas_are_those_of_proc() -> None:
    made = table(area(rated(van_dyke()), entry()), "areas")
    for reader, expected in PROC.items():
        cells = row(made, reader)
        assert cells["area"].value == pytest.approx(expected[0], abs=1e-10)
        assert cells["partial"].value == pytest.approx(expected[4], abs=1e-10)
    mean = row(made, "Mean")
    assert mean["area"].value == pytest.approx(0.94083736, abs=1e-8)  # Hillis 2007


def test_the_limits_of_the_mean_are_those_of_mrmcaov() -> None:
    """MRMCaov, jackknife: 0.897 (0.825 to 0.969) and 0.941 (0.894 to 0.988)."""
    made = area(
        rated(van_dyke()), entry(arms=("standard", "map"), methods=("dorfman_berbaum_metz",))
    )
    for arm, expected in (("standard", (0.825, 0.969)), ("map", (0.894, 0.988))):
        mean = row(table(made, f"areas_{arm}"), "Mean")["area"]
        assert (round(mean.low, 3), round(mean.high, 3)) == expected
    assert [test.code for test in made.tests] == ["main_standard", "main_map"]
    assert len(made.lead) == 2
    assert [figure.title for figure in made.figures] == ["Standard MRI", "Standard MRI and map"]


def test_the_threshold_of_youden_is_that_of_proc_and_said_to_be_optimistic() -> None:
    made = table(area(rated(van_dyke()), entry()), "youden")
    for reader, (_, sensitivity, specificity, accuracy, _) in PROC.items():
        cells = row(made, reader)
        assert cells["sensitivity"].value == pytest.approx(sensitivity, abs=1e-10)
        assert cells["specificity"].value == pytest.approx(specificity, abs=1e-10)
        assert cells["accuracy"].value == pytest.approx(accuracy, abs=1e-10)
        assert cells["j"].value == pytest.approx(sensitivity + specificity - 1, abs=1e-10)
    # R: binom.test(38, 45)$conf.int; rating 3.5 lies between "not" and "is" of the call
    first = row(made, "R1")["sensitivity"]
    assert (first.low, first.high) == pytest.approx((0.705448398902, 0.935090787992), abs=1e-9)
    assert row(made, "R1")["threshold"] == "every call of High"
    assert row(made, "R5")["threshold"] == "Low, Level 1, and every call of High"
    assert "optimistic" in made.notes[0]
    assert "same answers" in made.notes[0]


def test_patients_with_several_cases_are_as_in_obuchowski_1997() -> None:
    known = golden("clustered_auc")
    y, score, patient = (known["data"][name] for name in ("y", "score", "patient"))
    data = rated([("1", 1, n, truth, s) for n, (truth, s) in enumerate(zip(y, score, strict=True))])
    items = {
        code: replace(one, subject=f"S{patient[int(code[1:])]}") for code, one in data.items.items()
    }
    reads = [replace(one, subject=items[one.item].subject) for one in data.reads]
    made = area(replace(data, items=items, reads=reads), entry(arms=("standard",)))
    for name in ("R1", "Mean"):
        cells = row(table(made, "areas"), name)["area"]
        assert cells.value == pytest.approx(known["expected"]["auc"], abs=1e-10)
        assert [cells.low, cells.high] == pytest.approx(known["expected"]["ci_clustered"], abs=1e-8)
    assert "One reader only" in _words(made)


def test_missing_reads_go_to_the_u_statistic() -> None:
    rows = [one for one in van_dyke() if one[:3] != (1, 2, 7)]
    made = area(rated(rows), entry())
    assert "U-statistic" in made.tests[0].name


@pytest.mark.parametrize("line", [False, True])
def test_a_planted_area_is_recovered(line: bool) -> None:
    made = area(simulated(readers=5, cases=300, seed=6, line=line), entry())
    cells = row(table(made, "areas"), "Mean")["area"]
    assert cells.low < norm.cdf(1.7 / math.sqrt(2)) < cells.high
    assert made.tests[0].p < 0.001
    assert f"is **{cells.value:.3f}**" in made.lead[0]


def test_useless_answers_are_no_better_than_guessing() -> None:
    made = area(simulated(readers=5, cases=300, effects=(0.0, 0.0), seed=6), entry())
    assert made.tests[0].p > 0.01


def test_the_bootstrap_is_beside_delong_where_planned() -> None:
    made = table(area(rated(van_dyke()), entry(methods=("auc", "bootstrap_auc"))), "areas")
    for reader, (expected, *_) in PROC.items():
        cells = row(made, reader)
        assert cells["bootstrap"].value == pytest.approx(expected)
        assert cells["bootstrap"].low == pytest.approx(cells["area"].low, abs=0.04)


def test_without_arms_all_reads_are_one() -> None:
    data = rated([one for one in van_dyke() if one[1] == 1])
    alone = replace(
        data,
        reads=[replace(one, arm="main") for one in data.reads],
        protocol=replace(data.protocol, arms=()),
    )
    made = area(alone, entry(arms=()))
    assert row(table(made, "areas"), "Mean")["area"].value == pytest.approx(0.89703704, abs=1e-8)


def _broken() -> Dataset:
    rows = [(r, t, c, y, 3 if r == 2 else s) for r, t, c, y, s in van_dyke() if r != 3]
    data = rated(rows)
    return replace(data, readers=[*data.readers, replace(data.readers[0], code="R3")])


def test_constant_and_silent_readers_keep_rows_with_reasons() -> None:
    made = area(_broken(), entry())
    cells = row(table(made, "areas"), "R2")["area"]
    assert cells.value == 0.5
    assert cells.reason
    assert "no answer" in row(table(made, "areas"), "R3")["area"].reason
    undefined = [
        (one.code, name)
        for one in made.tables
        for line in one.rows
        for name, cell in line.cells.items()
        if isinstance(cell, Number) and not cell.defined and not cell.reason
    ]
    assert not undefined


def test_subgroups_and_strange_methods() -> None:
    data = rated(van_dyke())
    items = {
        code: replace(one, references={"site": "ab"[place % 2]})
        for place, (code, one) in enumerate(data.items.items())
    }
    plan = entry(subgroups=("reference:site",), methods=("auc", "icc"))
    made = area(replace(data, items=items), plan)
    assert [one.cells["part"] for one in table(made, "subgroup_reference_site").rows] == ["a", "b"]
    assert "icc" in _words(made)


def test_one_class_is_a_section_with_the_reason() -> None:
    data = rated([one for one in van_dyke() if one[3] == 0])
    section = carry_out(data, [Entry(entry())]).sections[0]
    assert "belong to one class" in section.lead[0]
