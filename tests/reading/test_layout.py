"""What the page is told of the display: every slot's own grid, overlays, tools; and what comes."""

from __future__ import annotations

import numpy as np
import pytest

from readerstudy.cases import canonical
from readerstudy.cases.models import Case, Series
from readerstudy.reading.progress import state_of
from readerstudy.studies.viewing import Overlay, OverlayLabel, Preset, Slot
from tests import scenario
from tests.scenario import Geometry

pytestmark = pytest.mark.django_db

GEOMETRY = Geometry((40, 60, 48), (1.2, 1.2, 1.2))
LABELS = (OverlayLabel(1, "Core", "#e69f00"),)


def cases(n_real: int, n_synthetic: int) -> None:
    roles = ("t1c", "flair", "cbv")
    scenario.make_heads(n_real, n_synthetic, lambda _: dict.fromkeys(roles, GEOMETRY))
    for case in Case.objects.all():
        array = np.zeros(GEOMETRY.shape, np.int16)
        array[20, 30, 20:24] = 1
        columns = canonical.store_volume(scenario.volume(array, GEOMETRY.affine))
        Series.objects.create(case=case, role="mask", source_orientation="LPS", **columns)


@pytest.fixture
def made():
    shown = scenario.viewing_of(
        Slot("t1c", "T1c"),
        Slot("flair", "FLAIR", "sagittal"),
        Slot("cbv", "CBV", unit="mL/100 g", range=(0, 2000), colour="viridis"),
        initial="2x2",
        allowed=("1x1", "2x2"),
        tools=("window", "zoom", "overlay"),
        overlay=Overlay("mask", LABELS, 0.4),
        presets=(Preset("Tissue", 2, 98),),
    )
    return scenario.running(2, 2, cases=cases, shown=shown)


def test_the_layout_holds_what_the_contract_of_the_page_names(made):
    layout = state_of(made.enrolment())["forms"][0]["layout"]
    assert layout["hanging"] == {"initial": "2x2", "allowed": ["1x1", "2x2"]}
    assert [slot["role"] for slot in layout["slots"]] == ["t1c", "flair", "cbv"]
    assert [slot["plane"] for slot in layout["slots"]] == ["axial", "sagittal", "axial"]
    named = {"role", "label", "plane", "shape", "spacing_mm", "origin_mm", "chunks", "window"}
    for slot in layout["slots"]:
        assert set(slot) == named | {"presets", "value", "colour", "place", "sided"}
        (preset,) = slot["presets"]
        assert preset["label"] == "Tissue"
        assert 0 < preset["width"] <= 4095
        assert [z for first, end in sorted(slot["chunks"]) for z in range(first, end)] == list(
            range(slot["shape"][0])
        )
    assert [slot["value"] for slot in layout["slots"][:2]] == [None, None]
    assert layout["slots"][2]["value"]["unit"] == "mL/100 g"
    assert layout["tools"] == ["window", "zoom", "overlay"]
    assert (layout["interpolation"], layout["interpolation_fixed"]) == ("linear", False)
    assert layout["integer_scale"] is False


def test_no_sides_are_named_in_a_series_where_those_of_one_case_are_unknown():
    shown = scenario.viewing_of(Slot("t1c", "T1c"), Slot("flair", "FLAIR"))
    made = scenario.draft(2, 2, cases=cases, shown=shown)
    one = made.study.cases.first().series.get(role="flair")
    one.flags = ["position_unknown"]
    one.save()
    slots = state_of(scenario.started(made).enrolment())["forms"][0]["layout"]["slots"]
    assert [(slot["role"], slot["sided"]) for slot in slots] == [("t1c", True), ("flair", False)]


def test_the_overlay_lies_on_the_slots_that_share_its_grid(made):
    state = state_of(made.enrolment())
    (overlay,) = state["forms"][0]["layout"]["overlays"]
    assert overlay["on"] == ["t1c", "cbv"]
    assert overlay["labels"] == [{"value": 1, "label": "Core", "colour": "#e69f00"}]
    assert overlay["opacity"] == 0.4
    assert set(state["reading"]["images"]) == {"t1c", "flair", "cbv", "mask"}


def test_planes_of_one_head_have_one_frame(made):
    """The middle of both grids is the same place: the frame's origin, to within a voxel."""
    axial, sagittal, _ = state_of(made.enrolment())["forms"][0]["layout"]["slots"]
    n, rows, columns = (np.array(sagittal["shape"]) - 1) * sagittal["spacing_mm"] / 2
    middle = np.add(sagittal["origin_mm"], [n, columns, -rows])
    n, rows, columns = (np.array(axial["shape"]) - 1) * axial["spacing_mm"] / 2
    np.testing.assert_allclose(np.add(axial["origin_mm"], [columns, rows, n]), middle)
    assert np.abs(middle).max() <= 1.2


def test_two_cases_to_come_are_named_by_tokens_alone(made):
    state = state_of(made.enrolment())
    assert [one["position"] for one in state["upcoming"]] == [2, 3]
    for one in state["upcoming"]:
        told = {"token", "form", "period", "position", "number"}
        told |= {"stage", "stages", "training", "images"}
        assert set(one) == told
    scenario.read_all(made.enrolment(), lambda _: scenario.body())
    assert state_of(made.enrolment())["upcoming"] == []


def test_slices_are_shown_at_whole_multiples_of_a_pixel():
    def flat(n_real, n_synthetic):
        scenario.make_heads(
            n_real, n_synthetic, lambda _: {"t1c": Geometry((1, 60, 60), (1, 1, 1))}
        )

    shown = scenario.viewing_of(Slot("t1c", "T1c"), interpolation="nearest")
    made = scenario.running(1, 1, cases=flat, shown=shown)
    layout = state_of(made.enrolment())["forms"][0]["layout"]
    assert layout["integer_scale"] is True
    assert layout["interpolation"] == "nearest"
    assert layout["slots"][0]["shape"] == [1, 60, 60]
