"""Right answers against the reference: Calabrese's counts, R, planted shares, bad input."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from readerstudy.adjudication.settling import AGREED
from readerstudy.analysis.carrying_out import Entry, carry_out
from readerstudy.analysis.document import Number, Passage, Section
from readerstudy.analysis.endpoints.reference import reference
from readerstudy.analysis.facts import Dataset, Settled
from readerstudy.stats import non_inferiority
from readerstudy.stats.published.calabrese2021 import column
from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.reading_design import ReadingDesign
from tests.analysis import making
from tests.analysis.graded_reads import row, table

GRADE = making.question("grade", "lower", "high")
ONE_VERSION = ReadingDesign(plan="one_version")


def entry(**more: Any) -> PlannedAnalysis:
    usual: dict[str, Any] = {
        "code": "accuracy",
        "title": "Tumour grade: real against simulated",
        "question": "grade",
        "endpoint": "reference",
        "unit": "subject",
        "methods": ("confusion", "clustered_proportion", "two_proportions", "non_inferiority"),
        "margin": 0.1,
        "draws": 200,
    }
    return PlannedAnalysis(**(usual | more))


def calabrese() -> Dataset:
    """320 reads with the counts of Table 2, tumour grade: 150, 20, 10, 140."""
    tp, fp, fn, tn = 150, 20, 10, 140
    wrong = {"high": iter([True] * fn + [False] * tp), "lower": iter([True] * fp + [False] * tn)}
    items, reads = [], []
    for place in range(80):
        right = "high" if place < 40 else "lower"
        pair = [
            making.item(f"{kind[0]}{place}", kind, subject=f"S{place}", right={"grade": right})
            for kind in ("real", "synthetic")
        ]
        items += pair
        for reader in range(4):
            missed = next(wrong[right])
            other = {"high": "lower", "lower": "high"}[right]
            shown = pair[(place + reader) % 2]
            reads.append(
                making.read(f"R{reader + 1}", shown, {"grade": other if missed else right})
            )
    return making.dataset(reads, items, questions=(GRADE, making.ORIGIN), design=ONE_VERSION)


def simulated(
    *, patients: int = 300, shares: tuple[float, float] = (0.9, 0.8), both: bool = False
) -> Dataset:
    """Five readers; the patient shifts the log odds of all of them."""
    rng = np.random.default_rng(8)
    odds = [math.log(p / (1 - p)) for p in shares]
    items, reads = [], []
    for place in range(patients):
        right = "high" if place % 2 else "lower"
        pair = [
            making.item(f"{kind[0]}{place}", kind, subject=f"S{place}", right={"grade": right})
            for kind in ("real", "synthetic")
        ]
        items += pair
        shift = rng.normal() * 0.5
        for reader in range(5):
            for version in (0, 1) if both else (int(rng.integers(2)),):
                is_right = rng.random() < 1 / (1 + math.exp(-odds[version] - shift))
                other = {"high": "lower", "lower": "high"}[right]
                answers = {"grade": right if is_right else other}
                reads.append(making.read(f"R{reader + 1}", pair[version], answers))
    design = ReadingDesign() if both else ONE_VERSION
    return making.dataset(reads, items, questions=(GRADE, making.ORIGIN), design=design)


def _words(section: Section) -> str:
    return " ".join(one.text for one in section.blocks if isinstance(one, Passage))


def _test(section: Section, code: str = "main") -> Any:
    return next(test for test in section.tests if test.code == code)


def test_table_2_of_calabrese_follows_from_its_counts() -> None:
    made = table(reference(calabrese(), entry()), "metrics")
    found = {one.cells["metric"]: one.cells["all"].value for one in made.rows}
    assert column("tumour grade").tables == ((150, 20, 10, 140),)
    assert found["Accuracy"] == pytest.approx(290 / 320)  # printed 90.6 %
    assert found["Precision"] == pytest.approx(150 / 170)  # 88.2 %
    assert found["Recall (sensitivity)"] == pytest.approx(150 / 160)  # 93.8 %
    assert found["F1"] == pytest.approx(0.909090909090909)  # .90
    assert found["MCC"] == pytest.approx(0.814091578410694)  # .81
    assert found["κ against the reference"] == pytest.approx(0.8125)  # psych::cohen.kappa
    counts = table(reference(calabrese(), entry()), "confusion")
    cells = [one.cells[f"given_{n}"].value for one in counts.rows for n in (0, 1)]
    assert sum(cells) == 320


@pytest.mark.parametrize(
    ("counts", "printed"),
    [
        ((150, 20, 10, 140), {"Accuracy": 90.6, "Precision": 88.2, "Recall (sensitivity)": 93.8}),
        ((194, 14, 39, 73), {"Accuracy": 83.4, "Precision": 93.3, "Recall (sensitivity)": 83.3}),
        ((84, 55, 76, 105), {"Accuracy": 59.1, "Precision": 60.4, "Recall (sensitivity)": 52.5}),
    ],
)
def test_every_column_of_table_2_has_its_printed_shares(
    counts: tuple[int, ...], printed: dict[str, float]
) -> None:
    cells = (("high", "high"), ("lower", "high"), ("high", "lower"), ("lower", "lower"))
    rows = [cell for cell, count in zip(cells, counts, strict=True) for _ in range(count)]
    items = [making.item(f"c{n}", right={"grade": right}) for n, (right, _) in enumerate(rows)]
    reads = [
        making.read(f"R{n % 4 + 1}", one, {"grade": given})
        for n, (one, (_, given)) in enumerate(zip(items, rows, strict=True))
    ]
    data = making.dataset(reads, items, questions=(GRADE,))
    made = table(reference(data, entry(margin=None, methods=("confusion",))), "metrics")
    for measure, share in printed.items():
        found = row(made, measure, "metric")["all"].value
        assert 100 * found == pytest.approx(share, abs=0.0501)


def test_reads_of_both_versions_are_pooled_as_published_only_in_the_last_row() -> None:
    """R: prop.test(c(136, 145), c(160, 160), correct = FALSE): z 1.538, p 0.12407."""
    rows: list[tuple[str, bool]] = []
    for kind, right in (("real", 136), ("synthetic", 145)):
        rows += [(kind, n < right) for n in range(160)]
    items, reads = [], []
    for place, (kind, is_right) in enumerate(rows):
        one = making.item(f"c{place}", kind, subject=f"S{place}", right={"grade": "high"})
        items.append(one)
        reads.append(
            making.read(f"R{place % 4 + 1}", one, {"grade": "high" if is_right else "lower"})
        )
    data = making.dataset(reads, items, questions=(GRADE, making.ORIGIN), design=ONE_VERSION)
    made = reference(data, entry())
    last = table(made, "comparison").rows[-1].cells
    assert "as published" in last["view"]
    assert last["p"].value == pytest.approx(0.124069656988, abs=1e-10)
    expected = non_inferiority(145, 160, 136, 160, margin=0.1)
    assert last["worse"].value == pytest.approx(expected.p_wald, rel=1e-10)
    # one read to a patient: the clustered test is Pearson's, up to the factor of its error
    assert _test(made).p == pytest.approx(0.124069656988, abs=1e-10)
    assert _test(made, "non-inferiority").p == pytest.approx(expected.p_wald, rel=0.05)


def test_a_planted_difference_is_recovered_with_patients_as_clusters() -> None:
    made = reference(simulated(), entry())
    cells = row(table(made, "accuracy"), "All readers")
    # the shift of the patients draws shares a little towards one half
    rng = np.random.default_rng(1)
    shift = rng.normal(size=400_000) * 0.5
    planted = [float(np.mean(1 / (1 + np.exp(-math.log(p / (1 - p)) - shift)))) for p in (0.9, 0.8)]
    for name, share in zip(("first", "second"), planted, strict=True):
        assert cells[name].low < share < cells[name].high
    difference = cells["difference"]
    assert difference.low < planted[1] - planted[0] < difference.high
    assert _test(made).p < 0.05
    assert "**not shown**" in made.lead[1]


def test_who_decides_is_in_the_plan_and_not_in_the_answers() -> None:
    data = simulated()
    these = table(reference(data, entry()), "comparison").rows
    assert these[0].cells["view"] == "These readers, other patients"
    assert these[1].cells["view"] == "Readers like these, other patients"
    assert "names no analysis over readers" in _words(reference(data, entry()))
    planned = reference(data, entry(methods=("confusion", "u_statistic")))
    first = table(planned, "comparison").rows[0].cells
    assert first["view"] == "Readers like these, other patients"
    assert "U-statistic" in _test(planned).name
    fixed = reference(data, entry(methods=("u_statistic",), readers="fixed"))
    assert table(fixed, "comparison").rows[0].cells["view"].startswith("These")


def test_both_versions_read_by_all_are_an_analysis_of_variance() -> None:
    made = reference(simulated(both=True), entry(methods=("obuchowski_rockette", "mcnemar")))
    assert "Obuchowski-Rockette" in _test(made).name
    assert _test(made, "reader:R1").name == "McNemar, exact"
    views = [one.cells["view"] for one in table(made, "comparison").rows]
    assert not any("as published" in view for view in views)


def test_mcnemar_is_that_of_r() -> None:
    """R: binom.test(4, 13)$p.value for 4 and 9 discordant pairs."""
    items, reads = [], []
    pairs = [(True, True)] * 30 + [(True, False)] * 9 + [(False, True)] * 4 + [(False, False)] * 12
    for place, both in enumerate(pairs):
        for kind, is_right in zip(("real", "synthetic"), both, strict=True):
            one = making.item(f"{kind}{place}", kind, subject=f"S{place}", right={"grade": "high"})
            items.append(one)
            reads.append(making.read("R1", one, {"grade": "high" if is_right else "lower"}))
    data = making.dataset(reads, items, questions=(GRADE, making.ORIGIN))
    made = reference(data, entry(methods=("mcnemar", "obuchowski_rockette"), margin=None))
    assert _test(made, "reader:R1").p == pytest.approx(0.266845703125)
    assert "one reader" in table(made, "comparison").rows[0].cells["p"].reason


def test_more_than_two_levels_have_recall_of_each() -> None:
    """R: psych::cohen.kappa and diag / rowSums of 15 3 2 / 4 22 4 / 1 5 19."""
    question = making.question("kind", "one", "two", "three")
    counts = ((15, 3, 2), (4, 22, 4), (1, 5, 19))
    items, reads = [], []
    for right, given in [
        (r, g) for r, line in enumerate(counts) for g, n in enumerate(line) for _ in range(n)
    ]:
        levels = question.levels
        one = making.item(f"c{len(items)}", right={"kind": levels[right]})
        items.append(one)
        reads.append(making.read("R1", one, {"kind": levels[given]}))
    data = making.dataset(reads, items, questions=(question,))
    made = reference(data, entry(question="kind", margin=None, methods=("confusion",)))
    found = {one.cells["metric"]: one.cells["all"].value for one in table(made, "metrics").rows}
    assert found["Accuracy"] == pytest.approx(0.746666666667)
    assert found["F1, mean over levels"] == pytest.approx(0.747777777778)
    assert found["κ against the reference"] == pytest.approx(0.614864864865)
    assert [found[f"Recall, {name}"] for name in ("One", "Two", "Three")] == pytest.approx(
        [0.75, 0.733333333333, 0.76]
    )
    assert "There is one version only" in made.lead[0]


def test_arms_are_compared_where_the_study_has_them() -> None:
    arms = (("plain", "Plain"), ("aided", "Aided"))
    items = [making.item(f"c{n}", right={"grade": ("lower", "high")[n % 2]}) for n in range(40)]
    reads = [
        making.read(
            f"R{reader}",
            one,
            {"grade": "high" if (place + reader) % 3 or arm == "aided" else "lower"},
            arm=arm,
        )
        for reader in (1, 2, 3)
        for arm, _ in arms
        for place, one in enumerate(items)
    ]
    data = making.dataset(reads, items, questions=(GRADE,), arms=arms)
    made = reference(data, entry(methods=("obuchowski_rockette",), margin=None))
    assert "“Plain”" in made.lead[0]
    assert "“Aided”" in made.lead[0]
    assert table(made, "accuracy").columns[1].title == "Plain"


def _with(data: Dataset, **answers: Any) -> Dataset:
    reads = [
        replace(one, answers={}, not_evaluable=frozenset({"grade"})) if place < 7 else one
        for place, one in enumerate(data.reads)
    ]
    return replace(data, reads=reads, **answers)


def test_not_evaluable_is_left_out_or_wrong_as_planned() -> None:
    data = _with(calabrese())
    left = reference(data, entry())
    assert "7 reads “not evaluable”, left out" in _words(left)
    assert "313 reads" in _test(left).n
    wrong = reference(data, entry(not_evaluable="wrong"))
    assert "7 reads “not evaluable”, counted as wrong" in _words(wrong)
    shares = [
        row(table(one, "metrics"), "Accuracy", "metric")["all"].value for one in (left, wrong)
    ]
    assert shares[1] == pytest.approx(shares[0] * 313 / 320)
    assert "Not evaluable" in [one.title for one in table(wrong, "confusion").columns]


def test_unknown_truth_is_counted_and_a_silent_reader_named() -> None:
    data = calabrese()
    items = {**data.items, "r0": replace(data.items["r0"], right={"grade": "unheard of"})}
    reads = [one for one in data.reads if one.reader != "R3"]
    made = reference(replace(data, items=items, reads=reads), entry())
    assert "reference standard is not known" in _words(made)
    assert "R3" in _words(made)
    assert row(table(made, "accuracy"), "R3")["difference"].reason


def test_all_right_has_limits_but_no_test() -> None:
    data = calabrese()
    reads = [replace(one, answers=dict(data.items[one.item].right)) for one in data.reads]
    made = reference(replace(data, reads=reads), entry())
    assert math.isnan(_test(made).p)
    assert "success" in _test(made).reason
    cells = row(table(made, "metrics"), "Accuracy", "metric")["all"]
    assert cells.value == 1.0
    assert 0.9 < cells.low < 1.0
    mcc = row(table(made, "metrics"), "MCC", "metric")["all"]
    assert math.isnan(mcc.low)
    assert mcc.reason


def test_one_class_leaves_reasons_in_place_of_numbers() -> None:
    data = calabrese()
    reads = [one for one in data.reads if data.items[one.item].right["grade"] == "high"]
    made = reference(replace(data, reads=reads), entry())
    assert row(table(made, "metrics"), "Specificity", "metric")["all"].reason
    undefined = [
        (one.code, name)
        for one in made.tables
        for line in one.rows
        for name, cell in line.cells.items()
        if isinstance(cell, Number) and not cell.defined and not cell.reason
    ]
    assert not undefined


def test_consensus_counts_each_item_once() -> None:
    data = calabrese()
    settled = [
        Settled(code, "main", (), "high" if place % 5 else "lower", AGREED)
        for place, code in enumerate(data.items)
    ]
    made = reference(replace(data, settled={"grade": settled}), entry(consensus=True))
    assert "160 reads" in _test(made).n
    with pytest.raises(ValueError, match="no answers were adjudicated"):
        reference(data, entry(consensus=True))


def test_subgroups_have_shares_without_a_test() -> None:
    data = calabrese()
    items = {
        code: replace(one, stratum="large" if one.subject < "S4" else "small")
        for code, one in data.items.items()
    }
    made = reference(replace(data, items=items), entry(subgroups=("stratum",)))
    assert [one.cells["part"] for one in table(made, "subgroup_stratum").rows] == ["large", "small"]


def test_the_whole_run_says_why_nothing_could_be_judged() -> None:
    data = replace(calabrese(), reads=[])
    section = carry_out(data, [Entry(entry())]).sections[0]
    assert "not computed" in section.lead[0]


def test_a_margin_that_is_missing_and_strange_methods_are_named() -> None:
    made = reference(
        calabrese(), entry(margin=None, methods=("non_inferiority", "confusion", "wilcoxon"))
    )
    assert "The plan states no margin" in _words(made)
    assert "wilcoxon" in _words(made)
