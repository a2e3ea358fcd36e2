"""The page on the e-mails of a study."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from readerstudy.studies import letters
from readerstudy.studies.models import Letter
from readerstudy.studies.pages import StudyAction
from readerstudy.studies.permissions import Action

SHOWN = 50


class LettersForm(forms.Form):
    """The study's own words, and the schedule."""

    invitation = forms.CharField(
        required=False,
        max_length=letters.LIMIT,
        label="In the invitation",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    opening = forms.CharField(
        required=False,
        max_length=letters.LIMIT,
        label="In the letter that the study is open",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    reminder = forms.CharField(
        required=False,
        max_length=letters.LIMIT,
        label="In the reminder",
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    remind_every_days = forms.IntegerField(
        min_value=0,
        max_value=90,
        label="Remind after so many days of silence",
        help_text=f"{letters.LEAST_DAYS} or more; 0: only when you send one.",
    )


class LettersPage(StudyAction):
    """Own words in the letters, the schedule, and what was sent."""

    action = Action.READERS
    template_name = "studies/letters.html"
    form_class = LettersForm

    def get_initial(self) -> dict[str, Any]:
        return letters.texts_of(self.study)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sent = Letter.objects.filter(enrolment__study=self.study)
        shown = sent.select_related("enrolment", "sent_by")[:SHOWN]
        versions = self.study.letter_versions.select_related("actor")
        return super().get_context_data(sent=shown, versions=versions, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        letters.set_texts(study=self.study, actor=self.request.user, **data)
        messages.success(self.request, "The letters are saved.")
        return redirect("study-letters", self.study.pk)
