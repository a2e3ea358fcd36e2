"""Images as they were acquired, for the staff: where they lie, and their exact values.

A reader sees every image in one form (`readerstudy.imaging.canonical`). Outside blinded reading an
image keeps its own grid and its own values; only the order of its axes changes. Where a series is
tilted against the axes of the others, it is interpolated onto them, and that is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging import frames
from readerstudy.imaging.geometry import Matrix, Volume
from readerstudy.imaging.masks import background_value, foreground
from readerstudy.imaging.orientation import is_oblique
from readerstudy.imaging.resampling import to_grid

Levels = NDArray[np.int16]

PERCENTILES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.9)
LOWEST_LEVEL, HIGHEST_LEVEL = -32768, 32767
PAIR_TOP = 16383  # so that the difference of two images fits 16 bits
RELATIVE_TOP = 4095
SAME_SPACING_MM = 1e-3
SAME_PLACE_VOXELS = 0.02
_THICKER = 1.2
_OUTLIERS = 1000
_MARGIN = 10
_SAMPLES = 96
_ROUNDING = 2e-6  # of 32-bit floats, as a share of the range
_OFF_STEP = 0.05
_PLANES: tuple[frames.Plane, frames.Plane, frames.Plane] = ("sagittal", "coronal", "axial")


@dataclass(frozen=True)
class ValueFacts:
    """What the values of one image are like.

    Attributes
    ----------
    minimum, maximum : float
        Of all voxels.
    step : float
        Every value is the lowest one and a whole number of these steps: 1 for whole numbers, the
        rescale slope of a DICOM image; 0 where there is no such step.
    inside : tuple of float
        Values at `PERCENTILES` of the foreground.
    """

    minimum: float
    maximum: float
    step: float
    inside: tuple[float, ...]

    def percentile(self, percent: float) -> float:
        """Value at a percentile of the foreground, between those of `PERCENTILES`."""
        return float(np.interp(percent, PERCENTILES, self.inside))


def measure_values(array: NDArray[Any]) -> ValueFacts:
    """Describe the values of an image.

    Parameters
    ----------
    array : ndarray, shape (z, y, x)
        Finite values.

    Returns
    -------
    ValueFacts
        Percentiles are those of a regular sample of at most 96 voxels along each axis, inside the
        foreground found in that sample; of all voxels where there is no foreground.
    """
    steps = tuple(slice(None, None, -(-length // _SAMPLES)) for length in array.shape)
    sample = np.ascontiguousarray(array[steps])
    inside = foreground(sample)
    values = sample[inside] if inside.any() else sample
    return ValueFacts(
        minimum=float(array.min()),
        maximum=float(array.max()),
        step=value_step(array, sample),
        inside=tuple(float(value) for value in np.percentile(values, PERCENTILES)),
    )


def value_step(array: NDArray[Any], sample: NDArray[Any]) -> float:
    """Return the step between the values of an image, 0 where they form a continuum.

    Parameters
    ----------
    array : ndarray, shape (z, y, x)
    sample : ndarray
        A part of it, in which the step is looked for before it is tried on all.
    """
    if array.dtype.kind in "iu" or bool((array == np.rint(array)).all()):
        return 1.0
    values = np.unique(sample).astype(np.float64)
    span = float(values[-1] - values[0])
    gaps = np.diff(values)
    gaps = gaps[gaps > span * _ROUNDING]
    if not gaps.size or span / gaps.min() > HIGHEST_LEVEL - LOWEST_LEVEL:
        return 0.0
    single = float(gaps[gaps < 1.5 * gaps.min()].mean())  # others are several steps wide
    step = span / round(span / single)
    if np.unique(np.rint((values - values[0]) / step)).size < values.size:
        return 0.0  # several values within one step: a continuum with an outlier
    low = float(array.min())
    for part in array:
        steps = (part.astype(np.float64) - low) / step
        if np.abs(steps - np.rint(steps)).max() > _OFF_STEP:
            return 0.0
    return step


@dataclass(frozen=True)
class LevelRule:
    """A straight line from values to the 16-bit levels that are sent: ``gain * value + offset``.

    Attributes
    ----------
    gain, offset : float
        Levels for each unit, and the level of value 0. The gain is above 0.
    low, high : int
        Levels are clipped to this range.
    exact : bool
        Whether every value of the source has a level of its own.
    """

    gain: float
    offset: float
    low: int = LOWEST_LEVEL
    high: int = HIGHEST_LEVEL
    exact: bool = False

    @property
    def slope(self) -> float:
        """Units of one level: the step to which a value read from a level is exact."""
        return 1 / self.gain

    @property
    def intercept(self) -> float:
        """Value of level 0."""
        return 0.0 - self.offset / self.gain

    def level(self, value: float) -> float:
        """Level of a value, not rounded and not clipped."""
        return self.gain * value + self.offset

    def levels(self, array: NDArray[Any]) -> Levels:
        """Levels of an array, rounded to the nearest."""
        if self.gain == 1 and self.offset == 0 and array.dtype == np.int16:
            return array
        out = np.empty(array.shape, np.int16)
        for number, part in enumerate(array):  # slice by slice: doubles of a volume are large
            scaled = np.rint(part.astype(np.float64) * self.gain + self.offset)
            out[number] = np.clip(scaled, self.low, self.high)
        return out


def shown_range(facts: ValueFacts) -> tuple[float, float]:
    """Values that are told apart: all of them, unless a few outliers would hide the image.

    Returns
    -------
    low, high : float
        Lowest and highest value. Where they span more than a thousand times the distance between
        the 0.1th and 99.9th percentile of the foreground, ten such distances around those.
    """
    low, high = facts.inside[0], facts.inside[-1]
    spread = high - low
    if spread <= 0 or facts.maximum - facts.minimum <= _OUTLIERS * spread:
        return facts.minimum, max(facts.maximum, facts.minimum + 1e-6)
    reach = _MARGIN * spread
    return max(facts.minimum, low - reach), min(facts.maximum, high + reach)


def own_rule(facts: ValueFacts) -> LevelRule:
    """Return the rule of one image by itself.

    Returns
    -------
    LevelRule
        Exact where the values lie on steps whose number fits 16 bits; otherwise `shown_range` in
        32,767 steps.
    """
    low, high, step = facts.minimum, facts.maximum, facts.step
    if step and (high - low) / step <= HIGHEST_LEVEL - LOWEST_LEVEL:
        fits = low >= LOWEST_LEVEL * step and high <= HIGHEST_LEVEL * step
        gain = 1 / step
        offset = round(low * gain) - low * gain if fits else LOWEST_LEVEL - low * gain
        return LevelRule(gain, offset, exact=True)
    return _spread(*shown_range(facts), HIGHEST_LEVEL)


def relative_rule(facts: ValueFacts) -> LevelRule:
    """Return a rule that tells neither unit nor type of the source: `shown_range` to 0..4095."""
    return _spread(*shown_range(facts), RELATIVE_TOP)


def pair_rule(facts: Sequence[ValueFacts]) -> LevelRule:
    """Return one rule for images whose levels are subtracted; exact where it can be.

    Levels run from 0 to `PAIR_TOP`.
    """
    ranges = [shown_range(one) for one in facts]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    if all(one.step == 1 for one in facts) and high - low <= PAIR_TOP:
        return LevelRule(1.0, -float(np.floor(low)), 0, PAIR_TOP, exact=True)
    return _spread(low, high, PAIR_TOP)


def matched_facts(facts: ValueFacts) -> tuple[ValueFacts, float, float]:
    """Bring an image to a common scale: 0 and 100 at the 10th and 90th percentile inside.

    Returns
    -------
    facts : ValueFacts
        On the common scale.
    gain, offset : float
        ``gain * value + offset`` is on the common scale.

    Raises
    ------
    ValueError
        The two percentiles are equal.
    """
    low, high = facts.percentile(10), facts.percentile(90)
    if not high > low:
        raise ValueError("The 10th and the 90th percentile of the image are equal.")
    gain = 100 / (high - low)
    offset = -low * gain
    inside = tuple(gain * value + offset for value in facts.inside)
    ends = gain * facts.minimum + offset, gain * facts.maximum + offset
    return ValueFacts(*ends, 0.0, inside), gain, offset


def joint_facts(facts: Sequence[ValueFacts]) -> ValueFacts:
    """Return what one window for several images is made from: their ends, and mean percentiles."""
    inside = np.mean([one.inside for one in facts], axis=0)
    return ValueFacts(
        minimum=min(one.minimum for one in facts),
        maximum=max(one.maximum for one in facts),
        step=0.0,
        inside=tuple(float(value) for value in inside),
    )


def after(rule: LevelRule, gain: float, offset: float) -> LevelRule:
    """Return the rule for values that are first brought to another scale."""
    return LevelRule(rule.gain * gain, rule.gain * offset + rule.offset, rule.low, rule.high)


def _spread(low: float, high: float, top: int) -> LevelRule:
    gain = top / (high - low)
    return LevelRule(gain, -low * gain, 0, top)


@dataclass(frozen=True)
class Placement:
    """Where a series lies in a frame, and whether its own voxels are shown there.

    Attributes
    ----------
    grid : Grid
    plane : {"axial", "coronal", "sagittal"}
        In which the slices are ordered: that of the acquisition.
    exact : bool
        True: the voxels of the source, none interpolated. False: the series is tilted.
    tilt_degrees : float
        Largest angle between an axis of the series and the nearest axis of the frame.
    """

    grid: frames.Grid
    plane: frames.Plane
    exact: bool
    tilt_degrees: float


def own_frame(shape: tuple[int, int, int], affine_lps: Matrix) -> Matrix:
    """Frame along the axes of one series, its origin in the middle voxel; see `case_frame`."""
    mask = np.broadcast_to(np.True_, shape)
    return frames.case_frame(_hollow(shape, affine_lps), mask)


def place(
    shape: tuple[int, int, int],
    affine_lps: Matrix,
    frame_to_lps: Matrix,
    *,
    source_orientation: str,
    own: bool,
) -> Placement:
    """Find where a series lies in a frame.

    Parameters
    ----------
    shape : tuple of int
        Voxels along (z, y, x), in LPS order.
    affine_lps, frame_to_lps : ndarray, shape (4, 4)
    source_orientation : str
        Letters to which the x, y and z axes grew at the source; the last tells the plane of the
        acquisition where voxels are about equally long.
    own : bool
        Whether the frame is that of this very series, which then is never interpolated.
    """
    placed = frames.in_frame(_hollow(shape, affine_lps), frame_to_lps)
    tilt = _tilt_degrees(placed.affine_lps)
    plane = _plane(placed, affine_lps, frame_to_lps, source_orientation)
    if own or not is_oblique(placed):
        x, y, z = (float(value) for value in placed.affine_lps[:3, 3])
        return Placement(frames.Grid(placed.shape, placed.spacing_mm, (x, y, z)), plane, True, tilt)
    return Placement(_around(placed), plane, False, tilt)


def _hollow(shape: tuple[int, int, int], affine_lps: Matrix) -> Volume:
    return Volume(np.broadcast_to(np.int8(0), shape), affine_lps, "nifti", {}, "")


def _tilt_degrees(affine: Matrix) -> float:
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return float(np.degrees(np.arccos(np.clip(np.abs(axes).max(axis=0).min(), -1, 1))))


def _plane(placed: Volume, affine: Matrix, frame: Matrix, orientation: str) -> frames.Plane:
    spacing = np.array(placed.spacing_mm[::-1])  # along x, y, z of the frame
    single = np.flatnonzero(np.array(placed.shape[::-1]) == 1)
    if single.size:
        return _PLANES[int(single[-1])]
    thickest = int(np.argmax(spacing))
    if spacing[thickest] > _THICKER * np.delete(spacing, thickest).max():
        return _PLANES[thickest]
    stored = {"R": 0, "L": 0, "A": 1, "P": 1, "I": 2, "S": 2}.get(orientation[-1:], 2)
    direction = np.linalg.inv(frame)[:3, :3] @ affine[:3, stored]
    return _PLANES[int(np.argmax(np.abs(direction)))]


def _around(placed: Volume) -> frames.Grid:
    low, high = frames.reach_mm(placed, np.broadcast_to(np.True_, placed.shape))
    spacing = placed.spacing_mm
    counts = [
        max(1, int(np.ceil((end - start) / step - 1e-6)))
        for start, end, step in zip(low, high, spacing[::-1], strict=True)
    ]
    origin = [
        (start + end - (count - 1) * step) / 2
        for start, end, step, count in zip(low, high, spacing[::-1], counts, strict=True)
    ]
    shape = (counts[2], counts[1], counts[0])
    return frames.Grid(shape, spacing, (origin[0], origin[1], origin[2]))


def same_grid(one: frames.Grid, other: frames.Grid) -> bool:
    """Whether two grids of one frame have the same voxels at the same places."""
    if one.shape != other.shape:
        return False
    if not np.allclose(one.spacing_mm, other.spacing_mm, rtol=0, atol=SAME_SPACING_MM):
        return False
    moved = np.subtract(one.origin_mm, other.origin_mm) / np.array(one.spacing_mm[::-1])
    return bool(np.abs(moved).max() <= SAME_PLACE_VOXELS)


def image_levels(
    volume: Volume, frame_to_lps: Matrix, placement: Placement, rule: LevelRule
) -> Levels:
    """Return the levels of an image in a frame, its slices ordered for the screen.

    Parameters
    ----------
    volume : Volume
        In LPS order.
    frame_to_lps : ndarray, shape (4, 4)
    placement : Placement
        Of this volume in this frame. Where it is not exact, values are interpolated linearly, and
        take the background value outside the source.
    rule : LevelRule

    Returns
    -------
    ndarray of int16, shape (slices, rows, columns)
    """
    placed = frames.in_frame(volume, frame_to_lps)
    if not placement.exact:
        placed = _resampled(placed, placement.grid, "linear", background_value(placed.array))
    return frames.to_plane(rule.levels(placed.array), placement.plane)


def label_levels(volume: Volume, frame_to_lps: Matrix, own: Placement, under: Placement) -> Levels:
    """Return a label map on the grid of the image it is shown on.

    Parameters
    ----------
    volume : Volume
        In LPS order, whole numbers.
    frame_to_lps : ndarray, shape (4, 4)
    own, under : Placement
        Of the label map and of the image. Where the grids differ, each voxel takes the label of
        the nearest.
    """
    placed = frames.in_frame(volume, frame_to_lps)
    if not (own.exact and same_grid(own.grid, under.grid)):
        placed = _resampled(placed, under.grid, "nearest", 0.0)
    labels = np.rint(placed.array).astype(np.int16)
    return frames.to_plane(labels, under.plane)


def _resampled(placed: Volume, grid: frames.Grid, how: Any, outside: float) -> Volume:
    return to_grid(
        placed,
        grid.shape,
        grid.spacing_mm,
        interpolation=how,
        centre_mm=grid.centre_mm,
        whole_voxels=False,
        outside=outside,
    )
