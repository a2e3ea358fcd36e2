from typing import Any, cast

from django import forms

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
        choices=[("", "none"), ("command", "the program set up for this installation")],
        help_text="Segments the acquired and the synthetic image, and compares",
    )
    extractor = forms.ChoiceField(
        required=False,
        label="Scores of the whole set",
        help_text="Features for FID and the others. self is a small network trained on the "
        "generator's real training images when it is first asked for, in a minute or two.",
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
