"""Rules from values to levels, and where a series lies in the axes of another."""

import numpy as np
import pytest

from readerstudy.imaging import native


def facts(minimum, maximum, step=0.0, inside=None):
    given = inside or tuple(np.linspace(minimum, maximum, len(native.PERCENTILES)))
    return native.ValueFacts(minimum, maximum, step, given)


@pytest.mark.parametrize(
    ("low", "high", "step"), [(-1000, 3000, 1), (0, 60_000, 1), (-50, 20, 0.25), (1e6, 1.06e6, 1)]
)
def test_values_on_steps_have_a_level_each(low, high, step):
    rule = native.own_rule(facts(low, high, step))
    values = np.arange(low, high + step, step * 7)
    levels = rule.levels(values[None])[0]
    assert rule.exact
    np.testing.assert_allclose(levels * rule.slope + rule.intercept, values, atol=1e-9 * abs(high))


def test_whole_numbers_within_16_bits_are_their_own_levels():
    array = np.array([[-32768, 0, 32767]], dtype=np.int16)
    rule = native.own_rule(native.measure_values(array[None]))
    assert (rule.gain, rule.offset) == (1, 0)
    assert rule.levels(array) is array


def test_a_continuum_is_cut_into_steps_of_its_range():
    rule = native.own_rule(facts(-2.0, 5.0))
    assert not rule.exact
    assert rule.slope == pytest.approx(7 / 32767)
    values = np.random.default_rng(0).uniform(-2, 5, (1, 1000))
    back = rule.levels(values) * rule.slope + rule.intercept
    assert np.abs(back - values).max() <= rule.slope / 2 + 1e-12


def test_outliers_do_not_make_the_steps_coarse():
    found = facts(0.0, 1e6, inside=tuple(np.linspace(1, 2, len(native.PERCENTILES))))
    assert native.shown_range(found) == (0.0, 12.0)
    assert native.own_rule(found).slope == pytest.approx(12 / 32767)


def test_a_pair_shares_a_rule_whose_difference_fits_16_bits():
    rule = native.pair_rule([facts(-5, 400, 1), facts(0, 900, 1)])
    assert (rule.slope, rule.intercept, rule.exact) == (1.0, -5.0, True)
    wide = native.pair_rule([facts(0, 40_000, 1), facts(-3.5, 900)])
    assert wide.levels(np.array([[-3.5, 40_000.0]])).tolist() == [[0, 16383]]


def test_matched_images_have_0_and_100_at_the_two_percentiles():
    found, gain, offset = native.matched_facts(facts(10.0, 1010.0))
    low, high = facts(10.0, 1010.0).percentile(10), facts(10.0, 1010.0).percentile(90)
    assert gain * low + offset == pytest.approx(0)
    assert gain * high + offset == pytest.approx(100)
    assert found.percentile(90) == pytest.approx(100)
    with pytest.raises(ValueError, match="are equal"):
        native.matched_facts(facts(1.0, 1.0))


@pytest.mark.parametrize(
    ("array", "step"),
    [
        (np.arange(1000, dtype=np.int32), 1.0),
        (np.arange(1000) * 2.0, 1.0),
        ((np.arange(1000) * np.float32(0.37) + 3).astype(np.float32), 0.37),
        (np.random.default_rng(0).normal(size=1000).astype(np.float32), 0.0),
        (np.append(np.random.default_rng(0).random(999), 1e7).astype(np.float32), 0.0),
    ],
)
def test_the_step_between_values_is_found(array, step):
    array = array.reshape(10, 10, 10)
    assert native.value_step(array, array) == pytest.approx(step, rel=1e-5)


def turned(degrees):
    a = np.radians(degrees)
    affine = np.diag([1.0, 1.0, 4.0, 1.0])
    affine[:3, :3] = [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]] * np.array(
        [1.0, 1.0, 4.0]
    )
    return affine


@pytest.mark.parametrize(
    ("orientation", "plane"),
    [("LPS", "axial"), ("PIR", "sagittal"), ("LIA", "coronal"), ("", "axial")],
)
def test_equal_voxels_lie_in_the_plane_in_which_they_were_stored(orientation, plane):
    shape, affine = (10, 11, 12), np.eye(4)
    frame = native.own_frame(shape, affine)
    placed = native.place(shape, affine, frame, source_orientation=orientation, own=True)
    assert (placed.plane, placed.exact, placed.grid.shape) == (plane, True, shape)
    assert placed.grid.origin_mm == (-6.0, -5.0, -5.0)


def test_thick_slices_and_single_slices_give_the_plane():
    for shape, plane in [((8, 20, 20), "axial"), ((1, 20, 20), "axial"), ((20, 20, 1), "sagittal")]:
        affine = turned(0) if shape[0] == 8 else np.eye(4)
        frame = native.own_frame(shape, affine)
        placed = native.place(shape, affine, frame, source_orientation="PIR", own=True)
        assert placed.plane == plane


def test_a_tilt_is_measured_and_the_grid_reaches_around():
    frame = native.own_frame((10, 20, 20), turned(0))
    same = native.place((10, 20, 20), turned(0), frame, source_orientation="LPS", own=False)
    tilted = native.place((10, 20, 20), turned(15), frame, source_orientation="LPS", own=False)
    assert same.exact
    assert not tilted.exact
    assert tilted.tilt_degrees == pytest.approx(15)
    ends = np.array([0, 19, 9])[:, None] * np.array([[0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]]).T
    corners = np.linalg.inv(frame) @ turned(15) @ np.vstack([ends, np.ones(4)])
    low = np.array(tilted.grid.origin_mm)
    high = low + np.array(tilted.grid.spacing_mm[::-1]) * (np.array(tilted.grid.shape[::-1]) - 1)
    assert (corners[:3] >= low[:, None] - 1e-6).all()
    assert (corners[:3] <= high[:, None] + 1e-6).all()


def test_grids_are_the_same_only_at_the_same_place():
    one = native.frames.Grid((4, 5, 6), (2.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    moved = native.frames.Grid((4, 5, 6), (2.0, 1.0, 1.0), (0.0, 0.1, 0.0))
    near = native.frames.Grid((4, 5, 6), (2.0, 1.0, 1.0), (0.01, 0.0, 0.02))
    assert native.same_grid(one, near)
    assert not native.same_grid(one, moved)
    assert not native.same_grid(one, native.frames.Grid((4, 5, 7), one.spacing_mm, (0, 0, 0)))
