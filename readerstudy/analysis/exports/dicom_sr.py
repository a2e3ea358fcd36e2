"""What readers drew, as DICOM Structured Reports: one for each reading with a region.

Template TID 1500 (Measurement Report) with planar regions (TID 1410) and lengths (TID 1501, 300)
in patient coordinates. The observer is the reader by code; names come from nobody. Identifiers are
derived from pseudonyms, so the same reads give the same bytes. No image is referenced: the images
of a study have no DICOM instances; a frame of reference of their own stands for each case.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from readerstudy.analysis.exports.archive import zipped
from readerstudy.analysis.facts import Dataset, QuestionFacts, Read

NAME = "dicom_sr.zip"
SCHEME = "99READERSTUDY"
SPACE = uuid.UUID("3d0b3a3e-6c5e-4c54-9d2b-0d7c8a1f5f10")
PLANE_AXES = {"axial": (0, 1), "coronal": (0, 2), "sagittal": (1, 2)}  # of x, y, z in the frame
GRAPHICS = {"point": "POINT", "length": "POLYLINE", "ellipse": "ELLIPSE"}
Frames = Mapping[tuple[str, str], Any]  # case and series → 4 x 4 from the frame to LPS, mm


def dicom_sr_files(data: Dataset, frames: Frames, *, study: str = "") -> dict[str, bytes]:
    """Return the reports as a zip, with a list of regions that could not be placed.

    Parameters
    ----------
    data : Dataset
    frames : mapping
        Case and series to the affine from the case's frame to patient LPS, mm; needed for
        ellipses, whose axes lie in the plane that was shown.
    study : str
        Identifier of the study, part of every UID.

    Returns
    -------
    dict
        Empty where nothing was drawn.
    """
    asked = [one for one in data.protocol.questions if one.kind == "region"]
    reports: dict[str, bytes] = {}
    unplaced: list[str] = []
    for read in data.reads:
        drawn = [(one, read.answers[one.code]) for one in asked if one.code in read.answers]
        placed = [
            (one, region) for one, region in drawn if _points(region, read, frames) is not None
        ]
        unplaced += [
            f"{_label(read)}: {one.code} ({region['kind']} on {region['role']})"
            for one, region in drawn
            if (one, region) not in placed
        ]
        if placed:
            reports[f"{_label(read)}.dcm"] = _report(read, placed, frames, study)
    if not reports and not unplaced:
        return {}
    if unplaced:
        told = "Regions without patient coordinates, because their images have none:\n"
        reports["not_written.txt"] = (told + "\n".join(unplaced) + "\n").encode()
    return {NAME: zipped(reports)}


def _label(read: Read) -> str:
    parts = (read.reader, read.item, read.arm, read.period, read.stage, read.repeat)
    return "_".join(map(str, parts))


def uid_of(*parts: Any) -> str:
    """Return a UID that depends on its parts alone (2.25 and a name-based UUID)."""
    return f"2.25.{uuid.uuid5(SPACE, chr(31).join(map(str, parts))).int}"


def _points(region: Mapping[str, Any], read: Read, frames: Frames) -> Any:
    """Return the points in LPS mm in the order of the graphic type; None if they are not known."""
    points = region.get("points_lps_mm")
    if points is None:
        return None
    if region["kind"] != "ellipse":
        return np.array(points, dtype=float)
    frame = frames.get((read.case, region["role"]))
    return None if frame is None else _axes(region, np.array(frame, dtype=float))


def _axes(region: Mapping[str, Any], frame: Any) -> Any:
    """Return the ends of the long axis, then those of the short one, of an ellipse in a box."""
    first, second = np.array(region["points_mm"], dtype=float)
    centre, half = (first + second) / 2, np.abs(second - first) / 2
    directions = sorted(PLANE_AXES[region["plane"]], key=lambda axis: -half[axis])
    ends = []
    for axis in directions:
        step = np.zeros(3)
        step[axis] = half[axis]
        ends += [centre - step, centre + step]
    made = np.column_stack([np.array(ends), np.ones(4)])
    return (made @ frame.T)[:, :3]


def _report(
    read: Read,
    placed: Sequence[tuple[QuestionFacts, Mapping[str, Any]]],
    frames: Frames,
    study: str,
) -> bytes:
    import highdicom as hd

    groups = [_group(question, region, read, frames, study) for question, region in placed]
    content = hd.sr.MeasurementReport(
        observation_context=_context(read),
        procedure_reported=hd.sr.CodedConcept("363679005", "SCT", "Imaging procedure"),
        imaging_measurements=groups,
        title=hd.sr.CodedConcept("126000", "DCM", "Imaging Measurement Report"),
    )
    made = hd.sr.Comprehensive3DSR(
        evidence=[_patient(read, study)],
        content=content[0],
        series_instance_uid=uid_of(study, "sr", read.reader),
        series_number=1,
        sop_instance_uid=uid_of(study, "sr", _label(read)),
        instance_number=1,
        manufacturer="readerstudy",
        is_complete=True,
        record_evidence=False,
    )
    return _stable(made, read)


def _patient(read: Read, study: str) -> Any:
    """Return what a report takes over of its patient and study: pseudonyms."""
    from pydicom import Dataset as Tags

    made = Tags()
    made.PatientID, made.PatientName = read.subject, f"{read.subject}^"
    made.PatientBirthDate = made.PatientSex = ""
    made.StudyInstanceUID = uid_of(study, "case", read.case)
    made.StudyID, made.AccessionNumber = read.case[:16], ""
    made.StudyDate = made.StudyTime = made.ReferringPhysicianName = ""
    made.SeriesInstanceUID = uid_of(study, "case", read.case, "images")
    made.SOPInstanceUID = uid_of(study, "case", read.case, "image")
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    return made


def _context(read: Read) -> Any:
    import highdicom as hd
    from pydicom.sr.codedict import codes

    person = hd.sr.PersonObserverIdentifyingAttributes(name=f"{read.reader}^")
    device = hd.sr.DeviceObserverIdentifyingAttributes(
        uid=uid_of("readerstudy"), name="readerstudy", manufacturer_name="readerstudy"
    )
    return hd.sr.ObservationContext(
        observer_person_context=hd.sr.ObserverContext(codes.DCM.Person, person),
        observer_device_context=hd.sr.ObserverContext(codes.DCM.Device, device),
    )


def _group(
    question: QuestionFacts,
    region: Mapping[str, Any],
    read: Read,
    frames: Frames,
    study: str,
) -> Any:
    """Return a region with its measurements: planar (TID 1410), of a length on its own (1501)."""
    import highdicom as hd

    where = {
        "graphic_type": GRAPHICS[region["kind"]],
        "graphic_data": _points(region, read, frames),
        "frame_of_reference_uid": uid_of(study, "case", read.case, "frame"),
    }
    common = {
        "tracking_identifier": hd.sr.TrackingIdentifier(
            uid=uid_of(study, "region", _label(read), question.code),
            identifier=f"{_label(read)} {question.code}",
        ),
        "finding_type": _own(question.code, question.text),
        "session": f"{read.arm} {read.period}",
        "qualitative_evaluations": _where(region),
    }
    measured = region.get("measured") or {}
    if region["kind"] == "length":
        placed = [hd.sr.CoordinatesForMeasurement3D(**where)]
        values = [_measurement(name, measured[name], question, placed) for name in sorted(measured)]
        return hd.sr.MeasurementsAndQualitativeEvaluations(measurements=values, **common)
    return hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        referenced_region=hd.sr.ImageRegion3D(**where),
        measurements=[_measurement(name, measured[name], question) for name in sorted(measured)],
        **common,
    )


def _own(code: str, meaning: str) -> Any:
    import highdicom as hd

    return hd.sr.CodedConcept(code[:16] or "finding", SCHEME, (meaning or code)[:64])


def _where(region: Mapping[str, Any]) -> list[Any]:
    """Return series and plane in which it was drawn."""
    import highdicom as hd

    named = (("series", "Series"), ("plane", "Plane of display"))
    values = {"series": str(region["role"]), "plane": str(region["plane"])}
    return [
        hd.sr.QualitativeEvaluation(_own(code, words), _own(values[code], values[code]))
        for code, words in named
    ]


def _measurement(
    name: str, value: float, question: QuestionFacts, coordinates: Sequence[Any] | None = None
) -> Any:
    import highdicom as hd

    concept, unit = CONCEPTS[name]
    derivation = DERIVATIONS.get(name)
    return hd.sr.Measurement(
        name=hd.sr.CodedConcept(*concept),
        value=float(value),
        unit=_unit(unit or ucum_of(question.unit)),
        derivation=hd.sr.CodedConcept(*derivation) if derivation else None,
        referenced_coordinates=coordinates,
    )


def _unit(unit: tuple[str, str]) -> Any:
    import highdicom as hd

    code, meaning = unit
    return hd.sr.CodedConcept(code, "UCUM", meaning)


LEVEL = ("level", SCHEME, "Value of the image")
CONCEPTS: dict[str, tuple[tuple[str, str, str], tuple[str, str] | None]] = {
    "length_mm": (("410668003", "SCT", "Length"), ("mm", "millimeter")),
    "area_mm2": (("42798000", "SCT", "Area"), ("mm2", "square millimeter")),
    "n": (("pixels", SCHEME, "Number of pixels"), ("{pixels}", "pixels")),
    "level": (LEVEL, None),
    "mean": (LEVEL, None),
    "sd": (LEVEL, None),
}
DERIVATIONS = {
    "mean": ("373098007", "SCT", "Mean"),
    "sd": ("386136009", "SCT", "Standard Deviation"),
}
UNITS = {
    "": ("1", "no units"),
    "mm": ("mm", "millimeter"),
    "mL/100 g": ("mL/(100.g)", "milliliter per 100 gram"),
    "mL/100 g/min": ("mL/(100.g)/min", "milliliter per 100 gram and minute"),
    "s": ("s", "second"),
    "mm²/s": ("mm2/s", "square millimeter per second"),
    "10⁻⁶ mm²/s": ("um2/s", "square micrometer per second"),
    "%": ("%", "percent"),
}


def ucum_of(unit: str) -> tuple[str, str]:
    """Return the UCUM code of a unit of the protocol; an unknown one is annotated, not guessed."""
    known = UNITS.get(" ".join(unit.split()))
    plain = "".join(c if c.isalnum() or c in "/.-" else "_" for c in unit)
    return known or (f"{{{plain}}}", unit[:64])


def _stable(report: Any, read: Read) -> bytes:
    """Return the bytes of a report, dated as its answer was received."""
    at = read.received_at
    date, time = (at.strftime("%Y%m%d"), at.strftime("%H%M%S")) if at else ("19800101", "000000")
    for element in report.iterall():
        if element.keyword in DATES:
            element.value = date
        elif element.keyword in TIMES:
            element.value = time
        elif element.keyword == "DateTime" or element.keyword.endswith("DateTime"):
            element.value = date + time
    out = io.BytesIO()
    report.save_as(out, enforce_file_format=True)
    return out.getvalue()


DATES = ("ContentDate", "InstanceCreationDate", "SeriesDate")
TIMES = ("ContentTime", "InstanceCreationTime", "SeriesTime")
