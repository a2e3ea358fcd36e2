import hashlib
import shutil
import tracemalloc
import zlib

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from readerstudy.imaging.errors import (
    ImageError,
    MissingSlicesError,
    MixedSeriesError,
    NotAnImageError,
    OrientationError,
    TooLargeError,
    UnreadableError,
    UnsupportedImageError,
    VoxelValueError,
)
from readerstudy.imaging.volumes import load_dicom_series

from .factories import (
    SeriesOptions,
    brain_like,
    slice_dataset,
    slice_position,
    write_bare,
    write_enhanced,
    write_series,
    write_structured_report,
)

BRAIN = brain_like()
TILTED = (1.0, 0.0, 0.0, 0.0, float(np.cos(0.2)), float(np.sin(0.2)))
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)


def refused(paths, error, *words):
    with pytest.raises(error) as caught:
        load_dicom_series(paths)
    message = str(caught.value)
    assert str(paths[0].parent) not in message
    for word in words:
        assert word in message
    assert caught.value.advice.endswith(".")


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), SAGITTAL, TILTED])
def test_slices_are_sorted_by_position(tmp_path, orientation):
    options = SeriesOptions(orientation=orientation)
    volume = load_dicom_series(write_series(tmp_path / "s", BRAIN, options))
    np.testing.assert_array_equal(volume.array, BRAIN)
    assert volume.array.dtype == np.int16


@pytest.mark.parametrize("orientation", [(1, 0, 0, 0, 1, 0), SAGITTAL, TILTED])
def test_positions_follow_the_image_plane_equation(tmp_path, orientation):
    """DICOM PS3.3 C.7.6.2.1-1, with PixelSpacing = row distance, column distance."""
    options = SeriesOptions(orientation=orientation)
    volume = load_dicom_series(write_series(tmp_path / "s", BRAIN, options))
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    expected = slice_position(4, options) + row * 1.1 * 6 + column * 0.9 * 5
    np.testing.assert_allclose(volume.position_mm(4, 5, 6), expected, atol=1e-6)
    np.testing.assert_allclose(volume.spacing_mm, (3.0, 0.9, 1.1), atol=1e-6)


def test_single_slice_takes_its_thickness(tmp_path):
    volume = load_dicom_series(write_series(tmp_path / "s", BRAIN[5:6]))
    assert volume.shape == (1, 40, 36)
    np.testing.assert_allclose(volume.spacing_mm[0], 3.0)


def test_rescale(tmp_path):
    options = SeriesOptions(slope=2.36, intercept=-10.5)
    volume = load_dicom_series(write_series(tmp_path / "s", BRAIN, options))
    np.testing.assert_array_equal(volume.array, BRAIN * 2.36 - 10.5)


def test_signed_values(tmp_path):
    volume = load_dicom_series(write_series(tmp_path / "s", BRAIN - 300))
    np.testing.assert_array_equal(volume.array, BRAIN - 300)


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless, JPEG2000Lossless]
)
def test_transfer_syntaxes(tmp_path, syntax):
    paths = write_series(tmp_path / "s", BRAIN, SeriesOptions(syntax=syntax))
    np.testing.assert_array_equal(load_dicom_series(paths).array, BRAIN)


def test_enhanced_multiframe(tmp_path):
    options = SeriesOptions(orientation=TILTED, slope=0.5, intercept=1.0)
    path = write_enhanced(tmp_path / "e.dcm", BRAIN, options)
    volume = load_dicom_series([path])
    np.testing.assert_array_equal(volume.array, BRAIN * 0.5 + 1.0)
    expected = slice_position(7, options)
    np.testing.assert_allclose(volume.position_mm(7, 0, 0), expected, atol=1e-6)
    assert volume.facts["echo_time_ms"] == 4.5


def test_enhanced_file_that_lies_about_its_frames(tmp_path):
    path = write_enhanced(tmp_path / "e.dcm", BRAIN, frames=10**9)
    refused([path], UnreadableError, "1000000000 frames but describes 12")


def test_file_without_preamble_and_meta_information(tmp_path):
    paths = [
        write_bare(tmp_path / f"{k}.dcm", slice_dataset(BRAIN, k, SeriesOptions(), "1.2.3"))
        for k in range(len(BRAIN))
    ]
    np.testing.assert_array_equal(load_dicom_series(paths).array, BRAIN)


