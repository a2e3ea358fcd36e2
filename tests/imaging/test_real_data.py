"""The readers against nibabel's and pydicom's own reading of real images.

The folder is READERSTUDY_DATA, or shared/data beside the repository.
"""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from readerstudy.imaging.canonical import canonicalise
from readerstudy.imaging.encoding import encode_display, source_quantum
from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.orientation import axis_letters, is_oblique, plane_of, to_lps
from readerstudy.imaging.volumes import find_series, load, load_dicom_series, load_nifti

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
DATA = Path(os.environ.get("READERSTUDY_DATA", BESIDE))

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        not (DATA / "nifti").is_dir(),
        reason="real cases are not here; set READERSTUDY_DATA to their folder",
    ),
]

NIFTI = sorted((DATA / "nifti").glob("*/*.nii.gz"))
CLASSIC = [
    "vs-001-t1c-siemens-avanto",
    "normal-01-t1-philips",
    "normal-01-cbf-philips",
    "normal-03-t1-siemens-2d",
    "normal-04-pd-ge",
]


def random_voxels(shape, count=20):
    random = np.random.default_rng(11)
    return [tuple(int(random.integers(n)) for n in shape) for _ in range(count)]


@pytest.mark.parametrize("path", NIFTI, ids=lambda path: f"{path.parent.name}/{path.name}")
@pytest.mark.parametrize("canonical", [False, True])
def test_nifti_voxels_agree_with_nibabel(path, canonical):
    image = nib.load(path)
    values = np.asanyarray(image.dataobj)
    volume = load_nifti(path)
    volume = to_lps(volume) if canonical else volume
    for z, y, x in random_voxels(volume.shape):
        ras = volume.position_mm(z, y, x) * [-1, -1, 1]
        i, j, k = np.linalg.solve(image.affine, [*ras, 1])[:3]
        np.testing.assert_allclose([i, j, k], np.rint([i, j, k]), atol=1e-3)
        assert volume.array[z, y, x] == values[round(i), round(j), round(k)]


@pytest.mark.parametrize("name", CLASSIC)
@pytest.mark.parametrize("canonical", [False, True])
def test_dicom_voxels_agree_with_pydicom(name, canonical):
    paths = sorted((DATA / "dicom" / name).iterdir())
    volume = load_dicom_series(paths)
    assert volume.shape[0] == len(paths)
    volume = to_lps(volume) if canonical else volume
    random = np.random.default_rng(12)
    for _ in range(20):
        dataset = pydicom.dcmread(paths[random.integers(len(paths))])
        row, column = (int(random.integers(n)) for n in (dataset.Rows, dataset.Columns))
        place = plane_position(dataset, row, column)
        x, y, z = np.rint(np.linalg.solve(volume.affine_lps, [*place, 1])[:3]).astype(int)
        # GE rounds slice positions to 0.1 mm, so a regular grid cannot meet them better.
        np.testing.assert_allclose(volume.position_mm(z, y, x), place, atol=0.05)
        raw = dataset.pixel_array[row, column]
        expected = raw * float(dataset.get("RescaleSlope", 1)) + float(
            dataset.get("RescaleIntercept", 0)
        )
        assert volume.array[z, y, x] == expected


def plane_position(dataset, row, column):
    """DICOM PS3.3 C.7.6.2.1-1."""
    along_row, along_column = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
    row_distance, column_distance = map(float, dataset.PixelSpacing)
    origin = np.array(dataset.ImagePositionPatient, float)
    return origin + along_row * column_distance * column + along_column * row_distance * row


@pytest.mark.parametrize("canonical", [False, True])
def test_enhanced_voxels_agree_with_pydicom(canonical):
    path = next((DATA / "dicom" / "normal-02-t1-siemens-enhanced").iterdir())
    dataset = pydicom.dcmread(path)
    pixels = dataset.pixel_array
    measures = dataset.SharedFunctionalGroupsSequence[0]
    volume = load_dicom_series([path])
    volume = to_lps(volume) if canonical else volume
    for frame, row, column in random_voxels(pixels.shape):
        group = dataset.PerFrameFunctionalGroupsSequence[frame]
        flat = pydicom.Dataset()
        flat.ImagePositionPatient = group.PlanePositionSequence[0].ImagePositionPatient
        flat.ImageOrientationPatient = first(
            group, measures, "PlaneOrientationSequence"
        ).ImageOrientationPatient
        flat.PixelSpacing = first(group, measures, "PixelMeasuresSequence").PixelSpacing
        place = plane_position(flat, row, column)
        x, y, z = np.linalg.solve(volume.affine_lps, [*place, 1])[:3]
        assert volume.array[round(z), round(y), round(x)] == pixels[frame, row, column]


def first(group, shared, keyword):
    return (group.get(keyword) or shared.get(keyword))[0]


