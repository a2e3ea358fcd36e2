"""The figure of the curves of one arm."""

from __future__ import annotations

import numpy as np
import pytest

from readerstudy.stats.figure_data import ReaderCurve
from readerstudy.stats.figures_roc import MOST_POINTS, arm_roc, average_of


def _curve(reader: str, points: int = 3) -> ReaderCurve:
    along = np.linspace(0, 1, points)
    return ReaderCurve(reader, "a", 1 - along**2, along)


def _words(points: int) -> list[str]:
    return ["", *[f"level {n}" for n in range(1, points)]]


def test_the_average_of_equal_curves_is_the_curve() -> None:
    rows = average_of([_curve("R1", 101), _curve("R2", 101)], "a")
    for row in rows:
        assert row["sensitivity"] == pytest.approx(1 - (1 - row["fpr"]) ** 2, abs=1e-9)


def test_a_point_has_its_threshold_and_many_points_are_thinned() -> None:
    curves = [_curve("R1"), _curve("R2", 201)]
    spec = arm_roc(curves, [_words(3), _words(201)], average=average_of(curves, "a"), note="n")
    points = spec["datasets"]["points"]
    assert [one["threshold"] for one in points if one["reader"] == "R1"] == ["level 1", "level 2"]
    thinned = [one["threshold"] for one in points if one["reader"] == "R2"]
    assert len(thinned) == MOST_POINTS
    assert (thinned[0], thinned[-1]) == ("level 1", "level 200")
    for one in points:
        assert one["sensitivity"] == pytest.approx(1 - one["specificity"] ** 2)


def test_it_can_be_drawn() -> None:
    vl_convert = pytest.importorskip("vl_convert")
    curves = [_curve(f"R{n}") for n in range(8)]
    average = average_of(curves, "a")
    spec = arm_roc(curves, [_words(3)] * 8, average=average, compared=average, is_reference=True)
    assert "1 − specificity" in vl_convert.vegalite_to_svg(spec)


def test_no_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one curve"):
        arm_roc([], [], average=[])
