"""Pass 1 over the images of a study: measure every series, then decide one form for each slot.

Nothing here looks at one class or the other: each decision is made from all series of a slot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zstandard

from readerstudy.cases import canonical
from readerstudy.cases.models import Series
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.files import write_whole
from readerstudy.imaging import encoding, frames
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.masks import foreground
from readerstudy.studies.viewing import Slot, Viewing

SUPPORT_ROLE = "t1"
MARGIN_MM = 6.0
MULTIPLE = 4
WHOLE_RANGES = (255, 4095, 32767, 65535)
THIN_AXIS = {"axial": 0, "coronal": 1, "sagittal": 2}
Mask = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float64]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Survey:
    """What pass 1 finds out about one series; millimetres in the case frame."""

    role: str
    case: str
    spacing_mm: Triple
    half_mm: Triple  # farthest foreground from the frame's origin along x, y, z
    shape: tuple[int, int, int]
    affine: list[list[float]]
    quantum: float  # step between grey levels, in levels of the percentile rule
    step: float  # the same in the unit of the series
    low: float
    high: float
    whole: bool


@dataclass(frozen=True)
class SlotForm:
    """What pass 1 decides for one slot: the same for every case."""

    role: str
    label: str
    plane: frames.Plane
    grid: frames.Grid
    whole_voxels: bool
    masking: str  # "support", "own", "none"; "labels" for an overlay
    linear: encoding.LinearRule | None
    quantum: float | None
    unit: str = ""
    colour: str | None = None


@dataclass(frozen=True)
class StudyForm:
    """What pass 1 decides for the whole study."""

    slots: tuple[SlotForm, ...]
    overlay: SlotForm | None
    flat: bool  # a set of single slices
    frames_by_case: dict[Any, Matrix]

    def of(self, role: str) -> SlotForm:
        """Return the form of a slot or of the overlay."""
        shown = [*self.slots, self.overlay] if self.overlay else list(self.slots)
        return next(one for one in shown if one.role == role)

    def facts(self) -> dict[str, Any]:
        """Return what the encoded bytes depend on, apart from the images."""
        shown = [*self.slots, self.overlay] if self.overlay else list(self.slots)
        return {"slots": [asdict(one) for one in shown], "rule": asdict(encoding.DISPLAY_RULE)}


class Masks:
    """Foregrounds, kept on disk between the passes: finding one takes as long as encoding."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._last: tuple[Path, Mask] | None = None  # the series of a case come together

    def of(self, series: Series, volume: Volume, masking: str) -> Mask:
        """Return the foreground of a series in its own voxels."""
        if masking == "none":
            return np.ones(volume.shape, dtype=bool)
        if masking == "own":
            return self._found(series, lambda: volume.array)
        support = series.case.series.get(role=SUPPORT_ROLE)
        return self._found(support, lambda: canonical.load_shown(support).array)

    def _found(self, source: Series, load: Callable[[], npt.NDArray[Any]]) -> Mask:
        kept = self.folder / f"{source.sha256}-{'x'.join(map(str, source.shape))}"
        if self._last is None or self._last[0] != kept:
            known = kept.exists()
            mask = self._read(kept, source.shape) if known else self._find(kept, load)
            self._last = (kept, mask)
        return self._last[1]

    def _find(self, kept: Path, load: Callable[[], npt.NDArray[Any]]) -> Mask:
        mask = foreground(load())
        write_whole(kept, zstandard.compress(np.packbits(mask).tobytes(), 1))
        return mask

    def _read(self, kept: Path, shape: list[int]) -> Mask:
        bits = np.frombuffer(zstandard.decompress(kept.read_bytes()), dtype=np.uint8)
        return np.unpackbits(bits, count=int(np.prod(shape))).astype(bool).reshape(shape)


