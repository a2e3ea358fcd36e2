"""The form for the limits of the sentinel."""

from __future__ import annotations

from django import forms

from readerstudy.core.forms import ReasonForm


class LimitsForm(ReasonForm):
    """When a cue blocks the launch of this study."""

    auc = forms.FloatField(
        label="Limit of the AUC",
        help_text="A cue blocks above it, if the test is significant too. Usual: 0.6.",
    )
    p = forms.FloatField(
        label="Level of the test",
        help_text="How often a study without any cue would be accused. Usual: 0.01.",
    )
    least_ms = forms.FloatField(
        label="Least difference in time, ms",
        help_text="A smaller difference in response time does not count. Usual: 5.",
    )
    content_blocks = forms.BooleanField(
        label="Noise and extent block too",
        required=False,
        help_text="They are image content. Choose it where both classes were harmonised on "
        "purpose, and a difference would be a fault.",
    )
    field_order = ("auc", "p", "least_ms", "content_blocks", "reason")