def test_preamble_is_ignored(tmp_path):
    paths = write_series(tmp_path / "s", BRAIN)
    for path in paths:
        path.write_bytes(b"MZ" + b"#!/bin/sh" + bytes(117) + path.read_bytes()[128:])
    np.testing.assert_array_equal(load_dicom_series(paths).array, BRAIN)


def test_digest_does_not_depend_on_names_or_order(tmp_path):
    paths = write_series(tmp_path / "s", BRAIN)
    copies = [
        shutil.copy(path, tmp_path / f"{99 - number}.dcm") for number, path in enumerate(paths)
    ]
    assert load_dicom_series(paths).source_sha256 == load_dicom_series(copies).source_sha256
    digests = sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    expected = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    assert load_dicom_series(paths).source_sha256 == expected


def test_missing_slices_are_counted(tmp_path):
    paths = write_series(tmp_path / "s", BRAIN, SeriesOptions(missing={4}))
    refused(paths, MissingSlicesError, "1 slice is missing")
    paths = write_series(tmp_path / "t", BRAIN, SeriesOptions(missing={3, 4, 8}))
    refused(paths, MissingSlicesError, "3 slices are missing")


def test_uneven_distances(tmp_path):
    paths = write_series(tmp_path / "s", BRAIN, SeriesOptions(uneven_mm=0.4))
    refused(paths, MissingSlicesError, "uneven distances")


def test_repeated_positions(tmp_path):
    paths = write_series(tmp_path / "s", BRAIN, SeriesOptions(duplicate={2}))
    refused(paths, MixedSeriesError, "1 slice repeats the position")


def test_two_series_mixed(tmp_path):
    paths = write_series(tmp_path / "s", BRAIN) + write_series(tmp_path / "s", BRAIN)
    refused(paths, MixedSeriesError, "2 series are mixed")


def test_orientations_and_shapes_mixed_in_one_series(tmp_path):
    paths = write_series(tmp_path / "s", BRAIN, SeriesOptions(tilted={3}))
    refused(paths, MixedSeriesError, "different angles")
    paths = write_series(tmp_path / "t", BRAIN, SeriesOptions(smaller={3}))
    refused(paths, MixedSeriesError, "different sizes")


def test_sideways_shift(tmp_path):
    paths = write_series(tmp_path / "s", BRAIN, SeriesOptions(sideways_mm=0.5))
    refused(paths, OrientationError, "shifted sideways")


def test_one_slice_off_the_line(tmp_path):
    paths = write_series(tmp_path / "s", BRAIN)
    dataset = pydicom.dcmread(paths[6])
    dataset.ImagePositionPatient[1] += 3
    dataset.save_as(paths[6])
    refused(paths, OrientationError, f"slice {paths[6].name} lies", "off the line")


def test_positions_rounded_to_a_tenth_of_a_millimetre_are_fitted(tmp_path):
    options = SeriesOptions(orientation=TILTED, step=2.97)
    paths = write_series(tmp_path / "s", BRAIN, options)
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.ImagePositionPatient = [round(float(v), 1) for v in dataset.ImagePositionPatient]
        dataset.save_as(path)
    volume = load_dicom_series(paths)
    for k in (0, 5, 11):
        np.testing.assert_allclose(
            volume.position_mm(k, 0, 0), slice_position(k, options), atol=0.05
        )


def test_wrong_orientation_matrix(tmp_path):
    options = SeriesOptions(orientation=(1, 0, 0, 1, 0, 0))
    refused(write_series(tmp_path / "s", BRAIN, options), OrientationError, "orientation matrix")
    options = SeriesOptions(orientation=(0, 0, 0, 0, 0, 0))
    refused(write_series(tmp_path / "t", BRAIN, options), OrientationError, "orientation matrix")


def test_no_position(tmp_path):
    paths = write_series(tmp_path / "s", BRAIN, SeriesOptions(position=False))
    refused(paths, OrientationError, "ImageOrientationPatient is missing")


def test_mosaic(tmp_path):
    options = SeriesOptions(image_type=("ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"))
    paths = write_series(tmp_path / "s", BRAIN[:1], options)
    refused(paths, UnsupportedImageError, "mosaic", "dcm2niix")


