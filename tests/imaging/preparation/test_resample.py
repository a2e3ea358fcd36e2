"""Resampling: a linear ramp stays exact, the box stays where it is, masks keep their labels."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from nibabel.processing import resample_from_to
from scipy import ndimage

from readerstudy.imaging.preparation.records import PreparationError
from readerstudy.imaging.preparation.reorient import reorient
from readerstudy.imaging.preparation.resample import (
    Grid,
    grid_of,
    grid_with_spacing,
    mask_onto,
    onto,
    resample,
)
from tests.imaging.preparation.heads import as_volume, rotation


def oblique(shape=(14, 16, 18), spacing=(1.5, 1.2, 3.0)):
    """An affine with a tilt; spacing along (x, y, z)."""
    affine = np.eye(4)
    affine[:3, :3] = rotation(8, -5, 12) @ np.diag(spacing)
    affine[:3, 3] = (-20.0, 15.0, -30.0)
    return shape, affine


def ramp(shape, affine):
    """Values a + b·position, a plane in LPS space."""
    k, j, i = np.indices(shape)
    points = affine @ np.stack([i, j, k, np.ones(shape)]).reshape(4, -1)
    return (3.0 + np.array([0.5, -0.25, 1.0]) @ points[:3]).reshape(shape).astype(np.float32)


@pytest.mark.parametrize("interpolation", ["linear", "bspline"])
def test_a_linear_ramp_is_reproduced_on_another_grid(interpolation):
    shape, affine = oblique()
    volume = as_volume(ramp(shape, affine), affine)
    _, tilted = oblique(spacing=(1.0, 1.0, 1.0))
    tilted[:3, 3] = affine[:3, 3] + affine[:3, :3] @ np.array([7.0, 6.0, 5.0])
    grid = Grid((5, 6, 7), tilted)
    result = onto(volume, grid, interpolation=interpolation)
    assert result.array == pytest.approx(ramp(grid.shape, grid.affine_lps), abs=2e-2)


def test_linear_interpolation_agrees_with_nibabel():
    shape, affine = oblique()
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    target = np.diag([1.6, 1.7, 2.9, 1.0])
    target[:3, 3] = affine[:3, 3] + affine[:3, :3] @ np.array([4.0, 4.0, 3.0])
    ours = onto(as_volume(array, affine), Grid((6, 5, 4), target), outside=0.0)
    image = nib.Nifti1Image(array.T, affine)
    theirs = resample_from_to(image, ((4, 5, 6), target), order=1, mode="constant", cval=0.0)
    assert ours.array == pytest.approx(theirs.get_fdata().T, abs=1e-4)


def test_a_new_spacing_covers_the_same_box():
    shape, affine = oblique(shape=(10, 12, 14), spacing=(1.0, 2.0, 3.0))
    grid = grid_with_spacing(as_volume(np.zeros(shape, np.float32), affine), (1.5, 1.0, 2.0))
    assert grid.shape == (20, 24, 7)
    assert grid.spacing_mm == pytest.approx((1.5, 1.0, 2.0))
    corner = affine @ np.array([-0.5, -0.5, -0.5, 1])
    assert grid.affine_lps @ np.array([-0.5, -0.5, -0.5, 1]) == pytest.approx(corner)
    far = affine @ np.array([13.5, 11.5, 9.5, 1])
    assert grid.affine_lps @ np.array([6.5, 23.5, 19.5, 1]) == pytest.approx(far)


def test_the_same_grid_touches_nothing():
    shape, affine = oblique()
    volume = as_volume(ramp(shape, affine), affine)
    assert resample(volume, to=volume).volume is volume


def test_labels_survive_nearest_neighbour():
    labels = np.zeros((8, 8, 8), np.int16)
    labels[2:5, 2:5, 2:5] = 2
    labels[5:, 5:, 5:] = 4
    done = resample(
        as_volume(labels, np.eye(4)), spacing_mm=(0.7, 1.3, 0.9), interpolation="nearest"
    )
    assert done.volume.array.dtype == np.int16
    assert set(np.unique(done.volume.array)) == {0, 2, 4}


def test_half_resolution_averages_noise_instead_of_folding_it():
    noise = np.random.default_rng(1).normal(0, 1, (32, 32, 32)).astype(np.float32)
    coarse = onto(as_volume(noise, np.eye(4)), Grid((7, 7, 7), np.diag([4.0, 4, 4, 1])))
    assert coarse.array[1:-1, 1:-1, 1:-1].std() < 0.35


def test_a_mask_follows_its_image():
    mask = np.zeros((10, 10, 10), bool)
    mask[3:7, 3:7, 3:7] = True
    done = resample(as_volume(mask.astype(np.float32), np.eye(4)), spacing_mm=(0.5,) * 3, mask=mask)
    assert done.mask.shape == done.volume.shape == (20, 20, 20)
    assert done.mask.sum() / 8 == pytest.approx(mask.sum(), rel=0.05)


def test_a_shift_moves_by_what_it_says():
    array = np.zeros((9, 9, 9), np.float32)
    array[4, 4, 4] = 1
    shift = np.eye(4)
    shift[:3, 3] = (2.0, 0.0, -1.0)
    volume = as_volume(array, np.eye(4))
    moved = onto(volume, grid_of(volume), matrix=shift)
    assert np.argwhere(moved.array == 1).tolist() == [[5, 4, 2]]


def test_overshoot_of_smooth_kernels_is_cut():
    array = np.zeros((12, 12, 12), np.float32)
    array[4:8, 4:8, 4:8] = 100
    for kernel in ("bspline", "sinc"):
        fine = resample(as_volume(array, np.eye(4)), spacing_mm=(0.6,) * 3, interpolation=kernel)
        assert fine.volume.array.min() >= 0
        assert fine.volume.array.max() <= 100


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, "one aim"),
        ({"spacing_mm": (0.0, 1, 1)}, "not usable"),
        ({"spacing_mm": (0.06, 0.06, 0.06)}, "too large"),
        ({"spacing_mm": (1, 1, 1.5), "interpolation": "cubic"}, "no interpolation"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments, reason):
    volume = as_volume(np.ones((64, 64, 64), np.float32), np.eye(4))
    with pytest.raises(PreparationError, match=reason):
        resample(volume, **arguments)


def test_reorienting_keeps_every_voxel_at_its_place():
    shape, affine = oblique(shape=(5, 6, 7))
    turned = affine @ np.array([[0, 0, 1, 0], [-1, 0, 0, 5], [0, 1, 0, 0], [0, 0, 0, 1.0]])
    volume = as_volume(ramp(shape, turned), turned)
    done = reorient(volume)
    assert done.record.figures["axes"] == "LPS"
    assert sorted(done.volume.array.ravel()) == sorted(volume.array.ravel())
    assert done.volume.array == pytest.approx(
        ramp(done.volume.shape, done.volume.affine_lps), abs=1e-4
    )


def test_a_mask_keeps_its_share_on_a_tilted_grid():
    ball = ndimage.distance_transform_edt(np.pad(np.zeros((1, 1, 1)), 12, constant_values=1)) < 9
    volume = as_volume(ball.astype(np.float32), np.eye(4))
    affine = np.eye(4)
    affine[:3, :3] = rotation(20, 10, 0)
    affine[:3, 3] = 12 - affine[:3, :3] @ np.full(3, 15.0)
    turned = mask_onto(ball, volume, Grid((31, 31, 31), affine))
    assert turned.sum() == pytest.approx(ball.sum(), rel=0.03)
