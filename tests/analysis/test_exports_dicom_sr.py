"""What readers drew as DICOM SR: read back with highdicom's reader and with pydicom alone."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes

from readerstudy.analysis.exports.dicom_sr import dicom_sr_files, ucum_of
from tests.analysis import making

LONGEST = making.question("longest", kind="region", unit="")
CBV = making.question("cbv", kind="region", unit="mL/100 g")
SPOT = making.question("spot", kind="region")
# The case lies turned by 30 degrees about the axis of the body, and moved.
TURN = np.deg2rad(30)
FRAME = [
    [np.cos(TURN), -np.sin(TURN), 0, 7.0],
    [np.sin(TURN), np.cos(TURN), 0, -12.0],
    [0, 0, 1, 31.0],
    [0, 0, 0, 1],
]


def to_lps(point):
    return (np.array(FRAME) @ [*point, 1])[:3].tolist()


def region(kind: str, points, measured, role: str = "t1c", plane: str = "axial"):
    lps = [to_lps(point) for point in points]
    return {"kind": kind, "role": role, "plane": plane, "points_mm": points,
            "points_lps_mm": lps, "measured": measured}  # fmt: skip


LINE = region("length", [[0, 0, 5], [3, 4, 5]], {"length_mm": 5.0})
BOX = region("ellipse", [[10, 2, 5], [16, 12, 5]],
             {"mean": 3.5, "sd": 0.25, "area_mm2": np.pi * 15, "n": 47}, role="cbv")  # fmt: skip
POINT = region("point", [[1, 2, 3]], {"level": 812.0})


@pytest.fixture
def data():
    items = [making.item("0412", "real", subject="S-1"), making.item("0583", subject="S-2")]
    at = datetime(2026, 11, 20, 11, 58, 7, tzinfo=UTC)
    reads = [
        replace(making.read("R1", items[0], {"longest": LINE, "cbv": BOX}), received_at=at),
        making.read("R2", items[1], {"spot": POINT}),
        making.read("R2", items[0], {}),
    ]
    return making.dataset(reads, items, questions=(LONGEST, CBV, SPOT))


@pytest.fixture
def reports(data) -> dict[str, bytes]:
    made = dicom_sr_files(data, {("0412", "cbv"): FRAME}, study="study")
    with zipfile.ZipFile(io.BytesIO(made["dicom_sr.zip"])) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_one_report_for_each_reading_with_a_region(reports):
    assert sorted(reports) == ["R1_0412_main_1_1_0.dcm", "R2_0583_main_1_1_0.dcm"]


def test_highdicom_reads_regions_measurements_and_observer_back(reports):
    report = hd.sr.srread(io.BytesIO(reports["R1_0412_main_1_1_0.dcm"]))
    assert isinstance(report.content, hd.sr.MeasurementReport)
    (line,) = report.content.get_image_measurement_groups()
    (length,) = line.get_measurements(name=codes.SCT.Length)
    assert (length.value, length.unit) == (5.0, codes.UCUM.Millimeter)
    (ends,) = [one for one in walk(length) if one.ValueType == "SCOORD3D"]
    assert ends.GraphicType == "POLYLINE"
    assert ends.GraphicData == pytest.approx(np.ravel(LINE["points_lps_mm"]), abs=1e-5)
    assert line.finding_type.value == "longest"
    assert line.tracking_identifier == "R1_0412_main_1_1_0 longest"
    (box,) = report.content.get_planar_roi_measurement_groups(
        graphic_type=hd.sr.GraphicTypeValues3D.ELLIPSE
    )
    # Ends of the long axis (y of the frame), then of the short one, turned into the patient.
    ends = [(13, 2, 5), (13, 12, 5), (10, 7, 5), (16, 7, 5)]
    assert box.roi.value == pytest.approx(np.array([to_lps(end) for end in ends]))
    (area,) = box.get_measurements(name=codes.SCT.Area)
    long, short = np.linalg.norm(np.diff(box.roi.value.reshape(2, 2, 3), axis=1), axis=2).ravel()
    assert area.value == pytest.approx(np.pi * long * short / 4)
    values = {one.derivation.meaning if one.derivation else one.name.meaning: one
              for one in box.get_measurements()}  # fmt: skip
    assert (values["Mean"].value, values["Mean"].unit.value) == (3.5, "mL/(100.g)")
    assert values["Number of pixels"].value == 47


def walk(items):
    for item in items:
        yield item
        yield from walk(item.get("ContentSequence", []))


def test_pydicom_alone_finds_template_observer_and_pseudonyms(reports):
    """By PS3.3 C.17.3 and PS3.16 TID 1500, 1001 and 1410, without highdicom."""
    found = pydicom.dcmread(io.BytesIO(reports["R2_0583_main_1_1_0.dcm"]))
    assert found.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.34"  # Comprehensive 3D SR
    assert found.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert (found.PatientID, found.PatientName.family_name) == ("S-2", "S-2")
    items = list(walk(found.ContentSequence))
    by_code = {item.ConceptNameCodeSequence[0].CodeValue: item for item in items
               if "ConceptNameCodeSequence" in item}  # fmt: skip
    assert by_code["121008"].PersonName.family_name == "R2"  # Person Observer Name
    (placed,) = [item for item in items if item.ValueType == "SCOORD3D"]
    assert placed.GraphicType == "POINT"
    assert list(placed.GraphicData) == pytest.approx(POINT["points_lps_mm"][0])
    assert placed.ReferencedFrameOfReferenceUID.startswith("2.25.")
    (value,) = [item for item in items if item.ValueType == "NUM"]
    assert float(value.MeasuredValueSequence[0].NumericValue) == 812.0
    text = str(found)
    assert "R1" not in text
    assert found.ContentDate == "19800101", "no date is invented"


def test_the_same_reads_make_the_same_bytes(data):
    frames = {("0412", "cbv"): FRAME}
    assert dicom_sr_files(data, frames, study="a") == dicom_sr_files(data, frames, study="a")
    assert dicom_sr_files(data, frames, study="a") != dicom_sr_files(data, frames, study="b")


def test_what_cannot_be_placed_is_named(data):
    made = dicom_sr_files(data, {}, study="study")
    with zipfile.ZipFile(io.BytesIO(made["dicom_sr.zip"])) as archive:
        told = archive.read("not_written.txt").decode()
        report = hd.sr.srread(io.BytesIO(archive.read("R1_0412_main_1_1_0.dcm")))
    assert "R1_0412_main_1_1_0: cbv (ellipse on cbv)" in told
    assert len(report.content.get_planar_roi_measurement_groups()) == 0
    assert len(report.content.get_image_measurement_groups()) == 1


def test_without_regions_there_is_no_file():
    item = making.item("1", "real")
    plain = making.dataset([making.read("R1", item, {"origin": "real"})], [item])
    assert dicom_sr_files(plain, {}) == {}


def test_units_are_ucum_and_unknown_ones_are_annotated():
    assert ucum_of("mm") == ("mm", "millimeter")
    assert ucum_of("") == ("1", "no units")
    assert ucum_of("odd unit") == ("{odd_unit}", "odd unit")
