"""Sorting the frames of one DICOM series into stacks that hold one slice at each place.

A series may hold several orientations (localisers), echoes, b-values, directions, phases or time
points. Frames of one shape and orientation belong together; where several lie at one place, the
first properties in `traits.TRAITS` that tell them apart make the stacks, and at last the order in
time does.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from readerstudy.imaging.dicom_frames import Frame
from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.stacking import SAME_PLACE_MM, Plane, alike, stack
from readerstudy.imaging.traits import TRAITS

_ORIENTATIONS = ("sagittal", "coronal", "axial")
_MOST_PLACES = 0.5
_TIME = "order in time"
_STACK = [trait.name for trait in TRAITS].index("stack")


@dataclass(frozen=True, eq=False)
class Part:
    """One stack of a series.

    Attributes
    ----------
    frames : tuple of Frame
    label : str
        What tells it from the other parts ("TE 80 ms"); empty where there is no other part.
    traits : dict
        Trait name to value, of the traits that tell the parts apart.
    """

    frames: tuple[Frame, ...]
    label: str
    traits: dict[str, Any]


def split(frames: Sequence[Frame]) -> list[Part]:
    """Sort frames into stacks.

    Parameters
    ----------
    frames : sequence of Frame
        All frames of one series.

    Returns
    -------
    list of Part
        Labels differ. Frames that nothing tells apart, or whose orientations do not each make a
        regular stack, stay together: reading the part then says what is wrong.
    """
    groups = _by_geometry(frames)
    stacks = [_by_traits(group) for group in groups]
    if len(groups) == 1:
        return stacks[0]
    if not all(_is_regular(part) for parts in stacks for part in parts):
        return [Part(tuple(frames), "", {})]
    names = _unique([_orientation(group[0].plane) for group in groups])
    return [
        Part(
            part.frames, ", ".join(filter(None, (name, part.label))), {"plane": name, **part.traits}
        )
        for name, parts in zip(names, stacks, strict=True)
        for part in parts
    ]


def _joined(*words: str) -> str:
    return ", ".join(word for word in words if word)


def _is_regular(part: Part) -> bool:
    """Whether a stack can be read, and time alone did not have to tell its slices apart."""
    return _TIME not in part.traits and _in_line(part.frames)


def _in_line(frames: Sequence[Frame]) -> bool:
    try:
        stack("", [frame.plane for frame in frames])
    except ImageError:
        return False
    return True


def _by_geometry(frames: Sequence[Frame]) -> list[list[Frame]]:
    groups: list[list[Frame]] = []
    for frame in frames:
        home = next((group for group in groups if alike(group[0].plane, frame.plane)), None)
        if home is None:
            groups.append([frame])
        else:
            home.append(frame)
    return groups


def _orientation(plane: Plane) -> str:
    return _ORIENTATIONS[int(np.abs(np.cross(plane.row, plane.column)).argmax())]


def _unique(names: list[str]) -> list[str]:
    """Number the names that occur more than once."""
    seen: dict[str, int] = defaultdict(int)
    result = []
    for name in names:
        seen[name] += 1
        result.append(f"{name} {seen[name]}" if names.count(name) > 1 else name)
    return result


def _by_traits(frames: list[Frame]) -> list[Part]:
    places = _places(frames)
    stacks: list[list[int]] = [list(range(len(frames)))]
    chosen: list[int] = []
    for which in range(len(TRAITS)):
        if _repeats(stacks, places) == 0:
            break
        finer = _refined(stacks, [frame.traits[which] for frame in frames])
        if _worthwhile(stacks, finer, places):
            stacks, chosen = finer, [*chosen, which]
    if not chosen:
        stacks, chosen = _by_stack_name(frames, stacks)
    ordered = [part for members in stacks for part in _by_time(members, frames, places)]
    return _named(ordered, frames, chosen, timed=len(ordered) > len(stacks))


def _by_stack_name(
    frames: list[Frame], stacks: list[list[int]]
) -> tuple[list[list[int]], list[int]]:
    """Parallel stacks that lie apart, where the scanner named the stacks and each is regular."""
    finer = _refined(stacks, [frame.traits[_STACK] for frame in frames])
    whole = all(_in_line([frames[index] for index in members]) for members in stacks)
    if whole or not all(_in_line([frames[index] for index in members]) for members in finer):
        return stacks, []
    return finer, [_STACK]


def _places(frames: list[Frame]) -> list[int]:
    """Number of the place of each frame along the normal of the first."""
    normal = np.cross(frames[0].plane.row, frames[0].plane.column)
    heights = np.array([float(frame.plane.position @ normal) for frame in frames])
    order = np.argsort(heights, kind="stable")
    new = np.diff(heights[order], prepend=heights[order[0]]) > SAME_PLACE_MM
    numbers = np.empty(len(frames), dtype=int)
    numbers[order] = np.cumsum(new)
    return [int(number) for number in numbers]


def _repeats(stacks: list[list[int]], places: list[int]) -> int:
    return sum(len(members) - len({places[index] for index in members}) for members in stacks)


def _refined(stacks: list[list[int]], values: list[Hashable]) -> list[list[int]]:
    finer = []
    for members in stacks:
        groups: dict[Hashable, list[int]] = {}
        for index in members:
            groups.setdefault(values[index], []).append(index)
        finer += [groups[key] for key in sorted(groups, key=_rank)]
    return finer


def _rank(value: Hashable) -> tuple[bool, bool, Any]:
    numeric = isinstance(value, int | float)
    return value is not None, not numeric, value if numeric else str(value)


def _worthwhile(stacks: list[list[int]], finer: list[list[int]], places: list[int]) -> bool:
    """Fewer repeats, and not by tearing the stacks into slices."""
    if _repeats(finer, places) >= _repeats(stacks, places):
        return False
    whole = len({places[index] for members in stacks for index in members})
    covered = [len({places[index] for index in members}) / whole for members in finer]
    return sum(covered) / len(covered) > _MOST_PLACES


def _by_time(members: list[int], frames: list[Frame], places: list[int]) -> list[list[int]]:
    """The first frames taken at each place, then the second; whole if they are not as many."""
    at_place: dict[int, list[int]] = {}
    for index in members:
        at_place.setdefault(places[index], []).append(index)
    counts = {len(members) for members in at_place.values()}
    if counts == {1} or len(counts) > 1 or not _in_order(at_place, frames):
        return [members]
    sorted_members = [
        sorted(members, key=lambda index: frames[index].moment) for members in at_place.values()
    ]
    return [list(volume) for volume in zip(*sorted_members, strict=True)]


def _in_order(at_place: dict[int, list[int]], frames: list[Frame]) -> bool:
    return all(
        len({frames[index].moment for index in members}) == len(members)
        for members in at_place.values()
    )


def _named(
    stacks: list[list[int]], frames: list[Frame], chosen: list[int], *, timed: bool
) -> list[Part]:
    values = {which: [frames[members[0]].traits[which] for members in stacks] for which in chosen}
    telling = {which: column for which, column in values.items() if len(set(column)) > 1}
    words = [_words(which, column) for which, column in telling.items()]
    if timed:
        words.append(["time"] * len(stacks))
    labels = _unique([", ".join(row) for row in zip(*words, strict=True)] or [""] * len(stacks))
    return [
        Part(
            frames=tuple(frames[index] for index in members),
            label=label,
            traits={
                **{TRAITS[which].name: column[place] for which, column in telling.items()},
                **({_TIME: label} if timed else {}),
            },
        )
        for place, (members, label) in enumerate(zip(stacks, labels, strict=True))
    ]


def _words(which: int, values: list[Any]) -> list[str]:
    ranks = _ranks(values)
    return [TRAITS[which].label(value, ranks[value]) for value in values]


def _ranks(values: list[Hashable]) -> dict[Hashable, int]:
    return {value: place for place, value in enumerate(sorted(set(values), key=_rank), start=1)}
