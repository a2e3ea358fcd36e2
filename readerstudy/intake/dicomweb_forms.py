"""Forms of the DICOMweb pages."""

from __future__ import annotations

from typing import Any

from django import forms

from readerstudy.cases.quality import BRAIN_ONLY
from readerstudy.imaging.sequences import LABELS
from readerstudy.intake.dicomweb import MAX_TERM, SeriesEntry, Terms, servers
from readerstudy.intake.dicomweb_importing import Pick
from readerstudy.intake.options import FACES, LABEL_LENGTH, ORIGINS, REAL, Options

AUTOMATIC = "As its header tells"


class SearchForm(forms.Form):
    """What to look for. It is sent to the server and kept nowhere."""

    server = forms.ChoiceField()
    patient_id = forms.CharField(max_length=MAX_TERM, required=False, label="Patient ID")
    accession = forms.CharField(max_length=MAX_TERM, required=False, label="Accession number")
    description = forms.CharField(
        max_length=MAX_TERM, required=False, label="Study description", help_text="A part will do."
    )
    date_from = forms.DateField(
        required=False, label="From", widget=forms.DateInput(attrs={"type": "date"})
    )
    date_to = forms.DateField(
        required=False, label="To", widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["server"].choices = [
            (name, f"{name} ({server.host})") for name, server in servers().items()
        ]
        for name in ("patient_id", "accession", "description"):
            self.fields[name].widget.attrs["autocomplete"] = "off"

    @property
    def terms(self) -> Terms:
        """What was typed, as it is searched for."""
        data = self.cleaned_data
        dates = {
            name: data[name].isoformat() if data[name] else "" for name in ("date_from", "date_to")
        }
        words = {name: data[name] for name in ("patient_id", "accession", "description")}
        return Terms(**words, **dates)


class ExamForm(forms.Form):
    """One exam of one server."""

    server = forms.CharField(widget=forms.HiddenInput)
    study_uid = forms.CharField(max_length=MAX_TERM, widget=forms.HiddenInput)


class PickForm(ExamForm):
    """Which series of an exam come in, in which role, and how they are taken."""

    label = forms.CharField(
        max_length=LABEL_LENGTH,
        required=False,
        label="Name of the source",
        help_text="Keeps equal patient IDs of two places apart.",
    )
    origin = forms.ChoiceField(
        choices=list(ORIGINS.items()), initial=REAL, widget=forms.RadioSelect
    )
    generator = forms.CharField(
        max_length=120, required=False, help_text="Of synthetic images only."
    )
    faces = forms.ChoiceField(
        choices=list(FACES.items()), initial=BRAIN_ONLY, widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, series: list[SeriesEntry], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.series = series
        roles = [("", AUTOMATIC), *LABELS.items()]
        for one in series:
            what = one.description or one.uid
            take = forms.BooleanField(required=False, label=f"Take {what}")
            role = forms.ChoiceField(choices=roles, required=False, label=f"Sequence of {what}")
            role.widget.attrs["class"] = "input"
            self.fields[f"take-{one.uid}"], self.fields[f"role-{one.uid}"] = take, role

    @property
    def rows(self) -> list[tuple[SeriesEntry, Any, Any]]:
        """Each series with its two fields, for the table."""
        return [(one, self[f"take-{one.uid}"], self[f"role-{one.uid}"]) for one in self.series]

    @property
    def picks(self) -> list[Pick]:
        """The chosen series."""
        data = self.cleaned_data
        chosen = [one for one in self.series if data[f"take-{one.uid}"]]
        return [Pick(one, data[f"role-{one.uid}"]) for one in chosen]

    @property
    def options(self) -> Options:
        """How the images are taken."""
        names = ("label", "origin", "generator", "faces")
        return Options(**{name: self.cleaned_data[name] for name in names})
