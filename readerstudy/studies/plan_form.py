"""The form of a study's design: who reads what, in which arms, periods and order."""

from __future__ import annotations

from typing import Any

from django import forms

from readerstudy.studies.reading_design import (
    COUNTERBALANCES,
    PAIRINGS,
    PLANS,
    SCHEDULES,
    ReadingDesign,
    document_of,
)


class PlanForm(forms.Form):
    """The settings of a design; qualification is typed in percent."""

    plan = forms.ChoiceField(choices=list(PLANS.items()), widget=forms.RadioSelect, label="Plan")
    schedule = forms.ChoiceField(
        choices=list(SCHEDULES.items()), widget=forms.RadioSelect, label="Arms and periods"
    )
    counterbalance = forms.ChoiceField(
        choices=list(COUNTERBALANCES.items()), label="Counterbalancing of a crossover"
    )
    washout_days = forms.IntegerField(
        min_value=0,
        label="Washout, days",
        help_text="Between the periods of a crossover; the server enforces it for each reader. "
        "At least 28 days are usual.",
    )
    pairing = forms.ChoiceField(
        choices=list(PAIRINGS.items()), widget=forms.RadioSelect, label="What is shown at once"
    )
    sides_drawn = forms.BooleanField(
        required=False,
        label="Sides are drawn by lot",
        help_text="Otherwise the first image stays on the left, such as a reference.",
    )
    plots = forms.IntegerField(min_value=2, label="Plots", help_text="Of a split-plot design.")
    readers_per_item = forms.IntegerField(
        min_value=1,
        label="Readers for each case",
        help_text="Where each case is read by some of the readers.",
    )
    repeats = forms.IntegerField(
        min_value=0,
        label="Hidden repeats",
        help_text="Cases that each reader is shown twice in a period, for intra-reader agreement.",
    )
    lag = forms.IntegerField(min_value=1, label="Least distance of a repeat", help_text="In cases.")
    gap = forms.IntegerField(
        min_value=1,
        required=False,
        label="Least distance of cases of one patient",
        help_text="Empty: ten, or as far as a small set allows.",
    )
    max_run = forms.IntegerField(
        min_value=0, label="Most cases of one class in a row", help_text="0: no limit."
    )
    blocks = forms.IntegerField(
        min_value=1,
        label="Blocks",
        help_text="Parts of a period that hold strata and classes in equal proportion.",
    )
    qualification = forms.FloatField(
        min_value=1,
        max_value=100,
        required=False,
        label="Right answers to qualify, %",
        help_text="Of the training cases. Empty: everybody goes on.",
    )
    training_subjects = forms.BooleanField(
        required=False,
        label="Patients who trained the generator may be shown",
        help_text="Otherwise the database keeps them out of a study that shows its images. Such a "
        "study tells nothing about unseen patients; the protocol and the report say so.",
    )

    @property
    def choices_shown(self) -> list[forms.BoundField]:
        """The fields that are shown as lists of choices."""
        return [self[name] for name in ("plan", "schedule", "pairing")]

    def document(self) -> dict[str, Any]:
        """Return the design as it is stored."""
        data = dict(self.cleaned_data)
        share = data["qualification"]
        data["qualification"] = None if share is None else share / 100
        return data


def initial_of(design: ReadingDesign) -> dict[str, Any]:
    """Return what the form shows of a stored design."""
    share = design.qualification
    return {**document_of(design), "qualification": None if share is None else 100 * share}
