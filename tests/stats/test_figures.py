"""Figures: the numbers in the specification, the look that survives grey, and the file formats."""

import functools
import json
import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from readerstudy.stats import figures
from readerstudy.stats.figures import BLUE, FONT, ORANGE, ForestRow, ReaderCurve


def curve(reader, arm, points):
    """Return a curve from pairs of sensitivity and specificity."""
    sensitivity, specificity = np.array(points, dtype=float).T
    return ReaderCurve(reader, arm, sensitivity, specificity)


NAMES = (
    "roc",
    "forest",
    "confusion",
    "agreement",
    "bland_altman",
    "kaplan_meier",
    "reclassification",
    "calibration",
    "learning_curve",
)
CURVES = [
    curve("R1", "standard", [(0.5, 1.0), (0.75, 0.5)]),
    curve("R2", "standard", [(0.3, 1.0), (0.55, 0.5)]),
    curve("R1", "with CBV", [(0.9, 0.9)]),
]


def values(chart):
    """Return the data of each layer."""
    spec = chart.to_dict()
    names = [layer.get("data", spec.get("data"))["name"] for layer in spec["layer"]]
    return [spec["datasets"][name] for name in names]


@functools.cache
def every_figure():
    """Return one figure of each kind."""
    rng = np.random.default_rng(1)
    truth, p = rng.integers(0, 2, 40), rng.random(40)
    return {
        "roc": figures.roc(CURVES),
        "forest": figures.forest([ForestRow("R1", 0.2, 0.1, 0.3)], reference=0),
        "confusion": figures.confusion_matrix([[3, 1], [0, 4]], labels=["real", "synthetic"]),
        "agreement": figures.agreement_map([[1, 0.6], [0.6, 1]], readers=["R1", "R2"]),
        "bland_altman": figures.bland_altman(p, p[::-1]),
        "kaplan_meier": figures.kaplan_meier([1, 2, 3, 4], [1, 0, 1, 1]),
        "reclassification": figures.reclassification(truth, p, p[::-1]),
        "calibration": figures.calibration(truth, p, bins=4),
        "learning_curve": figures.learning_curve(truth, guessing=0.5),
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_is_a_described_drawing_in_our_type(name):
    chart = every_figure()[name]
    spec = chart.to_dict()
    assert spec["description"]
    assert spec["config"]["font"] == FONT
    assert "NaN" not in json.dumps(spec)


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_becomes_valid_svg(name, tmp_path):
    target = figures.save(every_figure()[name], tmp_path / f"{name}.svg")
    root = ElementTree.parse(target).getroot()
    assert root.tag.endswith("svg")
    assert len(list(root.iter())) > 20


def test_other_formats_and_endings(tmp_path):
    chart = every_figure()["forest"]
    assert figures.save(chart, tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert figures.save(chart, tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"must end in \.svg, \.pdf, \.png"):
        figures.save(chart, tmp_path / "a.jpg")


def test_roc_average_is_the_mean_sensitivity_at_equal_specificity():
    _, band, thin, thick = values(figures.roc(CURVES))
    at = {(row["arm"], round(row["fpr"], 2)): row for row in thick}
    assert at["standard", 0.0]["sensitivity"] == pytest.approx(0.4)
    assert at["standard", 0.5]["sensitivity"] == pytest.approx(0.65)
    assert at["standard", 1.0]["sensitivity"] == pytest.approx(1.0)
    # t with 1 degree of freedom is 12.7062; SD .1414 / sqrt 2 = .1
    assert at["standard", 0.0]["high"] == 1.0
    assert at["standard", 0.0]["low"] == 0.0
    assert {row["arm"] for row in band} == {"standard"}
    first = [row for row in thin if row["reader"] == "R1" and row["arm"] == "standard"]
    assert [(row["fpr"], row["sensitivity"]) for row in first] == [
        (0.0, 0.0),
        (0.0, 0.5),
        (0.5, 0.75),
        (1.0, 1.0),
    ]


def test_two_series_differ_in_colour_and_dash():
    spec = figures.roc(CURVES).to_dict()
    encoding = spec["layer"][3]["encoding"]
    assert encoding["color"]["scale"]["range"] == [BLUE, ORANGE]
    assert encoding["strokeDash"]["scale"]["range"] == [[1, 0], [6, 4]]
    marks = figures.reclassification([1, 0], [0.1, 0.2], [0.3, 0.4]).to_dict()["layer"][1]
    assert marks["encoding"]["shape"]["scale"]["range"] == ["diamond", "circle"]


def test_a_third_series_asks_for_another_figure():
    third = [*CURVES, curve("R1", "third", [(0.5, 0.5)])]
    with pytest.raises(ValueError, match="one or two arms, got 3"):
        figures.roc(third)
    with pytest.raises(ValueError, match="one or two arms, got 0"):
        figures.roc([])
    with pytest.raises(ValueError, match="one or two groups, got 3"):
        figures.kaplan_meier([1, 2, 3], [1, 1, 1], group=["a", "b", "c"])


def test_forest_marks_the_overall_row_and_draws_no_missing_limits():
    rows = [ForestRow("R1", 0.2, math.nan, math.nan), ForestRow("Mean", 0.1, 0.0, 0.2, True)]
    chart = figures.forest(rows, reference=0.5)
    reference, interval, _ = values(chart)
    assert reference == [{"at": 0.5}]
    assert interval[0]["low"] is None
    assert [row["kind"] for row in interval] == ["one", "all"]
    with pytest.raises(ValueError, match="at least one estimate"):
        figures.forest([])


def test_confusion_matrix_tells_counts_and_row_shares():
    cells = values(figures.confusion_matrix([[26, 24], [6, 44]], labels=["real", "synthetic"]))[0]
    assert [cell["text"] for cell in cells] == ["26 (52%)", "24 (48%)", "6 (12%)", "44 (88%)"]
    empty = values(figures.confusion_matrix([[0, 0], [1, 1]], labels=["a", "b"]))[0]
    assert empty[0]["text"] == "0 (0%)"
    with pytest.raises(ValueError, match=r"shape \(2, 2\), got \(1, 2\)"):
        figures.confusion_matrix([[1, 2]], labels=["a", "b"])


def test_agreement_map_leaves_out_diagonal_and_unknown_pairs():
    matrix = [[1, 0.7, math.nan], [0.7, 1, 0.2], [math.nan, 0.2, 1]]
    cells = values(figures.agreement_map(matrix, readers=["R1", "R2", "R3"]))[0]
    assert {(c["row"], c["column"]) for c in cells} == {
        ("R1", "R2"),
        ("R2", "R1"),
        ("R2", "R3"),
        ("R3", "R2"),
    }
    with pytest.raises(ValueError, match=r"shape \(2, 2\)"):
        figures.agreement_map(matrix, readers=["R1", "R2"])


def test_bland_altman_lines():
    # differences 1, 2, 3: mean 2, SD 1
    _, rules, _ = values(figures.bland_altman([2, 4, 6], [1, 2, 3], unit="mL"))
    assert [line["at"] for line in rules] == pytest.approx([2, 3.96, 0.04])
    assert rules[0]["text"] == "mean 2"
    with pytest.raises(ValueError, match="at least two pairs"):
        figures.bland_altman([1], [2])


def test_survival_curve_starts_at_one_ends_with_follow_up_and_marks_censorings():
    _, steps, ticks = values(figures.kaplan_meier([1, 2, 3, 5], [1, 0, 1, 0]))
    assert [(row["time"], row["survival"]) for row in steps] == [
        (0.0, 1.0),
        (1.0, 0.75),
        (3.0, 0.375),
        (5.0, 0.375),
    ]
    assert [(row["time"], row["survival"]) for row in ticks] == [(2.0, 0.75), (5.0, 0.375)]


def test_calibration_groups_hold_their_shares():
    truth, p = [0, 0, 1, 1], [0.1, 0.1, 0.8, 0.8]
    _, rows, _ = values(figures.calibration(truth, p, bins=2))
    assert [(row["predicted"], row["share"], row["n"]) for row in rows] == [
        (pytest.approx(0.1), 0.0, 2),
        (pytest.approx(0.8), 1.0, 2),
    ]
    one = values(figures.calibration([0, 1, 1], [0.5, 0.5, 0.5], bins=3))[1]
    assert one[0]["n"] == 3
    with pytest.raises(ValueError, match="bins be at least 2"):
        figures.calibration(truth, p, bins=1)


def test_learning_curve_blocks_cover_all_readings_once():
    correct = [1] * 10 + [0] * 10 + [1] * 4
    rows = values(figures.learning_curve(correct, block=10))[0]
    # the last four are less than half a block and join the second
    assert [(row["n"], row["share"]) for row in rows] == [(10, 1.0), (14, pytest.approx(4 / 14))]
    assert rows[0]["reading"] == 5.5
    # Wilson 95 % limits of 10 of 10 start at 0.7225
    assert rows[0]["low"] == pytest.approx(0.7225, abs=5e-5)
    with pytest.raises(ValueError, match="block be at least 1"):
        figures.learning_curve([], block=10)


def test_large_data_are_drawn():
    rng = np.random.default_rng(2)
    chart = figures.reclassification(rng.integers(0, 2, 6000), rng.random(6000), rng.random(6000))
    assert len(values(chart)[1]) == 6000
