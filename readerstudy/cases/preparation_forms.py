"""What the form of a preparation asks: a preset, or a chain of one's own."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.utils.html import format_html

from readerstudy.cases.preparing import parsed
from readerstudy.core.errors import ReaderStudyError
from readerstudy.imaging.preparation.chain_spec import PRESETS

OWN = "own"
EXAMPLE = '[{"step": "reorient"}, {"step": "brain_mask", "margin_mm": 2}]'


def preset_choices() -> list[tuple[str, str]]:
    """The presets with what each does, and a chain of one's own."""
    named = [(key, one["label"], one["explained"]) for key, one in PRESETS.items()]
    own = (OWN, "Own chain", "The steps are written below.")
    return [(key, format_html("{}<small>{}</small>", *text)) for key, *text in (*named, own)]


class PrepareForm(forms.Form):
    """Which steps, and whether a person has to accept what is certain."""

    preset = forms.ChoiceField(
        label="Steps", choices=preset_choices, widget=forms.RadioSelect, initial="brain-only"
    )
    chain = forms.CharField(
        label="Own chain",
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "placeholder": EXAMPLE}),
        help_text="JSON: a list of steps with their parameters. Used with “Own chain” only.",
    )
    auto_accept = forms.BooleanField(
        label="Accept by itself",
        required=False,
        help_text="Only where each sequence ends as brain alone and its mask is certain. "
        "Everything else waits for you.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            chain_of(cleaned)
        except ReaderStudyError as error:
            self.add_error("chain", error.message)
        return cleaned


def chain_of(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps that the form's values ask for.

    Raises
    ------
    ReaderStudyError
        The own chain is no JSON, or cannot be run as it is written.
    """
    preset = values.get("preset", "brain-only")
    if preset != OWN:
        return [spec.as_dict() for spec in parsed(PRESETS[preset]["steps"])]
    try:
        data = json.loads(values.get("chain", ""))
    except (ValueError, RecursionError) as error:
        raise ReaderStudyError(f"This is not valid JSON: {error}. Example: {EXAMPLE}") from error
    return [spec.as_dict() for spec in parsed(data)]


def preset_label(values: dict[str, Any]) -> str:
    """Return what was chosen, in words."""
    key = str(values.get("preset", ""))
    return str(PRESETS[key]["label"]) if key in PRESETS else "Own chain"
