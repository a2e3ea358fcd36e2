"""Forms of adjudication."""

from __future__ import annotations

from typing import Any

from django import forms

from readerstudy.adjudication.finding import votable
from readerstudy.adjudication.opening import candidates
from readerstudy.studies.models import Study


class RoundForm(forms.Form):
    """Which questions go before which panel."""

    questions = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label="Questions to adjudicate"
    )
    panel = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, label="Panel")
    least_levels = forms.IntegerField(
        min_value=1,
        max_value=20,
        initial=1,
        label="Levels apart",
        help_text="On an ordered scale, answers count as discordant from this distance on.",
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by_code = {question.code: question for question in votable(study)}
        self.by_key = {str(user.pk): user for user in candidates(study)}
        self.fields["questions"].choices = [(c, q.text) for c, q in self.by_code.items()]
        self.fields["panel"].choices = [(key, str(user)) for key, user in self.by_key.items()]

    def chosen(self) -> dict[str, Any]:
        """Return the arguments of opening.open_round."""
        data = self.cleaned_data
        return {
            "questions": [self.by_code[code] for code in data["questions"]],
            "panel": [self.by_key[key] for key in data["panel"]],
            "least_levels": data["least_levels"],
        }
