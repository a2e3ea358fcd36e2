"""What the viewer is told of series shown as they are; no word on where they come from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from readerstudy.cases import native_images
from readerstudy.cases.columns import USUAL_ROLES
from readerstudy.cases.flags import label
from readerstudy.cases.models import Series
from readerstudy.core.files import write_whole
from readerstudy.imaging import frames, native
from readerstudy.imaging.flags import MONOCHROME1, POSITION_UNKNOWN
from readerstudy.imaging.sequences import role_of

MAX_SLOTS = 6
MAX_LABELS = 40
MAX_LABEL = 32767
BASE = "/staff/i/"
TOOLS = (
    "window",
    "zoom",
    "pan",
    "length",
    "ellipse",
    "mark",
    "invert",
    "colour",
    "overlay",
    "hanging",
    "planes",
    "cine",
    "full",
    "link",
)
HANGINGS = {1: "1x1", 2: "1x2", 4: "2x2", 6: "2x3"}
PRESETS: tuple[tuple[str, float, float], ...] = (
    ("1 to 99 %", 1, 99),
    ("5 to 95 %", 5, 95),
    ("Dark half", 0.5, 50),
    ("Bright half", 50, 99.9),
)
COLOURS = (2.0, 98.0)
COLOUR_MAP = "inferno"
PALETTE = (
    "#86b6e6",
    "#e3b659",
    "#e07b6a",
    "#7cc7a0",
    "#b79be0",
    "#e39ac1",
    "#8fd0d8",
    "#c9cf6a",
    "#d99b5e",
    "#9fb0c3",
    "#6fa3ff",
    "#f0d9a0",
)


@dataclass(frozen=True)
class Shown:
    """One series in one pane.

    ``rule`` makes levels of its values; ``scale`` makes levels of what is read out, which differs
    where the image is first brought to a common scale; ``facts`` are on the scale read out.
    """

    role: str
    label: str
    series: Series
    axes: Series
    placement: native.Placement
    rule: native.LevelRule
    scale: native.LevelRule
    facts: native.ValueFacts
    unit: str = ""
    relative: bool = False

    @property
    def token(self) -> str:
        """The address of the pixels."""
        return native_images.Request(
            self.series.pk, self.axes.pk, self.rule, relative=self.relative
        ).token()

    @property
    def inverted(self) -> bool:
        """Whether high values are dark at the source."""
        return MONOCHROME1 in self.series.flags

    @property
    def colours(self) -> tuple[float, float] | None:
        """The values at the ends of the colours; None where the image has no unit of its own."""
        low, high = (self.facts.percentile(percent) for percent in COLOURS)
        own = self.unit and self.unit == self.series.unit
        return (low, high) if own and high > low else None

    def window(self, low: float, high: float) -> dict[str, int]:
        """Return width and level that show the values from low to high."""
        ends = [
            min(max(self.scale.level(end), self.scale.low), self.scale.high) for end in (low, high)
        ]
        return {"width": max(1, round(ends[1] - ends[0])), "level": round(sum(ends) / 2)}

    def document(self) -> dict[str, Any]:
        """Return the slot as the viewer reads it."""
        facts = self.facts
        first = facts.minimum if facts.minimum >= 0 and not self.unit else facts.percentile(0.5)
        full = native.shown_range(facts)
        colours = self.colours
        return {
            "role": self.role,
            "label": self.label,
            "plane": self.placement.plane,
            **frames.plane_geometry(self.placement.grid, self.placement.plane),
            "chunks": native_images.chunks_of(self.placement),
            "window": self.window(first, facts.percentile(99.5)),
            "presets": [
                {"label": "Full range", **self.window(*full)},
                *(
                    {"label": text, **self.window(facts.percentile(a), facts.percentile(b))}
                    for text, a, b in PRESETS
                ),
            ],
            "value": None
            if self.relative
            else {
                "unit": self.unit,
                "slope": self.scale.slope,
                "intercept": self.scale.intercept,
            },
            "colour": colours
            and {"map": COLOUR_MAP, "range": [self.scale.level(end) for end in colours]},
            "inverted": self.inverted,
            "sided": POSITION_UNKNOWN not in self.series.flags,
        }


def show(
    series: Series, axes: Series, *, role: str = "", text: str = "", relative: bool = False
) -> Shown:
    """Return a series in the axes of another, by itself: exact, or without its values."""
    facts = native_images.facts_of(series)
    rule = native.relative_rule(facts) if relative else native.own_rule(facts)
    return Shown(
        role=role or series.role,
        label=text or label(series.role),
        series=series,
        axes=axes,
        placement=native_images.placement_of(series, axes),
        rule=rule,
        scale=rule,
        facts=facts,
        unit="" if relative else series.unit,
        relative=relative,
    )


def in_order(series: Iterable[Series]) -> list[Series]:
    """Return series as the list of cases orders them."""
    places = {role: number for number, role in enumerate(USUAL_ROLES)}
    return sorted(series, key=lambda one: (places.get(one.role, len(places)), one.role))


@dataclass(frozen=True)
class Regions:
    """A label map over images."""

    series: Series
    under: Shown
    values: list[int]

    @property
    def label(self) -> str:
        return label(self.series.role)

    @property
    def token(self) -> str:
        request = native_images.Request(
            self.series.pk,
            self.under.axes.pk,
            native.LevelRule(1.0, 0.0),
            under=self.under.series.pk,
        )
        return request.token()

    def document(self, on: Sequence[str]) -> dict[str, Any]:
        """Return the overlay as the viewer reads it."""
        return {
            "role": self.series.role,
            "label": self.label,
            "on": list(on),
            "labels": [
                {
                    "value": value,
                    "label": f"{self.label} {value}",
                    "colour": PALETTE[n % len(PALETTE)],
                }
                for n, value in enumerate(self.values)
            ],
        }


def is_label_map(series: Series) -> bool:
    """Is this a label map by its name, with few enough values to tell apart?"""
    return role_of(series.role) == "mask" and label_values(series) is not None


def label_values(series: Series) -> list[int] | None:
    """Return the labels in a label map; None where its values are no labels."""
    kept = native_images.note_of(series, "labels")
    if not kept.exists():
        labels = _labels(native_images.load(series).array)
        write_whole(kept, json.dumps(labels).encode())
    found: list[int] | None = json.loads(kept.read_text())
    return found


def _labels(array: npt.NDArray[Any]) -> list[int] | None:
    found = np.unique(array)
    whole = found[0] >= 0 and found[-1] <= MAX_LABEL and bool((found == np.rint(found)).all())
    return [int(value) for value in found if value] if whole and found.size <= MAX_LABELS else None


@dataclass(frozen=True)
class Page:
    """Everything the viewer of one page shows."""

    shown: list[Shown]
    regions: list[Regions] = field(default_factory=list)
    differences: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        """Return the page as `openViewer` reads it."""
        return {
            "layout": self._layout(),
            "images": {one.role: one.token for one in self.shown}
            | {one.series.role: one.token for one in self.regions},
            "differences": self.differences,
            "messages": self.messages,
            "base": BASE,
        }

    def _layout(self) -> dict[str, Any]:
        slots = [one.document() for one in self.shown]
        initial = next(name for most, name in HANGINGS.items() if len(slots) <= most)
        flat = all(min(one.placement.grid.shape) == 1 for one in self.shown)
        allowed = [name for most, name in HANGINGS.items() if most <= max(2, len(slots)) + 1]
        roles = [one.role for one in self.shown]
        return {
            "hanging": {
                "initial": initial,
                "allowed": sorted({initial, *allowed, *([] if flat else ["planes"])}),
            },
            "slots": slots,
            "overlays": [
                one.document([one.under.role, *(r for r in roles if r != one.under.role)])
                for one in self.regions
            ],
            "interpolation": "nearest" if flat else "linear",
            "interpolation_fixed": False,
            "integer_scale": flat,
            "tools": TOOLS,
            "keys": {},
            "mouse": {},
        }
