"""Pages about the versions of a protocol, its copies, and its place on the list."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.generic import TemplateView

from readerstudy.core.errors import NotAllowed
from readerstudy.core.forms import ReasonForm
from readerstudy.studies import cloning, deviations, lifecycle
from readerstudy.studies.differences import pieces
from readerstudy.studies.pages import StudyAction, StudyPage
from readerstudy.studies.permissions import Action


class VersionsPage(StudyPage, TemplateView):
    """The protocol as locked and every amendment, with what it changed."""

    action = Action.PROTOCOL
    template_name = "studies/versions.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = self.study.amendments.select_related("actor").order_by("-version")
        versions = [
            {
                "amendment": one,
                "changes": [
                    {"what": change["what"], "pieces": pieces(change["old"], change["new"])}
                    for change in one.changes
                ],
                "acknowledged": list(
                    one.acknowledgements.order_by("enrolment__code").values_list(
                        "enrolment__code", flat=True
                    )
                ),
            }
            for one in found
        ]
        return super().get_context_data(versions=versions, **kwargs)


class CloneForm(forms.Form):
    """What the copy is called and what comes with it."""

    name = forms.CharField(max_length=120, help_text="For the staff; readers never see it.")
    with_cases = forms.BooleanField(required=False, initial=True, label="The same cases")
    with_readers = forms.BooleanField(
        required=False, label="The same readers, under new codes and in a new order"
    )


class ClonePage(StudyAction):
    """Make a draft with the same design."""

    action = Action.CLONE
    template_name = "studies/clone.html"
    form_class = CloneForm

    def get_initial(self) -> dict[str, Any]:
        return {"name": f"{self.study.name}, copy"[:120], "with_cases": True}

    def act(self, data: dict[str, Any]) -> HttpResponse:
        if not self.request.user.may_coordinate:
            raise NotAllowed("Only who may create studies may clone one.")
        clone = cloning.clone_study(study=self.study, actor=self.request.user, **data)
        messages.success(self.request, "The copy is a draft of its own, with no answers.")
        return redirect("study", clone.pk)


class ArchivePage(StudyAction):
    """Take a study off the list, or put it back."""

    action = Action.ARCHIVE
    template_name = "studies/archive.html"
    form_class = ReasonForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        change = lifecycle.unarchive if self.study.archived_at else lifecycle.archive
        change(study=self.study, actor=self.request.user, reason=data["reason"])
        messages.success(self.request, "The list of studies is changed; nothing was deleted.")
        return redirect("studies")


class DeviationForm(forms.Form):
    """What departed from the protocol, seen by a person."""

    text = forms.CharField(max_length=200, label="What happened")
    happened_on = forms.DateField(
        label="Day", widget=forms.DateInput(attrs={"type": "date", "class": "input"})
    )
    code = forms.ChoiceField(required=False, label="Reader")
    reason = forms.CharField(max_length=500, required=False, label="Why, and what was done")

    def __init__(self, *args: Any, codes: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        none = [("", "The whole study")]
        self.fields["code"].choices = none + [(code, code) for code in codes]  # type: ignore[attr-defined]


class DeviationsPage(StudyAction):
    """The register of deviations, with a form for what the system cannot see."""

    action = Action.DEVIATIONS
    post_action = Action.PROGRESS
    template_name = "studies/deviations.html"
    form_class = DeviationForm

    def get_form_kwargs(self) -> dict[str, Any]:
        codes = list(self.study.readers.values_list("code", flat=True))
        return {**super().get_form_kwargs(), "codes": codes}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(entries=deviations.deviations_of(self.study), **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        deviations.record_deviation(study=self.study, actor=self.request.user, **data)
        messages.success(self.request, "The deviation is on record.")
        return redirect("study-deviations", self.study.pk)
