"""The display of a study is parsed and refused in words."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies.templates.visual_turing_test import VISUAL_TURING_TEST
from readerstudy.studies.viewing import (
    Overlay,
    OverlayLabel,
    Preset,
    Slot,
    Viewing,
    document_of,
    parse,
)

WHOLE = Viewing(
    slots=(
        Slot("t1c", "T1c"),
        Slot("cbv", "CBV", "coronal", "mL/100 g", (0.0, 12.5), "inferno"),
    ),
    initial="1x2",
    allowed=("1x1", "1x2"),
    interpolation="nearest",
    interpolation_fixed=True,
    tools=("window", "zoom"),
    overlay=Overlay("mask", (OverlayLabel(1, "Core", "#e69f00"),), 0.4),
    presets=(Preset("Tissue", 2, 98),),
    faces_reason="Whole heads are the question",
)


def changed(path: str, value: Any) -> dict[str, Any]:
    """The whole document with one part replaced; a dotted path, numbers for places in a list."""
    document = copy.deepcopy(document_of(WHOLE))
    *way, last = path.split(".")
    part: Any = document
    for step in way:
        part = part[int(step)] if isinstance(part, list) else part[step]
    part[int(last) if isinstance(part, list) else last] = value
    return document


def test_a_document_gives_back_the_display_it_was_made_of():
    assert parse(document_of(WHOLE)) == WHOLE
    assert parse(document_of(VISUAL_TURING_TEST.viewing)) == VISUAL_TURING_TEST.viewing


def test_the_visual_turing_test_shows_one_pane_of_one_series_as_before():
    viewing = VISUAL_TURING_TEST.viewing
    assert viewing.roles == ["t1c"]
    assert (viewing.initial, viewing.allowed) == ("1x1", ("1x1",))
    assert viewing.slots[0].range is None


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("slots", [], "at least one series"),
        ("slots", [{"role": f"r{n}", "plane": "axial"} for n in range(7)], "At most 6"),
        ("slots.1.role", "t1c", "chosen twice"),
        ("slots.0.role", "T1 C!", "named by its role"),
        ("slots.0.plane", "oblique", "no plane 'oblique'; choose one of axial, coronal"),
        ("slots.1.unit", "", "needs both a unit and a fixed range"),
        ("slots.1.range", None, "needs both a unit and a fixed range"),
        ("slots.1.range", [5, 5], "5 is not below 5"),
        ("slots.1.range", [0, None], "a lowest and a highest value"),
        ("slots.1.range", [0, 10**400], "is not a number"),
        ("slots.1.range", [0, float("nan")], "is not a number"),
        ("slots.0.colour", "inferno", "a colour map needs a unit and a fixed range"),
        ("slots.1.colour", "jet", "no colour map 'jet'"),
        ("hanging.initial", "2x2", "must be among the allowed"),
        ("hanging.allowed", ["9x9"], "no hanging '9x9'"),
        ("hanging", None, "needs “hanging”"),
        ("interpolation", "cubic", "no interpolation 'cubic'"),
        ("interpolation_fixed", "yes", "true or false"),
        ("tools", ["scalpel"], "no tool 'scalpel'"),
        ("tools", ["zoom", "zoom"], "named twice"),
        ("overlay.role", "cbv", "an image and the overlay at once"),
        ("overlay.labels", [], "1 to 40 labels"),
        ("overlay.labels.0.value", 0, "whole number from 1 to 32767"),
        ("overlay.labels.0.value", True, "whole number from 1 to 32767"),
        ("overlay.labels.0.colour", "red", "must look like #e69f00"),
        ("overlay.opacity", 1.5, "between 0 and 1"),
        ("presets.0.high", 2, "must grow within 0 to 100"),
        ("presets.0.high", 101, "must grow within 0 to 100"),
        ("presets.0.label", "", "a name"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(path, value, words):
    with pytest.raises(ReaderStudyError, match=words) as refused:
        parse(changed(path, value))
    assert refused.value.code == "viewing"


@pytest.mark.parametrize("document", [None, [], "1x1", {}])
def test_no_display_at_all_is_refused(document):
    with pytest.raises(ReaderStudyError):
        parse(document)
