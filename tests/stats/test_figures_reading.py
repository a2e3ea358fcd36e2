"""Figures of how a study was read: their rows, their words, and bad input."""

from __future__ import annotations

import pytest

from readerstudy.stats.figures import to_svg
from readerstudy.stats.figures_reading import Spot, pace_curve, spot_map


def rows_of(chart, key: str) -> list[dict]:
    datasets = chart.to_dict()["datasets"].values()
    return [row for rows in datasets for row in rows if key in row]


def spot(x: float, y: float, z: float, truth: str = "real", verdict: str = "right") -> Spot:
    return Spot(x, y, z, truth, verdict, "R1", "C1")


def test_a_pace_is_the_median_of_each_tenth_of_a_readers_reads():
    reads = [("R1", place, float(place)) for place in range(1, 41)]
    found = sorted(
        {(row["reading"], row["seconds"]) for row in rows_of(pace_curve(reads), "seconds")}
    )
    # four reads to a block: 1..4 has the mean place and the median 2.5
    assert found[:2] == [(2.5, 2.5), (6.5, 6.5)]
    assert len(found) == 10


@pytest.mark.parametrize(
    ("plane", "expected"), [("axial", (1, 2)), ("sagittal", (2, 3)), ("coronal", (1, 3))]
)
def test_a_spot_is_projected_on_its_plane(plane, expected):
    (row,) = rows_of(spot_map([spot(1, 2, 3)], plane=plane), "a")
    assert (row["a"], row["b"]) == expected


def test_each_truth_has_a_panel_with_anterior_up():
    chart = spot_map([spot(1, 2, 3), spot(4, 5, 6, "synthetic", "wrong")], plane="axial").to_dict()
    assert [panel["title"] for panel in chart["hconcat"]] == [
        "Marked in real cases",
        "Marked in synthetic cases",
    ]
    y = chart["hconcat"][0]["layer"][2]["encoding"]["y"]
    assert y["scale"]["reverse"] is True
    assert y["title"] == "Posterior – anterior, mm"


def test_figures_can_be_drawn():
    for chart in (pace_curve([("R1", 1, 2.0)]), spot_map([spot(0, 0, 0)], plane="sagittal")):
        assert to_svg(chart).startswith("<svg")


def test_bad_input_is_refused_in_words():
    with pytest.raises(ValueError, match="at least one read"):
        pace_curve([])
    with pytest.raises(ValueError, match="at least one place"):
        spot_map([], plane="axial")
    with pytest.raises(ValueError, match="plane must be one of"):
        spot_map([spot(0, 0, 0)], plane="oblique")
