import numpy as np
import pytest

from readerstudy.imaging.masks import background_value, foreground, otsu_threshold


def ball(shape=(30, 40, 40), radius=0.6):
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    return z**2 + y**2 + x**2 < radius**2


def tissue(inside, seed=1):
    values = np.random.default_rng(seed).normal(600, 40, inside.shape)
    return np.where(inside, values, 0.0)


def overlap(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def test_stripped_brain_is_found_exactly():
    inside = ball()
    np.testing.assert_array_equal(foreground(tissue(inside)), inside)


def test_dark_ventricles_are_filled():
    inside = ball()
    data = tissue(inside)
    data[ball(radius=0.2)] = 0
    np.testing.assert_array_equal(foreground(data), inside)


def test_stray_pieces_are_dropped():
    inside = ball()
    data = tissue(inside)
    data[1:3, 1:3, 1:3] = 700
    np.testing.assert_array_equal(foreground(data), inside)


@pytest.mark.parametrize("background", [0.0, -1.0])
def test_generated_background_with_a_tiny_ripple_takes_the_same_road(background):
    """The mask of a generated volume must not differ in kind from that of a stripped one."""
    inside = ball()
    data = tissue(inside) / 1000 + background
    ripple = np.random.default_rng(2).normal(0, 2e-4, data.shape)
    np.testing.assert_array_equal(foreground(np.where(inside, data, background + ripple)), inside)


@pytest.mark.parametrize("noise", [8.0, 25.0])
def test_whole_head_with_noise_in_the_air(noise):
    inside = ball(radius=0.75)
    data = np.abs(tissue(inside) + np.random.default_rng(3).normal(0, noise, inside.shape))
    assert overlap(foreground(data), inside) > 0.97


def test_dim_scalp_around_a_bright_brain_is_kept():
    head, brain = ball(radius=0.8), ball(radius=0.55)
    data = np.where(brain, 900.0, np.where(head, 220.0, 0.0))
    data = np.abs(data + np.random.default_rng(4).normal(0, 15, data.shape))
    assert overlap(foreground(data), head) > 0.97


def test_single_slice():
    inside = ball((31, 40, 40))[15:16]
    np.testing.assert_array_equal(foreground(tissue(inside)), inside)
    noisy = np.abs(tissue(inside) + np.random.default_rng(5).normal(0, 20, inside.shape))
    assert overlap(foreground(noisy), inside) > 0.95


def test_constant_array_has_no_foreground():
    assert not foreground(np.full((4, 5, 6), 3)).any()


def test_background_value_is_that_of_the_corners():
    data = tissue(ball()) + 7
    assert background_value(data) == 7
    assert background_value(np.full((1, 3, 3), -1.0)) == -1.0


def test_otsu_splits_two_classes():
    random = np.random.default_rng(6)
    values = np.concatenate([random.normal(10, 1, 5000), random.normal(50, 1, 3000)])
    assert 14 < otsu_threshold(values.astype(np.float32)) < 46


def test_otsu_against_scikit_image():
    from skimage.filters import threshold_otsu

    random = np.random.default_rng(7)
    values = np.concatenate([random.gamma(2, 10, 9000), random.normal(120, 25, 6000)])
    values = np.clip(values, 0, np.percentile(values, 99.5)).astype(np.float32)
    width = (values.max() - values.min()) / 256
    assert abs(otsu_threshold(values) - threshold_otsu(values)) <= 1.5 * width
