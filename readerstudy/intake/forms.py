"""Forms of the import pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings

from readerstudy.cases.quality import BRAIN_ONLY
from readerstudy.imaging.frames import PLANES
from readerstudy.intake.limits import size_text
from readerstudy.intake.manifest_tables import MAX_FILE_BYTES
from readerstudy.intake.options import (
    FACES,
    FACES_WARNING,
    GENERATOR_LENGTH,
    LABEL_LENGTH,
    ORIGINS,
    REAL,
    SYNTHETIC,
    Options,
)


class ManyFiles(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Any number of files, sent with the form by a browser without script."""

    widget = ManyFiles

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, list | tuple) else [data]
        return [super(ManyFilesField, self).clean(one, initial) for one in files if one]


class OptionsForm(forms.Form):
    """What holds for all files of an import."""

    label = forms.CharField(
        label="Source",
        required=False,
        max_length=LABEL_LENGTH,
        help_text="Such as the hospital or data set. Keeps equal folder names of two places "
        "apart; give the same name when you import more from there. No names of people.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    origin = forms.ChoiceField(
        label="Origin", choices=tuple(ORIGINS.items()), initial=REAL, widget=forms.RadioSelect
    )
    generator = forms.CharField(
        label="Generator",
        required=False,
        max_length=GENERATOR_LENGTH,
        help_text="Which model made the synthetic images.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    faces = forms.ChoiceField(
        label="Faces",
        choices=tuple(FACES.items()),
        initial=BRAIN_ONLY,
        widget=forms.RadioSelect,
        help_text=FACES_WARNING,
    )

    plane = forms.ChoiceField(
        label="Plane of PNG pictures",
        required=False,
        choices=[(plane, plane.capitalize()) for plane in PLANES],
        help_text="A picture cannot tell it. Other images know theirs; a manifest may say "
        "otherwise of each picture.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["plane"] = data.get("plane") or PLANES[0]
        if data.get("origin") == SYNTHETIC and not data.get("generator"):
            self.add_error("generator", "Name the generator of the synthetic images.")
        if data.get("origin") != SYNTHETIC:
            data["generator"] = ""
        return data


class StartForm(OptionsForm):
    """Options, files that a browser without script sends along, and a manifest."""

    files = ManyFilesField(label="Files", required=False, allow_empty_file=True)
    manifest = forms.FileField(
        label="Manifest",
        required=False,
        help_text="CSV or XLSX that says which file is which case, sequence, stratum, origin and "
        "reference. A file called manifest.csv or manifest.xlsx at the top of the folder is "
        "taken as well.",
    )
    leave_out = forms.BooleanField(label="Leave out files that have not come whole", required=False)

    def clean_files(self) -> list[Any]:
        files: list[Any] = self.cleaned_data["files"]
        if sum(one.size for one in files) > settings.INTAKE_MAX_TOTAL_BYTES:
            limit = size_text(settings.INTAKE_MAX_TOTAL_BYTES)
            raise forms.ValidationError(f"At most {limit} are taken at once.")
        return files

    def clean_manifest(self) -> Any:
        file = self.cleaned_data["manifest"]
        if file is not None and not file.name.lower().endswith((".csv", ".tsv", ".txt", ".xlsx")):
            raise forms.ValidationError("A manifest is a .csv or .xlsx file.")
        if file is not None and file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(f"A manifest has at most {size_text(MAX_FILE_BYTES)}.")
        return file


def options_of(data: dict[str, Any]) -> Options:
    """Return what was chosen in a form."""
    names = ("label", "origin", "generator", "faces", "plane")
    return Options(**{name: data[name] for name in names})
