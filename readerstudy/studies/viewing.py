"""How the images of a study are shown: series, hanging, tools. Parsed and checked in one place.

The document is part of the protocol. `parse` turns it into frozen objects and refuses what cannot
be shown, in words; `document_of` turns them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from readerstudy.core.errors import ReaderStudyError

PLANES = ("axial", "coronal", "sagittal")
HANGINGS = {
    "1x1": "One pane",
    "1x2": "Two side by side",
    "2x2": "Two by two",
    "2x3": "Two by three",
    "planes": "Three planes of one series",
}
INTERPOLATIONS = ("linear", "nearest")
COLOUR_MAPS = ("inferno", "viridis", "grey")
TOOLS = {
    "window": "Window",
    "zoom": "Zoom",
    "pan": "Move",
    "length": "Length",
    "ellipse": "Ellipse",
    "mark": "Mark a spot",
    "invert": "Invert",
    "colour": "Colour or grey",
    "overlay": "Overlay",
    "hanging": "Change the hanging",
    "planes": "Three planes",
    "cine": "Cine",
    "full": "One pane full",
    "link": "Link panes",
}
MAX_SLOTS = 6
MAX_PRESETS = 9
MAX_LABELS = 40
LARGEST = 1e12
_ROLE = re.compile(r"[a-z0-9][a-z0-9_]{0,15}")
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class Slot:
    """One series beside the others.

    ``place`` counts the cases of an item that are shown beside each other, from 0. ``range`` is
    the fixed range of a quantitative map in its ``unit``; None for images whose grey levels are
    relative.
    """

    role: str
    label: str
    plane: str = "axial"
    unit: str = ""
    range: tuple[float, float] | None = None
    colour: str | None = None
    place: int = 0

    @property
    def code(self) -> str:
        """Name of the slot on the page; the role alone where one case is shown."""
        return f"{self.role}-{self.place + 1}" if self.place else self.role


@dataclass(frozen=True)
class OverlayLabel:
    value: int
    label: str
    colour: str


@dataclass(frozen=True)
class Overlay:
    """A label map laid over the images."""

    role: str
    labels: tuple[OverlayLabel, ...]
    opacity: float = 0.5


@dataclass(frozen=True)
class Preset:
    """A window from percentiles of the foreground over all cases of the study."""

    label: str
    low: float
    high: float


@dataclass(frozen=True)
class Viewing:
    """The display of a study, the same for every case and reader."""

    slots: tuple[Slot, ...]
    initial: str = "1x1"
    allowed: tuple[str, ...] = ("1x1",)
    interpolation: str = "linear"
    interpolation_fixed: bool = False
    tools: tuple[str, ...] = tuple(TOOLS)
    overlay: Overlay | None = None
    presets: tuple[Preset, ...] = ()
    faces_reason: str = ""

    @property
    def initial_label(self) -> str:
        return HANGINGS[self.initial]

    @property
    def tool_labels(self) -> list[str]:
        return [TOOLS[tool] for tool in self.tools]

    @property
    def series(self) -> tuple[Slot, ...]:
        """One slot for each role: what every case has to have."""
        return tuple({slot.role: slot for slot in reversed(self.slots)}.values())[::-1]

    @property
    def roles(self) -> list[str]:
        return [slot.role for slot in self.series]

    @property
    def places(self) -> int:
        """How many cases are shown beside each other."""
        return 1 + max(slot.place for slot in self.slots)


def parse(document: Any) -> Viewing:
    """Return the display that a document describes.

    Raises
    ------
    ReaderStudyError
        ``viewing`` with the first fault, in words.
    """
    if not isinstance(document, Mapping):
        raise _fault("The display must be an object.")
    hanging = _mapping(document.get("hanging"), "hanging")
    viewing = Viewing(
        slots=tuple(_slot(one) for one in _sequence(document.get("slots"), "slots")),
        initial=_one_of(hanging.get("initial"), tuple(HANGINGS), "hanging"),
        allowed=tuple(
            _one_of(one, tuple(HANGINGS), "hanging")
            for one in _sequence(hanging.get("allowed"), "hanging")
        ),
        interpolation=_one_of(document.get("interpolation"), INTERPOLATIONS, "interpolation"),
        interpolation_fixed=_flag(document.get("interpolation_fixed"), "interpolation_fixed"),
        tools=tuple(
            _one_of(one, tuple(TOOLS), "tool") for one in _sequence(document.get("tools"), "tools")
        ),
        overlay=_overlay(document.get("overlay")),
        presets=tuple(_preset(one) for one in _sequence(document.get("presets"), "presets")),
        faces_reason=_text(document.get("faces_reason", ""), "the reason to show faces", 500),
    )
    _check_whole(viewing)
    return viewing


def document_of(viewing: Viewing) -> dict[str, Any]:
    """Return a display as JSON; `parse` gives it back."""
    return {
        "slots": [
            {**asdict(slot), "range": list(slot.range) if slot.range else None}
            for slot in viewing.slots
        ],
        "hanging": {"initial": viewing.initial, "allowed": list(viewing.allowed)},
        "interpolation": viewing.interpolation,
        "interpolation_fixed": viewing.interpolation_fixed,
        "tools": list(viewing.tools),
        "overlay": asdict(viewing.overlay) | {"labels": _labels_of(viewing.overlay)}
        if viewing.overlay
        else None,
        "presets": [asdict(preset) for preset in viewing.presets],
        "faces_reason": viewing.faces_reason,
    }


def _labels_of(overlay: Overlay) -> list[dict[str, Any]]:
    return [asdict(label) for label in overlay.labels]


def _check_whole(viewing: Viewing) -> None:
    """Check what concerns several parts at once."""
    if not viewing.slots:
        raise _fault("Choose at least one series to show.")
    if len(viewing.slots) > MAX_SLOTS:
        raise _fault(f"At most {MAX_SLOTS} series can be shown beside each other.")
    _once(
        [slot.code for slot in viewing.slots],
        "The series “{}” is chosen twice; each can be shown once.",
    )
    if {slot.place for slot in viewing.slots} != set(range(viewing.places)):
        raise _fault("The cases beside each other must be numbered without a gap.")
    if viewing.overlay and viewing.overlay.role in viewing.roles:
        raise _fault(f"“{viewing.overlay.role}” cannot be an image and the overlay at once.")
    _once(viewing.allowed, "The hanging {} is named twice.")
    if viewing.initial not in viewing.allowed:
        raise _fault(f"The hanging on opening, {viewing.initial}, must be among the allowed ones.")
    _once(viewing.tools, "The tool “{}” is named twice.")
    if len(viewing.presets) > MAX_PRESETS:
        raise _fault(f"At most {MAX_PRESETS} window presets fit on the keys.")
    _once([preset.label for preset in viewing.presets], "Two window presets are called “{}”.")


def _slot(value: Any) -> Slot:
    given = _mapping(value, "slots")
    role = _role(given.get("role"))
    slot = Slot(
        role=role,
        label=_text(given.get("label") or role, f"the label of {role}", 40),
        plane=_one_of(given.get("plane"), PLANES, "plane"),
        unit=_text(given.get("unit") or "", f"the unit of {role}", 24),
        range=_range(given.get("range"), role),
        colour=None
        if given.get("colour") in (None, "")
        else _one_of(given["colour"], COLOUR_MAPS, "colour map"),
        place=_place(given.get("place", 0), role),
    )
    if bool(slot.unit) != (slot.range is not None):
        raise _fault(
            f"{slot.label}: a map in real values needs both a unit and a fixed range. Give both, "
            "or neither for an image with relative grey levels."
        )
    if slot.colour and slot.range is None:
        raise _fault(
            f"{slot.label}: a colour map needs a unit and a fixed range, the same for all cases."
        )
    return slot


def _place(value: Any, role: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MAX_SLOTS:
        raise _fault(f"The place of {role} must be a whole number from 0 to {MAX_SLOTS - 1}.")
    return value


def _range(value: Any, role: str) -> tuple[float, float] | None:
    if value is None:
        return None
    ends = _sequence(value, f"the range of {role}")
    if len(ends) != 2 or None in ends:
        raise _fault(f"The range of {role} needs a lowest and a highest value.")
    low, high = (_number(end, f"the range of {role}") for end in ends)
    if not low < high:
        raise _fault(f"The range of {role} must grow: {low:g} is not below {high:g}.")
    return low, high


def _overlay(value: Any) -> Overlay | None:
    if value is None:
        return None
    given = _mapping(value, "overlay")
    labels = tuple(_label(one) for one in _sequence(given.get("labels"), "labels"))
    if not 1 <= len(labels) <= MAX_LABELS:
        raise _fault(f"The overlay needs 1 to {MAX_LABELS} labels.")
    _once([label.value for label in labels], "The overlay's value {} has two labels.")
    opacity = _number(given.get("opacity"), "the opacity")
    if not 0 <= opacity <= 1:
        raise _fault("The opacity of the overlay must lie between 0 and 1.")
    return Overlay(_role(given.get("role")), labels, opacity)


def _label(value: Any) -> OverlayLabel:
    given = _mapping(value, "labels")
    number = given.get("value")
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= 32767:
        raise _fault(f"A label's value must be a whole number from 1 to 32767, not {number!r}.")
    colour = str(given.get("colour", "")).lower()
    if not _COLOUR.fullmatch(colour):
        raise _fault(f"The colour of label {number} must look like #e69f00, not {colour!r}.")
    return OverlayLabel(
        number, _text(given.get("label"), f"label {number}", 40, needed=True), colour
    )


def _preset(value: Any) -> Preset:
    given = _mapping(value, "presets")
    label = _text(given.get("label"), "a window preset", 24, needed=True)
    low, high = (_number(given.get(end), f"the preset {label}") for end in ("low", "high"))
    if not 0 <= low < high <= 100:
        raise _fault(f"The percentiles of the preset “{label}” must grow within 0 to 100.")
    return Preset(label, low, high)


def _role(value: Any) -> str:
    if not isinstance(value, str) or not _ROLE.fullmatch(value):
        raise _fault(f"A series is named by its role, such as t1c; {value!r} is none.")
    return value


def _once(values: Iterable[Any], words: str) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise _fault(words.format(value))
        seen.add(value)


def _one_of(value: Any, allowed: tuple[str, ...], what: str) -> str:
    if value not in allowed:
        raise _fault(f"There is no {what} {value!r}; choose one of {', '.join(allowed)}.")
    return str(value)


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool):
        raise _fault(f"“{name}” must be true or false.")
    return value


def _number(value: Any, what: str) -> float:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    if not known or not abs(value) < LARGEST:
        raise _fault(f"{value!r} in {what} is not a number.")
    return float(value)


def _text(value: Any, what: str, limit: int, *, needed: bool = False) -> str:
    if not isinstance(value, str) or len(value.strip()) > limit:
        raise _fault(f"The text of {what} must have at most {limit} characters.")
    if needed and not value.strip():
        raise _fault(f"Give {what} a name.")
    return value.strip()


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _fault(f"The display needs “{what}” as an object.")
    return value


def _sequence(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _fault(f"The display needs “{what}” as a list.")
    return list(value)


def _fault(sentence: str) -> ReaderStudyError:
    return ReaderStudyError(sentence, code="viewing")
