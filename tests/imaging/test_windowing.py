import numpy as np
import pytest

from readerstudy.imaging.windowing import Window, default_window, percentile_window


def test_percentiles_inside_the_mask():
    array = np.arange(2002.0).reshape(1, 1, -1)
    mask = (array > 0) & (array < 1002)
    assert percentile_window(array, mask, (10, 90)) == (101.0, 901.0)


def test_sparse_contrast_falls_back_to_the_full_range():
    array = np.zeros((1, 100, 100))
    array[0, 0, 0] = 5
    assert percentile_window(array, np.ones(array.shape, bool)) == (0.0, 5.0)


def test_nothing_to_window():
    array = np.ones((2, 3, 4))
    with pytest.raises(ValueError, match="mask is empty"):
        percentile_window(array, np.zeros(array.shape, bool))
    with pytest.raises(ValueError, match="are equal"):
        percentile_window(array, np.ones(array.shape, bool))


def test_default_window_is_one_for_all_cases():
    cases = [np.full((2, 2, 2), level, np.int16) for level in (1000, 2000, 4000)]
    assert default_window(cases) == Window(width=2000, level=1000)


def test_default_window_ignores_the_background():
    case = np.zeros((1, 10, 100), np.int16)
    case[0, 0] = 3000
    assert default_window([case]) == Window(width=3000, level=1500)


def test_default_window_needs_an_image():
    with pytest.raises(ValueError, match="at least one image"):
        default_window([np.zeros((1, 2, 2), np.int16)])
