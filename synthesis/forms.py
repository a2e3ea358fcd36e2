from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlencode

from django import forms

from readerstudy.intake.forms import ManyFilesField
from readerstudy.stats import ProgressionRule
from readerstudy.stats.progression import GROWTH, MEASURABLE_ML
from synthesis import segmenters
from synthesis.metrics.presets import PRESETS
from synthesis.metrics.regions import BRAIN, REGIONS
from synthesis.models import GenerationRun
from synthesis.score_orders import DEFAULT_PRESETS, SELF, extractor_names

PAIRED = ("presets", "regions", "labels", "segmentations")


class GenerateForm(forms.Form):
    count = forms.IntegerField(min_value=1, max_value=5000, label="Number of cases")
    seed = forms.IntegerField(min_value=0, max_value=2**31, initial=1, label="Seed")


class ScoreForm(forms.Form):
    presets = forms.MultipleChoiceField(
        required=False,
        label="Scores of each image",
        choices=[(p.name, p.label) for p in PRESETS.values()],
        initial=DEFAULT_PRESETS,
        widget=forms.CheckboxSelectMultiple,
    )
    regions = forms.MultipleChoiceField(
        label="Regions",
        choices=[(name, name) for name in REGIONS],
        initial=[BRAIN],
        widget=forms.CheckboxSelectMultiple,
        help_text="Parts of a tumour need a label map: a mask series of the source case",
    )
    labels = forms.CharField(
        initial="auto",
        max_length=80,
        help_text="auto tells 1, 2, 3 from 1, 2, 4; else such as necrosis=1 oedema=2 enhancing=4",
    )
    segmentations = forms.ChoiceField(
        required=False,
        help_text="Finds the tumour in the acquired and in the synthetic image, and compares. "
        "Train a network with the preset segment-3d, or upload label maps",
    )
    extractor = forms.ChoiceField(
        required=False,
        label="Scores of the whole set",
        help_text="Features for FID and the others. self is a small network trained on the "
        "generator's real training images when it is first asked for, in a minute or two; "
        "random-encoder has random weights and says little of realism.",
    )

    def __init__(self, *args: Any, run: GenerationRun, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "samples" in run.record:  # drawn images have no acquired counterpart
            for name in PAIRED:
                del self.fields[name]
            self.initial.setdefault("extractor", SELF)
        else:
            known = [("", "none"), *segmenters.choices()]
            cast(forms.ChoiceField, self.fields["segmentations"]).choices = known
        names = [(name, name) for name in extractor_names()]
        cast(forms.ChoiceField, self.fields["extractor"]).choices = [("", "none"), *names]


class LabelMapsForm(forms.Form):
    name = forms.SlugField(
        max_length=40, label="Name of the set", help_text="Such as nnunet-first, in small letters"
    )
    files = ManyFilesField(
        label="Label maps",
        help_text="NIfTI, each named after the code of a synthetic case of this run, or of its "
        "source; on the grid of the case",
    )


class ProgressionForm(forms.Form):
    """The rule of progression, read from the address."""

    segmentation = forms.ChoiceField(required=False, label="Volumes of")
    growth = forms.FloatField(
        min_value=0.01,
        max_value=10,
        initial=GROWTH,
        label="Growth over the smallest volume",
        help_text="0.4 is 40 %, as modified RANO has it",
    )
    measurable_ml = forms.FloatField(
        min_value=0, max_value=1000, initial=MEASURABLE_ML, label="Least volume, mL"
    )
    confirm_days = forms.FloatField(
        min_value=0,
        max_value=3650,
        initial=0,
        label="Confirmed after, days",
        help_text="0 asks for no confirmation; RANO asks for 28",
    )

    def __init__(self, *args: Any, segmentations: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = list(segmentations)
        field = cast(forms.ChoiceField, self.fields["segmentation"])
        field.choices = [(name, name) for name in self.known]

    def chosen(self) -> tuple[str, ProgressionRule]:
        """Return the segmentation and the rule asked for; the form must be valid."""
        names = ("growth", "measurable_ml", "confirm_days")
        rule = ProgressionRule(**{name: self.cleaned_data[name] for name in names})
        return self.cleaned_data["segmentation"] or self._first(), rule

    def default(self) -> tuple[str, ProgressionRule]:
        """Return the first segmentation and the usual rule."""
        return self._first(), ProgressionRule()

    def _first(self) -> str:
        return self.known[0] if self.known else ""

    @staticmethod
    def query(chosen: tuple[str, ProgressionRule]) -> str:
        """Return what was chosen as the query of an address."""
        name, rule = chosen
        said = {name: getattr(rule, name) for name in ("growth", "measurable_ml", "confirm_days")}
        return urlencode({"segmentation": name, **said})
