"""Forms that every app may use."""

from django import forms


class ConfirmForm(forms.Form):
    """A button and nothing to fill in."""


class ReasonForm(forms.Form):
    """A step that is kept in the audit log with its reason."""

    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the audit log with your name.",
    )


class NoteForm(forms.Form):
    """A step that may be kept in the audit log with a note."""

    note = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept in the audit log with your name.",
    )
