"""The form that orders a training: images, settings with their help, device."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django import forms

from readerstudy.core.errors import ReaderStudyError
from synthesis.models import Checkpoint, TrainingRun
from synthesis.ordering import free_name

MAIN = (
    *("max_steps", "max_minutes", "batch", "learning_rate", "precision", "compile"),
    *("validations", "stop_metric", "stop_patience", "checkpoint_every"),
)
MAIN_LABELS = {
    "max_steps": "Steps at most",
    "max_minutes": "Minutes at most",
    "batch": "Batch",
    "learning_rate": "Learning rate",
    "precision": "Precision",
    "compile": "Compile the networks",
    "validations": "Validations",
    "stop_metric": "Score to watch",
    "stop_patience": "Patience, validations",
    "checkpoint_every": "Steps between saved states",
}
FOLDER, CASES = "folder", "cases"


class TrainForm(forms.Form):
    """An order; settings that differ from the preset become ``key=value``."""

    name = forms.SlugField(
        max_length=80,
        label="Name of the run",
        help_text="Its folder, such as t1c-first.",
        error_messages={"invalid": "Use letters, digits, underscores and hyphens, without spaces."},
    )
    source = forms.ChoiceField(
        choices=[(FOLDER, "A folder of subjects"), (CASES, "Imported cases")],
        widget=forms.RadioSelect,
        initial=FOLDER,
        label="Images",
    )
    folder = forms.ChoiceField(required=False, label="Folder of subjects")
    codes = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Codes of cases",
        help_text="Empty: every case that can be used.",
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=2**31,
        initial=0,
        label="Seed",
        help_text="Of the first weights, of who is held out, and of the batches.",
    )
    device = forms.ChoiceField(
        choices=[
            ("auto", "GPU where the worker has one"),
            ("cuda", "GPU"),
            ("cpu", "Processor"),
        ],
        label="Device",
    )
    processes = forms.IntegerField(
        min_value=1,
        max_value=64,
        initial=1,
        label="GPUs",
        help_text="More than one trains in parallel; the batch must be a multiple of it.",
    )
    start_from = forms.ModelChoiceField(
        Checkpoint.objects.none(),
        required=False,
        label="Begin with the weights of",
        empty_label="None: begin anew",
    )

    def __init__(
        self, *args: Any, preset: dict[str, Any], folders: Sequence[Path], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.preset = preset
        folder, start = self.fields["folder"], self.fields["start_from"]
        folder.choices = [(str(path), f"{path.parent.name}/{path.name}") for path in folders]  # type: ignore[attr-defined]
        start.queryset = Checkpoint.objects.filter(preset=preset["name"])  # type: ignore[attr-defined]
        for setting in preset["settings"]:
            self.fields[f"set_{setting['name']}"] = _field(setting)

    def bound_settings(self, *, main: bool) -> list[forms.BoundField]:
        """The fields of the settings: those that every run is asked for, or the others."""
        names = [setting["name"] for setting in self.preset["settings"]]
        chosen = [n for n in MAIN if n in names] if main else [n for n in names if n not in MAIN]
        return [self[f"set_{name}"] for name in chosen]

    @property
    def main_settings(self) -> list[forms.BoundField]:
        return self.bound_settings(main=True)

    @property
    def other_settings(self) -> list[forms.BoundField]:
        return self.bound_settings(main=False)

    @property
    def setting_groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The other settings under headings: training, objective and network."""
        homes = {one["name"]: one["home"] for one in self.preset["settings"]}
        groups: dict[str, list[forms.BoundField]] = {}
        for field in self.other_settings:
            groups.setdefault(homes[field.name.removeprefix("set_")], []).append(field)
        return list(groups.items())

    @property
    def has_wrong_settings(self) -> bool:
        """Is one of the settings that are folded away wrong, or the whole refused?"""
        return bool(self.non_field_errors()) or any(field.errors for field in self.other_settings)

    def overrides(self) -> list[str]:
        """Return the settings that differ from the preset, as typed on a command line."""
        changed = []
        for setting in self.preset["settings"]:
            value = self.cleaned_data[f"set_{setting['name']}"]
            text = json.dumps(value) if isinstance(value, bool) else value.strip()
            if text != _text(setting["default"]):
                changed.append(f"{setting['name']}={text or 'null'}")
        return changed

    def images(self, usable: Sequence[str]) -> tuple[str, list[str]]:
        """Return the folder, or the codes of cases.

        Raises
        ------
        ReaderStudyError
            If a case cannot be used, or there is no folder to choose.
        """
        data = self.cleaned_data
        if data["source"] == FOLDER:
            if not data["folder"]:
                raise ReaderStudyError("There is no folder of subjects. Choose imported cases.")
            return data["folder"], []
        asked = data["codes"].replace(",", " ").split() or list(usable)
        if not asked:
            raise ReaderStudyError("No imported case can be used. Import more, or take a folder.")
        for code in asked:
            if code not in usable:
                raise ReaderStudyError(
                    f"Case {code} cannot be used: it lacks a series, is not on record as real, or "
                    "is part of a study that is not unblinded."
                )
        return "", sorted(set(asked))


def as_initial(run: TrainingRun) -> dict[str, Any]:
    """Return what the form holds to order a run like another one, under a new name."""
    settings = dict(one.split("=", 1) for one in run.overrides)
    return {
        "name": free_name(run.preset),
        "source": CASES if run.cases else FOLDER,
        "folder": run.data,
        "codes": " ".join(run.cases),
        "seed": run.seed,
        "device": run.device,
        "processes": run.processes,
        "start_from": run.start_from_id,
        **{
            f"set_{name}": {"true": True, "false": False, "null": ""}.get(value, value)
            for name, value in settings.items()
        },
    }


def _text(default: Any) -> str:
    if default is None:
        return ""
    return default if isinstance(default, str) else json.dumps(default)


def _field(setting: dict[str, Any]) -> forms.Field:
    name, default = setting["name"], setting["default"]
    about: dict[str, Any] = {
        "label": MAIN_LABELS.get(name, name),
        "help_text": setting["help"],
        "required": default not in (None, ""),
    }
    if isinstance(default, bool):
        return forms.BooleanField(initial=default, **{**about, "required": False})
    if setting["choices"]:
        choices = [(choice, choice) for choice in setting["choices"]]
        return forms.ChoiceField(choices=choices, initial=default, **about)
    return forms.CharField(initial=_text(default), max_length=400, **about)
