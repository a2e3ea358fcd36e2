"""Every way in which DICOM writes pixels, against pydicom's own reading."""

import numpy as np
import pydicom
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
    ParametricMapStorage,
    RLELossless,
)

from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.volumes import find_series, load

from .codestreams import TABLE, picture
from .reference import agrees, dicom_voxels
from .vendors import (
    DOUBLE_OBLIQUE,
    Slice,
    encapsulated,
    enhanced,
    header,
    one,
    put_pixels,
    save,
    slices,
    write_classic,
)


def only(folder):
    (found,) = find_series(folder)
    assert found.status == "ok", found.reason
    return found, load(found)


def planes_of(array, **rest):
    planes = slices(len(array), shape=array.shape[1:], orientation=DOUBLE_OBLIQUE, **rest)
    for plane, pixels in zip(planes, array, strict=True):
        plane.pixels = pixels
    return planes


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
@pytest.mark.parametrize("multiframe", [False, True], ids=["classic", "enhanced"])
def test_compressed(tmp_path, case, multiframe):
    array = picture(case.bits, signed=case.signed)
    planes = planes_of(array)
    stored = {"BitsStored": case.bits, "HighBit": case.bits - 1}
    if multiframe:
        whole = enhanced(planes, **stored)
        encapsulated(whole, case.frames(), case.syntax, tmp_path / "e.dcm")
    else:
        write_classic(tmp_path, planes, **stored)
        for plane, frame in zip(planes, case.frames(), strict=True):
            path = next(p for p in tmp_path.iterdir() if at(p, plane))
            encapsulated(pydicom.dcmread(path), [frame], case.syntax, path)
    found, volume = only(tmp_path)
    agrees(volume, dicom_voxels(list(found.paths)))
    if case.exact:
        np.testing.assert_array_equal(volume.array, array)
    else:
        assert np.abs(volume.array.astype(float) - array).max() < 0.05 * 2**case.bits
    always_lossy = case.name.startswith(("jpeg-baseline", "jpeg-extended", "jpeg-ls-near"))
    assert ("lossy" in volume.flags) is always_lossy


def at(path, plane):
    position = pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient
    return np.allclose(np.array(position, float), plane.position, atol=1e-5)


def test_lossy_history_is_flagged(tmp_path):
    write_classic(tmp_path, slices(), LossyImageCompression="01")
    assert only(tmp_path)[1].flags == ("lossy",)


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32"])
def test_native(tmp_path, syntax, dtype):
    info = np.iinfo(dtype)
    random = np.random.default_rng(5)
    array = random.integers(info.min, info.max, (4, 15, 17), dtype=dtype, endpoint=True)
    write_classic(tmp_path, planes_of(array), syntax=syntax)
    found, volume = only(tmp_path)
    np.testing.assert_array_equal(volume.array, array)
    agrees(volume, dicom_voxels(list(found.paths)))


