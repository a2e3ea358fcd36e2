import numpy as np
import pytest

from readerstudy.imaging.windowing import percentile_window


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
