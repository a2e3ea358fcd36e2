"""The projected end of the reading: a date with a prediction interval, or why there is none."""

from __future__ import annotations

from datetime import date

import pytest

from readerstudy.reading.pace import RIGHT, TOP, Pace
from readerstudy.reading.projection import Projection, project

TODAY = date(2026, 3, 2)


def test_an_even_pace_has_one_end():
    found = project([10] * 7, left=95, today=TODAY)
    assert (found.end, found.earliest, found.latest) == (date(2026, 3, 12),) * 3
    assert (found.days, found.a_day) == (7, 10)


def test_the_interval_is_that_of_a_sum_of_new_observations():
    # m 10, s sqrt(20/9), n 10; t(0.9, 9 df) = 1.3830 (Student's table). After 9 days at most
    # 90 + 1.3830 * 1.4907 * sqrt(9 + 8.1) = 98.5, after 10 days 100 + 9.2 = 109.2; at least
    # 100 - 9.2 = 90.8 after 10 days, 110 - 9.9 = 100.1 after 11.
    counts = [8, 12, 9, 11, 10, 10, 8, 12, 10, 10]
    found = project(counts, left=99, today=TODAY)
    assert found.end == date(2026, 3, 12)
    assert found.earliest == date(2026, 3, 12)
    assert found.latest == date(2026, 3, 13)
    assert project(counts, left=98, today=TODAY).earliest == date(2026, 3, 11)


def test_a_pace_that_varies_too_much_has_no_latest_end():
    found = project([0, 0, 40, 0, 0], left=50, today=TODAY)
    assert found.end == date(2026, 3, 9)
    assert found.latest is None
    assert found.earliest is not None


@pytest.mark.parametrize(
    ("counts", "left", "words"),
    [
        ([5] * 4, 10, "before 5 whole days"),
        ([0] * 9, 10, "Nothing was read in the last 9 days"),
        ([5] * 9, 0, "Every case is read"),
    ],
)
def test_without_an_end_there_is_a_reason(counts, left, words):
    found = project(counts, left=left, today=TODAY)
    assert found.end is None
    assert words in found.reason


def test_only_the_last_four_weeks_count():
    found = project([100] * 50 + [1] * 28, left=28, today=TODAY)
    assert (found.a_day, found.days) == (1, 28)


def test_the_drawing_goes_on_to_the_end_and_no_further():
    days = [(date(2026, 2, 20 + n), 10 * n) for n in range(6)]
    near = Pace(days, 60, Projection(date(2026, 2, 26), date(2026, 2, 26), date(2026, 2, 27)))
    assert near.ahead == 2
    assert near.expected.endswith(f",{TOP}")
    far = Pace(days, 60, Projection(date(2026, 12, 1), date(2026, 6, 1), None))
    assert far.ahead == 18
    x, y = map(float, far.expected.split()[1].split(","))
    assert x == RIGHT
    assert y > TOP
    assert Pace(days, 60).expected == ""
    assert Pace(days, 60).fan == ""
