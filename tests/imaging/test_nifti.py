import gzip
import hashlib
import tracemalloc

import nibabel as nib
import numpy as np
import pytest

from readerstudy.imaging.errors import (
    ImageError,
    OrientationError,
    TooLargeError,
    TruncatedError,
    UnreadableError,
    UnsupportedImageError,
    VoxelValueError,
)
from readerstudy.imaging.volumes import load_nifti

from .factories import brain_like, write_nifti

XYZ = np.arange(2 * 3 * 4).reshape(2, 3, 4)
AXES = np.array([[0.0, 0, 3], [0.8, 0, 0], [0, 0.9, 0]])
OBLIQUE = nib.affines.from_matvec(nib.eulerangles.euler2mat(0.2, 0.1, -0.15) @ AXES, [-7, 5, 11])


def patched(path, offset, data):
    raw = bytearray(path.read_bytes())
    raw[offset : offset + len(data)] = data
    path.write_bytes(bytes(raw))
    return path


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_values_keep_their_type_and_position(tmp_path, suffix, dtype):
    path = write_nifti(tmp_path / f"t1{suffix}", XYZ.astype(dtype), OBLIQUE)
    volume = load_nifti(path)
    assert volume.array.dtype == dtype
    assert volume.shape == (4, 3, 2)
    np.testing.assert_array_equal(volume.array[3, 2, 1], XYZ[1, 2, 3])
    ras = OBLIQUE @ [1, 2, 3, 1]
    np.testing.assert_allclose(volume.position_mm(3, 2, 1), ras[:3] * [-1, -1, 1], atol=1e-5)


def test_spacing_is_the_length_of_each_axis(tmp_path):
    volume = load_nifti(write_nifti(tmp_path / "a.nii", XYZ.astype("int16"), OBLIQUE))
    np.testing.assert_allclose(volume.spacing_mm, (3.0, 0.9, 0.8), atol=1e-6)


def test_big_endian_and_nifti2(tmp_path):
    image = nib.Nifti2Image(XYZ.astype(">i2"), np.eye(4))
    image = nib.Nifti2Image(XYZ.astype(">i2"), np.eye(4), image.header.as_byteswapped(">"))
    image.to_filename(tmp_path / "b.nii")
    volume = load_nifti(tmp_path / "b.nii")
    np.testing.assert_array_equal(volume.array.T, XYZ)
    assert volume.array.dtype == np.dtype("int16").newbyteorder("=")


def test_slope_and_intercept_are_applied_exactly(tmp_path):
    path = write_nifti(tmp_path / "a.nii.gz", XYZ.astype("int16"), slope=2.5, intercept=-3.0)
    stored = nib.load(path).dataobj.get_unscaled()
    np.testing.assert_array_equal(load_nifti(path).array.T, stored * 2.5 - 3.0)


def test_units_of_micrometres_become_millimetres(tmp_path):
    path = write_nifti(tmp_path / "a.nii", XYZ.astype("int16"), np.diag([900.0, 900, 900, 1]))
    patched(path, 123, b"\x03")
    np.testing.assert_allclose(load_nifti(path).spacing_mm, (0.9, 0.9, 0.9), rtol=1e-6)


def test_two_dimensional_image_becomes_one_slice(tmp_path):
    path = write_nifti(tmp_path / "a.nii", XYZ[:, :, 0].astype("int16"))
    assert load_nifti(path).shape == (1, 3, 2)


def test_digest_is_that_of_the_file(tmp_path):
    path = write_nifti(tmp_path / "a.nii.gz", XYZ.astype("int16"))
    assert load_nifti(path).source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_compression_is_told_by_content_not_by_name(tmp_path):
    path = write_nifti(tmp_path / "a.nii.gz", XYZ.astype("int16"))
    renamed = path.rename(tmp_path / "b.nii")
    np.testing.assert_array_equal(load_nifti(renamed).array.T, XYZ)


