"""Scores: Wang's published shares, R's tests, planted differences, consensus and bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

from readerstudy.adjudication import settling
from readerstudy.analysis.carrying_out import Entry, carry_out
from readerstudy.analysis.document import from_dict
from readerstudy.analysis.endpoints import after_consensus as held
from readerstudy.analysis.endpoints.score import score
from readerstudy.analysis.facts import QuestionFacts, Settled
from readerstudy.studies.analysis_plan import PlannedAnalysis
from tests.analysis.making import dataset, item, question, read

QUALITY = question("quality", "0", "1", "2", "3", kind="ordinal")
# Wang 2023: 27, 224 and 505 of 756 examinations of 370 patients scored 1, 2 and 3.
WANG = {"1": 27, "2": 224, "3": 505}


def plan(*methods, **more):
    made = {"unit": "subject", "methods": methods or ("mann_whitney",), **more}
    return PlannedAnalysis("s", "Mean score", "quality", "score", **made)


def table(section, code):
    return next(one for one in section.tables if one.code == code)


def rows_of(section, code, *columns):
    return [tuple(_plain(row.cells[c]) for c in columns) for row in table(section, code).rows]


def _plain(cell):
    return cell if isinstance(cell, str) else cell.value


def scored(groups, *, asked=QUALITY, arms=("main",), **more):
    """Reads of one reader: (origin, subject, score) for each case, or by arm."""
    items, reads = [], []
    for n, (origin, subject, value) in enumerate(groups):
        of = item(f"C{n:04}", origin, subject=subject)
        items.append(of)
        for arm in arms:
            given = value[arm] if isinstance(value, dict) else value
            reads.append(read("R1", of, {"quality": given}, arm=arm))
    return dataset(reads, items, questions=[asked], **more)


def test_published_shares_and_mean_of_wang():
    patients = [f"P{n % 370}" for n in range(756)]
    levels = [level for level, times in WANG.items() for _ in range(times)]
    data = scored([("synthetic", p, level) for p, level in zip(patients, levels, strict=True)])
    section = score(data, plan("clustered_proportion"))
    cells = table(section, "means").rows[0].cells
    assert cells["mean"].value == pytest.approx((27 + 448 + 1515) / 756)
    assert (cells["n"].value, cells["units"].value, cells["median"].value) == (756, 370, 3)
    shares = table(section, "levels").rows[0].cells
    assert [shares[f"count_{k}"].value for k in "0123"] == [0, 27, 224, 505]
    assert [round(100 * shares[f"share_{k}"].value, 1) for k in "123"] == [3.6, 29.6, 66.8]
    assert section.tests == ()
    assert section.lead[0].startswith("Mean score: **2.63** (95 % interval")
    bars = next(iter(section.figures[0].spec["datasets"].values()))
    assert [bar["count"] for bar in bars] == [0, 27, 224, 505]


def test_unpaired_classes_by_mann_whitney_on_the_mean_of_each_patient():
    real = ["3", "2", "3", "1", "2", "3", "3", "2"]
    synthetic = ["1", "2", "0", "2", "1", "1", "2", "3"]
    groups = [("real", f"A{n}", v) for n, v in enumerate(real)]
    groups += [("synthetic", f"B{n}", v) for n, v in enumerate(synthetic)]
    section = score(scored(groups), plan("mann_whitney", "paired_t"))
    main, means = section.tests
    # wilcox.test(c(1,2,0,2,1,1,2,3), c(3,2,3,1,2,3,3,2), exact = FALSE)
    assert (main.code, main.statistic) == ("main", 15.0)
    assert main.p == pytest.approx(0.06843675235)
    # Welch's standard error with n/(n-1) of all 16 patients instead of each group
    difference = table(section, "differences").rows[0].cells["difference"]
    assert difference.value == pytest.approx(12 / 8 - 19 / 8)
    assert means.df == "15"
    assert "Synthetic less real" in section.lead[1]


def test_paired_arms_by_signed_ranks_of_patients():
    first = [3, 2, 3, 1, 0, 2, 2, 3, 3, 1, 2, 2]
    second = [2, 2, 1, 1, 1, 0, 2, 1, 3, 0, 1, 1]
    values = [{"std": str(a), "cbv": str(b)} for a, b in zip(second, first, strict=True)]
    data = scored(
        [("synthetic", f"P{n}", v) for n, v in enumerate(values)],
        arms=("std", "cbv"),
    )
    data = dataset(
        data.reads,
        data.items.values(),
        questions=[QUALITY],
        arms=(("std", "Standard"), ("cbv", "With CBV")),
    )
    section = score(data, plan("signed_rank", "clustered_mean_difference"))
    main, means = section.tests
    # wilcox.test(first, second, paired = TRUE, exact = FALSE); t.test(..., paired = TRUE)
    assert (main.statistic, main.p) == (33, pytest.approx(0.036358553172791))
    spread = np.subtract(first, second)
    t = spread.mean() / (spread.std(ddof=1) / math.sqrt(12))
    assert (means.statistic, means.df) == (pytest.approx(t), "11")
    assert main.what == "With CBV less Standard"


def test_several_reads_of_a_patient_are_no_independent_scores():
    rng = np.random.default_rng(4)
    values = rng.integers(4, size=30)
    once = scored([("real", f"P{n}", str(v)) for n, v in enumerate(values)])
    items = list(once.items.values())
    many = dataset(
        [
            read(f"R{r}", of, {"quality": str(v)})
            for of, v in zip(items, values, strict=True)
            for r in range(10)
        ],
        items,
        questions=[QUALITY],
    )
    single = table(score(once, plan()), "means").rows[-1].cells["mean"]
    ten = table(score(many, plan()), "means").rows[-1].cells["mean"]
    assert table(score(many, plan()), "means").rows[-1].cells["who"] == "All readers"
    assert (ten.value, ten.low, ten.high) == pytest.approx((single.value, single.low, single.high))


def test_planted_difference_is_recovered_with_several_readers():
    rng = np.random.default_rng(6)
    items, reads = [], []
    for n in range(160):
        of = item(f"C{n:03}", "real" if n % 2 else "synthetic", subject=f"P{n // 4}")
        items.append(of)
        centre = 1.6 + 0.6 * (n % 2) + rng.normal(0, 0.3)
        for r in range(3):
            given = int(np.clip(round(centre + rng.normal(0, 0.4)), 0, 3))
            reads.append(read(f"R{r}", of, {"quality": str(given)}))
    section = score(dataset(reads, items, questions=[QUALITY]), plan())
    difference = table(section, "differences").rows[0].cells["difference"]
    assert difference.low < -0.6 < difference.high
    assert section.tests[0].name.startswith("Wilcoxon")  # every patient is in both classes
    assert section.tests[0].p < 0.001
    assert rows_of(section, "means", "origin", "who")[3] == ("real", "All readers")


def consensus_data():
    items = [item(f"C{n}", "synthetic") for n in range(4)]
    first, second = "3210", "3330"
    reads = [
        read(who, of, {"quality": given[n]})
        for n, of in enumerate(items)
        for who, given in (("R1", first), ("R2", second))
    ]
    rows = [("C0", ("3", "3"), "3", "agreed"), ("C1", ("2", "3"), None, "not_laid")]
    rows += [("C2", ("1", "3"), "2", "consensus"), ("C3", ("0", "0"), "0", "agreed")]
    settled = {"quality": [Settled(i, "main", g, v, h) for i, g, v, h in rows]}
    return dataset(reads, items, questions=[QUALITY], settled=settled)


def test_scores_after_consensus_count_once_and_beside_the_first_ones():
    section = score(consensus_data(), plan(consensus=True))
    found = {row.cells["who"]: row.cells for row in table(section, "means").rows}
    # 3 agreed, 2.5 as the mean of 2 and 3, 2 by consensus, 0 agreed
    assert found["After consensus"]["mean"].value == pytest.approx(7.5 / 4)
    assert found["All readers"]["mean"].value == pytest.approx(15 / 8)
    levels = {row.cells["who"]: row.cells for row in table(section, "levels").rows}
    assert levels["After consensus"]["n"].value == 3  # the one that differs has no level
    assert rows_of(section, "settled", "how", "n")[:2] == [
        ("readers agreed", 2),
        ("consensus of the panel", 1),
    ]
    assert "after consensus" in section.lead[0]


def test_words_of_settling_are_those_of_the_adjudication():
    assert {held.AGREED, held.CONSENSUS, held.NO_MAJORITY, held.UNSETTLED} == set(settling.HOW)


def test_without_a_round_what_readers_agree_on_holds():
    data = consensus_data()
    section = score(
        dataset(data.reads, data.items.values(), questions=[QUALITY]), plan(consensus=True)
    )
    assert rows_of(section, "settled", "n") == [(2,), (0,), (0,), (2,)]
    assert any("Nothing was laid before a panel" in block.text for block in section.blocks[-1:])


def test_not_evaluable_is_left_out_and_counted_or_the_lowest_level():
    data = scored([("real", f"P{n}", "3") for n in range(4)])
    blank = item("X", "real", subject="PX")
    data = dataset(
        [*data.reads, read("R1", blank, not_evaluable=["quality"])],
        [*data.items.values(), blank],
        questions=[QUALITY],
    )
    left_out = table(score(data, plan()), "means").rows[0].cells
    assert (left_out["mean"].value, left_out["lost"].value) == (3.0, 1)
    counted = table(score(data, plan(not_evaluable="wrong")), "means").rows[0].cells
    assert (counted["mean"].value, counted["n"].value) == (12 / 5, 5)


def test_numbers_are_scores_too():
    asked = QuestionFacts("quality", "Volume", "number", unit="mL")
    data = scored([("real", f"P{n}", float(n)) for n in range(5)], asked=asked)
    section = score(data, plan())
    # t.test(0:4)$conf.int
    cell = table(section, "means").rows[0].cells["mean"]
    assert (cell.value, cell.low, cell.high) == pytest.approx((2, 0.0367568385, 3.9632431615))
    assert section.figures == []


def test_what_cannot_be_computed_says_why():
    same = score(scored([("real", "P1", "2"), ("synthetic", "P2", "2")]), plan("mann_whitney"))
    cells = table(same, "differences").rows[0].cells
    assert not cells["difference"].has_interval
    assert cells["difference"].reason.startswith("no test")
    assert math.isnan(same.tests[0].p) or same.tests[0].p == 1.0
    one = score(scored([("real", "P1", "2")]), plan())
    assert table(one, "means").rows[0].cells["mean"].reason.startswith("one cluster only")
    named = score(scored([("real", "P1", "2"), ("real", "P2", "1")]), plan("chi_square", "rwg"))
    texts = " ".join(block.text for block in named.blocks if block.kind == "passage")
    assert "chi_square: **not computed**" in texts
    assert "rwg: **not computed**, fewer than two readers" in texts


def test_constant_and_empty_and_unscored_questions():
    constant = score(scored([("real", f"P{n}", "2") for n in range(6)]), plan())
    mean = table(constant, "means").rows[0].cells["mean"]
    assert (mean.value, mean.has_interval) == (2.0, False)
    assert mean.reason == "no interval: all clusters have the same mean"
    document = carry_out(dataset([], [], questions=[QUALITY]), [Entry(plan())])
    assert "not computed, because no score was given" in document.sections[0].lead[0]
    text = QuestionFacts("quality", "Free", "text")
    with pytest.raises(ValueError, match="no levels or numbers"):
        score(scored([("real", "P1", "x")], asked=text), plan())


def test_complete_cases_alone_where_the_plan_says_so():
    items = [item(f"C{n}", "real") for n in range(6)]
    reads = [read("R1", of, {"quality": "3"}) for of in items]
    reads += [read("R2", of, {"quality": "1"}) for of in items[:4]]
    section = score(dataset(reads, items, questions=[QUALITY]), plan(missing="complete"))
    assert table(section, "means").rows[-1].cells["mean"].value == 2.0
    assert any("2 cases were left out" in note for note in table(section, "means").notes)


def test_agreement_and_subgroups_stand_in_the_section():
    data = consensus_data()
    section = score(data, plan("rwg", "mann_whitney", subgroups=("generator",)))
    # per case 1, .6, 0 and 1
    assert table(section, "agreement").rows[0].cells["value"].value == pytest.approx(2.6 / 4)
    assert rows_of(section, "subgroup_generator", "who", "n") == [("real", 8)]


def test_a_document_of_scores_can_be_stored():
    document = carry_out(consensus_data(), [Entry(plan(consensus=True))])
    assert from_dict(document.to_dict()).to_dict() == document.to_dict()
