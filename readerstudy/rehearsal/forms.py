"""Forms of the planner and of the dry run."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django import forms

from readerstudy.rehearsal.assumptions import RANGES, Assumptions
from readerstudy.rehearsal.cloning import MOST_READERS
from readerstudy.stats.sample_size import USED, Inputs

SIZE_LABELS = {
    "readers": ("Readers", ""),
    "power": ("Power", "Chance to show it, 0 to 1"),
    "alpha": ("Alpha", "Level of the test"),
    "width": ("Width of the interval", "From its lower to its upper limit"),
    "accuracy": ("Expected share of right calls", "0.5 is guessing"),
    "margin": ("Margin", "0.1: between 40 and 60 % counts as guessing"),
    "icc": ("Correlation between readers", "Of right and wrong on one case"),
    "kappa": ("Expected kappa", ""),
    "kappa0": ("Kappa to exceed", ""),
    "prevalence": ("Share of positive calls", ""),
    "auc": ("Expected area under the curve", ""),
    "positive_share": ("Share of positive cases", ""),
    "effect": ("Difference worth finding", "Of two areas under the curve"),
    "test_reader": ("Variance: arm by reader", ""),
    "error": ("Variance: error", ""),
    "cov1": ("Covariance 1", "One reader, two arms"),
    "cov2": ("Covariance 2", "Two readers, one arm"),
    "cov3": ("Covariance 3", "Two readers, two arms"),
    "pilot_cases": ("Cases of the pilot", ""),
}
COUNTS = ("readers", "pilot_cases")
# A small pilot may well estimate a component below 0.
COMPONENT = (-1, 1)
LIMITS = {
    "readers": (1, 100),
    "pilot_cases": (2, 100_000),
    **dict.fromkeys(("test_reader", "error", "cov1", "cov2", "cov3"), COMPONENT),
}


class SizeForm(forms.Form):
    """The inputs that one aim rests on."""

    def __init__(self, *args: Any, aim: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        defaults = Inputs()
        for name in USED[aim]:
            label, hint = SIZE_LABELS[name]
            kind = forms.IntegerField if name in COUNTS else forms.FloatField
            low, high = LIMITS.get(name, (0, 1))
            self.fields[name] = kind(
                label=label,
                help_text=hint,
                initial=getattr(defaults, name),
                min_value=low,
                max_value=high,
                widget=forms.NumberInput(attrs={"step": 1 if name in COUNTS else "any"}),
            )


ASSUMED = {
    "dprime": ("Sensitivity d′", "For real or synthetic; 0 is guessing, 1 is 69 % right"),
    "criterion": ("Criterion", "Above 0: readers say “synthetic” too rarely"),
    "auc": ("Area under the curve", "Of questions with a reference standard, first arm"),
    "auc_gain": ("Gain of a later arm", "Added to the area"),
    "agreement": ("Agreement", "Kappa of answers without a truth"),
    "reader_spread": ("Spread between readers", "In standard deviations of the evidence"),
    "seconds": ("Seconds a case", "Median of a practised reader"),
    "not_evaluable": ("Share of “not evaluable”", "Where that is offered"),
}
FURTHER = {
    "arm_spread": ("Spread of the gain", ""),
    "case_share": ("Variance: case", "Alike for all readers and arms"),
    "arm_case_share": ("Variance: case in its arm", ""),
    "reader_case_share": ("Variance: reader and case", "The rest is new at each reading"),
    "optional": ("Optional questions answered", "Share"),
    "seconds_spread": ("Spread of the time", "Of its logarithm"),
    "learning": ("Extra time of the first case", "0.5: half as long again"),
    "learning_cases": ("Cases of learning", ""),
    "break_every": ("Cases between breaks", ""),
    "break_minutes": ("Minutes of a break", ""),
    "region_mm": ("Spread of a mark, mm", ""),
}
WHOLE = ("break_every",)


class DryRunForm(forms.Form):
    """Who reads in a dry run, and what is assumed of them."""

    readers = forms.IntegerField(label="Simulated readers", min_value=1, max_value=MOST_READERS)
    seed = forms.CharField(
        max_length=64, required=False, help_text="The same seed gives the same answers."
    )
    images = forms.BooleanField(
        label="Fetch every image, as a browser does", required=False, help_text="Slower."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        defaults = Assumptions()
        for name, (label, hint) in (ASSUMED | FURTHER).items():
            kind = forms.IntegerField if name in WHOLE else forms.FloatField
            low, high = RANGES[name]
            self.fields[name] = kind(
                label=label,
                help_text=hint,
                initial=getattr(defaults, name),
                min_value=low,
                max_value=high,
                widget=forms.NumberInput(attrs={"step": 1 if name in WHOLE else "any"}),
            )

    @property
    def assumed(self) -> list[Any]:
        """The assumptions that matter most, as bound fields."""
        return [self[name] for name in ASSUMED]

    @property
    def further(self) -> list[Any]:
        """All other assumptions."""
        return [self[name] for name in FURTHER]

    def stated(self) -> dict[str, float]:
        """Return the assumptions as stated."""
        return {field.name: self.cleaned_data[field.name] for field in fields(Assumptions)}