def test_header_extension_is_skipped(tmp_path):
    image = nib.Nifti1Image(XYZ.astype("int16"), np.eye(4))
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"Doe^Jane"))
    image.to_filename(tmp_path / "a.nii.gz")
    volume = load_nifti(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(volume.array.T, XYZ)
    assert "Doe" not in repr(volume.facts)


def refused(path, error, *words):
    with pytest.raises(error) as caught:
        load_nifti(path)
    message = str(caught.value)
    assert message.startswith(f"{path.name}: ")
    assert str(path.parent) not in message
    for word in words:
        assert word in message
    assert caught.value.advice.endswith(".")


def test_truncated_gzip(tmp_path):
    path = write_nifti(tmp_path / "a.nii.gz", brain_like().T)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, TruncatedError, "end too early")


def test_truncated_plain_file(tmp_path):
    path = write_nifti(tmp_path / "a.nii", brain_like().T)
    path.write_bytes(path.read_bytes()[:-10])
    refused(path, TruncatedError, "shorter than its header says")


def test_flipped_bit_in_gzip_fails_the_checksum(tmp_path):
    raw = write_nifti(tmp_path / "a.nii", brain_like().T).read_bytes()
    packed = bytearray(gzip.compress(raw, compresslevel=0))
    packed[len(packed) // 2] ^= 1
    path = tmp_path / "b.nii.gz"
    path.write_bytes(packed)
    with pytest.raises(ImageError):
        load_nifti(path)


def test_empty_file(tmp_path):
    path = tmp_path / "a.nii"
    path.write_bytes(b"")
    refused(path, TruncatedError, "the file is empty")


@pytest.mark.parametrize("content", [b"hello", b"\x1f\x8b", b"\x1f\x8b" + bytes(400)])
def test_not_an_image(tmp_path, content):
    path = tmp_path / "a.nii.gz"
    path.write_bytes(content)
    with pytest.raises(ImageError) as caught:
        load_nifti(path)
    assert caught.value.path == "a.nii.gz"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers(tmp_path, value):
    data = brain_like().T.astype("float32")
    data[3, 4, 5] = value
    refused(write_nifti(tmp_path / "a.nii", data), VoxelValueError, "1 of 17280 voxels")


def test_constant_image(tmp_path):
    path = write_nifti(tmp_path / "a.nii", np.full((4, 4, 4), 7, "int16"))
    refused(path, VoxelValueError, "same value")
    assert load_nifti(path, allow_constant=True).array.max() == 7


def test_several_volumes(tmp_path):
    path = write_nifti(tmp_path / "a.nii", np.ones((2, 3, 4, 5), "int16"))
    refused(path, UnsupportedImageError, "5 volumes")


def test_trailing_single_dimensions_are_accepted(tmp_path):
    path = write_nifti(tmp_path / "a.nii", XYZ.astype("int16")[..., None, None])
    np.testing.assert_array_equal(load_nifti(path).array.T, XYZ)


def test_colour_and_complex(tmp_path):
    rgb = np.zeros((2, 3, 4), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    refused(write_nifti(tmp_path / "a.nii", rgb), UnsupportedImageError, "colours")
    refused(write_nifti(tmp_path / "b.nii", XYZ.astype("complex64")), UnsupportedImageError)


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_pair_of_files(tmp_path, packed):
    image = nib.Nifti1Pair(XYZ.astype("int16"), OBLIQUE)
    image.to_filename(tmp_path / f"a.hdr{packed}")
    np.testing.assert_array_equal(load_nifti(tmp_path / f"a.hdr{packed}").array.T, XYZ)
    (tmp_path / f"a.img{packed}").unlink()
    refused(tmp_path / f"a.hdr{packed}", UnreadableError, ".img file is not beside it")


def test_analyze_is_refused(tmp_path):
    nib.AnalyzeImage(XYZ.astype("int16"), np.eye(4)).to_filename(tmp_path / "a.hdr")
    refused(tmp_path / "a.hdr", UnsupportedImageError, "ANALYZE 7.5", "left")


SHEARED = np.eye(4) + np.eye(4, k=1) * [[0.3]]
SHEARED[3] = [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (np.diag([0.0, 1.0, 1.0]), "not plausible"),
        (np.diag([500.0, 1.0, 1.0]), "not plausible"),
        (np.array([[1.0, 1, 0], [0, 0, 0], [0, 0, 1]]), "right angles"),
        (SHEARED[:3, :3], "right angles"),
        (np.full((3, 3), np.nan), "not numbers"),
        (np.diag([1.0, 1.0, 3.0]), "voxel sizes in the header"),
    ],
)
def test_wrong_orientation_matrix(tmp_path, rows, words):
    path = write_nifti(tmp_path / "a.nii", XYZ.astype("int16"))
    sform = np.hstack([rows, np.zeros((3, 1))]).astype("<f4")
    refused(patched(path, 280, sform.tobytes()), OrientationError, "orientation matrix", words)


def test_orientation_not_set_gets_the_base_affine_and_a_flag(tmp_path):
    path = write_nifti(tmp_path / "a.nii", XYZ.astype("int16"), codes=(0, 0))
    volume = load_nifti(path)
    assert volume.flags == ("position_unknown",)
    ras = nib.load(path).affine @ [1, 2, 3, 1]
    np.testing.assert_allclose(volume.position_mm(3, 2, 1), ras[:3] * [-1, -1, 1])


def test_claim_of_nine_exabytes(tmp_path):
    path = write_nifti(tmp_path / "a.nii", XYZ.astype("int16"), version=nib.Nifti2Image)
    dims = np.array([3, 2**21, 2**21, 2**20, 1, 1, 1, 1], dtype="<i8")
    refused(patched(path, 16, dims.tobytes()), TooLargeError, "512 MiB")


def test_claim_beyond_what_the_bytes_can_hold(tmp_path):
    path = write_nifti(tmp_path / "a.nii.gz", XYZ.astype("int16"))
    raw = bytearray(gzip.decompress(path.read_bytes()))
    raw[40:56] = np.array([3, 500, 500, 500, 1, 1, 1, 1], dtype="<i2").tobytes()
    path.write_bytes(gzip.compress(bytes(raw)))
    refused(path, TruncatedError, "shorter than its header says")


def test_gzip_bomb_is_refused_without_unpacking_it(tmp_path):
    raw = write_nifti(tmp_path / "a.nii", brain_like().T).read_bytes()
    path = tmp_path / "b.nii.gz"
    path.write_bytes(gzip.compress(raw + bytes(150 * 2**20), compresslevel=1))
    tracemalloc.start()
    refused(path, TooLargeError, "more data than its header says")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 2**20


@pytest.mark.parametrize("offset", [0.0, -5.0, 1e30, np.nan])
def test_lying_data_offset(tmp_path, offset):
    path = write_nifti(tmp_path / "a.nii", XYZ.astype("int16"))
    with pytest.raises(ImageError):
        load_nifti(patched(path, 108, np.array(offset, "<f4").tobytes()))


@pytest.mark.parametrize("dims", [(0, 1, 1, 1), (3, 0, 4, 4), (3, -4, 4, 4), (9, 4, 4, 4)])
def test_lying_dimensions(tmp_path, dims):
    path = write_nifti(tmp_path / "a.nii", XYZ.astype("int16"))
    with pytest.raises(ImageError):
        load_nifti(patched(path, 40, np.array(dims, "<i2").tobytes()))


def test_missing_file_and_folder_instead_of_file(tmp_path):
    refused(tmp_path / "none.nii", UnreadableError, "does not exist")
    (tmp_path / "folder.nii").mkdir()
    refused(tmp_path / "folder.nii", UnreadableError)
