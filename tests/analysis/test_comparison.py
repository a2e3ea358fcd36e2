"""Real against synthetic: Park's table 1, planted differences, clusters, consensus, bad input."""

from __future__ import annotations

import math

import numpy as np
import pytest

from readerstudy.analysis.carrying_out import Entry, carry_out
from readerstudy.analysis.document import from_dict
from readerstudy.analysis.endpoints.comparison import comparison
from readerstudy.analysis.facts import OptionFacts, QuestionFacts, Settled
from readerstudy.studies.analysis_plan import PlannedAnalysis
from tests.analysis.making import dataset, item, question, read

# Park 2021, table 1, training set: wild type, mutant, synthetic mutant.
PARK = {
    "enhancement": {"wild": [47, 28, 5], "mutant": [19, 8, 11], "synthetic": [9, 5, 24]},
    "location": {"wild": [29, 42, 9], "mutant": [25, 10, 3], "synthetic": [25, 12, 1]},
    "necrosis": {"wild": [72, 8], "mutant": [23, 15], "synthetic": [19, 19]},
    "surrounding": {"wild": [35, 45], "mutant": [29, 9], "synthetic": [32, 6]},
    "margin": {"wild": [4, 76], "mutant": [20, 18], "synthetic": [27, 11]},
}
# R 4.2.2 of those counts: chisq.test(correct = FALSE)$p.value, fisher.test()$p.value and V of
# mutant against synthetic; published 0.01, 0.55, 0.35, 0.39 and 0.10.
EXPECTED = {
    "enhancement": (9.09230769230769, 0.0106079257377337, 0.00930632481034073, 0.345883835312326),
    "location": (1.18181818181818, 0.553823579830759, 0.686013984460088, 0.124700598372461),
    "necrosis": (0.851540616246499, 0.356116869982308, 0.48918765810107, 0.105851224804993),
    "surrounding": (0.747540983606557, 0.387255888394677, 0.565472756176503, 0.0991769407360929),
    "margin": (2.73220836390315, 0.0983432156730592, 0.156020939643068, 0.18960514247076),
}


def plan(*methods, code="feature", **more):
    made = {
        "unit": "subject",
        "methods": methods or ("chi_square", "fisher_exact", "cramers_v"),
        **more,
    }
    return PlannedAnalysis("c", "Real against synthetic", code, "comparison", **made)


def feature(q, kind="single"):
    return question("feature", *(str(n) for n in range(q)), kind=kind)


def park(name, groups=("mutant", "synthetic"), **more):
    counts = PARK[name]
    items, reads = [], []
    for group in groups:
        for level, times in enumerate(counts[group]):
            for _ in range(times):
                of = item(
                    f"C{len(items):03}",
                    "synthetic" if group == "synthetic" else "real",
                    references={"idh": "wild" if group == "wild" else "mutant"},
                )
                items.append(of)
                reads.append(read("R1", of, {"feature": str(level)}))
    return dataset(reads, items, questions=[feature(len(counts["wild"]))], **more)


def table(section, code):
    return next(one for one in section.tables if one.code == code)


def named(section, name, arm="main"):
    rows = table(section, f"tests_{arm}").rows
    return next(row.cells for row in rows if row.cells["name"].startswith(name))


@pytest.mark.parametrize("name", sorted(PARK))
def test_published_table_of_park(name):
    section = comparison(park(name), plan())
    chi2, p, exact, v = EXPECTED[name]
    pearson, fisher = named(section, "Pearson"), named(section, "Fisher")
    assert pearson["statistic"].value == pytest.approx(chi2, rel=1e-6)
    assert pearson["p"].value == pytest.approx(p, rel=1e-9)
    assert fisher["p"].value == pytest.approx(exact, rel=1e-9)
    cramer = named(section, "Cramér")["statistic"]
    assert cramer.value == pytest.approx(v, rel=1e-9)
    assert cramer.low <= cramer.high
    assert (section.tests[0].code, section.tests[0].p) == ("main", pearson["p"].value)
    counts = table(section, "counts_main")
    assert [r.cells["n_0"].value for r in counts.rows] == PARK[name]["mutant"]
    assert [r.cells["n_1"].value for r in counts.rows] == PARK[name]["synthetic"]


def test_covariates_give_every_pair_of_the_published_table():
    section = comparison(
        park("necrosis", ("wild", "mutant", "synthetic")), plan("chi_square", covariates=("idh",))
    )
    rows = [row.cells for row in table(section, "tests_main").rows]
    found = {row["what"]: row["p"].value for row in rows}
    # Pearson without correction; printed 0.001 and < 0.001 for the pairs with wild type
    assert found["mutant, synthetic against mutant, real"] == pytest.approx(0.356116869982308)
    assert found["wild, real against mutant, real"] < 0.001
    assert found["wild, real against mutant, synthetic"] < 0.001
    assert [test.code for test in section.tests].count("main") == 1
    assert len(section.lead) == 1


