import io

import numpy as np
import pytest
from PIL import Image

from readerstudy.imaging.thumbnails import encode_png, png_thumbnail

from .factories import brain_like


def opened(png):
    image = Image.open(io.BytesIO(png))
    image.load()
    return image


def test_png_decodes_to_the_same_pixels():
    pixels = np.random.default_rng(1).integers(0, 256, (13, 7), dtype=np.uint8)
    image = opened(encode_png(pixels))
    assert image.mode == "L"
    assert image.info == {}
    np.testing.assert_array_equal(np.asarray(image), pixels)


def test_thumbnail_is_square_dark_outside_and_bright_inside():
    image = np.asarray(opened(png_thumbnail(brain_like((9, 60, 60)), size=48)))
    assert image.shape == (48, 48)
    assert image[0, 0] == 0
    assert image[24, 24] > 60


@pytest.mark.parametrize(("spacing", "width"), [((1, 1, 1), 32), ((1, 1, 2), 64), ((1, 2, 1), 16)])
def test_proportions_follow_the_spacing(spacing, width):
    stripes = np.zeros((3, 64, 32))
    stripes[:, :, ::2] = 1.0
    image = np.asarray(opened(png_thumbnail(stripes + 5.0, spacing, size=64)))
    used = np.flatnonzero(image.any(axis=0))
    assert abs((used[-1] - used[0] + 1) - width) <= 2


def test_row_zero_is_anterior_and_stays_on_top():
    array = np.zeros((3, 40, 40))
    array[:, 2:12, 10:30] = 100.0
    array[1, 2, 10] = 101.0
    image = np.asarray(opened(png_thumbnail(array, size=40)))
    assert image[:20].sum() > 0
    assert image[20:].sum() == 0


def test_constant_image_gives_a_black_picture():
    assert not np.asarray(opened(png_thumbnail(np.full((2, 4, 4), 9)))).any()


def test_a_sagittal_slice_is_shown_as_it_is_looked_at():
    """Superior on top, anterior on the left; not its one-voxel edge."""
    picture = np.zeros((8, 8))
    picture[:4, :4] = 100  # superior, anterior
    picture[4:, 4:] = 50
    array = picture[::-1, :, None]  # z grows to superior, y to posterior
    image = np.asarray(opened(png_thumbnail(array, (2.0, 2.0, 1.0), size=16)))
    assert image[:8, :8].min() == 255
    assert 100 < image[8:, 8:].mean() < 160
    assert not image[:8, 8:].any()