def test_colour(tmp_path):
    options = SeriesOptions(samples=3, photometric="RGB")
    refused(write_series(tmp_path / "s", BRAIN, options), UnsupportedImageError, "colour")


def test_inverted_grey_scale_keeps_its_values_and_is_flagged(tmp_path):
    options = SeriesOptions(photometric="MONOCHROME1")
    volume = load_dicom_series(write_series(tmp_path / "t", BRAIN, options))
    np.testing.assert_array_equal(volume.array, BRAIN)
    assert volume.flags == ("monochrome1",)


def test_object_without_pixels(tmp_path):
    path = write_structured_report(tmp_path / "sr.dcm")
    refused([path], NotAnImageError, "holds no picture (Basic Text SR Storage)")


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless])
def test_truncated_pixel_data(tmp_path, syntax):
    paths = write_series(tmp_path / "s", BRAIN, SeriesOptions(syntax=syntax))
    whole = paths[5].read_bytes()
    paths[5].write_bytes(whole[:-200])
    refused(paths, ImageError, paths[5].name)


def test_constant_series(tmp_path):
    paths = write_series(tmp_path / "s", np.full((3, 4, 4), 9, np.int16))
    refused(paths, VoxelValueError, "same value")
    assert load_dicom_series(paths, allow_constant=True).array.max() == 9


def test_claimed_size_is_checked_before_decoding(tmp_path):
    paths = write_series(tmp_path / "s", BRAIN)
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.Rows = dataset.Columns = 65_535
        dataset.save_as(path)
    refused(paths, TooLargeError, "65535x65535")


def test_codestream_of_another_size(tmp_path):
    paths = write_series(tmp_path / "s", BRAIN, SeriesOptions(syntax=JPEG2000Lossless))
    dataset = pydicom.dcmread(paths[0])
    dataset.Rows = 80
    dataset.save_as(paths[0])
    refused([paths[0]], UnreadableError, "another size than its header")


def test_deflated_syntax(tmp_path):
    options = SeriesOptions(syntax=DeflatedExplicitVRLittleEndian)
    paths = write_series(tmp_path / "s", BRAIN, options)
    np.testing.assert_array_equal(load_dicom_series(paths).array, BRAIN)


def test_deflated_bomb_is_refused_without_unpacking_it(tmp_path):
    options = SeriesOptions(syntax=DeflatedExplicitVRLittleEndian)
    path = write_series(tmp_path / "s", np.zeros((1, 8, 8), np.int16), options)[0]
    whole = path.read_bytes()
    start = len(whole) - len(deflated(path))
    plain = zlib.decompress(deflated(path), -15)
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    packed = packer.compress(plain + bytes(160 * 2**20)) + packer.flush()
    path.write_bytes(whole[:start] + packed)
    tracemalloc.start()
    refused([path], TooLargeError, "unpack to more than is read")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 150 * 2**20


def deflated(path):
    with path.open("rb") as stream:
        stream.seek(132)
        pydicom.filereader._read_file_meta_info(stream)
        return stream.read()


def test_big_endian(tmp_path):
    dataset = slice_dataset(BRAIN, 5, SeriesOptions(), "1.2.3")
    dataset.PixelData = BRAIN[5].astype(">i2").tobytes()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset["PixelData"].VR = "OW"
    dataset.save_as(tmp_path / "b.dcm", enforce_file_format=True)
    np.testing.assert_array_equal(load_dicom_series([tmp_path / "b.dcm"]).array[0], BRAIN[5])


@pytest.mark.parametrize("content", [b"", b"text", bytes(128) + b"DICM", bytes(128) + b"DICMxx"])
def test_not_dicom(tmp_path, content):
    path = tmp_path / "x.dcm"
    path.write_bytes(content)
    refused([path], ImageError, "x.dcm")


def test_invalid_values_of_a_header_are_not_logged(tmp_path, caplog):
    paths = write_series(tmp_path / "s", BRAIN)
    for path in paths:
        path.write_bytes(path.read_bytes().replace(b"ORIGINAL", b"Doe^Jane"))
    load_dicom_series(paths)
    assert "Doe" not in caplog.text


def test_no_files_and_missing_file(tmp_path):
    with pytest.raises(UnreadableError, match="no files"):
        load_dicom_series([])
    refused([tmp_path / "none.dcm"], UnreadableError, "does not exist")