def test_differences_have_points_and_intervals():
    section = comparison(park("margin"), plan())
    rows = [row.cells for row in table(section, "differences_main").rows]
    assert rows[0]["difference"].value == pytest.approx(27 / 38 - 20 / 38)
    assert rows[0]["difference"].low < 7 / 38 < rows[0]["difference"].high
    assert "“0” differs most, by **18.4 points**" in section.lead[0]


def test_planted_difference_is_recovered_over_several_readers():
    rng = np.random.default_rng(12)
    items, reads = [], []
    for n in range(300):
        of = item(f"C{n:03}", "synthetic" if n % 2 else "real")
        items.append(of)
        yes = rng.random() < (0.6 if n % 2 else 0.3)
        for r in range(3):
            given = yes if rng.random() < 0.9 else not yes
            reads.append(read(f"R{r}", of, {"feature": str(int(given))}))
    section = comparison(dataset(reads, items, questions=[feature(2)]), plan())
    # 0.1 + 0.8 * share of yes in each class
    found = table(section, "differences_main").rows[1].cells["difference"]
    assert found.low < 0.8 * 0.3 < found.high
    main = section.tests[0]
    assert main.name.startswith("score test")
    assert main.p < 0.001
    assert len(section.tests) == 1  # tests of independent reads decide nothing
    published = named(section, "Pearson")
    assert "as often published" in published["name"]
    assert "not to be relied on" in published["how"]


def test_reads_of_one_case_do_not_make_a_difference_surer():
    rng = np.random.default_rng(1)
    rejected = plain = 0
    for _ in range(60):
        items = [item(f"C{n}", "synthetic" if n % 2 else "real") for n in range(60)]
        level = rng.integers(2, size=60)
        reads = [
            read(f"R{r}", of, {"feature": str(level[n])})
            for n, of in enumerate(items)
            for r in range(5)
        ]
        section = comparison(
            dataset(reads, items, questions=[feature(2)]), plan("chi_square", draws=100)
        )
        rejected += section.tests[0].p < 0.05
        plain += named(section, "Pearson")["p"].value < 0.05
    assert rejected <= 8
    assert plain >= 15


def test_ordered_levels_by_ranks_and_nominal_ones_not():
    ordered = park("enhancement")
    asked = feature(3, "ordinal")
    data = dataset(ordered.reads, ordered.items.values(), questions=[asked])
    section = comparison(data, plan("mann_whitney"))
    # wilcox.test(rep(0:2, c(9, 5, 24)), rep(0:2, c(19, 8, 11)), exact = FALSE)
    assert section.tests[0].p == pytest.approx(0.0035966767668)
    nominal = comparison(ordered, plan("mann_whitney", "chi_square"))
    assert named(nominal, "Mann")["p"].reason == "needs ordered levels or numbers"
    assert nominal.tests[0].code == "main"


def test_numbers_by_quartiles_and_ranks():
    asked = QuestionFacts("feature", "Volume", "number", unit="mL")
    items = [item(f"C{n}", "real" if n < 5 else "synthetic") for n in range(10)]
    reads = [read("R1", of, {"feature": float(n)}) for n, of in enumerate(items)]
    section = comparison(dataset(reads, items, questions=[asked]), plan("mann_whitney"))
    rows = table(section, "numbers_main").rows
    assert [(r.cells["group"], r.cells["median"].value) for r in rows] == [
        ("real", 2.0),
        ("synthetic", 7.0),
    ]
    # wilcox.test(5:9, 0:4, exact = FALSE)
    assert section.tests[0].p == pytest.approx(0.0121857803553)


def consensus(**more):
    items = [item(f"C{n:02}", "synthetic" if n % 2 else "real") for n in range(20)]
    reads, settled = [], []
    for n, of in enumerate(items):
        first, second = str(n % 2), "0" if n == 1 else str(n % 2)
        reads += [read("R1", of, {"feature": first}), read("R2", of, {"feature": second})]
        how = ("consensus", "1") if n == 1 else ("agreed", first)
        settled.append(Settled(of.code, "main", (first, second), how[1], how[0]))
    held = {"feature": settled}
    return dataset(reads, items, questions=[feature(2)], settled=held, **more)


