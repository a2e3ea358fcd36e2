"""Heads are told from brains that were cut out; clearing leaves nothing outside the brain."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from readerstudy.imaging.preparation.faces import brain_only, find_head, shows_head, widen
from readerstudy.imaging.volumes import find_series, load
from tests.imaging.preparation.heads import CONTRASTS, as_volume, make_head

DATA = Path(os.environ.get("READERSTUDY_DATA", Path(__file__).parents[4] / "shared" / "data"))
needs_data = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA.is_dir(), reason="needs the folder of real cases"),
]
CUT_OUT = ("nifti/gli-00001", "nifti/met-00110", "nifti/ms-07", "nifti/ms-19")
WHOLE = (
    "nifti/msraw-12",
    "nifti/pyrad-brain1",
    "nifti/normal-t1",
    "dicom/normal-01-t1-philips",
    "dicom/normal-02-t1-siemens-enhanced",
    "dicom/normal-03-t1-siemens-2d",
    "dicom/normal-04-pd-ge",
    "dicom/vs-001-t1c-siemens-avanto",
)


@pytest.mark.parametrize("contrast", sorted(CONTRASTS))
def test_a_head_shows_and_its_brain_alone_does_not(contrast):
    head = make_head(contrast)
    assert shows_head(head.volume)
    alone = brain_only(head.volume, head.brain)
    assert not shows_head(alone)


def test_a_head_whose_air_was_cleared_still_shows():
    head = make_head("t1", noise=0.0)
    cleared = replace(head.volume, array=np.where(head.volume.array > 8, head.volume.array, 0))
    finding = find_head(cleared)
    assert finding.clean_share > 0.99
    assert finding.shows_head
    assert "mL" in finding.reason


def test_a_brain_cut_by_the_lower_edge_is_in_doubt():
    head = make_head("t1")
    alone = brain_only(head.volume, head.brain)
    half = replace(alone, array=alone.array[60:])
    assert "cannot be told" in find_head(half).reason


def test_clearing_keeps_every_value_inside_and_none_outside():
    array = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    mask = np.zeros(array.shape, bool)
    mask[1:3, 2:4, 2:5] = True
    cleared = brain_only(as_volume(array, np.diag([1.0, 1.0, 2.0, 1.0])), mask)
    assert (cleared.array[mask] == array[mask]).all()
    assert not cleared.array[~mask].any()
    assert cleared.array.dtype == np.int16


def test_the_background_stays_the_darkest_where_values_are_negative():
    array = np.full((3, 3, 3), -5.0, np.float32)
    array[1, 1, 1] = -3.0
    mask = np.zeros(array.shape, bool)
    mask[1] = True
    cleared = brain_only(as_volume(array, np.eye(4)), mask)
    assert cleared.array[0].max() < cleared.array[1].min()


def test_a_mask_of_another_shape_or_an_empty_one_is_refused():
    volume = as_volume(np.ones((2, 3, 4), np.float32), np.eye(4))
    with pytest.raises(ValueError, match="shape"):
        brain_only(volume, np.ones((2, 3, 3), bool))
    with pytest.raises(ValueError, match="empty"):
        brain_only(volume, np.zeros((2, 3, 4), bool))


def test_a_mask_is_widened_in_millimetres():
    mask = np.zeros((5, 9, 9), bool)
    mask[2, 4, 4] = True
    wide = widen(mask, (4.0, 1.0, 1.0), 2.0)
    assert wide[2, 4, 6]
    assert wide[2, 5, 5]
    assert not wide[2, 4, 7]
    assert not wide[1, 4, 4]
    assert widen(wide, (4.0, 1.0, 1.0), -1.0).sum() < wide.sum()


@pytest.mark.parametrize("folder", [pytest.param(name, marks=needs_data) for name in CUT_OUT])
def test_real_brains_that_were_cut_out_show_no_head(folder):
    shown = [shows_head(load(one)) for one in _images(folder)]
    assert shown
    assert not any(shown)


@pytest.mark.parametrize("folder", [pytest.param(name, marks=needs_data) for name in WHOLE])
def test_real_heads_show(folder):
    shown = [shows_head(load(one)) for one in _images(folder)]
    assert shown
    assert all(shown)


def _images(folder):
    found = find_series(DATA / folder)
    return [one for one in found if one.status == "ok" and one.role != "mask"]
