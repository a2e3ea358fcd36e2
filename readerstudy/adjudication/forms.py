"""Forms of adjudication."""

from __future__ import annotations

from typing import Any

from django import forms

from readerstudy.adjudication.adopting import adjudicated
from readerstudy.adjudication.finding import votable
from readerstudy.adjudication.opening import candidates
from readerstudy.studies.asking import arms_of
from readerstudy.studies.models import Membership, Question, Study
from readerstudy.truth.recording_reference import MAX_ENDPOINT


class RoundForm(forms.Form):
    """Which questions go before which panel."""

    questions = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, label="Questions to adjudicate"
    )
    panel = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, label="Panel")
    more_than = forms.IntegerField(
        min_value=0,
        max_value=20,
        initial=0,
        label="Levels count as discordant when they differ by more than",
        help_text="0: any difference. Choices without an order, and “not evaluable” beside an "
        "answer, always count.",
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by_code = {question.code: question for question in votable(study)}
        self.by_key = {str(user.pk): user for user in candidates(study)}
        self.fields["questions"].choices = [(c, q.text) for c, q in self.by_code.items()]
        adjudicators = study.memberships.filter(role=Membership.Role.ADJUDICATOR)
        seated = set(adjudicators.values_list("user", flat=True))
        self.fields["panel"].choices = [
            (key, f"{user}, {'adjudicator' if user.pk in seated else 'reader'}")
            for key, user in self.by_key.items()
        ]
        self.has_levels = any(q.kind == Question.Kind.ORDINAL for q in self.by_code.values())
        if not self.has_levels:
            self.fields["more_than"].widget = forms.HiddenInput()
            self.initial["more_than"] = 0

    def chosen(self) -> dict[str, Any]:
        """Return the arguments of opening.open_round."""
        data = self.cleaned_data
        return {
            "questions": [self.by_code[code] for code in data["questions"]],
            "panel": [self.by_key[key] for key in data["panel"]],
            "least_levels": data["more_than"] + 1,
        }


class AdoptForm(forms.Form):
    """Which consensus becomes the reference standard, under which name, and why."""

    question = forms.ChoiceField()
    arm = forms.ChoiceField(required=False)
    endpoint = forms.CharField(
        max_length=MAX_ENDPOINT,
        label="Name of the endpoint",
        help_text="Short name such as margin_consensus. Values on record under it are superseded.",
    )
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Stays with each value, with your name and the time.",
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by_code = {question.code: question for question in adjudicated(study)}
        arms = [(code, code) for code in arms_of(study)]
        self.fields["question"].choices = [(c, q.text) for c, q in self.by_code.items()]
        self.fields["arm"].choices = arms
        if len(arms) == 1:
            self.fields["arm"].widget = forms.HiddenInput()
        self.initial.setdefault("arm", arms[0][0])

    def chosen(self) -> dict[str, Any]:
        """Return the arguments of adopting.adopt_consensus."""
        data = self.cleaned_data
        arm = data["arm"] or self.fields["arm"].choices[0][0]
        return {**data, "question": self.by_code[data["question"]], "arm": arm}
