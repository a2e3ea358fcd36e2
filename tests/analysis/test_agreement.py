"""Agreement of readers: published examples, R's numbers, planted truth, and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

from readerstudy.analysis.carrying_out import Entry, carry_out
from readerstudy.analysis.document import Number, Table, from_dict
from readerstudy.analysis.endpoints.agreement import agreement
from readerstudy.analysis.endpoints.agreement_measures import MAKERS, measure
from readerstudy.analysis.endpoints.agreement_panel import panel_of
from readerstudy.analysis.endpoints.given import given
from readerstudy.analysis.facts import OptionFacts, QuestionFacts
from readerstudy.studies.analysis_plan import PlannedAnalysis
from tests.analysis.making import dataset, item, question, read

A = [0, 1, 2, 3, 3, 2, 1, 0, 1, 2, 2, 3, 0, 0, 1, 3, 2, 1, 2, 3, 3, 1, 0, 2]
B = [0, 1, 2, 3, 2, 2, 0, 0, 2, 2, 3, 3, 0, 1, 1, 3, 1, 1, 2, 3, 2, 1, 0, 3]
# Fleiss 1971 as on Wikipedia: 10 subjects, 14 raters, 5 levels; kappa 0.210.
FLEISS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
# Shrout & Fleiss 1979, table 2: six targets, four judges.
SHROUT = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
NAN = math.nan
# Krippendorff 2011, example C: 12 units, four observers, gaps.
KRIPPENDORFF = [
    [1, 1, NAN, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [NAN, 5, 5, 5], [NAN, NAN, 1, 1],
    [NAN, NAN, 3, NAN],
]  # fmt: skip


def study(matrix, asked, *, subjects=None, arm="main", **more):
    """A data set from a matrix of cases by readers; NaN is not read."""
    items = [
        item(f"C{n:04}", subject="" if subjects is None else f"S{subjects[n]}")
        for n in range(len(matrix))
    ]
    as_level = (lambda x: x) if asked.kind == "number" else (lambda x: str(int(x)))
    reads = [
        read(f"R{place + 1}", of, {asked.code: as_level(value)}, arm=arm)
        for of, row in zip(items, matrix, strict=True)
        for place, value in enumerate(row)
        if not math.isnan(value)
    ]
    return dataset(reads, items, questions=[asked], **more)


def plan(*methods, code="grade", **more):
    return PlannedAnalysis(
        "a", "Agreement", code, "agreement", methods=methods or ("cohen_kappa",), **more
    )


def grade(q=4, kind="ordinal", first=0):
    return question("grade", *(str(n) for n in range(first, first + q)), kind=kind)


def table(section, code) -> Table:
    return next(one for one in section.tables if one.code == code)


def value(section, label) -> Number:
    rows = table(section, "all_readers").rows
    return next(row.cells["value"] for row in rows if row.cells["measure"].startswith(label))


def test_two_readers_as_psych():
    # Without weights psych 2.2.9: cohen.kappa(cbind(a, b)). With linear weights psych takes another
    # variance; these limits are formula 13 of Fleiss, Cohen & Everitt 1969 written out in R.
    pairs = list(zip(A, B, strict=True))
    weighted = agreement(study(pairs, grade()), plan())
    plain = agreement(study(pairs, grade(kind="single")), plan())
    for section, expected in (
        (weighted, (0.722543352601, 0.552522042331, 0.892564662871)),
        (plain, (0.553488372093, 0.298196738819, 0.808780005367)),
    ):
        found = value(section, "Cohen’s kappa")
        cell = table(section, "kappa_main").rows[0].cells["R1"]
        assert (found.value, found.low, found.high) == pytest.approx(expected, abs=1e-9)
        assert (cell.value, cell.low, cell.high) == pytest.approx(expected, abs=1e-9)
    assert "linear weights" in table(weighted, "kappa_main").method
    assert "no weights" in table(plain, "kappa_main").method
    assert table(plain, "pairs_main").rows[0].cells["same"].value == 16 / 24
    assert "**0.55**" in plain.lead[0]


def test_many_readers_as_published():
    rows = [np.repeat(np.arange(5), counts) for counts in FLEISS]
    section = agreement(study(rows, grade(5, "single")), plan("fleiss_kappa"))
    found = value(section, "Fleiss’s kappa")
    assert found.value == pytest.approx(0.20993, abs=1e-5)
    assert found.low < found.value < found.high
    main = next(test for test in section.tests if test.code == "main")
    assert (main.symbol, round(main.statistic, 2)) == ("z", 11.51) or main.statistic > 5
    assert len(table(section, "kappa_main").rows) == 13


def test_correlations_as_published():
    asked = QuestionFacts("volume", "Volume", "number", unit="mL")
    for readers, expected in (("random", 0.2898), ("fixed", 0.7148)):
        section = agreement(study(SHROUT, asked), plan("icc", code="volume", readers=readers))
        assert value(section, "ICC").value == pytest.approx(expected, abs=1e-4)
    first = table(section, "pairs_main").rows[0].cells
    differences = np.array(SHROUT)[:, 0] - np.array(SHROUT)[:, 1]
    assert first["bias"].value == pytest.approx(differences.mean())
    spread = 1.959963985 * differences.std(ddof=1)
    assert first["upper"].value == pytest.approx(differences.mean() + spread)


def test_alpha_is_reported_where_reads_are_missing():
    section = agreement(study(KRIPPENDORFF, grade(5, "single", 1)), plan())
    assert value(section, "Krippendorff").value == pytest.approx(0.743, abs=5e-4)
    ordered = agreement(study(KRIPPENDORFF, grade(5, first=1)), plan())
    assert value(ordered, "Krippendorff’s alpha, ordinal").value == pytest.approx(0.815, abs=5e-4)
    assert any("lack an answer" in note for note in table(section, "all_readers").notes)
    assert "7 not read" in table(section, "all_readers").n


def test_within_group_agreement_case_by_case():
    # Two readers one level apart: variance 1/2 of 15/12, so 0.6; two levels: 2, so 0.
    rows = [[3, 3]] * 7 + [[3, 2]] * 2 + [[3, 1]]
    section = agreement(study(rows, grade()), plan("rwg"))
    assert value(section, "Within-group").value == pytest.approx((7 + 2 * 0.6 + 0) / 10)
    bands = [row.cells["cases"].value for row in table(section, "rwg_main_bands").rows]
    assert bands == [7, 0, 2, 1]
    least = table(section, "rwg_main_least").rows[0].cells
    assert (least["case"], least["given"], least["rwg"].value) == ("C0009", "R1 3, R2 1", 0)
    assert (
        sum(row["cases"] for row in next(iter(section.figures[0].spec["datasets"].values()))) == 10
    )


@pytest.mark.parametrize("q", [2, 4])
def test_planted_agreement_is_recovered(q):
    # Each reader gives the truth with probability a, else any level: kappa of two is a².
    rng, a, n = np.random.default_rng(5), 0.8, 400
    truth = rng.integers(q, size=(n, 1))
    rows = np.where(rng.random((n, 4)) < a, truth, rng.integers(q, size=(n, 4)))
    section = agreement(study(rows, grade(q, "single")), plan("fleiss_kappa", "conger_kappa"))
    for label in ("Fleiss", "Conger", "Light", "Gwet"):
        found = value(section, label)
        assert found.low < a * a < found.high
    pairs = table(section, "pairs_main").rows
    covered = sum(r.cells["kappa"].low < a * a < r.cells["kappa"].high for r in pairs)
    assert len(pairs) == 6
    assert covered >= 5


def test_draws_recompute_the_very_measure():
    rng = np.random.default_rng(8)
    rows = rng.integers(4, size=(40, 3)).astype(float)
    rows[:5, 2] = NAN
    data, entry = study(rows, grade()), plan()
    panel = panel_of(given(data, entry, "main"), data.protocol.questions[0], data.protocol, entry)
    compared = 0
    for name in MAKERS:
        found = measure(name, panel)
        if found.sums is not None:
            (again,) = found.sums.statistic(found.sums.features.sum(axis=0)[None])
            assert again == pytest.approx(found.number.value, abs=1e-12)
            compared += 1
    assert compared == 9


def test_patients_with_several_cases_are_drawn_whole():
    rng = np.random.default_rng(11)
    truth = rng.integers(2, size=40)
    patient = np.repeat(np.arange(40), 5)  # five equal cases of each patient
    one = np.where(rng.random((40, 2)) < 0.7, truth[:, None], 1 - truth[:, None])
    rows = one[patient]
    asked = grade(2, "single")
    once = agreement(study(one, asked), plan())
    wrong = agreement(study(rows, asked, subjects=patient), plan(unit="case"))
    right = agreement(study(rows, asked, subjects=patient), plan(unit="subject"))
    widths = [
        (found := value(section, "Cohen")).high - found.low for section in (once, wrong, right)
    ]
    assert widths[2] == pytest.approx(widths[0], rel=0.05)  # copies add nothing
    assert widths[1] < widths[0] / 2
    assert right.tests[0].unit == "patient"
    assert "patients as clusters" in table(right, "kappa_main").method


def test_planned_threshold_is_a_statement_of_its_own():
    pairs = list(zip(A, B, strict=True))
    section = agreement(study(pairs, grade(kind="single")), plan(threshold=0.5))
    assert "**reached**, but the interval goes below it" in section.lead[1]
    missed = agreement(study(pairs, grade(kind="single")), plan(threshold=0.6))
    assert "**not reached**" in missed.lead[1]
    found = next(test for test in missed.tests if test.code == "threshold")
    assert found.p > 0.5  # the estimate lies below it


def test_arms_are_kept_apart_and_their_difference_is_paired():
    rng = np.random.default_rng(2)
    truth = rng.integers(2, size=(80, 1))
    better = np.where(rng.random((80, 3)) < 0.95, truth, 1 - truth)
    worse = np.where(rng.random((80, 3)) < 0.7, truth, 1 - truth)
    asked, entry = grade(2, "single"), plan("fleiss_kappa", arms=("std", "cbv"))
    first, second = study(worse, asked, arm="std"), study(better, asked, arm="cbv")
    data = dataset(
        [*first.reads, *second.reads],
        first.items.values(),
        questions=[asked],
        arms=(("std", "Standard"), ("cbv", "With CBV")),
    )
    section = agreement(data, entry)
    rows = table(section, "all_readers").rows
    fleiss = {
        r.cells["arm"]: r.cells["value"] for r in rows if r.cells["measure"] == "Fleiss’s kappa"
    }
    difference = fleiss["With CBV less Standard"]
    assert difference.value == pytest.approx(fleiss["With CBV"].value - fleiss["Standard"].value)
    assert difference.low > 0
    assert {one.code for one in section.tables} >= {"kappa_std", "kappa_cbv"}


def test_prevalence_is_named_where_it_lowers_kappa():
    # Feinstein & Cicchetti's paradox: 118, 5, 2, 0; both mostly say yes.
    cells = [([1, 1], 118), ([1, 0], 5), ([0, 1], 2)]
    rows = [pair for pair, times in cells for _ in range(times)]
    found = table(agreement(study(rows, grade(2, "single")), plan()), "pairs_main")
    kappa = found.rows[0].cells["kappa"].value
    observed, expected = 118 / 125, (123 * 120 + 2 * 5) / 125**2
    assert kappa == pytest.approx((observed - expected) / (1 - expected))
    assert kappa < 0
    assert "lowered by that prevalence" in found.notes[0]


def test_not_evaluable_is_left_out_or_a_level_of_its_own():
    asked = grade(2, "single")
    data = study([[0, 0], [1, 1], [1, 0], [0, 1]] * 5, asked)
    extra = [item("X1"), item("X2")]
    blank = [read(code, of, not_evaluable=["grade"]) for of in extra for code in ("R1", "R2")]
    data = dataset([*data.reads, *blank], [*data.items.values(), *extra], questions=[asked])
    left_out = agreement(data, plan())
    assert value(left_out, "Cohen").value == pytest.approx(0.0)
    assert "4 not evaluable" in table(left_out, "all_readers").n
    counted = agreement(data, plan(not_evaluable="wrong"))
    expected = (10 / 22) ** 2 * 2 + (2 / 22) ** 2
    assert value(counted, "Cohen").value == pytest.approx((12 / 22 - expected) / (1 - expected))


def test_options_of_a_question_with_several_answers():
    options = (OptionFacts("motion", "Motion"), OptionFacts("noise", "Noise"))
    asked = QuestionFacts("artefacts", "Artefacts", "multi", options)
    items = [item(f"C{n}") for n in range(20)]
    reads = []
    for n, of in enumerate(items):
        reads.append(read("R1", of, {"artefacts": ["motion"] if n < 10 else []}))
        reads.append(read("R2", of, {"artefacts": ["motion", "noise"] if n < 10 else ["noise"]}))
    section = agreement(dataset(reads, items, questions=[asked]), plan(code="artefacts"))
    rows = table(section, "options_main").rows
    motion, noise = (row.cells for row in rows)
    assert (motion["option"], motion["kappa"].value, motion["named"].value) == ("Motion", 1.0, 20)
    assert (noise["kappa"].value, noise["same"].value) == (0.0, 0.0)
    assert noise["kappa"].reason == "no interval: a reader gave one level only"


def test_hidden_repeats_show_each_reader_with_themselves():
    asked = grade(2, "single")
    data = study([[0, 0], [1, 1], [1, 0], [0, 1]] * 5, asked)
    items = list(data.items.values())
    again = [
        read("R1", of, {"grade": one}, repeat=1)
        for of, one in zip(items[:4], ("0", "1", "0", "0"), strict=True)
    ]
    data = dataset([*data.reads, *again], items, questions=[asked])
    rows = table(agreement(data, plan()), "repeats_main").rows
    assert [row.cells["n"].value for row in rows] == [4, 0, 4]
    assert (rows[0].cells["same"].value, rows[0].cells["share"].value) == (3, 0.75)
    assert rows[1].cells["share"].reason == "no repeat was read"


def test_subgroups_are_estimated_once_more():
    data = study([[0, 0], [1, 1], [1, 0], [0, 1]] * 10, grade(2, "single"))
    for n, code in enumerate(data.items):
        object.__setattr__(data.items[code], "stratum", "easy" if n % 4 < 2 else "hard")
    section = agreement(data, plan(subgroups=("stratum",)))
    rows = table(section, "subgroup_stratum").rows
    assert [(r.cells["part"], r.cells["value"].value) for r in rows] == [
        ("easy", 1.0),
        ("hard", -1.0),
    ]


def test_constant_ratings_have_a_reason_in_their_place():
    section = agreement(study([[1, 1, 1]] * 12, grade()), plan("fleiss_kappa", "icc", "rwg"))
    for label in ("Fleiss", "Light", "ICC"):
        found = value(section, label)
        assert math.isnan(found.value)
        assert found.reason
    assert value(section, "Agreeing pairs").value == 1.0
    assert value(section, "Within-group").value == 1.0
    one_constant = agreement(study([[1, 0], [1, 1]] * 6, grade(2, "single")), plan())
    assert value(one_constant, "Cohen").value == 0.0
    assert math.isnan(value(one_constant, "Cohen").low)


def test_methods_that_do_not_fit_say_so_in_their_row():
    section = agreement(
        study([[0, 1], [1, 1], [2, 0]] * 4, grade(3, "single")), plan("icc", "chi_square")
    )
    assert value(section, "Intraclass").reason == "needs numbers or ordered levels"
    assert value(section, "chi_square").reason == "not a measure of agreement"


def test_missing_reads_as_the_plan_says_and_readers_who_never_answered():
    asked = grade(2, "single")
    data = study([[0, 0], [1, 1], [1, NAN], [NAN, 0]] * 5, asked, readers=["R1", "R2", "R3"])
    available = agreement(data, plan())
    assert "R3 has no answer to this question." in table(available, "all_readers").notes
    complete = agreement(data, plan(missing="complete"))
    assert table(complete, "all_readers").n.startswith("10 cases, 2 readers")
    disjoint = agreement(study([[0, NAN], [NAN, 1]] * 5, asked), plan("fleiss_kappa"))
    assert math.isnan(value(disjoint, "Fleiss").value)
    assert value(disjoint, "Fleiss").reason
    pair = table(disjoint, "pairs_main").rows[0].cells
    assert pair["kappa"].reason == "no case was rated by both"


@pytest.mark.parametrize("kind", ["text", "region"])
def test_answers_without_a_coefficient_are_said_not_to_have_one(kind):
    asked = QuestionFacts("free", "Free", kind)
    items = [item("C1")]
    reads = [read(code, items[0], {"free": "x"}) for code in ("R1", "R2")]
    with pytest.raises(ValueError, match="has no coefficient of agreement"):
        agreement(dataset(reads, items, questions=[asked]), plan(code="free"))


def test_empty_and_single_reader_become_a_section_with_the_reason():
    for rows in ([], [[1]] * 5):
        data = study(rows, grade())
        document = carry_out(data, [Entry(plan())])
        assert "not computed, because agreement needs two readers" in document.sections[0].lead[0]


def test_a_document_of_agreement_can_be_stored():
    rng = np.random.default_rng(1)
    document = carry_out(study(rng.integers(4, size=(20, 3)), grade()), [Entry(plan("rwg"))])
    assert from_dict(document.to_dict()).to_dict() == document.to_dict()
