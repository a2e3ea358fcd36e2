"""The single planes of a DICOM file: where they lie, how they are rescaled, what they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from readerstudy.imaging import traits
from readerstudy.imaging.errors import ASK_FOR_COPY, OrientationError, UnreadableError
from readerstudy.imaging.geometry import Matrix
from readerstudy.imaging.stacking import Plane

_POSITION_ADVICE = "Export the original slices; screen shots and reformats often lose positions."
KEYWORDS = (
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "SpacingBetweenSlices",
    "SliceThickness",
    "RescaleSlope",
    "RescaleIntercept",
)


@dataclass(frozen=True, eq=False)
class Frame:
    """One plane: the file and the number of the frame in it, from 0."""

    path: Path
    index: int
    slope: float
    intercept: float
    plane: Plane
    traits: tuple[Any, ...]
    moment: tuple[Any, ...]


def frames_of(path: Path, header: Any) -> list[Frame]:
    """The frames of one file, classic or enhanced multi-frame, in stored order.

    Raises
    ------
    OrientationError
        A frame without its place in the patient.
    UnreadableError
        Another number of frames than is described.
    """
    count = int(header.get("NumberOfFrames") or 1)
    per_frame = list(header.get("PerFrameFunctionalGroupsSequence") or [])
    if not per_frame and count == 1:
        return [_frame(path, 0, header, [header])]
    if not per_frame:
        reason = f"it holds {count} frames but does not say where they lie in the patient"
        raise OrientationError(path, reason, _POSITION_ADVICE)
    if len(per_frame) != count:
        reason = f"it claims {count} frames but describes {len(per_frame)}"
        raise UnreadableError(path, reason, ASK_FOR_COPY)
    shared = [
        place
        for group in list(header.get("SharedFunctionalGroupsSequence") or [])[:1]
        for place in traits.places_of(group)
    ]
    return [
        _frame(path, index, header, [*traits.places_of(group), *shared, header])
        for index, group in enumerate(per_frame)
    ]


def _frame(path: Path, index: int, header: Any, places: list[Any]) -> Frame:
    orientation = _numbers(path, places, "ImageOrientationPatient", 6)
    plane = Plane(
        name=path.name,
        position=_numbers(path, places, "ImagePositionPatient", 3),
        row=orientation[:3],
        column=orientation[3:],
        spacing=_numbers(path, places, "PixelSpacing", 2),
        rows=int(header.Rows),
        columns=int(header.Columns),
        thickness=_thickness(path, places),
    )
    return Frame(
        path=path,
        index=index,
        slope=float(_numbers(path, places, "RescaleSlope", 1, default=1.0)[0]),
        intercept=float(_numbers(path, places, "RescaleIntercept", 1, default=0.0)[0]),
        plane=plane,
        traits=tuple(trait.read(places) for trait in traits.TRAITS),
        moment=(*traits.moment(places), index),
    )


def _thickness(path: Path, places: list[Any]) -> float:
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        value = abs(float(_numbers(path, places, keyword, 1, default=0.0)[0]))
        if value > 0:
            return value
    return 1.0


def _numbers(
    path: Path, places: list[Any], keyword: str, count: int, default: float | None = None
) -> Matrix:
    raw = traits.first(places, keyword)
    if raw is not None:
        values = np.atleast_1d(np.asarray(raw, dtype=np.float64))
        if values.size != count or not np.isfinite(values).all():
            raise OrientationError(path, f"its {keyword} is not valid", _POSITION_ADVICE)
        return values
    if default is None:
        reason = f"it does not say where it lies in the patient ({keyword} is missing)"
        raise OrientationError(path, reason, _POSITION_ADVICE)
    return np.full(count, default)
