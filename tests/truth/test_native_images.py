"""The staff's viewer: voxels at their place with their value, whatever the geometry."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import zstandard
from django.conf import settings
from scipy import ndimage

from readerstudy.cases import canonical, native_images, storage
from readerstudy.core.models import AuditRecord
from readerstudy.imaging.orientation import axis_letters, to_lps
from readerstudy.imaging.volumes import load_dicom_series, load_nifti
from tests.factories import CaseFactory, CoordinatorFactory, ReaderFactory, SeriesFactory
from tests.truth.native import (
    add_series,
    fetch,
    frame_position,
    page_data,
    rotation,
    slab_index,
    viewer,
)

pytestmark = pytest.mark.django_db
BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
DATA = Path(os.environ.get("READERSTUDY_DATA", BESIDE))
real_data = pytest.mark.skipif(
    not (DATA / "nifti").is_dir(),
    reason="real cases are not here; set READERSTUDY_DATA to their folder",
)
OBLIQUE = rotation(0, 17) @ rotation(2, 8)
SHAPES = {  # (z, y, x) and spacing along x, y and z
    "t1": ((14, 20, 18), (1.0, 1.0, 3.0)),
    "t2": ((20, 9, 22), (1.1, 4.0, 1.1)),
    "flair": ((21, 19, 8), (5.0, 0.9, 0.9)),
}
PLANES = {"t1": "axial", "t2": "coronal", "flair": "sagittal"}


@pytest.fixture
def staff(client):
    client.force_login(CoordinatorFactory())
    return client


@pytest.fixture
def case():
    """One case with series in three planes, all tilted alike and none centred on another."""
    case = CaseFactory(roles=[])
    for number, (role, (shape, spacing)) in enumerate(SHAPES.items()):
        add_series(case, role, shape, spacing, turn=OBLIQUE, origin=(number, -2 * number, 40.5))
    return case


def random_voxels(shape, count=20):
    random = np.random.default_rng(5)
    return [tuple(int(random.integers(n)) for n in shape) for _ in range(count)]


def patient_mm(series, z, y, x):
    return (np.array(series.affine_lps) @ [x, y, z, 1])[:3]


@pytest.mark.parametrize("role", SHAPES)
def test_voxels_lie_where_the_source_says_and_hold_its_values(staff, case, role):
    data = page_data(staff.get(viewer(case)))
    slab, slot = fetch(staff, data, role)
    series, first = case.series.get(role=role), case.series.get(role="t1")
    array = canonical.load_array(series)
    assert slot["plane"] == PLANES[role]
    for voxel in random_voxels(array.shape):
        place = slab_index(slot, frame_position(first, patient_mm(series, *voxel)))
        np.testing.assert_allclose(place, np.rint(place), atol=0.01)
        level = int(slab[tuple(np.rint(place).astype(int))])
        assert level * slot["value"]["slope"] + slot["value"]["intercept"] == array[voxel]


def test_a_tilted_series_is_interpolated_and_said_or_shown_in_its_own_axes(staff, case):
    add_series(case, "pd", (12, 16, 15), (1.5, 1.5, 2.0), turn=OBLIQUE @ rotation(0, 12))
    series, first = case.series.get(role="pd"), case.series.get(role="t1")
    array = canonical.load_array(series).astype(float)
    response = staff.get(viewer(case, show="pd", axes="t1"))
    text = response.content.decode()
    assert "Tilted by 12.0° against T1 and interpolated" in text
    assert "Exact values" not in text
    slab, slot = fetch(staff, page_data(response), "pd")
    step = slot["value"]["slope"]
    inside = 0
    for voxel in random_voxels(slab.shape, 60):
        wanted, there = _linear(array, series, first, slot, voxel)
        if there:
            inside += 1
            level = int(slab[voxel]) * step + slot["value"]["intercept"]
            assert abs(level - wanted) <= step / 2 + 0.05
    assert inside > 15
    own = staff.get(viewer(case, show="pd", axes="pd"))
    assert "Tilted" not in own.content.decode()
    slab, slot = fetch(staff, page_data(own), "pd")
    for voxel in random_voxels(array.shape):
        place = slab_index(slot, frame_position(series, patient_mm(series, *voxel)))
        assert slab[tuple(np.rint(place).astype(int))] == array[voxel]


def _linear(array, series, first, slot, voxel):
    """Value between the voxels of the source at the place of a voxel of the slab, by scipy."""
    units = np.array(first.affine_lps)[:3, :3]
    units = units / np.linalg.norm(units, axis=0)
    middle = patient_mm(first, *(n // 2 for n in first.shape))
    assert slot["plane"] == "axial"
    in_frame = np.array(slot["origin_mm"]) + np.array(voxel[::-1]) * slot["spacing_mm"][::-1]
    place = np.linalg.solve(np.array(series.affine_lps), [*(units @ in_frame + middle), 1])
    index = place[2::-1]
    there = bool(((index >= 0) & (index <= np.array(array.shape) - 1)).all())
    return ndimage.map_coordinates(array, index[:, None], order=1, mode="nearest")[0], there


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("large", np.arange(60_000, dtype=np.int32)),
        ("rescaled", (np.arange(60_000) % 4096 * np.float32(0.6837) - 20).astype(np.float32)),
        ("real", np.random.default_rng(1).normal(3, 2, 60_000).astype(np.float32)),
        ("outlier", np.append(np.random.default_rng(1).random(59_999), 1e7).astype(np.float32)),
        ("flat", np.zeros(60_000, np.int16)),
    ],
)
def test_values_are_exact_to_the_step_that_is_said(staff, name, array):
    case = CaseFactory(roles=[])
    array = array.reshape(40, 50, 30)
    add_series(case, "t1", array.shape, (1, 1, 1), array=array)
    response = staff.get(viewer(case))
    slab, slot = fetch(staff, page_data(response), "t1")
    values = slab[:, :, :] * slot["value"]["slope"] + slot["value"]["intercept"]
    error = np.abs(values - array.astype(float))
    text = response.content.decode()
    assert np.percentile(error, 99.9) <= slot["value"]["slope"] / 2 + 1e-6
    assert ("Exact values" in text) == (name in ("large", "rescaled", "flat"))
    assert ("are shown as" in text) == (name == "outlier")
    if name in ("large", "rescaled", "flat"):
        assert error.max() <= 3e-4  # rounding of 32-bit floats around 2800


def test_a_map_has_colours_over_its_own_percentiles(staff):
    case = CaseFactory(roles=[])
    add_series(case, "cbv", (20, 20, 20), (1, 1, 1), unit="mL/100 g")
    response = staff.get(viewer(case))
    slot = page_data(response)["layout"]["slots"][0]
    assert slot["value"]["unit"] == "mL/100 g"
    assert slot["colour"]["map"] == "inferno"
    low, high = slot["colour"]["range"]
    assert 0 <= low < 40
    assert 860 < high <= 900
    assert "the 2nd and the 98th percentile" in response.content.decode()


def test_a_label_map_lies_over_its_image_with_its_labels_unchanged(staff, case):
    shape, spacing = SHAPES["t1"]
    labels = np.zeros(shape, np.int16)
    labels[4:9, 5:12, 3:8], labels[2, 2, 2] = 1, 4
    add_series(case, "mask", shape, spacing, turn=OBLIQUE, origin=(0, 0, 40.5), array=labels)
    data = page_data(staff.get(viewer(case)))
    (overlay,) = data["layout"]["overlays"]
    assert overlay["on"][0] == "t1"
    assert [one["value"] for one in overlay["labels"]] == [1, 4]
    slab, _ = fetch(staff, data, "mask")
    np.testing.assert_array_equal(slab, labels)


def test_monochrome1_is_shown_inverted_in_words(staff):
    case = CaseFactory(roles=[])
    add_series(case, "t1", (8, 8, 8), (1, 1, 1), flags=["monochrome1"])
    response = staff.get(viewer(case))
    assert page_data(response)["layout"]["slots"][0]["inverted"] is True
    assert "MONOCHROME1 and shown inverted" in response.content.decode()


def test_a_browser_without_zstd_gets_gzip(staff, case):
    data = page_data(staff.get(viewer(case)))
    address = f"{data['base']}{data['images']['t1']}/0"
    plain = staff.get(address, HTTP_ACCEPT_ENCODING="gzip")
    assert plain["Content-Encoding"] == "gzip"
    other = staff.get(address, HTTP_ACCEPT_ENCODING="zstd")
    assert gzip.decompress(plain.content) == zstandard.decompress(other.content)


def test_pixels_are_for_coordinators_alone(client, case):
    client.force_login(CoordinatorFactory())
    data = page_data(client.get(viewer(case)))
    address = f"{data['base']}{data['images']['t1']}/0"
    assert client.get(address).status_code == 200
    client.force_login(ReaderFactory())
    assert client.get(address).status_code == 403
    assert client.get(viewer(case)).status_code == 403
    client.logout()
    assert client.get(address).status_code in (302, 401)


@pytest.mark.parametrize("change", ["x", ":", "/../0"])
def test_a_changed_address_leads_nowhere(staff, case, change):
    data = page_data(staff.get(viewer(case)))
    token = data["images"]["t1"]
    assert staff.get(f"/staff/i/{change}{token}/0").status_code == 404
    assert staff.get(f"/staff/i/{token}/99").status_code == 404


@pytest.mark.parametrize("what", ["changed", "gone"])
def test_a_damaged_object_is_said_and_put_on_record(staff, case, what):
    data = page_data(staff.get(viewer(case)))
    path = storage.path_of(case.series.get(role="t1").object_name)
    if what == "gone":
        path.unlink()
    else:
        path.chmod(0o640)
        path.write_bytes(path.read_bytes()[:-4] + b"good")
    answer = staff.get(f"{data['base']}{data['images']['t1']}/0")
    assert answer.status_code == 500
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "is damaged. Restore it from a backup" in answer.content.decode()
    assert AuditRecord.objects.filter(action="storage.damage").count() == 1


def test_a_damaged_cache_is_made_again(staff, case):
    data = page_data(staff.get(viewer(case)))
    before, _ = fetch(staff, data, "t1")
    (kept,) = (Path(settings.WORK_ROOT) / "viewer" / "levels").iterdir()
    content = bytearray(kept.read_bytes())
    content[-20] ^= 0xFF
    kept.write_bytes(content)
    after, _ = fetch(staff, data, "t1")
    np.testing.assert_array_equal(before, after)


def test_the_cache_holds_no_more_than_it_may(staff, case, settings):
    settings.VIEWER_CACHE_BYTES = 12_000
    data = page_data(staff.get(viewer(case)))
    folder = Path(settings.WORK_ROOT) / "viewer" / "levels"
    for role in SHAPES:
        fetch(staff, data, role)
        fetch(staff, data, "t1")  # looked at again and again: stays
        sizes = [one.stat().st_size for one in folder.iterdir()]
        assert sum(sizes) <= max(12_000, *sizes)


@pytest.mark.data
@real_data
@pytest.mark.parametrize("name", ["gli-00001/t1c", "msraw-12/*t2f*", "ms-07/t2w"])
def test_real_nifti_agrees_with_nibabel(staff, name):
    path = next((DATA / "nifti").glob(f"{name}.nii.gz"), None)
    if path is None:
        pytest.skip(f"{name} is not among the real cases")
    volume = load_nifti(path)
    image = nib.load(path)
    series, slab, slot = _shown(staff, volume)
    values = np.asanyarray(image.dataobj)
    for i, j, k in random_voxels(values.shape):
        patient = (image.affine @ [i, j, k, 1])[:3] * [-1, -1, 1]
        _agrees(slab, slot, frame_position(series, patient), values[i, j, k])


@pytest.mark.data
@real_data
@pytest.mark.parametrize("name", ["normal-04-pd-ge", "normal-03-t1-siemens-2d"])
def test_real_dicom_agrees_with_pydicom(staff, name):
    files = sorted((DATA / "dicom" / name).glob("*.dcm"))
    series, slab, slot = _shown(staff, load_dicom_series(files))
    for number, row, column in random_voxels((len(files), 200, 200)):
        dataset = pydicom.dcmread(files[number])
        across, down = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
        height, width = (float(one) for one in dataset.PixelSpacing)
        patient = np.array(dataset.ImagePositionPatient, float)
        patient = patient + across * width * column + down * height * row
        _agrees(slab, slot, frame_position(series, patient), dataset.pixel_array[row, column])


def _shown(staff, volume):
    case = CaseFactory(roles=[])
    letters = axis_letters(volume)
    series = SeriesFactory(case=case, role="t1", volume=to_lps(volume), source_orientation=letters)
    return series, *fetch(staff, page_data(staff.get(viewer(case))), "t1")


def _agrees(slab, slot, position, value):
    place = slab_index(slot, position)
    np.testing.assert_allclose(place, np.rint(place), atol=0.1)  # axes not quite at right angles
    level = int(slab[tuple(np.rint(place).astype(int))])
    shown = level * slot["value"]["slope"] + slot["value"]["intercept"]
    assert abs(shown - float(value)) <= slot["value"]["slope"] / 2 + 1e-6


def test_a_request_comes_back_from_its_token(case):
    series = case.series.first()
    facts = native_images.facts_of(series)
    rule = native_images.native.own_rule(facts)
    request = native_images.Request(series.pk, series.pk, rule, relative=True)
    found = native_images.parse(request.token())
    assert (found.series, found.rule.gain, found.relative) == (series.pk, 1.0, True)