def decide(
    viewing: Viewing, series: list[Series], masks: Masks, tell: Callable[[int, str], None]
) -> StudyForm:
    """Measure all series and decide the form of every slot.

    ``series`` holds those of the slots and of the overlay, case by case, the first slot's first.
    """
    flat = _are_flat(viewing, series)
    maskings = {role: _masking(role, series, flat) for role in viewing.roles}
    surveys: dict[str, list[Survey]] = {role: [] for role in viewing.roles}
    found: dict[Any, Matrix] = {}
    for number, one in enumerate(series, start=1):
        if one.role in maskings:
            surveys[one.role].append(_survey(one, maskings[one.role], masks, found))
        tell(number, f"Measured {number} of {len(series)} series")
    half = np.max([s.half_mm for group in surveys.values() for s in group], axis=0) + MARGIN_MM
    slots = tuple(
        _decide_slot(slot, surveys[slot.role], maskings[slot.role], half, flat)
        for slot in viewing.series
    )
    shown = {one.role for one in series}
    overlay = viewing.overlay
    layer = _overlay_form(overlay.role, slots[0]) if overlay and overlay.role in shown else None
    return StudyForm(slots, layer, flat, found)


def _are_flat(viewing: Viewing, series: list[Series]) -> bool:
    """Are all images single slices? A mixture cannot share a form."""
    flat = [min(one.shape) == 1 for one in series]
    if any(flat) and not all(flat):
        odd = next(one for one in series if (min(one.shape) == 1) != flat[0])
        raise ReaderStudyError(
            f"Some images are single slices and others volumes, such as {odd.role} of case "
            f"{odd.case.code}. A study shows one kind; choose other cases."
        )
    if not flat[0]:
        return False
    for slot in viewing.series:
        _require_plane(slot, [one for one in series if one.role == slot.role])
        _require_one_size(slot, [one for one in series if one.role == slot.role])
    return True


def _require_plane(slot: Slot, series: list[Series]) -> None:
    wrong = [one for one in series if one.shape[THIN_AXIS[slot.plane]] != 1]
    if wrong:
        planes = [plane for plane, axis in THIN_AXIS.items() if wrong[0].shape[axis] == 1]
        raise ReaderStudyError(
            f"{slot.label} of case {wrong[0].case.code} is a single {planes[0]} slice. Choose "
            f"{planes[0]} as its plane on the display page."
        )


def _require_one_size(slot: Slot, series: list[Series]) -> None:
    """A border around the smaller images would tell the classes apart, so sizes must agree."""
    sizes = Counter("×".join(str(n) for n in one.shape if n != 1) for one in series)
    if len(sizes) > 1:
        listed = ", ".join(f"{size} ({count} cases)" for size, count in sorted(sizes.items()))
        raise ReaderStudyError(
            f"All slices of {slot.label} must have one size; found {listed}. Bring them to one "
            "size before the import, or choose other cases."
        )


def _masking(role: str, series: list[Series], flat: bool) -> str:
    if flat:
        return "none"
    return "support" if all(_has_support(s) for s in series if s.role == role) else "own"


def _has_support(series: Series) -> bool:
    """Has the case a T1 on the same grid, whose foreground can serve as the mask?

    Where all cases have one, the outline of a generated image is then drawn by the same acquired
    image as that of a real one.
    """
    support = series.case.series.filter(role=SUPPORT_ROLE).first()
    return (
        support is not None
        and support.shape == series.shape
        and bool(np.allclose(support.affine_lps, series.affine_lps, atol=1e-3))
    )


def _survey(series: Series, masking: str, masks: Masks, found: dict[Any, Matrix]) -> Survey:
    volume = canonical.load_shown(series)
    mask = masks.of(series, volume, masking)
    if not mask.any():
        raise ReaderStudyError(f"Case {series.case.code}: no head or brain was found in it.")
    if series.case_id not in found:
        found[series.case_id] = frames.case_frame(volume, mask)
    placed = frames.in_frame(volume, found[series.case_id])
    inside = frames.in_frame(replace(volume, array=mask), found[series.case_id]).array
    low, high = frames.reach_mm(placed, inside)
    values = volume.array[mask]
    step = encoding.grey_step(volume.array, mask)
    return Survey(
        role=series.role,
        case=series.case.code,
        spacing_mm=placed.spacing_mm,
        half_mm=_triple(np.maximum(-np.array(low), high)),
        shape=placed.shape,
        affine=placed.affine_lps.tolist(),
        quantum=step * _levels_per_unit(series, volume.array, mask) if masking != "none" else 0.0,
        step=step,
        low=float(values.min()),
        high=float(values.max()),
        whole=volume.array.dtype.kind in "iu",
    )


