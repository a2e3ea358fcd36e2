from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.orientation import axis_letters, is_oblique, plane_of, to_lps

from .factories import brain_like

LETTERS = ["".join(code) for axes in permutations(("LR", "PA", "SI")) for code in product(*axes)]
BRAIN = brain_like()


def volume(array_zyx, affine):
    return Volume(array_zyx, np.asarray(affine, float), "nifti", {}, "0" * 64)


def stored_as(letters):
    """The same brain stored in another axis order, by nibabel."""
    image = nib.Nifti1Image(BRAIN.T, np.diag([-1.1, -0.9, 3.0, 1.0]))
    start = nib.orientations.io_orientation(image.affine)
    target = nib.orientations.axcodes2ornt(tuple(letters))
    moved = image.as_reoriented(nib.orientations.ornt_transform(start, target))
    affine = np.diag([-1, -1, 1, 1]) @ moved.affine
    return volume(np.asarray(moved.dataobj).T, affine)


@pytest.mark.parametrize("letters", LETTERS)
def test_all_48_axis_orders_come_out_the_same(letters):
    stored = stored_as(letters)
    assert axis_letters(stored) == letters
    canonical = to_lps(stored)
    assert axis_letters(canonical) == "LPS"
    np.testing.assert_array_equal(canonical.array, BRAIN)
    np.testing.assert_allclose(canonical.affine_lps, np.diag([1.1, 0.9, 3, 1]), atol=1e-12)


@given(
    angles=st.tuples(*[st.floats(-0.6, 0.6)] * 3),
    letters=st.sampled_from(LETTERS),
    index=st.tuples(st.integers(0, 11), st.integers(0, 39), st.integers(0, 35)),
)
def test_every_voxel_keeps_value_and_position(angles, letters, index):
    turned = nib.affines.from_matvec(nib.eulerangles.euler2mat(*angles))
    base = stored_as(letters)
    stored = volume(base.array, turned @ base.affine_lps)
    canonical = to_lps(stored)
    index = tuple(min(i, n - 1) for i, n in zip(index, stored.shape, strict=True))
    place = stored.position_mm(*index)
    found = np.linalg.solve(canonical.affine_lps, [*place, 1])[2::-1]
    np.testing.assert_allclose(found, np.rint(found), atol=1e-6)
    assert canonical.array[tuple(np.rint(found).astype(int))] == stored.array[index]


def test_thick_slices_tell_the_plane():
    assert plane_of(stored_as("LPS")) == "Axial"
    assert plane_of(stored_as("SLP")) == "Axial"
    sagittal = np.array([[0, 0, 5.0, 0], [1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    assert plane_of(volume(BRAIN, sagittal)) == "Sagittal"
    assert plane_of(to_lps(volume(BRAIN, sagittal))) == "Sagittal"


def test_isotropic_volume_counts_the_stored_slice_axis():
    coronal = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    assert plane_of(volume(BRAIN, coronal)) == "Coronal"


def test_is_oblique():
    assert not is_oblique(stored_as("PIR"))
    turned = nib.affines.from_matvec(nib.eulerangles.euler2mat(0.01, 0, 0))
    assert is_oblique(volume(BRAIN, turned))
