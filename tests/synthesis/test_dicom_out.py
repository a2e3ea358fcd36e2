"""Generated images as DICOM: opened by pydicom and highdicom, held against the standard's tables.

The tables of modules and attributes are those that highdicom carries, drawn from the standard.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from synthesis.dicom_out import MARK, Making, encoded, mr_series, parametric_map, sidecar

STANDARD = Path(hd.__file__).parent / "_standard"
AFFINE = np.array([[0.9, 0, 0, -40], [0, 1.1, 0, -60], [0, 0, 2.5, 12.5], [0, 0, 0, 1.0]])
MAKING = Making(
    image="3b0a6c50-8a2f-4c3a-9a53-0a4a9a4f0001",
    subject="S-0001",
    sequence="t1c",
    model="unet2d-t1c",
    weights_sha256="ab" * 32,
    code_version="0.1",
    record_sha256="cd" * 32,
    pixel_sha256="ef" * 32,
    seed=7,
    sources={"t1": "01" * 32},
    made_at=datetime(2026, 11, 20, 10, 58, 3, tzinfo=UTC),
)
CBV = Making(**{**vars(MAKING), "sequence": "cbv", "slope": 0.01, "unit": "mL/100 g"})


@pytest.fixture
def levels() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 4095, (5, 96, 80), dtype=np.int16)


def reread(one: Dataset) -> Dataset:
    return pydicom.dcmread(io.BytesIO(encoded(one)))


def table(name: str) -> Any:
    return json.loads((STANDARD / name).read_text())


def missing_attributes(one: Dataset) -> Iterator[str]:
    """Yield what the mandatory modules of the object demand at its top level and it lacks."""
    iod = table("sop_class_iod_map.json")[one.SOPClassUID]
    modules = table("module_attribute_map.json")
    for module in table("iod_module_map.json")[iod]:
        if module["usage"] != "M":
            continue
        for attribute in modules[module["key"]]:
            keyword, kind = attribute["keyword"], attribute["type"]
            if attribute["path"] or kind not in ("1", "2"):
                continue
            if keyword not in one:
                yield f"{module['key']}: {keyword} (type {kind})"
            elif kind == "1" and one[keyword].is_empty:
                yield f"{module['key']}: {keyword} is empty"


def test_a_structural_image_has_what_the_standard_demands(levels):
    for one in mr_series(levels, AFFINE, MAKING):
        assert list(missing_attributes(reread(one))) == []


def test_its_values_and_place_are_those_given(levels):
    """Read back by highdicom as a volume: array and affine (LPS, slices as stored)."""
    files = [reread(one) for one in mr_series(levels, AFFINE, MAKING)]
    np.testing.assert_array_equal(np.stack([one.pixel_array for one in files]), levels)
    volume = hd.get_volume_from_series([hd.image.imread(io.BytesIO(encoded(f))) for f in files])
    corner = volume.map_indices_to_reference(np.array([[0, 0, 0], [4, 95, 79]]))
    expected = [AFFINE @ [0, 0, 0, 1.0], AFFINE @ [79, 95, 4, 1.0]]
    places = {tuple(np.round(one, 4)) for one in corner}
    reached = {tuple(np.round(one[:3], 4)) for one in expected}
    assert places == reached or np.allclose(
        sorted(corner[:, 2]), sorted(one[2] for one in expected)
    )
    assert {tuple(np.round(s, 3)) for s in [volume.spacing]} == {(2.5, 1.1, 0.9)}


def test_it_says_that_it_is_synthetic_and_how_it_was_made(levels):
    one = reread(mr_series(levels, AFFINE, MAKING)[2])
    assert one.ImageType[:2] == ["DERIVED", "SECONDARY"]
    assert one[0x0008, 0x001C].value == "YES"
    assert one.ContentQualification == "RESEARCH"
    assert one.PatientIdentityRemoved == "YES"
    (equipment,) = one.ContributingEquipmentSequence
    purpose = equipment.PurposeOfReferenceCodeSequence[0]
    assert (purpose.CodeValue, purpose.CodingSchemeDesignator) == ("109100", "DCM")
    assert equipment.ManufacturerModelName == "unet2d-t1c"
    for told in ("ab" * 32, "seed 7", "cd" * 32, "Research use only"):
        assert told in one.DerivationDescription
    assert (one.StudyDate, one.StudyTime) == ("20261120", "105803")


def test_it_is_marked_visibly_without_touching_values(levels):
    one = reread(mr_series(levels, AFFINE, MAKING)[0])
    mark = one.overlay_array(0x6000)
    assert mark.shape == (96, 80)
    assert 40 < mark.sum() < 3000
    assert mark[:60].sum() == 0, "at the foot"
    assert one.BurnedInAnnotation == "NO"
    assert one.ImageComments == MARK


def test_uids_are_new_and_the_same_at_every_export(levels):
    first, again = (mr_series(levels, AFFINE, MAKING) for _ in range(2))
    uids = [one.SOPInstanceUID for one in first]
    assert len(set(uids)) == 5
    assert uids == [one.SOPInstanceUID for one in again]
    assert all(uid.startswith("2.25.") and uid.is_valid for uid in uids)
    other = Making(**{**vars(MAKING), "image": "another"})
    assert mr_series(levels, AFFINE, other)[0].StudyInstanceUID != first[0].StudyInstanceUID


def test_a_perfusion_map_is_a_parametric_map_with_its_unit(levels):
    sources = mr_series(levels, AFFINE, MAKING)
    stored = encoded(parametric_map(levels // 8, CBV, sources))
    plain = pydicom.dcmread(io.BytesIO(stored))
    assert list(missing_attributes(plain)) == []
    assert plain.SOPClassUID == "1.2.840.10008.5.1.4.1.1.30"
    frames = plain.PerFrameFunctionalGroupsSequence
    heights = [float(one.PlanePositionSequence[0].ImagePositionPatient[2]) for one in frames]
    assert sorted(heights) == pytest.approx([12.5, 15.0, 17.5, 20.0, 22.5])
    by_height = plain.pixel_array[np.argsort(heights)]  # frames may come in another order
    np.testing.assert_allclose(by_height, (levels // 8) * 0.01, rtol=1e-6)
    shared = plain.SharedFunctionalGroupsSequence[0]
    mapping = shared.RealWorldValueMappingSequence[0]
    unit = mapping.MeasurementUnitsCodeSequence[0]
    assert (unit.CodeValue, unit.CodingSchemeDesignator) == ("ml/(100.g)", "UCUM")
    assert mapping.RealWorldValueSlope == 1.0
    assert plain[0x0008, 0x001C].value == "YES"
    assert plain.ContentQualification == "RESEARCH"
    assert plain.ContributingEquipmentSequence[0].ManufacturerModelName == "unet2d-t1c"
    image = hd.image.imread(io.BytesIO(stored))
    assert image.get_volume().shape == (5, 96, 80)


def test_the_sidecar_names_everything_that_made_the_image():
    told = sidecar(CBV)
    assert told["SyntheticData"] is True
    assert told["Description"] == MARK
    assert told["Units"] == "mL/100 g"
    assert told["Seed"] == 7
    assert told["GeneratedBy"][0]["WeightsSHA256"] == "ab" * 32
    assert told["SourcesSHA256"] == {"t1": "01" * 32}
    assert told["MadeAt"] == "2026-11-20T10:58:03+00:00"
    json.dumps(told)
