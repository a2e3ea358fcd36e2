"""Scores of graded answers: levels, a line, the call alone, and reads that occur twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from readerstudy.analysis.endpoints.graded import graded
from readerstudy.analysis.endpoints.reads import scored
from tests.analysis import making
from tests.analysis.graded_reads import ARMS, GRADE, LINE, entry, rated, simulated
from tests.stats.golden_mrmc import van_dyke


def _line(call: str, sure: float | None) -> list[float]:
    one = making.item("c1", right={"grade": "high"})
    answers = {"grade": call} | ({} if sure is None else {"sure": sure})
    data = making.dataset(
        [making.read("R1", one, answers, arm="standard")],
        [one],
        questions=(GRADE, LINE),
        arms=ARMS,
    )
    return scored(data, "grade", "sure").scores


def test_a_confidence_on_a_line_runs_from_surely_not_to_surely() -> None:
    assert _line("low", 100) == [0.0]
    assert _line("low", 0) == _line("high", 0) == [100.0]
    assert _line("high", 100) == [200.0]
    assert _line("high", 25) == [125.0]


def test_a_confidence_that_is_missing_or_off_the_line_is_not_scored() -> None:
    assert _line("high", None) == []
    assert _line("high", 101) == []


def test_the_share_of_the_scale_is_0_to_1() -> None:
    """K = 3 levels make the scores 1 to 6; a rating of 4 is the call with the least confidence."""
    block = graded(rated(van_dyke()), entry(), arms=("standard", "map"))
    assert (block.lowest, block.highest) == (1.0, 6.0)
    assert set(block.share.ravel().round(12).tolist()) == {0.0, 0.2, 0.4, 0.6, 1.0}
    line = graded(simulated(cases=10, readers=2, line=True), entry(), arms=("standard",))
    assert (line.lowest, line.highest) == (0.0, 200.0)


def test_a_read_that_occurs_twice_counts_once_and_is_told() -> None:
    data = rated(van_dyke())
    twice = replace(data, reads=[*data.reads, data.reads[0]])
    block = graded(twice, entry(), arms=("standard", "map"))
    assert int(block.read.sum()) == 1140
    assert any("had read the case in this arm before" in note for note in block.left.notes())


@pytest.mark.parametrize("arms", [("standard",), ("standard", "map")])
def test_the_order_of_reads_changes_nothing(arms: tuple[str, ...]) -> None:
    data = rated(van_dyke())
    block = graded(data, entry(), arms=arms)
    turned = graded(replace(data, reads=data.reads[::-1]), entry(), arms=arms)
    assert block.score.sum() == turned.score.sum()
    assert block.readers == turned.readers
    assert sorted(block.items) == sorted(turned.items)
