"""Right and wrong answers give the verdict that the how-to page states."""

from __future__ import annotations

from dataclasses import replace

import pytest

from readerstudy.readers.display_check_targets import draw
from readerstudy.readers.display_check_verdict import judge
from tests.factories import GOOD_ROOM

THIN = "\N{NARROW NO-BREAK SPACE}"
# Places in the draw: 0-3 black, 4 dark grey, 5-6 mid grey, 7 light grey, 8-11 white, 12 lines;
# on black and white the steps are 13, 8, 4 and 2 levels.


def verdict(missed=(), room=GOOD_ROOM, **typed):
    targets = draw("seed")
    answers = ["" if place in missed else t.character for place, t in enumerate(targets)]
    for place, text in typed.items():
        answers[int(place.removeprefix("at"))] = text
    return judge(targets, answers, room)


def point(found, code):
    return next(one for one in found.points if one.code == code)


def test_everything_seen_in_a_good_room_passes():
    found = verdict()
    assert found.passed
    assert all(one.passed and not one.advice for one in found.points)
    assert found.smallest == {"black": 2, "dark": 4, "mid": 2, "light": 4, "white": 2}


def test_the_faintest_step_is_wanted_of_nobody():
    found = verdict(missed=(3, 6, 11))
    assert found.passed
    assert found.smallest == {"black": 4, "dark": 4, "mid": 4, "light": 4, "white": 4}


@pytest.mark.parametrize(
    ("missed", "zone", "statement"),
    [
        ((2, 3), "black", "On black you saw 3.1 % steps; 1.6 % is wanted"),
        ((1, 2, 3), "black", "On black you saw 5.1 % steps; 1.6 % is wanted"),
        ((0, 1, 2, 3), "black", "On black you saw none of the steps; 1.6 % is wanted"),
        ((4,), "dark", "On dark grey you saw none of the steps; 1.6 % is wanted"),
        ((5, 6), "mid", "On mid grey you saw none of the steps; 1.6 % is wanted"),
        ((7,), "light", "On light grey you saw none of the steps; 1.6 % is wanted"),
        ((10, 11), "white", "On white you saw 3.1 % steps; 1.6 % is wanted"),
    ],
)
def test_a_step_that_is_missed_is_said_with_what_is_wanted(missed, zone, statement):
    found = verdict(missed=missed)
    assert not found.passed
    assert [one.code for one in found.points if not one.passed] == [zone]
    assert point(found, zone).statement.replace(THIN, " ") == statement
    assert point(found, zone).advice


def test_a_slip_at_an_easier_step_does_not_hide_a_finer_one_that_was_read():
    assert verdict(missed=(0,)).smallest["black"] == 2


def test_small_letters_are_right_and_another_character_is_wrong():
    target = draw("seed")[2]
    other = "X" if target.character != "X" else "Y"
    assert verdict(missed=(3,), at2=target.character.lower()).passed
    assert not verdict(missed=(3,), at2=other).passed


def test_lines_that_run_together_fail_the_check():
    found = verdict(missed=(12,))
    assert not found.passed
    assert "native resolution" in point(found, "lines").advice


@pytest.mark.parametrize(
    ("change", "code", "counts"),
    [
        ({"width": 1023}, "window", True),
        ({"height": 767}, "window", True),
        ({"colour_depth": 16}, "depth", True),
        ({"zoom": 1.25}, "zoom", False),
        ({"zoom": 0.9}, "zoom", False),
        ({"light": "bright"}, "room", False),
    ],
)
def test_window_depth_zoom_and_light_are_judged(change, code, counts):
    found = verdict(room=replace(GOOD_ROOM, **change))
    assert not point(found, code).passed
    assert point(found, code).advice
    assert found.passed is not counts


@pytest.mark.parametrize(
    "change",
    [{"width": 1024, "height": 768}, {"zoom": None}, {"zoom": 1.02}, {"light": "normal"}],
)
def test_at_the_limits_all_is_well(change):
    found = verdict(room=replace(GOOD_ROOM, **change))
    assert all(one.passed for one in found.points)


def test_an_unfinished_check_has_no_verdict():
    with pytest.raises(ValueError, match="13 targets need as many answers, not 12"):
        judge(draw("seed"), [""] * 12, GOOD_ROOM)
