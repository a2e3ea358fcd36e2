"""The difference of areas between arms: Van Dyke against R, planted differences, bad input."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from readerstudy.analysis.carrying_out import Entry, carry_out
from readerstudy.analysis.document import Number, Passage, Section
from readerstudy.analysis.endpoints.mrmc import mrmc_difference
from readerstudy.analysis.facts import Dataset
from readerstudy.studies.reading_design import ReadingDesign
from tests.analysis.graded_reads import ARMS, entry, rated, row, simulated, table
from tests.stats.golden import reference
from tests.stats.golden_mrmc import designs, van_dyke

# R 4.2.2, pROC: roc(direction = "<"), ci.auc, roc.test(cine, spin echo, "delong", paired = TRUE)
PROC = {
    "R1": (0.919645732689, 0.947826086957, 0.860973660167, 0.978317805211, 1.11108132, 0.266533347),
    "R2": (0.858776167472, 0.905314009662, 0.787940060617, 0.929612274327, 1.78008904, 0.07506139),
    "R3": (0.9038647343, 0.921739130435, 0.84880257782, 0.958926890779, 0.576100982, 0.56454692796),
    "R4": (0.973107890499, 0.999355877617, 0.939354407624, 1.0, 1.528342828, 0.126427441654),
    "R5": (0.829790660225, 0.929951690821, 0.748534573156, 0.911046747295, 2.28771592, 0.02215407),
}  # fmt: skip
# R 4.2.2, Hmisc::improveProb(old, new, y): nri, z.nri, idi, z.idi, of shares (score - 1) / 5
IMPROVE = {
    "R1": (-0.242512077295, -2.10677156659, -0.0258937198068, -0.54400486827),
    "R2": (0.189371980676, 1.91505529762, 0.0732367149758, 1.86521671143),
    "R3": (0.0869565217391, 0.695637252339, 0.0171980676329, 0.374739360101),
    "R4": (-0.238647342995, -2.45159355667, -0.0166183574879, -0.374914562019),
    "R5": (0.0048309178744, 0.035485321399, 0.0674396135266, 1.12522133299),
}
# R: findInterval(share, c(.3, .7)): events up, down; non-events down, up; NRI
CUT = {
    "R1": (10, 2, 5, 14, 0.0473429951691),
    "R2": (7, 4, 7, 5, 0.095652173913),
    "R3": (7, 6, 10, 10, 0.0222222222222),
    "R4": (6, 5, 2, 2, 0.0222222222222),
    "R5": (14, 5, 9, 7, 0.228985507246),
}
RECLASSIFIED = ("obuchowski_rockette", "nri_continuous", "nri_categorical", "idi")


def _van_dyke(**more: Any) -> Section:
    return mrmc_difference(rated(van_dyke()), entry(**more))


def _words(section: Section) -> str:
    return " ".join(one.text for one in section.blocks if isinstance(one, Passage))


def _main(section: Section) -> Any:
    return next(test for test in section.tests if test.code == "main")


def test_each_reader_is_as_in_proc() -> None:
    made = table(_van_dyke(), "areas")
    for reader, (first, second, low, high, _, p) in PROC.items():
        cells = row(made, reader)
        assert cells["reference"].value == pytest.approx(first, abs=1e-10)
        assert cells["reference"].low == pytest.approx(low, abs=1e-10)
        assert cells["reference"].high == pytest.approx(high, abs=1e-10)
        assert cells["arm"].value == pytest.approx(second, abs=1e-10)
        assert cells["difference"].value == pytest.approx(second - first, abs=1e-10)
        assert cells["p"].value == pytest.approx(p, abs=1e-8)


def test_the_tests_of_readers_say_their_z() -> None:
    tests = {test.code: test for test in _van_dyke().tests}
    for reader, expected in PROC.items():
        assert tests[f"reader:{reader}"].statistic == pytest.approx(expected[4], abs=1e-8)
        assert tests[f"reader:{reader}"].null


def test_the_mean_is_that_of_hillis_2007_with_the_sign_of_the_second_arm() -> None:
    """MRMCaov and Hillis 2007: means 0.897 and 0.941, t(15.26) = 2.11, p = 0.0517."""
    made = _van_dyke(methods=("dorfman_berbaum_metz",))
    cells = row(table(made, "areas"), "Mean")
    assert cells["reference"].value == pytest.approx(0.89703704, abs=1e-8)
    assert cells["arm"].value == pytest.approx(0.94083736, abs=1e-8)
    assert cells["difference"].value == pytest.approx(0.94083736 - 0.89703704, abs=1e-7)
    assert cells["p"].value == pytest.approx(0.0516657, abs=1e-7)
    main = _main(made)
    assert main.statistic == pytest.approx(2.110999, abs=1e-6)
    assert main.df == "15.3"
    assert "readers and cases" in main.name


def test_fixed_readers_are_those_of_hillis() -> None:
    made = _van_dyke(readers="fixed")
    assert round(_main(made).p, 3) == 0.019
    assert _main(made).symbol == "z"
    assert "exactly these readers" in table(made, "areas").method


def test_the_lead_says_it_in_words() -> None:
    made = _van_dyke()
    lead = made.lead[0]
    assert "rose from **0.897** to **0.941**: a difference of **0.044**" in lead
    assert "the mean AUC for grade of the glioma" in lead
    assert "All five readers gained." in lead
    assert "**not shown**" in lead  # p = 0.051
    swapped = _van_dyke(arms=("map", "standard")).lead[0]
    assert "fell from **0.941** to **0.897**: a difference of **−0.044**" in swapped
    assert "No reader gained." in swapped


def test_reclassification_is_as_in_r() -> None:
    made = _van_dyke(methods=RECLASSIFIED, cutoffs=(0.3, 0.7), draws=200)
    tests = {test.code: test for test in made.tests}
    free, cut, idi = (table(made, code) for code in ("nri_continuous", "nri_categorical", "idi"))
    for reader, (nri, z_nri, improvement, z_idi) in IMPROVE.items():
        assert row(free, reader)["nri"].value == pytest.approx(nri, abs=1e-10)
        assert tests[f"nri_continuous:{reader}"].statistic == pytest.approx(z_nri, rel=1e-9)
        assert row(idi, reader)["idi"].value == pytest.approx(improvement, abs=1e-10)
        assert tests[f"idi:{reader}"].statistic == pytest.approx(z_idi, rel=1e-9)
    names = ("up_events", "down_events", "down_nonevents", "up_nonevents", "nri")
    for reader, expected in CUT.items():
        found = [row(cut, reader)[name].value for name in names]
        assert found == pytest.approx(list(expected), abs=1e-10)
    everyone = row(cut, "All")
    sums = np.sum([counts[:4] for counts in CUT.values()], axis=0).tolist()
    assert [everyone[name].value for name in names[:4]] == sums
    assert everyone["nri"].value == pytest.approx(np.mean([c[4] for c in CUT.values()]))
    assert everyone["nri"].low < everyone["nri"].value < everyone["nri"].high
    assert everyone["p"] == "not planned"


def test_calls_have_the_counts_of_r() -> None:
    """R: sum(score[truth == 1] > 3) and sum(score[truth == 0] <= 3) of reader 5."""
    calls = table(_van_dyke(), "calls")
    cells = row(calls, "R5")
    assert cells["sensitivity_reference"].value == pytest.approx(28 / 45)
    assert cells["sensitivity_arm"].value == pytest.approx(30 / 45)
    assert cells["specificity_reference"].value == pytest.approx(67 / 69)
    assert cells["specificity_difference"].value == pytest.approx(2 / 69)
    mean = row(calls, "Mean")
    assert mean["sensitivity_reference"].value == pytest.approx((38 + 31 + 36 + 41 + 28) / 225)
    assert mean["sensitivity_arm"].value == pytest.approx((38 + 33 + 36 + 44 + 30) / 225)


def test_missing_reads_go_to_the_u_statistic_as_in_imrmc() -> None:
    data = rated(designs()["split_plot"])
    plan = ReadingDesign(plan="split_plot")
    data = replace(data, protocol=replace(data.protocol, design=plan))
    made = mrmc_difference(data, entry())
    pair = reference("mrmc")["split_plot"][2]
    main = _main(made)
    assert row(table(made, "areas"), "Mean")["difference"].value == pytest.approx(
        -pair["AUC1minusAUC2"], abs=1e-10
    )
    assert main.p == pytest.approx(pair["pValueBDG"], abs=1e-8)
    assert "The design gives readers different cases" in _words(made)
    assert "as allocated" in main.n
    planned = row(table(made, "analyses"), "Obuchowski–Rockette", "name")
    assert planned["reads"].value < 1140 or planned["difference"].reason


def test_missing_reads_can_be_planned_to_be_left_out() -> None:
    rows = [one for one in van_dyke() if one[:3] != (1, 1, 7)]
    available = mrmc_difference(rated(rows), entry())
    assert "Reads are missing" in _words(available)
    assert "1 missing" in _main(available).n
    complete = mrmc_difference(rated(rows), entry(missing="complete"))
    assert "9 reads of 1 case left out" in _words(complete)
    without = mrmc_difference(rated([one for one in van_dyke() if one[2] != 7]), entry())
    assert _main(complete).p == pytest.approx(_main(without).p)


@pytest.mark.parametrize("line", [False, True])
def test_a_planted_difference_is_recovered(line: bool) -> None:
    data = simulated(readers=6, cases=400, seed=4, line=line)
    made = mrmc_difference(data, entry())
    cells = row(table(made, "areas"), "Mean")
    planted = [float(norm.cdf(effect / math.sqrt(2))) for effect in (1.0, 1.7)]
    assert cells["reference"].low < planted[0] < cells["reference"].high
    assert cells["arm"].low < planted[1] < cells["arm"].high
    assert cells["difference"].low < planted[1] - planted[0] < cells["difference"].high
    assert _main(made).p < 0.05


def test_patients_with_several_cases_are_the_unit_where_planned() -> None:
    data = simulated(readers=4, cases=160, per_subject=4, shared=0.4, seed=2)
    clustered = mrmc_difference(
        data, entry(methods=(*RECLASSIFIED, "delong_test", "u_statistic"), draws=200)
    )
    assert "160 cases of 40 patients" in _words(clustered)
    assert _main(clustered).unit == "reader and patient"
    assert "clustered by patient" in _main(clustered).name
    refused = row(table(clustered, "analyses"), "U-statistic", "name")
    assert "takes cases as independent" in refused["difference"].reason
    plain = mrmc_difference(data, entry(unit="case"))
    assert "takes as independent" in _words(plain)
    of = [row(table(one, "areas"), "R1")["reference"] for one in (clustered, plain)]
    assert of[0].value == pytest.approx(of[1].value)
    assert of[0].high - of[0].low != pytest.approx(of[1].high - of[1].low)


def test_a_margin_gives_both_one_sided_claims() -> None:
    made = _van_dyke(margin=0.05)
    claims = table(made, "margin")
    tests = {test.code: test for test in made.tests}
    cells = row(table(made, "areas"), "Mean")
    se = (cells["difference"].value) / _main(made).statistic
    from scipy.stats import t

    df = float(_main(made).df)
    expected = t.sf((cells["difference"].value + 0.05) / se, df)
    assert tests["non-inferiority"].p == pytest.approx(expected, rel=0.02)
    assert row(claims, "Not inferior", "claim")["verdict"] == "shown"
    assert row(claims, "Equivalent", "claim")["verdict"] == "not shown"
    assert "margin of 0.05" in made.lead[1]
    assert table(made, "areas").axis.band == (-0.05, 0.05)
    assert not [test for test in _van_dyke().tests if test.code == "equivalence"]


def test_figures_tell_threshold_sensitivity_and_specificity() -> None:
    figures = _van_dyke().figures
    assert [figure.title for figure in figures] == [name for _, name in ARMS]
    points = [
        one for rows in figures[0].spec["datasets"].values() for one in rows if "threshold" in one
    ]
    called = [one for one in points if one["threshold"] == "every call of High"]
    assert {one["reader"] for one in called} == {f"R{n}" for n in range(1, 6)}
    fifth = next(one for one in called if one["reader"] == "R5")
    assert fifth["sensitivity"] == pytest.approx(28 / 45)
    assert fifth["specificity"] == pytest.approx(67 / 69)
    assert {one["threshold"] for one in points} == {
        "High, Level 3",
        "every call of High",
        "Low, Level 1, and every call of High",
        "Low, Level 2 or less sure, and every call of High",
    }
    assert "mean AUC 0.897" in figures[0].alt


def test_three_arms_have_a_global_test_and_one_comparison_each() -> None:
    arms = (*ARMS, ("third", "Third"))
    rows = [*van_dyke(), *((r, 3, c, y, s) for r, t, c, y, s in van_dyke() if t == 1)]
    made = mrmc_difference(rated(rows, arms=arms), entry(arms=("standard", "map", "third")))
    assert [test.code for test in made.tests if test.code.startswith("main")] == [
        "main",
        "main_map",
        "main_third",
    ]
    assert made.tests[0].symbol == "F"
    same = row(table(made, "areas_third"), "Mean")["difference"]
    assert same.value == 0.0
    assert made.lead[0].startswith("Over the three arms")


def test_subgroups_are_estimated_without_a_test() -> None:
    data = simulated(cases=120, seed=3)
    items = {
        code: replace(item, references={"site": "a" if place % 3 else "b"})
        for place, (code, item) in enumerate(data.items.items())
    }
    made = mrmc_difference(replace(data, items=items), entry(subgroups=("reference:site",)))
    parts = table(made, "subgroups")
    assert [one.cells["level"] for one in parts.rows] == ["a", "b"]
    assert sum(one.cells["n"].value for one in parts.rows) == 120
    assert len(made.tests) == len(mrmc_difference(data, entry()).tests)


def test_not_evaluable_is_left_out_or_wrong_as_planned() -> None:
    data = simulated(cases=60, readers=3, seed=5)
    reads = [
        replace(one, answers={}, not_evaluable=frozenset({"grade"})) if one.item == "c1" else one
        for one in data.reads
    ]
    data = replace(data, reads=reads)
    left = mrmc_difference(data, entry())
    assert "6 reads “not evaluable” and left out" in _words(left)
    assert "59 cases" in _main(left).n
    wrong = mrmc_difference(data, entry(not_evaluable="wrong"))
    assert "6 reads “not evaluable” and counted as wrong" in _words(wrong)
    assert "60 cases" in _main(wrong).n
    cells = [row(table(one, "areas"), "Mean")["arm"].value for one in (left, wrong)]
    assert cells[1] < cells[0]


def _without_reader(data: Dataset, reader: str) -> Dataset:
    return replace(data, reads=[one for one in data.reads if one.reader != reader])


def test_a_reader_who_never_answered_keeps_a_row_with_the_reason() -> None:
    data = _without_reader(simulated(readers=4, cases=60), "R2")
    made = mrmc_difference(data, entry())
    cells = row(table(made, "areas"), "R2")
    assert math.isnan(cells["difference"].value)
    assert "no answer" in cells["difference"].reason
    assert "R2" in _words(made)
    assert "3 readers" in _main(made).n


def test_one_reader_speaks_of_one_reader() -> None:
    data = rated([one for one in van_dyke() if one[0] == 5])
    made = mrmc_difference(data, entry())
    assert _main(made).p == pytest.approx(PROC["R5"][5], abs=1e-8)
    assert "One reader only" in _words(made)


def test_constant_ratings_are_kept_with_a_reason() -> None:
    rows = [(r, t, c, y, 3 if r == 2 else s) for r, t, c, y, s in van_dyke()]
    made = mrmc_difference(rated(rows), entry(methods=RECLASSIFIED, draws=100))
    cells = row(table(made, "areas"), "R2")
    assert cells["arm"].value == 0.5
    assert math.isnan(cells["arm"].low)
    assert cells["arm"].reason
    assert row(table(made, "nri_continuous"), "R2")["nri"].value == 0.0


def test_equal_arms_have_no_statistic_but_a_reason() -> None:
    rows = [one for one in van_dyke() if one[1] == 1]
    twice = [(r, t, c, y, s) for t in (1, 2) for r, _, c, y, s in rows]
    made = mrmc_difference(rated(twice), entry(margin=0.1))
    main = _main(made)
    assert math.isnan(main.p)
    assert main.reason
    assert "stayed" in made.lead[0]
    assert row(table(made, "margin"), "Equivalent", "claim")["verdict"] == "not computed"


def test_unknown_reference_standard_is_counted() -> None:
    data = simulated(cases=50, readers=2)
    items = {**data.items, "c0": replace(data.items["c0"], right={})}
    made = mrmc_difference(replace(data, items=items), entry())
    assert "4 reads left out, as the reference standard" in _words(made)


def test_planned_cutoffs_that_are_missing_are_named() -> None:
    made = _van_dyke(methods=("obuchowski_rockette", "nri_categorical", "hanley_mcneil_se"))
    assert "without cut-offs" in _words(made)
    assert "hanley_mcneil_se" in _words(made)


def test_without_confidence_the_area_is_the_mean_of_both_rates() -> None:
    made = _van_dyke(confidence="")
    cells = row(table(made, "areas"), "R5")
    assert cells["reference"].value == pytest.approx((28 / 45 + 67 / 69) / 2)
    assert "the call itself is the score" in _words(made)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arms": ("standard",)}, "needs two arms"),
        ({"consensus": True}, "answers after consensus"),
        ({"question": "sure", "confidence": ""}, "a score needs two"),
        ({"positive": "medium"}, "no level"),
        ({"arms": ("standard", "elsewhere")}, "no read with an answer"),
    ],
)
def test_what_cannot_be_computed_says_why(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _van_dyke(**change)


def test_one_class_and_no_reads_are_sections_with_the_reason() -> None:
    one_class = rated([one for one in van_dyke() if one[3] == 1])
    nothing = replace(rated(van_dyke()), reads=[])
    for data, words in ((one_class, "belong to one class"), (nothing, "no read has an answer")):
        section = carry_out(data, [Entry(entry())]).sections[0]
        assert words in section.lead[0]


def test_every_undefined_number_has_a_reason() -> None:
    rows = [(r, t, c, y, 3 if r < 3 else s) for r, t, c, y, s in van_dyke() if c % 9 == 0]
    made = mrmc_difference(
        rated(rows), entry(methods=(*RECLASSIFIED, "dorfman_berbaum_metz"), draws=100, margin=0.1)
    )
    numbers = [
        (one.code, column, cell)
        for one in made.tables
        for line in one.rows
        for column, cell in line.cells.items()
        if isinstance(cell, Number)
    ]
    assert numbers
    assert not [where for where in numbers if not where[2].defined and not where[2].reason]


def test_a_family_of_scenarios_is_adjusted_test_by_test() -> None:
    data = rated(van_dyke())
    plans = [
        entry(code=f"d{n}", family="scenarios", adjustment="bonferroni", primary=True)
        for n in range(3)
    ]
    document = carry_out(data, [Entry(one) for one in plans])
    main = document.sections[0].tests[0]
    assert main.adjusted_p == pytest.approx(min(1.0, 3 * main.p))
    reader = next(t for t in document.sections[1].tests if t.code == "reader:R5")
    assert reader.adjusted_p == pytest.approx(3 * reader.p)
