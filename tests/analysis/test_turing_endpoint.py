"""The endpoint of a Turing test: published counts, planted truth, and every bad input."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace

import pytest

from readerstudy import stats
from readerstudy.analysis.carrying_out import Entry, carry_out
from readerstudy.analysis.document import Figure, Passage, from_dict
from readerstudy.analysis.endpoints.turing import turing
from readerstudy.analysis.facts import Item, OptionFacts, QuestionFacts, Settled
from readerstudy.stats.published.han2018 import TABLE_1
from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.answers import NOT_EVALUABLE
from tests.analysis.making import CONFIDENCE, ORIGIN, dataset, item, read

ENTRY = PlannedAnalysis(
    code="turing_accuracy",
    title="Right calls of real and synthetic",
    question="origin",
    endpoint="turing",
    primary=True,
    methods=("proportion", "binomial_against", "clustered_against", "equivalence_to_chance"),
    margin=0.1,
)
OTHER = {"real": "synthetic", "synthetic": "real"}

# R: binom.test(k, 100)$p.value and prop.test(k, 100, correct = FALSE)$conf.int for table 1
HAN_P = (
    0.000078501396, 0.000032160015, 0.006637120516, 0.484118413607, 0.000000055136,
    0.484118413607, 0.006637120516, 0.368201617327, 0.133210619207, 0.020978735678,
    0.001789930391, 0.617299413589,
)  # fmt: skip
HAN_WILSON = (
    (0.604151453667, 0.781051147051), (0.614611088244, 0.789851642509),
    (0.542354024516, 0.727287795986), (0.442648603234, 0.634391916910),
    (0.678456169771, 0.841567341197), (0.442648603234, 0.634391916910),
    (0.542354024516, 0.727287795986), (0.452446029974, 0.643854620205),
    (0.482064867030, 0.672016173256), (0.522097552955, 0.709024007475),
    (0.562777288547, 0.745384792027), (0.432888569701, 0.624891820407),
)  # fmt: skip


def counted(cells, *, reader="R1", stratum="", generator="G"):
    """Items and reads with these counts: real as real, as synthetic, synthetic as real, as such."""
    named = f"{stratum}-{generator}"
    items, reads = [], []
    for (truth, said), number in zip(
        [("real", "real"), ("real", "synthetic"), ("synthetic", "real"), ("synthetic",) * 2],
        cells,
        strict=True,
    ):
        for n in range(number):
            made = item(
                f"{named}-{truth}-{said}-{n}",
                truth,
                stratum=stratum,
                generator=generator if truth == "synthetic" else "",
            )
            items.append(made)
            reads.append(read(reader, made, {"origin": said}))
    return items, reads


def study(right, *, readers=2, **more):
    """Ten cases; ``right(reader, number)`` says whether a reader calls a case rightly."""
    items = [item(f"C{n}", "synthetic" if n % 2 else "real", **more) for n in range(10)]
    reads = [
        read(f"R{r}", one, {"origin": one.origin if right(r, n) else OTHER[one.origin]})
        for r in range(1, readers + 1)
        for n, one in enumerate(items)
    ]
    return dataset(reads, items)


def table(section, code):
    return next(one for one in section.tables if one.code == code)


def row(found, **wanted):
    return next(one.cells for one in found.rows if wanted.items() <= one.cells.items())


@pytest.mark.parametrize("place", range(len(TABLE_1)))
def test_table_1_of_han_is_reproduced(place):
    printed = TABLE_1[place]
    cells = (
        printed.real_as_real,
        printed.real_as_synthetic,
        printed.synthetic_as_real,
        printed.synthetic_as_synthetic,
    )
    items, reads = counted(cells)
    section = turing(dataset(reads, items), ENTRY)
    only = table(section, "readers").rows[0].cells
    names = ("real_as_real", "real_as_synthetic", "synthetic_as_real", "synthetic_as_synthetic")
    assert tuple(only[name].value for name in names) == cells
    assert 100 * only["correct"].value == pytest.approx(float(printed.accuracy))
    assert (only["correct"].low, only["correct"].high) == pytest.approx(HAN_WILSON[place])
    assert only["p"].value == pytest.approx(HAN_P[place], abs=1e-12)
    main = section.tests[0]
    assert main.code == "main"
    assert main.p == only["p"].value
    assert main.name.startswith("exact binomial test")


def test_d_prime_and_criterion_are_those_of_han_by_hand():
    # R: H <- 44.5/51, F <- 24.5/51; qnorm(H) - qnorm(F); -(qnorm(H) + qnorm(F)) / 2
    items, reads = counted((26, 24, 6, 44))
    only = table(turing(dataset(reads, items), ENTRY), "readers").rows[0].cells
    assert only["dprime"].value == pytest.approx(1.187692857500, abs=1e-11)
    assert only["criterion"].value == pytest.approx(-0.544677049710, abs=1e-11)
    assert only["dprime"].has_interval


def test_two_sets_of_han_compared_give_the_p_value_of_their_counts():
    # R: prop.test(c(71, 55), c(100, 100), correct = FALSE)$p.value
    first, second = counted((24, 26, 3, 47), stratum="D"), counted((13, 37, 8, 42), stratum="W")
    data = dataset(first[1] + second[1], first[0] + second[0])
    section = turing(data, ENTRY)
    pair = next(test for test in section.tests if test.code == "strata pairs")
    assert pair.p == pytest.approx(0.019112360626974, abs=1e-12)
    found = row(table(section, "strata"), group="D − W")["difference"]
    assert found.value == pytest.approx(0.16)


def test_generators_in_several_sequences_have_a_confusion_each_as_in_table_1():
    sets = {
        ("DCGAN", "T1"): (0, 0, 6, 44),
        ("WGAN", "T1"): (26, 24, 6, 44),
        ("DCGAN", "T2"): (0, 0, 8, 42),
        ("WGAN", "T2"): (22, 28, 11, 39),
    }
    made = [counted(c, stratum=s, generator=g) for (g, s), c in sets.items()]
    data = dataset([r for _, rs in made for r in rs], [i for it, _ in made for i in it])
    section = turing(data, ENTRY)
    confusion = table(section, "generators")
    first = row(confusion, generator="DCGAN", stratum="T2")
    assert first["real_as_real"].value == 22
    assert first["synthetic_as_synthetic"].value == 42
    assert first["synthetic_as_synthetic"].behind["generator"] == "DCGAN"
    assert "generator" not in first["real_as_real"].behind
    assert first["recognised"].value == 0.84
    within = [test for test in section.tests if test.code == "generators in strata pairs"]
    assert [test.what.split(":")[0] for test in within] == ["T1", "T2"]
    # R: prop.test(c(42, 39), c(50, 50), correct = FALSE)$p.value; Holm of two
    expected = stats.two_proportions(42, 50, 39, 50).p_pooled
    assert within[1].p == pytest.approx(expected, abs=1e-12)
    assert within[1].adjusted_p == pytest.approx(min(1, 2 * expected))


def test_the_turing_session_of_park_is_reproduced_with_its_rule():
    # Park 2021: 22 real as synthetic and 23 synthetic as real of 100; 20 and 18 for reader 2
    items = [item(f"C{n}", "real" if n < 50 else "synthetic") for n in range(100)]
    wrong = {"R1": {*range(22), *range(50, 73)}, "R2": {*range(20), *range(50, 68)}}
    reads = [
        read(reader, one, {"origin": OTHER[one.origin] if n in missed else one.origin})
        for reader, missed in wrong.items()
        for n, one in enumerate(items)
    ]
    section = turing(dataset(reads, items), replace(ENTRY, stop_below=0.6))
    found = table(section, "readers")
    assert [found.rows[n].cells["correct"].value for n in (0, 1)] == [0.55, 0.62]
    # R: binom.test(55, 100)$p.value, binom.test(62, 100)$p.value (golden seed_park)
    p = [found.rows[n].cells["p"].value for n in (0, 1)]
    assert p == pytest.approx([0.368201617326697, 0.0209787356778516], abs=1e-12)
    margins = table(section, "margin")
    # golden seed_park_accuracy_turing: tost_exact_p of both readers at ±10 points
    assert margins.rows[0].cells["p"].value == pytest.approx(0.178901632723106, abs=1e-12)
    assert margins.rows[1].cells["p"].value == pytest.approx(0.693190237729016, abs=1e-12)
    assert section.lead[-1].startswith("1 of 2 readers called fewer than 60.0 %")
    assert "training goes on" in section.lead[-1]
    both = turing(dataset(reads, items), replace(ENTRY, stop_below=0.65))
    assert "**training may end**" in both.lead[-1]


def test_all_readers_are_clustered_by_case_as_evaluated_in_r():
    # R: k <- c(2,1,0,2,1,2,2,0,1,2), two reads each; se by Rao & Scott: p = .65, P .24918470526
    right = [2, 1, 0, 2, 1, 2, 2, 0, 1, 2]
    section = turing(study(lambda reader, n: reader <= right[n]), ENTRY)
    assert section.tests[0].p == pytest.approx(0.24918470526149705, abs=1e-12)
    everyone = table(section, "readers").rows[-1]
    assert everyone.strong
    assert everyone.cells["correct"].value == 0.65
    views = [one.cells["view"] for one in table(section, "overall").rows]
    assert views[-1].startswith("Reads taken as independent, as published")


def test_the_lead_says_the_share_guessing_and_the_margin_in_words():
    section = turing(study(lambda reader, n: (n + reader) % 5 > 0), ENTRY)
    assert section.lead[0].startswith("Readers told real from synthetic in **80.0 % of reads**")
    assert "better than guessing" in section.lead[0]
    assert "**not shown to be within the planned margin** of 10 points" in section.lead[0]
    assert section.lead[1].startswith("Readers called ")


def test_readers_who_guess_in_many_cases_are_shown_to_be_within_the_margin():
    rng = random.Random(3)
    items = [item(f"C{n}", "synthetic" if n % 2 else "real") for n in range(600)]
    reads = [
        read(f"R{r}", one, {"origin": rng.choice(("real", "synthetic"))})
        for r in range(4)
        for one in items
    ]
    section = turing(dataset(reads, items), ENTRY)
    assert "**not shown to differ from guessing**" in section.lead[0]
    assert "**within the planned margin**" in section.lead[0]


def test_a_planted_share_and_generator_are_recovered_within_their_intervals():
    rng = random.Random(8)
    made = ["", "A", "", "B"] * 100
    items = [
        item(f"C{n}", "synthetic" if name else "real", generator=name)
        for n, name in enumerate(made)
    ]
    skill = {"": 0.7, "A": 0.8, "B": 0.55}
    reads = [
        read(
            f"R{r}",
            one,
            {
                "origin": one.origin if rng.random() < skill[one.generator] else OTHER[one.origin],
                "confidence": str(rng.randint(1, 5)),
            },
        )
        for r in range(5)
        for one in items
    ]
    # level 99.9 %: five intervals of one seed that all hold what was planted
    section = turing(dataset(reads, items), replace(ENTRY, alpha=0.001))
    everyone = table(section, "readers").rows[-1].cells["correct"]
    assert everyone.low < 0.6875 < everyone.high
    shares = table(section, "generators")
    assert {r.cells["generator"] for r in shares.rows} == {"A", "B"}
    for name, planted in (("A", 0.8), ("B", 0.55)):
        found = row(shares, generator=name)["recognised"]
        assert found.low < planted < found.high
    pair = next(test for test in section.tests if test.code == "generators pairs")
    assert pair.p < 0.001
    areas = table(section, "confidence_auc")
    # a call of skill s, graded without knowledge, has an area of (hits + 1 - false alarms) / 2
    assert areas.rows[-1].cells["auc"].low < (0.675 + 0.7) / 2 < areas.rows[-1].cells["auc"].high
    assert [block.code for block in section.blocks if isinstance(block, Figure)]


def test_a_reader_who_never_called_and_one_who_is_constant_have_reasons_not_gaps():
    items = [item(f"C{n}", "synthetic" if n % 2 else "real") for n in range(10)]
    reads = [read("R1", one, {"origin": "synthetic"}) for one in items]
    section = turing(dataset(reads, items, readers=("R1", "R2")), ENTRY)
    first, second, _ = (one.cells for one in table(section, "readers").rows)
    assert first["correct"].value == 0.5
    assert first["dprime"].value == pytest.approx(0, abs=1e-12)
    assert math.isnan(second["correct"].value)
    assert second["correct"].reason
    assert second["p"].reason
    assert second["dprime"].reason
    assert "No call by R2" in " ".join(table(section, "readers").notes)


def test_one_class_only_leaves_d_prime_undefined_with_its_reason():
    items = [item(f"C{n}", "real") for n in range(6)]
    section = turing(dataset([read("R1", one, {"origin": "real"}) for one in items], items), ENTRY)
    only = table(section, "readers").rows[0].cells
    assert only["correct"].value == 1
    assert only["correct"].low == pytest.approx(0.609665, abs=1e-6)  # R: prop.test(6, 6)
    assert "no signal trials" in only["dprime"].reason


def test_everyone_right_is_reported_though_it_has_no_clustered_test():
    section = turing(study(lambda *_: True), ENTRY)
    assert "not tested" in section.lead[0]
    main = section.tests[0]
    assert math.isnan(main.p)
    assert main.reason


@pytest.mark.parametrize(("rule", "right", "n"), [("exclude", 3, 3), ("wrong", 3, 4)])
def test_not_evaluable_answers_count_as_the_plan_says(rule, right, n):
    items = [item(f"C{k}", "synthetic") for k in range(4)]
    reads = [read("R1", one, {"origin": "synthetic"}) for one in items[:3]]
    reads.append(read("R1", items[3], not_evaluable=("origin",)))
    section = turing(dataset(reads, items), replace(ENTRY, not_evaluable=rule))
    found = table(section, "readers")
    assert found.rows[0].cells["correct"].value == right / n
    assert "1 not evaluable" in found.n


def test_missing_reads_repeats_and_unknown_truth_are_left_out_and_counted():
    items = [item(f"C{k}", "synthetic") for k in range(4)] + [item("U")]
    reads = [read(r, one, {"origin": "synthetic"}) for r in ("R1", "R2") for one in items]
    reads = [one for one in reads if (one.reader, one.item) != ("R2", "C3")]
    reads.append(read("R1", items[0], {"origin": "real"}, repeat=1))
    available = turing(dataset(reads, items), ENTRY)
    assert table(available, "readers").n.startswith("n = 7 reads of 4 cases")
    assert "2 reads of unknown truth left out" in table(available, "readers").n
    complete = turing(dataset(reads, items), replace(ENTRY, missing="complete"))
    assert table(complete, "readers").n.startswith("n = 6 reads of 3 cases")
    assert "1 read of cases that not every reader read left out" in table(complete, "readers").n


def test_patients_are_the_cluster_where_the_plan_says_so():
    items = [
        item(f"C{n}", "synthetic" if n % 2 else "real", subject=f"S{n // 4}") for n in range(16)
    ]
    reads = [read("R1", one, {"origin": one.origin if n % 3 else OTHER[one.origin]})
             for n, one in enumerate(items)]  # fmt: skip
    section = turing(dataset(reads, items), replace(ENTRY, unit="subject"))
    expected = stats.clustered_against(
        [int(n % 3 > 0) for n in range(16)], [n // 4 for n in range(16)], margin=0.1
    )
    assert section.tests[0].p == pytest.approx(expected.p_two_sided)
    assert section.tests[0].unit.startswith("patient")


def test_arms_are_rows_of_their_own_and_compared_as_paired():
    items = [item(f"C{n}", "synthetic" if n % 2 else "real") for n in range(40)]
    reads = [
        read("R1", one, {"origin": one.origin if n >= wrong else OTHER[one.origin]}, arm=arm)
        for arm, wrong in (("a", 5), ("b", 15))
        for n, one in enumerate(items)
    ]
    data = dataset(reads, items, arms=(("a", "First"), ("b", "Second")))
    section = turing(data, ENTRY)
    assert [one.cells["arm"] for one in table(section, "readers").rows] == ["First", "Second"]
    pair = next(test for test in section.tests if test.code == "arms pairs")
    # R: mcnemar.test(matrix(c(25, 0, 10, 5), 2), correct = FALSE): chi-square 10, p 0.001565402
    assert pair.p == pytest.approx(0.001565402, abs=1e-8)


def test_a_choice_between_two_images_counts_right_wrong_and_equal():
    which = QuestionFacts(
        "which", "Which is synthetic?", "place", truth={"source": "origin"}, equal=True
    )
    items = [
        Item(f"P{n}", (f"P{n}", f"Q{n}"), f"S{n}", right={"which": {"member": n % 2}})
        for n in range(10)
    ]
    said = [{"members": [n % 2]} if n < 7 else {"members": [1 - n % 2]} for n in range(9)]
    reads = [
        read("R1", one, {"which": a})
        for one, a in zip(items, [*said, {"members": []}], strict=True)
    ]
    section = turing(dataset(reads, items, questions=(which,)), replace(ENTRY, question="which"))
    only = table(section, "readers").rows[0].cells
    assert [only[name].value for name in ("right", "wrong", "equal")] == [7, 2, 1]
    assert section.lead[0].startswith("The reader chose the right image in **70.0 %")


def test_a_consensus_is_one_row_and_needs_an_adjudication():
    items = [item(f"C{n}", "synthetic" if n % 2 else "real") for n in range(6)]
    held = [one.origin if n else OTHER[one.origin] for n, one in enumerate(items)]
    settled = [
        Settled(one.code, "main", (), value, "agreed")
        for one, value in zip(items, [*held[:4], None, NOT_EVALUABLE], strict=True)
    ]
    entry = replace(ENTRY, consensus=True)
    section = turing(dataset([], items, settled={"origin": settled}), entry)
    found = table(section, "readers")
    assert [one.cells["reader"] for one in found.rows] == ["Consensus"]
    assert found.rows[0].cells["correct"].value == 0.75
    assert "1 read without a consensus left out" in found.n
    with pytest.raises(ValueError, match="no answers were adjudicated"):
        turing(dataset([], items), entry)


def test_sessions_of_a_study_are_told_apart():
    items = [item(f"C{n}", "synthetic" if n % 2 else "real") for n in range(20)]
    reads = [
        read("R1", one, {"origin": one.origin if n % 5 else OTHER[one.origin]}, period=1 + n // 10)
        for n, one in enumerate(items)
    ]
    again = [replace(one, reader="R2", period=period) for one in reads for period in (1, 2)]
    twice = table(turing(dataset(reads + again, items), ENTRY), "overall").rows[1].cells
    assert twice["correct"].reason  # cases read in both sessions: no crossed design
    found = table(turing(dataset(reads, items), ENTRY), "sessions")
    assert [one.cells["session"] for one in found.rows] == ["1", "2"]
    assert [one.cells["correct"].value for one in found.rows] == [0.8, 0.8]


def test_planned_subgroups_are_estimated_once_more_without_a_test():
    data = study(lambda _, n: n % 4 > 0, stratum="only")
    names = ("stratum", "experience", "period", "reference:grade")
    section = turing(data, replace(ENTRY, subgroups=names))
    told = [one.text for one in section.blocks if isinstance(one, Passage)]
    assert any("all reads are in one part, only" in text for text in told)
    with pytest.raises(ValueError, match="no subgroup 'colour'"):
        turing(data, replace(ENTRY, subgroups=("colour",)))


def test_a_planned_method_that_has_no_use_here_says_so():
    section = turing(study(lambda _, n: n % 4 > 0), replace(ENTRY, methods=("icc",), margin=None))
    cell = table(section, "not_computed").rows[0].cells["result"]
    assert cell.reason.startswith("not computed")
    assert "no margin around guessing was planned" in section.lead[0]


def test_nothing_called_or_a_question_without_two_levels_is_refused_in_words():
    items = [item("C1", "real")]
    with pytest.raises(ValueError, match="no read answers"):
        turing(dataset([], items), ENTRY)
    three = replace(ORIGIN, options=(*ORIGIN.options, OptionFacts("unsure", "Unsure")))
    with pytest.raises(ValueError, match="has 3 levels"):
        turing(dataset([], items, questions=(three, CONFIDENCE)), ENTRY)


def test_the_document_is_json_and_back_and_families_are_adjusted():
    data = study(lambda reader, n: (n + reader) % 5 > 0)
    planned = replace(ENTRY, family="turing", adjustment="holm")
    document = carry_out(data, [Entry(planned), Entry(replace(planned, code="again"))])
    assert from_dict(json.loads(json.dumps(document.to_dict()))).to_dict() == document.to_dict()
    main = document.sections[0].tests[0]
    assert main.adjusted_p == pytest.approx(min(1, 2 * main.p))


def test_readers_like_these_are_clustered_by_patient_where_the_plan_says_so():
    items = [
        item(f"C{n}", "synthetic" if n % 2 else "real", subject=f"S{n // 2}") for n in range(40)
    ]
    rng = random.Random(5)
    skill = {one.subject: rng.random() for one in items}
    reads = [
        read(r, one, {"origin": one.origin if rng.random() < skill[one.subject] else
                      OTHER[one.origin]})
        for r in ("R1", "R2", "R3") for one in items
    ]  # fmt: skip
    data = dataset(reads, items)
    by_patient = table(turing(data, replace(ENTRY, unit="subject")), "overall").rows[1].cells
    by_case = table(turing(data, ENTRY), "overall").rows[1].cells
    assert by_patient["view"] == "Readers like these, other patients"
    assert by_patient["correct"].value == pytest.approx(by_case["correct"].value)
    wide = by_patient["correct"].high - by_patient["correct"].low
    assert wide > by_case["correct"].high - by_case["correct"].low


def test_every_filter_of_an_answer_names_its_question():
    data = study(lambda reader, n: (n + reader) % 5 > 0)
    agreeing = replace(ENTRY, code="agree", endpoint="agreement", methods=("cohen_kappa",))
    document = carry_out(data, [Entry(ENTRY), Entry(agreeing)])
    filters = [
        cell.behind
        for section in document.sections[:2]
        for found in section.tables
        for line in found.rows
        for cell in line.cells.values()
        if not isinstance(cell, str) and {"answer", "right"} & set(cell.behind)
    ]
    assert filters
    assert all(one["question"] == "origin" for one in filters)
