"""The case frame and its grids, against closed forms."""

import itertools

import nibabel as nib
import numpy as np
import pytest

from readerstudy.imaging import frames
from readerstudy.imaging.canonical import canonicalise
from readerstudy.imaging.geometry import Volume


def volume(array, affine):
    return Volume(array, np.asarray(affine, float), "nifti", {}, "0" * 64)


def turned(spacing, degrees, origin):
    rotation = nib.eulerangles.euler2mat(*np.radians(degrees))
    return nib.affines.from_matvec(rotation * np.array(spacing), origin)


def ball(shape, centre, radius):
    z, y, x = np.indices(shape)
    distance = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
    return distance <= radius**2


def test_the_frame_turns_with_the_acquisition_and_starts_at_a_voxel():
    affine = turned((0.9, 0.9, 3.0), (4, -7, 11), (12, -30, 5))
    mask = ball((20, 30, 40), (9, 14, 21), 6)
    frame = frames.case_frame(volume(mask, affine), mask)
    np.testing.assert_allclose(frame[:3, :3].T @ frame[:3, :3], np.eye(3), atol=1e-12)
    assert np.linalg.det(frame[:3, :3]) == pytest.approx(1)
    np.testing.assert_allclose(frame[:3, :3], affine[:3, :3] / [0.9, 0.9, 3.0], atol=1e-9)
    np.testing.assert_allclose(frame[:3, 3], (affine @ [21, 14, 9, 1])[:3], atol=1e-9)


def test_rounded_orientation_numbers_still_give_right_angles():
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[0, 1] = 0.003  # as headers round them
    mask = np.ones((4, 4, 4), bool)
    frame = frames.case_frame(volume(mask, affine), mask)
    np.testing.assert_allclose(frame[:3, :3].T @ frame[:3, :3], np.eye(3), atol=1e-12)


def test_in_its_own_frame_a_volume_is_not_oblique_and_lies_on_whole_steps():
    affine = turned((0.9, 0.9, 3.0), (4, -7, 11), (12, -30, 5))
    mask = ball((20, 30, 40), (9, 14, 21), 6)
    own = volume(mask, affine)
    placed = frames.in_frame(own, frames.case_frame(own, mask))
    assert frames.lies_on(placed, (3.0, 0.9, 0.9))
    assert not frames.lies_on(placed, (3.0, 0.9, 1.0))
    moved = placed.affine_lps.copy()
    moved[0, 3] += 0.3
    assert not frames.lies_on(volume(mask, moved), (3.0, 0.9, 0.9))


@pytest.mark.parametrize("degrees", [(0, 0, 0), (10, 0, 0), (8, -12, 20)])
def test_the_reach_of_a_ball_is_that_of_its_voxels(degrees):
    affine = turned((1.0, 1.5, 2.0), degrees, (-20, 7, 3))
    mask = ball((14, 20, 30), (7, 9, 15), 5)
    low, high = frames.reach_mm(volume(mask, affine), mask)
    z, y, x = np.nonzero(mask)
    positions = affine[:3, :3] @ np.stack([x, y, z]) + affine[:3, 3:]
    half = np.abs(affine[:3, :3]).sum(axis=1) / 2
    np.testing.assert_allclose(low, positions.min(axis=1) - half)
    np.testing.assert_allclose(high, positions.max(axis=1) + half)


def test_a_grid_covers_what_was_asked_for_and_has_a_voxel_at_the_origin():
    grid = frames.centred_grid((30.0, 41.0, 20.0), (5.0, 1.0, 0.7), multiple=4)
    assert all(count % 4 == 0 for count in grid.shape)
    for axis, (half, origin) in enumerate(zip((30.0, 41.0, 20.0), grid.origin_mm, strict=True)):
        step, count = grid.spacing_mm[2 - axis], grid.shape[2 - axis]
        assert origin - step / 2 <= -half
        assert origin + (count - 0.5) * step >= half
        assert origin / step == pytest.approx(round(origin / step))


def test_the_average_shift_keeps_as_much_noise_as_a_random_place_does():
    """Linear interpolation at f keeps f^2 + (1 - f)^2 of the variance; over all f that is 2/3."""
    f = frames.AVERAGE_SHIFT
    assert f**2 + (1 - f) ** 2 == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("plane", "expected"),
    [("axial", (1, 2, 3)), ("coronal", (2, 2, 3)), ("sagittal", (3, 2, 2))],
)
def test_slices_of_a_plane_are_ordered_for_the_screen(plane, expected):
    """One voxel of its own, at z = 1, y = 2, x = 3 of a 4 by 5 by 6 array."""
    array = np.zeros((4, 5, 6), np.int16)
    array[1, 2, 3] = 1
    stack = frames.to_plane(array, plane)
    found = tuple(int(i) for i in np.argwhere(stack)[0])
    assert found == expected
    grid = frames.Grid((4, 5, 6), (3.0, 2.0, 1.0), (-10.0, -20.0, -30.0))
    told = frames.plane_geometry(grid, plane)
    assert told["shape"] == list(stack.shape)
    n, row, column = (i * step for i, step in zip(found, told["spacing_mm"], strict=True))
    moved = {
        "axial": (column, row, n),
        "coronal": (column, n, -row),
        "sagittal": (n, column, -row),
    }[plane]
    np.testing.assert_allclose(np.add(told["origin_mm"], moved), (-7.0, -16.0, -27.0))


def test_a_point_of_the_frame_goes_back_to_the_patient():
    frame = turned((1, 1, 1), (10, 20, 30), (5, 6, 7))
    np.testing.assert_allclose(frames.to_patient(frame, [1, 2, 3]), (frame @ [1, 2, 3, 1])[:3])


def test_an_image_on_the_grid_loses_as_much_noise_as_one_beside_it():
    """White noise keeps (2/3)^3 of its variance, on the lattice by the shift, beside it by luck."""
    noise = np.random.default_rng(8).normal(1000, 100, (40, 40, 40))
    inside = np.ones(noise.shape, bool)
    grid = frames.grid_of_shape((24, 24, 24), (1.0, 1.0, 1.0), shift=frames.AVERAGE_SHIFT)

    def kept(offset):
        affine = nib.affines.from_matvec(np.eye(3), offset - 20.0)
        put = canonicalise(
            volume(noise, affine),
            grid.shape,
            grid.spacing_mm,
            mask=inside,
            centre_mm=grid.centre_mm,
            whole_voxels=False,
        )
        return put.volume.array.var() / 100**2

    assert kept(np.zeros(3)) == pytest.approx((2 / 3) ** 3, rel=0.05)
    places = (np.arange(4) + 0.5) / 4
    beside = [kept(np.array(at)) for at in itertools.product(places, repeat=3)]
    assert np.mean(beside) == pytest.approx((2 / 3) ** 3, rel=0.08)
