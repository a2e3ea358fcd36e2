import nibabel as nib
import numpy as np

from readerstudy.imaging.canonical import canonicalise
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.orientation import axis_letters

from .test_masks import ball, overlap, tissue


def volume(array, affine):
    return Volume(array, np.asarray(affine, float), "nifti", {}, "0" * 64)


def test_equal_spacing_keeps_exact_values():
    inside = ball()
    data = np.rint(tissue(inside)).astype(np.int16)
    result = canonicalise(volume(data, np.diag([1, 1, 1, 1])), (30, 40, 40), (1, 1, 1))
    np.testing.assert_array_equal(result.volume.array, data)
    np.testing.assert_array_equal(result.mask, inside)


def test_any_axis_order_gives_the_same_array():
    data = np.rint(tissue(ball())).astype(np.int16)
    plain = canonicalise(volume(data, np.eye(4)), (32, 44, 44), (1, 1, 1))
    turned = volume(data.transpose(2, 0, 1), np.eye(4)[:, [1, 2, 0, 3]])
    assert axis_letters(turned) == "PSL"
    again = canonicalise(turned, (32, 44, 44), (1, 1, 1))
    np.testing.assert_array_equal(again.volume.array, plain.volume.array)
    np.testing.assert_array_equal(again.mask, plain.mask)


def test_background_does_not_darken_the_rim():
    """Plain interpolation between tissue and zero would halve the values at the edge."""
    inside = ball()
    data = np.where(inside, 600.0, 0.0)
    turn = nib.affines.from_matvec(nib.eulerangles.euler2mat(0.1, 0, 0))
    result = canonicalise(volume(data, turn), (40, 50, 50), (0.9, 0.8, 0.8))
    assert result.volume.array[result.mask].min() > 599.9
    assert not result.volume.array[~result.mask].any()


def test_background_other_than_zero_is_cleared():
    inside = ball()
    data = np.where(inside, tissue(inside) / 1000, -1.0)
    result = canonicalise(volume(data, np.eye(4)), (36, 44, 44), (1, 1, 1))
    assert (result.volume.array[~result.mask] == 0).all()
    assert result.mask.sum() == inside.sum()


def test_one_centre_keeps_sequences_of_a_case_together():
    inside, part = ball(), ball(radius=0.4)
    centre = np.array([19.5, 19.5, 14.5])
    first, second = (
        canonicalise(volume(tissue(mask), np.eye(4)), (30, 40, 40), (1, 1, 1), centre_mm=centre)
        for mask in (inside, part)
    )
    assert overlap(first.mask & part, second.mask) == 1.0


def test_mask_of_another_sequence_can_be_used():
    inside = ball()
    noise = np.random.default_rng(1).normal(500, 100, inside.shape)
    turned = volume(noise.transpose(2, 0, 1), np.eye(4)[:, [1, 2, 0, 3]])
    result = canonicalise(turned, (30, 40, 40), (1, 1, 1), mask=inside.transpose(2, 0, 1))
    np.testing.assert_array_equal(result.mask, inside)
    np.testing.assert_array_equal(result.volume.array, np.where(inside, noise, 0))