@pytest.mark.parametrize("multiframe", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_rle(tmp_path, dtype, multiframe):
    array = picture(8 if dtype == "uint8" else 12).astype(dtype)
    planes = planes_of(array)
    paths = (
        [save(enhanced(planes), tmp_path / "e.dcm")]
        if multiframe
        else write_classic(tmp_path, planes)
    )
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(path)
    np.testing.assert_array_equal(only(tmp_path)[1].array, array)


@pytest.mark.parametrize(("bits", "signed"), [(10, False), (12, False), (12, True), (14, True)])
def test_fewer_bits_stored_than_allocated(tmp_path, bits, signed):
    array = picture(bits, signed=signed)
    array = array.astype(np.int16 if signed else np.uint16)
    write_classic(tmp_path, planes_of(array), BitsStored=bits, HighBit=bits - 1)
    found, volume = only(tmp_path)
    np.testing.assert_array_equal(volume.array, array)
    agrees(volume, dicom_voxels(list(found.paths)))


def test_retired_packing_of_bits_is_refused(tmp_path):
    write_classic(tmp_path, slices(), BitsStored=12, HighBit=15)
    (found,) = find_series(tmp_path)
    assert found.status == "error"
    assert "retired way" in found.reason


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_float_pixels_of_a_parametric_map(tmp_path, dtype):
    array = (picture(12) / 7.0 - 100).astype(dtype)
    dataset = enhanced(planes_of(array), SOPClassUID=ParametricMapStorage)
    save(dataset, tmp_path / "map.dcm")
    found, volume = only(tmp_path)
    assert volume.array.dtype == dtype
    np.testing.assert_array_equal(volume.array, array)
    agrees(volume, dicom_voxels(list(found.paths)))


@pytest.mark.parametrize(("slope", "intercept"), [(0.0123, -3.5), (2.0, 0.0), (1.0, -1024.0)])
def test_one_slope_for_all(tmp_path, slope, intercept):
    write_classic(tmp_path, slices(slope=slope, intercept=intercept))
    found, volume = only(tmp_path)
    agrees(volume, dicom_voxels(list(found.paths)))


@pytest.mark.parametrize("multiframe", [False, True])
def test_a_slope_for_each_slice(tmp_path, multiframe):
    planes = slices()
    for number, plane in enumerate(planes):
        plane.slope, plane.intercept = 1.37 + 0.21 * number, -2.5 * number
    if multiframe:
        save(enhanced(planes), tmp_path / "e.dcm")
    else:
        write_classic(tmp_path, planes)
    found, volume = only(tmp_path)
    agrees(volume, dicom_voxels(list(found.paths)))


def test_private_scale_slope_of_philips_is_left_alone(tmp_path):
    private = {0x20050010: ("LO", "Philips MR Imaging DD 001"), 0x2005100E: ("FL", 0.0046)}
    write_classic(tmp_path, slices(slope=1.5, intercept=10.0, private=private))
    found, volume = only(tmp_path)
    agrees(volume, dicom_voxels(list(found.paths)))


def test_look_up_table_of_values(tmp_path):
    planes = slices()
    table = [(7 * value) % 5003 for value in range(4096)]
    for plane in planes:
        plane.values["ModalityLUTSequence"] = one(
            LUTDescriptor=[4096, 0, 16], ModalityLUTType="US", LUTData=table
        )
        plane.values["ModalityLUTSequence"][0]["LUTData"].VR = "US"
        plane.values["ModalityLUTSequence"][0]["LUTDescriptor"].VR = "US"
    write_classic(tmp_path, planes)
    found, volume = only(tmp_path)
    agrees(volume, dicom_voxels(list(found.paths)))


def test_padding_value_is_kept_and_flagged(tmp_path):
    planes = slices()
    for plane in planes:
        plane.pixels = plane.pixels.astype(np.int16)
        plane.pixels[:2] = -2000
    paths = write_classic(tmp_path, planes)
    for path in paths:
        dataset = pydicom.dcmread(path)
        dataset.add_new("PixelPaddingValue", "SS", -2000)
        dataset.save_as(path)
    found, volume = only(tmp_path)
    agrees(volume, dicom_voxels(list(found.paths)))
    assert volume.flags == ("padded",)


def bare(path, planes, implicit, little=True):
    for number, plane in enumerate(planes):
        dataset = header(MRImageStorage, plane.pixels)
        dataset.ImagePositionPatient = list(plane.position)
        dataset.ImageOrientationPatient = list(plane.orientation)
        dataset.PixelSpacing = [0.75, 1.25]
        put_pixels(dataset, plane.pixels, ImplicitVRLittleEndian if little else ExplicitVRBigEndian)
        dataset.save_as(path / f"{number}", implicit_vr=implicit, little_endian=little)


@pytest.mark.parametrize(("implicit", "little"), [(True, True), (False, True), (False, False)])
def test_without_preamble_and_meta_information(tmp_path, implicit, little):
    planes = slices()
    bare(tmp_path, planes, implicit, little)
    _, volume = only(tmp_path)
    np.testing.assert_array_equal(volume.array, [plane.pixels for plane in planes])


def test_meta_information_without_preamble(tmp_path):
    paths = write_classic(tmp_path, slices())
    for path in paths:
        path.write_bytes(path.read_bytes()[132:])
    _, volume = only(tmp_path)
    np.testing.assert_array_equal(volume.array, [plane.pixels for plane in slices()])


@pytest.mark.parametrize("suffix", [".IMA", "", ".jpg", ".nii", ".txt"])
def test_the_content_tells_dicom_whatever_the_name(tmp_path, suffix):
    for path in write_classic(tmp_path, slices()):
        path.rename(path.with_suffix(suffix))
    found, volume = only(tmp_path)
    assert found.kind == "dicom"
    np.testing.assert_array_equal(volume.array, [plane.pixels for plane in slices()])


def test_no_pixels(tmp_path):
    for path in write_classic(tmp_path, slices()):
        dataset = pydicom.dcmread(path)
        del dataset.PixelData
        dataset.save_as(path)
    with pytest.raises(ImageError, match="no pixels"):
        load(find_series(tmp_path)[0])


def test_binary_segmentation_of_one_segment_is_a_mask(tmp_path):
    array = (picture(12) > 2000).astype(np.uint8)
    dataset = enhanced(planes_of(array), SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4")
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit, dataset.SegmentationType = 0, "BINARY"
    dataset.SegmentSequence = one(SegmentNumber=1)
    dataset.PixelData = np.packbits(array.ravel(), bitorder="little").tobytes()
    save(dataset, tmp_path / "seg.dcm")
    found, volume = only(tmp_path)
    assert found.role == "mask"
    np.testing.assert_array_equal(volume.array, array)


def test_slices_of_one_file_are_slices(tmp_path):
    assert isinstance(slices(1)[0], Slice)
    write_classic(tmp_path, slices(1, step=0.0))
    assert only(tmp_path)[1].spacing_mm == pytest.approx((3.5, 0.75, 1.25))