def _levels_per_unit(series: Series, array: npt.NDArray[Any], mask: Mask) -> float:
    try:
        return encoding.levels_per_unit(array, mask)
    except ValueError as error:
        raise ReaderStudyError(f"Case {series.case.code}, {series.role}: {error}") from error


def _triple(values: npt.NDArray[np.float64]) -> Triple:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _decide_slot(
    slot: Slot, surveys: list[Survey], masking: str, half: npt.NDArray[np.float64], flat: bool
) -> SlotForm:
    spacing = _triple(np.median([s.spacing_mm for s in surveys], axis=0).round(4))
    whole_voxels = flat or all(_fits(s, spacing) for s in surveys)
    if flat:
        grid = frames.grid_of_shape(surveys[0].shape, spacing)
    else:
        # Interpolated as much, on average, as an image whose voxels lie anywhere, also where an
        # image happens to lie on the grid: sharpness must not tell who was moved.
        shift = 0.0 if whole_voxels else frames.AVERAGE_SHIFT
        grid = frames.centred_grid(half.tolist(), spacing, multiple=MULTIPLE, shift=shift)
    linear = _linear_rule(slot, surveys, flat)
    return SlotForm(
        role=slot.role,
        label=slot.label,
        plane=slot.plane,  # type: ignore[arg-type]
        grid=grid,
        whole_voxels=whole_voxels,
        masking=masking,
        linear=linear,
        quantum=_quantum(surveys, linear, whole_voxels),
        unit=slot.unit,
        colour=slot.colour,
    )


def _fits(survey: Survey, spacing: Triple) -> bool:
    empty: npt.NDArray[np.float32] = np.empty((0, 0, 0), np.float32)
    return frames.lies_on(Volume(empty, np.array(survey.affine), "nifti", {}, ""), spacing)


def _linear_rule(slot: Slot, surveys: list[Survey], flat: bool) -> encoding.LinearRule | None:
    if slot.range:
        return encoding.LinearRule(*slot.range)
    if not flat:
        return None
    low, high = min(s.low for s in surveys), max(s.high for s in surveys)
    if low >= 0 and all(s.whole for s in surveys):
        low, high = 0.0, float(next((r for r in WHOLE_RANGES if high <= r), high))
    if not high > low:
        raise ReaderStudyError(f"All images of {slot.label} have one grey level only.")
    return encoding.LinearRule(low, high)


def _quantum(
    surveys: list[Survey], linear: encoding.LinearRule | None, whole_voxels: bool
) -> float | None:
    """Return the coarsest step in levels; None where all images have the very same grey levels."""
    if linear is None:
        return max(s.quantum for s in surveys)
    steps = [s.step for s in surveys]
    alike = np.allclose(steps, steps[0], rtol=1e-6, atol=0)
    if whole_voxels and alike and all(s.whole for s in surveys):
        return None
    return max(steps) / linear.slope


def _overlay_form(role: str, first: SlotForm) -> SlotForm:
    return SlotForm(
        role=role,
        label=role,
        plane=first.plane,
        grid=first.grid,
        whole_voxels=first.whole_voxels,
        masking="labels",
        linear=None,
        quantum=None,
    )


def by_slot_order(viewing: Viewing, series: list[Series]) -> Iterator[Series]:
    """Yield the series case by case, those of the first slot first."""
    order = {role: number for number, role in enumerate(viewing.roles)}
    yield from sorted(series, key=lambda s: (s.case.code, order.get(s.role, len(order))))
