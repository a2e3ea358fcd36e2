"""Pictures to check a preparation: radiological sides, mask edges, one place for both."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from readerstudy.imaging.preparation import pictures
from tests.imaging.preparation.heads import as_volume

AFFINE = np.diag([2.0, 2.0, 4.0, 1.0])


@pytest.fixture
def head():
    """A box whose left, front and top each have a brightness of their own."""
    array = np.zeros((20, 40, 36), np.float32)
    array[3:17, 5:35, 6:30] = 100
    array[3:17, 5:35, 18:30] = 200  # patient's left
    array[3:17, 5:12, 6:30] = 300  # anterior
    array[13:17, 5:35, 6:30] = 400  # superior
    return as_volume(array, AFFINE)


def test_sheets_are_in_radiological_convention(head):
    view = pictures.view_of(head)
    sheet = pictures.sheet(head, view, size=100)[:, :, 0]
    assert sheet.shape == (304, 304)
    axial, coronal, sagittal = (sheet[start : start + 100, 102:202] for start in (0, 102, 204))
    assert axial[55, 44] < axial[55, 56]  # patient's right on the left
    assert axial[40, 44] > axial[58, 44]  # anterior on top
    assert coronal[41, 44] > coronal[57, 44]  # superior on top
    assert sagittal[55, 40] > sagittal[55, 58]  # anterior on the left


def test_the_edge_of_the_mask_is_drawn(head):
    mask = np.zeros(head.shape, bool)
    mask[5:15, 10:30, 10:26] = True
    sheet = pictures.sheet(head, pictures.view_of(head, mask), mask=mask, size=100)
    edge = (sheet == pictures.EDGE).all(axis=2)
    assert edge[:100, :100].any()
    assert edge.sum() < 0.05 * edge.size
    plain = pictures.sheet(head, pictures.view_of(head, mask), size=100)
    assert not (plain == pictures.EDGE).all(axis=2).any()


def test_before_and_after_show_the_same_place(head):
    mask = np.zeros(head.shape, bool)
    mask[5:15, 10:30, 10:26] = True
    before, after = pictures.pair(head, head, mask, size=80)
    assert (before == after).all()


def test_a_series_that_was_moved_is_shown_about_its_own_middle(head):
    far = AFFINE.copy()
    far[:3, 3] = 900
    before, after = pictures.pair(head, as_volume(head.array, far), None, size=80)
    assert before.any()
    assert after.any()


def test_png_and_flicker_hold_the_pictures_and_no_text(head):
    sheet = pictures.sheet(head, pictures.view_of(head), size=40)
    content = pictures.png(sheet)
    assert (np.asarray(Image.open(BytesIO(content))) == sheet).all()
    assert b"tEXt" not in content
    other = pictures.png(255 - sheet)
    both = Image.open(BytesIO(pictures.flicker_of(content, other)))
    assert both.n_frames == 2
    assert (np.asarray(both.convert("RGB")) == sheet).all()


def test_an_image_without_contrast_can_still_be_drawn():
    flat = as_volume(np.full((4, 5, 6), 3.0, np.float32), np.eye(4))
    assert pictures.sheet(flat, pictures.view_of(flat), size=20).shape == (64, 64, 3)
