"""Forms that touch truth: the ratio of a study's cases, and unblinding."""

from __future__ import annotations

import secrets
from typing import Any

from django import forms

from readerstudy.studies.templates.base import Numbers
from readerstudy.truth.runs import parse_run

MAX_SEED = 2**31 - 1


def fresh_seed() -> int:
    """Return a random seed to start the form with."""
    return secrets.randbelow(MAX_SEED)


class ChooseCasesForm(forms.Form):
    """How many cases of each class, drawn by which seed."""

    n_real = forms.IntegerField(min_value=0, label="Real cases")
    n_synthetic = forms.IntegerField(min_value=0, label="Synthetic cases")
    n_training = forms.IntegerField(
        min_value=0,
        required=False,
        label="Training cases of each class",
        help_text="Read first, with feedback, of other subjects, outside the analysis.",
    )
    equal_strata = forms.BooleanField(
        required=False,
        label="Equal parts of each stratum",
        help_text="Each class is drawn in equal parts from its strata, such as sequences.",
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=MAX_SEED,
        initial=fresh_seed,
        help_text="The same seed draws the same cases from the same pool. It is kept.",
    )
    generation_run = forms.TypedChoiceField(
        coerce=parse_run,
        empty_value=None,
        required=False,
        label="Synthetic cases of",
        help_text="One generation run, or all that are on record.",
    )
    both_versions = forms.BooleanField(
        required=False,
        label="Allow both versions of a subject",
        help_text=(
            "A subject may appear as a real and as a synthetic case. Readers could then compare "
            "the two from memory; leave this off unless the protocol asks for pairs."
        ),
    )

    def clean_n_training(self) -> int:
        return self.cleaned_data["n_training"] or 0

    def __init__(
        self, *args: Any, runs: list[tuple[str, str]], one_by_one: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if not one_by_one:
            del self.fields["both_versions"]  # the design says which versions are drawn
        self.fields["generation_run"].choices = [("", "All generation runs"), *runs]


def first_numbers(numbers: Numbers) -> dict[str, Any]:
    """Return what the form starts with: the numbers of the template's paper."""
    return {
        "n_real": numbers.real,
        "n_synthetic": numbers.synthetic,
        "n_training": 0,
        "equal_strata": numbers.equal_strata,
    }


class UnblindForm(forms.Form):
    """Unblinding is confirmed by typing the study's name, with a reason."""

    typed_name = forms.CharField(
        max_length=120,
        label="Name of the study",
        help_text="Type it exactly as it stands above.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the audit log with your name.",
    )


class BreakBlindForm(forms.Form):
    """One case, and why its truth must be known now."""

    code = forms.CharField(max_length=16, label="Code of the case")
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Stands in the audit log, among the deviations and in the export.",
    )
