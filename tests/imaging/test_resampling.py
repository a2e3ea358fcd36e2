import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.resampling import brain_centre, to_grid

from .factories import brain_like

BRAIN = brain_like()


def volume(array, affine):
    return Volume(array, np.asarray(affine, float), "nifti", {}, "0" * 64)


def ramp(shape=(20, 24, 22), affine=None):
    """Values that are a linear function of the LPS position, so that interpolation is exact."""
    affine = np.eye(4) if affine is None else np.asarray(affine, float)
    z, y, x = np.indices(shape)
    place = np.tensordot(affine[:3, :3], np.stack([x, y, z]), 1) + affine[:3, 3, None, None, None]
    return volume(100 + np.tensordot([1.0, 2.0, 4.0], place, 1), affine)


def ramp_at(result):
    z, y, x = np.indices(result.shape)
    a = result.affine_lps
    place = np.tensordot(a[:3, :3], np.stack([x, y, z]), 1) + a[:3, 3, None, None, None]
    return 100 + np.tensordot([1.0, 2.0, 4.0], place, 1)


def test_equal_spacing_only_crops_and_pads():
    source = volume(BRAIN, np.diag([1, 1, 1, 1]))
    result = to_grid(source, (8, 50, 20), (1, 1, 1), centre_mm=np.array([17.5, 19.5, 5.5]))
    assert result.array.dtype == BRAIN.dtype
    np.testing.assert_array_equal(result.array[:, 5:45], BRAIN[2:10, :, 8:28])
    assert not result.array[:, :5].any()
    assert not result.array[:, 45:].any()
    np.testing.assert_allclose(result.position_mm(0, 5, 0), source.position_mm(2, 0, 8))


def test_spacing_within_a_thousandth_counts_as_equal():
    source = volume(BRAIN, np.diag([1.0005, 1, 1, 1]))
    assert to_grid(source, (12, 40, 36), (1, 1, 1)).array.dtype == BRAIN.dtype


def test_exact_path_from_another_axis_order():
    source = volume(BRAIN, np.diag([-1.0, -1, 1, 1]))
    result = to_grid(source, BRAIN.shape, (1, 1, 1), centre_mm=np.array([-17.5, -19.5, 5.5]))
    np.testing.assert_array_equal(result.array, BRAIN[:, ::-1, ::-1])


def test_linear_interpolation_of_a_linear_image_is_exact():
    source = ramp()
    result = to_grid(source, (10, 12, 11), (0.8, 0.7, 0.9), centre_mm=np.array([10.3, 11.2, 9.1]))
    np.testing.assert_allclose(result.array, ramp_at(result), atol=1e-9)
    np.testing.assert_allclose(result.spacing_mm, (0.8, 0.7, 0.9))


def test_grid_is_centred_where_asked():
    centre = np.array([10.3, 11.2, 9.1])
    result = to_grid(ramp(), (10, 12, 11), (0.8, 0.7, 0.9), centre_mm=centre)
    np.testing.assert_allclose(result.position_mm(4.5, 5.5, 5), centre)


def test_oblique_volume_is_straightened_without_moving_anything():
    turn = nib.affines.from_matvec(nib.eulerangles.euler2mat(0.1, 0.05, -0.08), [-10, 4, 3])
    source = ramp((40, 44, 42), turn)
    centre = source.position_mm(19.5, 21.5, 20.5)
    result = to_grid(source, (20, 20, 20), (1, 1, 1), centre_mm=centre)
    np.testing.assert_allclose(result.array, ramp_at(result), atol=1e-9)
    np.testing.assert_allclose(result.affine_lps[:3, :3], np.eye(3))


def test_nearest_keeps_labels():
    labels = (BRAIN > 250).astype(np.uint8) * 3
    result = to_grid(
        volume(labels, np.eye(4)), (20, 50, 50), (0.7, 0.8, 0.9), interpolation="nearest"
    )
    assert result.array.dtype == np.uint8
    assert set(np.unique(result.array)) == {0, 3}


def test_outside_takes_the_background_value():
    data = np.where(brain_like((20, 20, 20)) > 0, 0.5, -1.0)
    result = to_grid(volume(data, np.eye(4)), (30, 30, 30), (1.25, 1.25, 1.25))
    assert result.array[0, 0, 0] == -1.0


def test_coarser_grids_are_smoothed_first():
    """White noise sampled at every third voxel keeps its variance unless smoothed before."""
    noise = np.random.default_rng(1).normal(size=(60, 60, 60))
    result = to_grid(volume(noise, np.eye(4)), (16, 16, 16), (3, 3, 3))
    assert result.array.std() < 0.3


def test_brain_centre_is_the_middle_of_the_foreground():
    array = np.zeros((20, 30, 40))
    array[4:11, 5:16, 20:31] = brain_like((7, 11, 11), seed=2) + 50
    source = volume(array, np.diag([2.0, 1.0, 3.0, 1.0]))
    np.testing.assert_allclose(brain_centre(source), (50.0, 10.0, 21.0))


def test_brain_centre_does_not_depend_on_the_axis_order():
    array = np.zeros((20, 30, 40))
    array[4:11, 5:16, 20:31] = 80
    source = volume(array, np.diag([2.0, 1.0, 3.0, 1.0]))
    swapped = volume(array.transpose(2, 1, 0), source.affine_lps[:, [2, 1, 0, 3]])
    np.testing.assert_allclose(brain_centre(swapped), brain_centre(source))


def test_volume_outside_the_grid_gives_background_only():
    result = to_grid(volume(BRAIN, np.eye(4)), (4, 4, 4), (1, 1, 1), centre_mm=np.full(3, 500.0))
    assert not result.array.any()


@pytest.mark.parametrize("shift", [0.0, 0.3, -0.45])
def test_against_scipy(shift):
    centre = np.array([17.5 + shift, 19.5, 5.5])
    result = to_grid(
        volume(BRAIN.astype(float), np.eye(4)), (8, 20, 20), (1.0, 1.0, 0.9), centre_mm=centre
    )
    z, y, x = np.indices((8, 20, 20)).astype(float)
    places = [z + 5.5 - 3.5, y + 19.5 - 9.5, (x - 9.5) * 0.9 + centre[0]]
    expected = ndimage.map_coordinates(BRAIN.astype(float), places, order=1)
    np.testing.assert_allclose(result.array, expected, atol=1e-9)
