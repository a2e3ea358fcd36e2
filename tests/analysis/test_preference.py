"""Choices between images beside each other: exact tests of R, ties, planted shares, bad input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from readerstudy.analysis.carrying_out import Entry, carry_out
from readerstudy.analysis.document import Number, Passage, Section
from readerstudy.analysis.endpoints.preference import preference
from readerstudy.analysis.facts import Dataset, Item, QuestionFacts
from readerstudy.stats import clustered_against
from readerstudy.studies.analysis_plan import PlannedAnalysis
from tests.analysis import making
from tests.analysis.graded_reads import row, table

BETTER = QuestionFacts("better", "Which image is better?", "place", equal=True)
WHICH = QuestionFacts(
    "which", "Which image is synthetic?", "place", truth={"source": "origin", "place": "synthetic"}
)
TIE: dict[str, list[int]] = {"shown": [], "members": []}


def entry(**more: Any) -> PlannedAnalysis:
    usual: dict[str, Any] = {
        "code": "preference",
        "title": "Preference",
        "question": "better",
        "endpoint": "preference",
        "methods": ("clustered_proportion", "binomial_against"),
    }
    return PlannedAnalysis(**(usual | more))


def pair(code: str, origins: Sequence[str] = ("real", "synthetic"), **more: Any) -> Item:
    member = origins.index("synthetic") if "synthetic" in origins else 0
    return Item(
        code=code,
        cases=tuple(f"{code}-{n}" for n in range(len(origins))),
        subject=more.pop("subject", f"S-{code}"),
        origins=tuple(origins),
        generators=more.pop("generators", ("", "net")),
        right={"which": {"member": member}},
    )


def chosen(member: int, side: int = 0) -> dict[str, list[int]]:
    return {"shown": [side], "members": [member]}


def study(
    counts: Sequence[Sequence[int]], question: QuestionFacts = BETTER, **more: Any
) -> Dataset:
    """For each reader how many prefer the synthetic image, the real one, and call both equal."""
    size = sum(counts[0])
    items = [pair(f"p{n}") for n in range(size)]
    reads = []
    for number, (synthetic, real, equal) in enumerate(counts, start=1):
        answers = [chosen(1)] * synthetic + [chosen(0, 1)] * real + [TIE] * equal
        reads += [
            making.read(f"R{number}", one, {question.code: answer})
            for one, answer in zip(items, answers, strict=True)
        ]
    return making.dataset(reads, items, questions=(question,), places=2, **more)


def _words(section: Section) -> str:
    return " ".join(one.text for one in section.blocks if isinstance(one, Passage))


def _test(section: Section, code: str = "main") -> Any:
    return next(test for test in section.tests if test.code == code)


def test_one_reader_is_the_exact_binomial_test_of_r() -> None:
    """R: binom.test(33, 50)$p.value."""
    made = preference(study([(33, 17, 0)]), entry())
    cells = row(table(made, "preference"), "R1")
    assert cells["share"].value == pytest.approx(0.66)
    assert cells["p"].value == pytest.approx(0.0328391375643, abs=1e-12)
    assert _test(made).p == pytest.approx(0.0328391375643, abs=1e-12)
    assert "preferred the synthetic image in **66.0 %**" in made.lead[0]


def test_ties_are_left_out_and_counted_and_half_in_a_row() -> None:
    """R: binom.test(33, 50) once more, beside ten ties: (33 + 5) / 60 if they count half."""
    made = preference(study([(33, 17, 10)]), entry())
    assert _test(made).p == pytest.approx(0.0328391375643, abs=1e-12)
    assert "10 answers of 60 (16.7 %) said “equal”" in _words(made)
    half = row(table(made, "views"), "These readers, “equal” counted half for each", "view")
    assert half["share"].value == pytest.approx(38 / 60)
    assert row(table(made, "preference"), "R1")["equal"].value == 10


def test_several_readers_of_the_same_pairs_are_clustered() -> None:
    data = study([(33, 17, 0), (30, 20, 0), (28, 22, 0)])
    made = preference(data, entry())
    success = [1.0] * 33 + [0.0] * 17 + [1.0] * 30 + [0.0] * 20 + [1.0] * 28 + [0.0] * 22
    expected = clustered_against(success, [*range(50)] * 3)
    assert _test(made).p == pytest.approx(expected.p_two_sided)
    cells = row(table(made, "preference"), "All readers")
    assert cells["share"].value == pytest.approx(91 / 150)
    assert cells["share"].low == pytest.approx(expected.low)
    views = [one.cells["view"] for one in table(made, "views").rows]
    assert views[0] == "These readers, other cases"
    assert views[1] == "Readers like these, other cases"
    assert "they are not" in views[-1]


def test_a_planted_preference_is_recovered() -> None:
    rng = np.random.default_rng(3)
    items = [pair(f"p{n}") for n in range(250)]
    shift = rng.normal(size=250) * 0.4
    reads = [
        making.read(f"R{reader}", one, {"better": chosen(int(rng.random() < 0.65 + 0.2 * s))})
        for reader in range(1, 5)
        for one, s in zip(items, np.clip(shift, -1, 1), strict=True)
    ]
    made = preference(making.dataset(reads, items, questions=(BETTER,), places=2), entry())
    share = row(table(made, "preference"), "All readers")["share"]
    assert share.low < 0.65 < share.high
    assert _test(made).p < 0.001


def test_a_known_right_image_is_a_forced_choice() -> None:
    made = preference(study([(33, 17, 0)], WHICH), entry(question="which", margin=0.2))
    assert "chose the right image in **66.0 %**" in made.lead[0]
    assert "**not shown**" in made.lead[1]
    wrong = study([(33, 17, 0)], WHICH)
    silent = [
        replace(one, answers={}, not_evaluable=frozenset({"which"})) if place < 3 else one
        for place, one in enumerate(wrong.reads)
    ]
    counted = preference(
        replace(wrong, reads=silent), entry(question="which", not_evaluable="wrong")
    )
    assert row(table(counted, "preference"), "R1")["share"].value == pytest.approx(30 / 50)
    left = preference(replace(wrong, reads=silent), entry(question="which"))
    assert row(table(left, "preference"), "R1")["share"].value == pytest.approx(30 / 47)
    assert "3 choices “not evaluable”, left out" in _words(left)


def test_one_of_three_images_is_chosen_by_lot_in_a_third() -> None:
    """R: binom.test(17, 40, 1/3)$p.value."""
    items = [
        pair(f"p{n}", ("synthetic", "real", "real"), generators=("net", "", "")) for n in range(40)
    ]
    reads = [
        making.read("R1", one, {"better": chosen(0 if n < 17 else 1 + n % 2)})
        for n, one in enumerate(items)
    ]
    made = preference(making.dataset(reads, items, questions=(BETTER,), places=3), entry())
    assert _test(made).p == pytest.approx(0.240997251794, abs=1e-11)
    assert "33.3 %" in _test(made).null


def test_two_generators_are_named() -> None:
    items = [
        pair(
            f"p{n}", ("synthetic", "synthetic"), generators=(("old", "new"), ("new", "old"))[n % 2]
        )
        for n in range(30)
    ]
    reads = [
        making.read("R1", one, {"better": chosen(one.generators.index("old"))}) for one in items
    ]
    made = preference(making.dataset(reads, items, questions=(BETTER,), places=2), entry())
    assert "the image of old in **100.0 %**" in made.lead[0]


def test_sides_are_described() -> None:
    made = table(preference(study([(33, 17, 0)]), entry()), "sides")
    assert row(made, "R1")["left"].value == 33


def test_patients_with_several_pairs_are_the_unit_where_planned() -> None:
    data = study([(33, 17, 0)])
    items = {
        code: replace(one, subject=f"S{place % 10}")
        for place, (code, one) in enumerate(data.items.items())
    }
    made = preference(replace(data, items=items), entry(unit="subject"))
    assert "clustered" in _test(made).name
    assert _test(made).unit == "patient"


def test_arms_and_subgroups_are_described_without_a_test() -> None:
    data = study([(20, 10, 0)], arms=(("a", "First"), ("b", "Second")))
    reads = [replace(one, arm=arm) for one in data.reads for arm in ("a", "b")]
    items = {
        code: replace(one, stratum=("x", "y")[place % 2])
        for place, (code, one) in enumerate(data.items.items())
    }
    made = preference(replace(data, reads=reads, items=items), entry(subgroups=("stratum",)))
    assert [one.cells["arm"] for one in table(made, "arms").rows] == ["First", "Second"]
    assert [one.cells["part"] for one in table(made, "subgroup_stratum").rows] == ["x", "y"]
    such = row(table(made, "views"), "Readers like these, other cases", "view")
    assert such["share"].reason


def test_always_the_same_choice_has_limits_and_a_reason() -> None:
    made = preference(study([(20, 0, 0), (20, 0, 0)]), entry(margin=0.1))
    cells = row(table(made, "preference"), "All readers")["share"]
    assert cells.value == 1.0
    assert 0.5 < cells.low < 1.0
    assert math.isnan(_test(made).p)
    assert _test(made).reason
    undefined = [
        (one.code, name)
        for one in made.tables
        for line in one.rows
        for name, cell in line.cells.items()
        if isinstance(cell, Number) and not cell.defined and not cell.reason
    ]
    assert not undefined


def test_a_silent_reader_keeps_a_row_with_the_reason() -> None:
    data = study([(12, 8, 0), (11, 9, 0)])
    reads = [one for one in data.reads if one.reader == "R1"]
    made = preference(replace(data, reads=reads), entry())
    assert "chose nothing" in row(table(made, "preference"), "R2")["share"].reason
    assert "R2" in _words(made)


@pytest.mark.parametrize(
    ("data", "more", "message"),
    [
        (study([(0, 0, 5)]), {}, "no image is preferred"),
        (replace(study([(3, 2, 0)]), reads=[]), {}, "has no answer"),
        (study([(3, 2, 0)]), {"consensus": True}, "that of each reader"),
        (making.dataset([], []), {"question": "origin"}, "does not choose"),
    ],
)
def test_what_cannot_be_computed_says_why(
    data: Dataset, more: dict[str, Any], message: str
) -> None:
    section = carry_out(data, [Entry(entry(**more))]).sections[0]
    assert message in section.lead[0]


def test_sets_that_differ_have_no_even_share() -> None:
    items = [pair("a"), pair("b", ("real", "synthetic", "synthetic"))]
    reads = [making.read("R1", one, {"better": chosen(1)}) for one in items]
    with pytest.raises(ValueError, match="no one share"):
        preference(making.dataset(reads, items, questions=(BETTER,), places=3), entry())
