"""Places on the image as answers: check what the page measured, and put it back in the patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from readerstudy.cases.models import Case
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging import frames
from readerstudy.reading.models import DisplayForm, EncodedSeries, Reading
from readerstudy.studies.models import Question, Study
from readerstudy.studies.viewing import PLANES

POINTS = {"point": 1, "length": 2, "ellipse": 2}
MEASURES = {
    "point": {"level"},
    "length": {"length_mm"},
    "ellipse": {"mean", "sd", "area_mm2", "n"},
}
NOT_NEGATIVE = {"length_mm", "sd", "area_mm2", "n"}
TOLERANCE_MM = 1.0
# Which of x, y, z the rows, columns and slices of a plane run along.
WORLD = {"axial": (1, 0, 2), "coronal": (2, 0, 1), "sagittal": (2, 1, 0)}
LARGEST = 1e12


def check(question: Question, value: Any, *, reading: Reading) -> dict[str, Any]:
    """Return a region as it is stored: as sent, with its points in patient LPS mm.

    Raises
    ------
    ReaderStudyError
        ``invalid_answer`` if it is not what the question asks for or lies outside the image.
    """
    wanted, region = question.region or {}, value["region"]
    kind, role, plane = str(wanted.get("kind")), region.get("role"), region.get("plane")
    if wanted.get("role") not in (None, role):
        raise _misfit(question, f"must be marked on {wanted['role']}")
    image = reading.images.filter(slot=role).select_related("case").first()
    if image is None:
        raise _misfit(question, "was marked on a series that is not shown")
    study = reading.enrolment.study
    slot = _slot(question, study, image.role)
    if plane not in PLANES:
        raise _misfit(question, f"was drawn in an unknown plane, {plane!r}")
    points = _points(question, kind, region.get("points_mm"), slot)
    return {
        "kind": kind,
        "role": role,
        "plane": plane,
        "points_mm": points,
        "points_lps_mm": _in_patient(points, study, image.case, image.role),
        "measured": _measured(question, kind, region.get("measured")),
    }


def _slot(question: Question, study: Study, role: Any) -> dict[str, Any]:
    slots = DisplayForm.objects.get(study=study).slots
    found = next((slot for slot in slots if slot["role"] == role), None)
    if found is None:
        raise _misfit(question, "was marked on a series that the study does not show")
    return found


def _points(question: Question, kind: str, value: Any, slot: dict[str, Any]) -> list[list[float]]:
    whole = isinstance(value, list) and len(value) == POINTS[kind]
    if not whole or not all(isinstance(p, list) and len(p) == 3 for p in value):
        raise _misfit(question, f"needs {POINTS[kind]} point(s) of three coordinates")
    if not all(_is_number(number) for point in value for number in point):
        raise _misfit(question, "has a point whose coordinates are not numbers")
    low, high = box_of(slot)
    points = np.array(value, dtype=float)
    if (points < low - TOLERANCE_MM).any() or (points > high + TOLERANCE_MM).any():
        raise _misfit(question, "has a point outside the image")
    return points.tolist()


def box_of(slot: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the lowest and highest position of a slot's voxels, edges included."""
    rows, columns, slices = WORLD[slot["plane"]]
    steps = np.zeros(3)
    counts = np.zeros(3)
    for axis, place in ((slices, 0), (rows, 1), (columns, 2)):
        steps[axis], counts[axis] = slot["spacing_mm"][place], slot["shape"][place]
    upright = slot["plane"] != "axial"  # rows then grow to inferior
    first = np.array(slot["origin_mm"], dtype=float)
    direction = np.array([1, 1, -1 if upright else 1])
    last = first + direction * steps * (counts - 1)
    return np.minimum(first, last) - steps / 2, np.maximum(first, last) + steps / 2


def _in_patient(
    points: list[list[float]], study: Study, case: Case, role: str
) -> list[list[float]] | None:
    """Return points in patient LPS mm; None for images encoded before frames were kept."""
    encoded = EncodedSeries.objects.filter(study=study, case=case, role=role).first()
    if encoded is None or encoded.frame_to_lps is None:
        return None
    frame = np.array(encoded.frame_to_lps, dtype=float)
    return [list(frames.to_patient(frame, point)) for point in points]


def _measured(question: Question, kind: str, value: Any) -> dict[str, float]:
    if not isinstance(value, dict) or set(value) != MEASURES[kind]:
        raise _misfit(question, f"needs {', '.join(sorted(MEASURES[kind]))} as measured")
    wrong = [
        name
        for name, number in value.items()
        if not _is_number(number) or (name in NOT_NEGATIVE and number < 0)
    ]
    if wrong:
        raise _misfit(question, f"has no valid {wrong[0]}")
    return dict(value)


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < LARGEST


def _misfit(question: Question, what: str) -> ReaderStudyError:
    return ReaderStudyError(
        f"“{question.text}” {what}.", code="invalid_answer", field=question.code
    )