def test_after_consensus_each_case_counts_once():
    section = comparison(consensus(), plan(consensus=True))
    counts = table(section, "counts_main")
    assert "after consensus" in counts.title
    assert [(r.cells["n_0"].value, r.cells["n_1"].value) for r in counts.rows] == [(10, 0), (0, 10)]
    readers = table(section, "readers_main").rows
    second = [row.cells for row in readers if row.cells["reader"] == "R2"]
    assert [row["n_synthetic"].value for row in second] == [1, 9]
    assert named(section, "Fisher")["p"].value == pytest.approx(2 / math.comb(20, 10))


def test_levels_that_nobody_settled_are_left_out_and_counted():
    data = consensus()
    first = comparison(
        dataset(data.reads, data.items.values(), questions=[feature(2)]), plan(consensus=True)
    )
    assert "1 that differed" in " ".join(b.text for b in first.blocks if b.kind == "passage")
    assert "synthetic: 10 cases, 9 answers, 1 left out" in table(first, "counts_main").n


def test_not_evaluable_is_left_out_or_a_level():
    items = [item(f"C{n}", "synthetic" if n % 2 else "real") for n in range(12)]
    reads = [
        read("R1", of, not_evaluable=["feature"])
        if n in (1, 3, 5)
        else read("R1", of, {"feature": str(n % 3)})
        for n, of in enumerate(items)
    ]
    data = dataset(reads, items, questions=[feature(3)])
    left_out = table(comparison(data, plan()), "counts_main")
    assert "3 left out" in left_out.n
    counted = table(comparison(data, plan(not_evaluable="wrong")), "counts_main")
    assert counted.rows[-1].cells["level"] == "not evaluable"
    assert counted.rows[-1].cells["n_1"].value == 3


def test_options_are_compared_one_by_one():
    options = (OptionFacts("motion", "Motion"), OptionFacts("noise", "Noise"))
    asked = QuestionFacts("feature", "Artefacts", "multi", options)
    items = [item(f"C{n}", "synthetic" if n % 2 else "real") for n in range(40)]
    reads = [
        read("R1", of, {"feature": ["motion"] if n % 2 and n < 30 else []})
        for n, of in enumerate(items)
    ]
    section = comparison(dataset(reads, items, questions=[asked]), plan())
    motion, noise = (row.cells for row in table(section, "options_main").rows)
    assert (motion["n_synthetic"].value, motion["n_real"].value) == (15, 0)
    assert motion["difference"].value == 0.75
    assert math.isnan(noise["p"].value)
    assert noise["p"].reason
    assert [test.what.partition(":")[0] for test in section.tests] == ["Motion", "Noise"]


def test_one_class_only_and_constant_answers_and_unknown_methods():
    items = [item(f"C{n}", "real") for n in range(6)]
    data = dataset(
        [read("R1", of, {"feature": "1"}) for of in items], items, questions=[feature(2)]
    )
    document = carry_out(data, [Entry(plan())])
    assert "real images alone were answered" in document.sections[0].lead[0]
    items = [item(f"C{n}", "real" if n % 2 else "synthetic") for n in range(6)]
    data = dataset(
        [read("R1", of, {"feature": "1"}) for of in items], items, questions=[feature(2)]
    )
    section = comparison(data, plan("chi_square", "fisher_exact", "cramers_v", "rwg"))
    for name in ("Pearson", "Fisher", "Cramér", "rwg"):
        cells = named(section, name)
        assert cells["p"].reason
    assert section.lead
    empty = carry_out(dataset([], [], questions=[feature(2)]), [Entry(plan())])
    assert "because no answer was given" in empty.sections[0].lead[0]


def test_subgroups_and_arms():
    data = park("margin", ("wild", "mutant", "synthetic"))
    section = comparison(data, plan(subgroups=("reference:idh",)))
    rows = [row.cells for row in table(section, "subgroup_reference_idh").rows]
    assert [(r["part"], r["level"]) for r in rows] == [
        ("mutant", "0"),
        ("mutant", "1"),
        ("wild", ""),
    ]
    assert rows[0]["difference"].value == pytest.approx(7 / 38)
    assert "real images alone" in rows[2]["difference"].reason


def test_a_document_of_comparisons_can_be_stored_and_family_adjusted():
    entries = [
        Entry(plan("chi_square", family="m", adjustment="holm")),
        Entry(
            PlannedAnalysis(
                "d", "Again", "feature", "comparison", methods=("chi_square",),
                family="m", adjustment="holm",
            )
        ),
    ]  # fmt: skip
    document = carry_out(park("margin"), entries)
    first = document.sections[0].tests[0]
    assert first.adjusted_p == pytest.approx(2 * first.p)
    assert from_dict(document.to_dict()).to_dict() == document.to_dict()
