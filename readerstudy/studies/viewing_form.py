"""The form of the display page: one row a series, then hanging, tools, overlay and windows."""

from __future__ import annotations

import re
from typing import Any

from django import forms

from readerstudy.cases.models import Series
from readerstudy.imaging.sequences import LABELS
from readerstudy.studies.viewing import (
    COLOUR_MAPS,
    HANGINGS,
    MAX_SLOTS,
    PLANES,
    TOOLS,
    Slot,
    Viewing,
)

COLUMNS = ("role", "label", "plane", "unit", "low", "high", "colour")
OVERLAY_ROLE = "mask"
_LABEL_LINE = re.compile(r"(\d+)\s+(.+?)\s+(#[0-9a-fA-F]{6})")
_PRESET_LINE = re.compile(r"(.+?)\s+([\d.]+)\s*(?:-|–|to|\s)\s*([\d.]+)")


def known_roles() -> list[tuple[str, str]]:
    """Return the series that can be shown: the usual ones and whatever was imported."""
    imported = Series.objects.order_by("role").values_list("role", flat=True).distinct()
    roles = {**LABELS, **{role: role for role in imported if role not in LABELS}}
    return [(role, label) for role, label in roles.items() if role != OVERLAY_ROLE]


class ViewingForm(forms.Form):
    """How the images of a study are shown."""

    initial_hanging = forms.ChoiceField(choices=list(HANGINGS.items()), label="On opening")
    allowed = forms.MultipleChoiceField(
        choices=list(HANGINGS.items()),
        widget=forms.CheckboxSelectMultiple,
        label="Readers may change to",
        required=False,
    )
    interpolation = forms.ChoiceField(
        choices=[("linear", "Smooth"), ("nearest", "Voxels as squares")],
        label="Between voxels",
        help_text="Choose squares for sets of small slices whose pixels matter.",
    )
    interpolation_fixed = forms.BooleanField(
        required=False, label="The same for all readers, cannot be changed"
    )
    tools = forms.MultipleChoiceField(
        choices=list(TOOLS.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        label="Tools that readers have",
        help_text="Leave out what would make the display differ between readers.",
    )
    presets = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Windows by percentile",
        help_text="One a line: name, lowest and highest percentile of the tissue, such as "
        "“Tissue 2 98”. Computed once over all cases, the same for each.",
    )
    overlay = forms.BooleanField(
        required=False,
        label="Show the label map (mask) over the images",
        help_text="Only if every case has one.",
    )
    overlay_labels = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        label="Labels",
        help_text="One a line: value, name, colour, such as “1 Tumour core #e69f00”.",
    )
    opacity = forms.FloatField(
        required=False, min_value=0, max_value=1, label="Opacity", help_text="0 to 1"
    )
    faces_reason = forms.CharField(
        required=False,
        max_length=500,
        label="Why faces are shown",
        help_text="Stays empty where faces were removed. A stated reason is part of the protocol.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [("", "none"), *known_roles()]
        for number in range(1, MAX_SLOTS + 1):
            self.fields.update(_row_fields(number, roles))

    @property
    def rows(self) -> list[list[forms.BoundField]]:
        """The fields of each series, in the order of the columns."""
        numbers = range(1, MAX_SLOTS + 1)
        return [[self[f"{name}_{number}"] for name in COLUMNS] for number in numbers]

    def clean_presets(self) -> list[dict[str, Any]]:
        lines = _lines(self.cleaned_data["presets"])
        return [_preset(line) for line in lines]

    def clean_overlay_labels(self) -> list[dict[str, Any]]:
        return [_label(line) for line in _lines(self.cleaned_data["overlay_labels"])]

    def document(self) -> dict[str, Any]:
        """Return the filled-in display as it is stored with the study."""
        data = self.cleaned_data
        rows = [self._slot(n) for n in range(1, MAX_SLOTS + 1) if data[f"role_{n}"]]
        allowed = [one for one in HANGINGS if one in {*data["allowed"], data["initial_hanging"]}]
        opacity = data["opacity"]
        overlay = {
            "role": OVERLAY_ROLE,
            "labels": data["overlay_labels"],
            "opacity": 0.5 if opacity is None else opacity,
        }
        return {
            "slots": rows,
            "hanging": {"initial": data["initial_hanging"], "allowed": allowed},
            "interpolation": data["interpolation"],
            "interpolation_fixed": data["interpolation_fixed"],
            "tools": data["tools"],
            "overlay": overlay if data["overlay"] else None,
            "presets": data["presets"],
            "faces_reason": data["faces_reason"],
        }

    def _slot(self, number: int) -> dict[str, Any]:
        given = {name: self.cleaned_data[f"{name}_{number}"] for name in COLUMNS}
        low, high = given.pop("low"), given.pop("high")
        role, empty = given["role"], low is None and high is None
        label = given["label"] or dict(known_roles()).get(role, role)
        return {**given, "label": label, "range": None if empty else [low, high]}


def _row_fields(number: int, roles: list[tuple[str, str]]) -> dict[str, forms.Field]:
    planes = [(plane, plane.capitalize()) for plane in PLANES]
    maps = [("", "grey"), *((one, one) for one in COLOUR_MAPS if one != "grey")]
    text = {"attrs": {"size": 10}}
    fields: dict[str, forms.Field] = {
        "role": forms.ChoiceField(choices=roles, required=False, label="Series"),
        "label": forms.CharField(
            required=False, max_length=40, label="Name", widget=forms.TextInput(**text)
        ),
        "plane": forms.ChoiceField(choices=planes, label="Plane"),
        "unit": forms.CharField(
            required=False, max_length=24, label="Unit", widget=forms.TextInput(**text)
        ),
        "low": forms.FloatField(required=False, label="Lowest", widget=forms.TextInput(**text)),
        "high": forms.FloatField(required=False, label="Highest", widget=forms.TextInput(**text)),
        "colour": forms.ChoiceField(choices=maps, required=False, label="Colours"),
    }
    for name, field in fields.items():
        field.widget.attrs["aria-label"] = f"{field.label} of pane {number}"
        field.initial = PLANES[0] if name == "plane" else None
    return {f"{name}_{number}": field for name, field in fields.items()}


def initial_of(viewing: Viewing) -> dict[str, Any]:
    """Return what the form shows of a stored display."""
    shown: dict[str, Any] = {
        "initial_hanging": viewing.initial,
        "allowed": viewing.allowed,
        "interpolation": viewing.interpolation,
        "interpolation_fixed": viewing.interpolation_fixed,
        "tools": viewing.tools,
        "presets": "\n".join(f"{p.label} {p.low:g} {p.high:g}" for p in viewing.presets),
        "overlay": viewing.overlay is not None,
        "opacity": viewing.overlay.opacity if viewing.overlay else 0.5,
        "overlay_labels": "\n".join(
            f"{one.value} {one.label} {one.colour}"
            for one in (viewing.overlay.labels if viewing.overlay else ())
        ),
        "faces_reason": viewing.faces_reason,
    }
    for number, slot in enumerate(viewing.slots, start=1):
        shown |= {f"{name}_{number}": value for name, value in _row_of(slot).items()}
    return shown


def _row_of(slot: Slot) -> dict[str, Any]:
    low, high = slot.range or ("", "")
    return {
        "role": slot.role,
        "label": slot.label,
        "plane": slot.plane,
        "unit": slot.unit,
        "low": low,
        "high": high,
        "colour": slot.colour or "",
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _preset(line: str) -> dict[str, Any]:
    found = _PRESET_LINE.fullmatch(line)
    if not found:
        raise forms.ValidationError(
            f"“{line}” is no window: write a name and two percentiles, such as “Tissue 2 98”."
        )
    label, low, high = found.groups()
    try:
        return {"label": label, "low": float(low), "high": float(high)}
    except ValueError:
        raise forms.ValidationError(f"“{line}”: the percentiles are not numbers.") from None


def _label(line: str) -> dict[str, Any]:
    found = _LABEL_LINE.fullmatch(line)
    if not found:
        raise forms.ValidationError(
            f"“{line}” is no label: write value, name and colour, such as “1 Core #e69f00”."
        )
    value, label, colour = found.groups()
    return {"value": int(value), "label": label, "colour": colour.lower()}