def test_six_axis_orders_of_one_template_come_out_identical():
    volumes = {
        path.name[:3]: load_nifti(path) for path in NIFTI if path.parent.name == "orientation"
    }
    assert sorted(volumes) == ["ARI", "IAL", "LPS", "PIR", "RAS", "SLA"]
    for letters, volume in volumes.items():
        assert axis_letters(volume) == letters
        canonical, reference = to_lps(volume), to_lps(volumes["LPS"])
        np.testing.assert_array_equal(canonical.array, reference.array)
        np.testing.assert_allclose(canonical.affine_lps, reference.affine_lps, atol=1e-3)


def test_drawn_letters_lie_on_the_side_they_name():
    """L is drawn into the patient's left: high x in LPS order, the right of the picture."""
    volume = to_lps(load_nifti(DATA / "nifti" / "orientation" / "RAS.nii.gz"))
    letters = volume.array >= np.percentile(volume.array, 99.9)
    left = letters[:, :, volume.shape[2] // 2 :]
    right = letters[:, :, : volume.shape[2] // 2]
    assert right.sum() > 1.2 * left.sum(), "R takes more ink than L"


@pytest.mark.parametrize(
    ("name", "plane", "oblique"),
    [
        ("vs-001-t1c-siemens-avanto", "Axial", False),
        ("normal-01-t1-philips", "Sagittal", True),
        ("normal-02-t1-siemens-enhanced", "Sagittal", False),
        ("normal-03-t1-siemens-2d", "Sagittal", False),
        ("normal-04-pd-ge", "Axial", True),
    ],
)
def test_planes(name, plane, oblique):
    volume = load_dicom_series(sorted((DATA / "dicom" / name).iterdir()))
    assert plane_of(volume) == plane
    assert is_oblique(volume) is oblique


def test_file_order_is_not_slice_order():
    paths = sorted((DATA / "dicom" / "normal-03-t1-siemens-2d").iterdir())
    volume = load_dicom_series(paths)
    in_file_order = np.stack([pydicom.dcmread(path).pixel_array for path in paths])
    assert not np.array_equal(volume.array, in_file_order)
    np.testing.assert_allclose(volume.spacing_mm, (4.8, 1.015625, 1.015625), rtol=1e-4)


def test_mosaic_is_refused_with_advice():
    one = next(one for one in find_series(DATA / "dicom" / "mosaic-siemens"))
    assert one.status == "error"
    with pytest.raises(ImageError, match=r"mosaic.*dcm2niix"):
        load(one)


def test_vestibular_schwannoma_is_on_the_left_in_the_lower_third():
    volume = to_lps(
        load_dicom_series(sorted((DATA / "dicom" / "vs-001-t1c-siemens-avanto").iterdir()))
    )
    low, middle, half = volume.shape[0] // 3, volume.shape[1] // 2, volume.shape[2] // 2
    box = volume.array[5:low, middle - 60 : middle + 20, half - 90 : half + 90]
    bright = box > 700
    assert bright[:, :, 90:].sum() > 1.5 * bright[:, :, :90].sum()


def test_everything_is_found_and_nothing_is_lost():
    found = [one for one in find_series(DATA) if one.kind != "other"]
    roles = {one.name: one.role for one in found}
    assert sum(one.kind == "nifti" for one in found) == len(NIFTI)
    assert sum(one.kind == "dicom" for one in found) == 7
    assert roles["dicom/vs-001-t1c-siemens-avanto"] == "t1c"
    assert roles["dicom/normal-02-t1-siemens-enhanced"] == "t1"
    assert roles["nifti/gli-00001/t2f.nii.gz"] == "flair"
    assert roles["nifti/gli-00001/inpaint_mask.nii.gz"] == "mask"
    assert roles["dicom/normal-04-pd-ge"] == "pd"
    assert [one.name for one in found if one.status != "ok"] == ["dicom/mosaic-siemens"]


@pytest.mark.parametrize("name", ["gli-00001/t1c", "met-00110/t1n", "ms-07/t2w"])
def test_stripped_brains_are_masked_exactly(name):
    volume = load_nifti(DATA / "nifti" / f"{name}.nii.gz")
    shape, spacing = volume.shape, volume.spacing_mm
    middle = volume.position_mm(*((np.array(shape) - 1) / 2))
    result = canonicalise(volume, shape, spacing, centre_mm=middle)
    nonzero = to_lps(volume).array != 0
    np.testing.assert_array_equal(
        result.volume.array[result.mask], to_lps(volume).array[result.mask]
    )
    assert (nonzero & ~result.mask).sum() < 0.002 * nonzero.sum()


@pytest.mark.parametrize("name", ["normal-t1/t1n", "met-00110/t1n", "ms-19/t1n"])
def test_no_comb_of_grey_levels_is_left(name):
    volume = load_nifti(DATA / "nifti" / f"{name}.nii.gz")
    result = canonicalise(volume, (150, 220, 180), (1.0, 1.0, 1.0))
    period = source_quantum(result.volume.array, result.mask)
    assert period > 1
    for quantum in (period, 22.0, 40.0):
        encoded = encode_display(result.volume.array, result.mask, quantum=quantum, seed=1)
        levels = encoded[(encoded > 1) & (encoded < 4095)].astype(float)
        assert abs(np.exp(2j * np.pi * levels / period).mean()) < 0.01
