"""Pages for the staff: the studies, the board, lock and launch."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.generic import TemplateView

from readerstudy.core.forms import NoteForm
from readerstudy.reading import announcing, board_page, launching, listing, scheduling
from readerstudy.studies import overview, permissions
from readerstudy.studies.models import Study
from readerstudy.studies.pages import StaffPage, StudyAction, StudyPage
from readerstudy.studies.permissions import Action
from readerstudy.studies.steps import steps_of


class StudiesPage(StaffPage, TemplateView):
    """The studies of a member of the staff."""

    template_name = "reading/studies.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, archived = self.request.user, "archived" in self.request.GET
        return super().get_context_data(
            studies=listing.studies_for(user, archived=archived), archived=archived, **kwargs
        )


class StudyOverview(StudyPage):
    """The page of a study: steps of a draft, the checklist until launch, then the board."""

    action = Action.SEE

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        if not permissions.may(self._wanted, study=self.study, role=self.role):
            opened = self.get_context_data(**overview.shown_to(self.study, self.role))
            return render(request, "studies/overview.html", opened)
        if self.study.state == Study.State.LOCKED:
            return redirect("study-launch", self.study.pk)
        if self.study.state == Study.State.DRAFT:
            context = self.get_context_data(steps=steps_of(self.study))
            return render(request, "studies/draft.html", context)
        context = self.get_context_data(**board_page.context_of(self.study))
        return render(request, "reading/board.html", context)

    @property
    def _wanted(self) -> Action:
        return Action.DESIGN if self.study.state == Study.State.DRAFT else Action.PROGRESS


class LaunchForm(NoteForm):
    """The launch, with the letter that tells readers of it."""

    send_letters = forms.BooleanField(
        required=False,
        initial=True,
        label="Tell the readers by e-mail",
        help_text="“The study is open”, in the words of the page Letters",
    )


class ChecklistPage(StudyAction):
    """The checklist with the one step that comes next: lock a draft, launch a locked study."""

    action = Action.CHECKLIST
    template_name = "reading/launch.html"
    form_class: type[forms.Form] = NoteForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        self.study.refresh_from_db()
        return super().get_context_data(
            launching=launching.state_of(self.study),
            job=launching.preparation_of(self.study),
            **kwargs,
        )


class LaunchPage(ChecklistPage):
    """Open the reading."""

    post_action = Action.LAUNCH
    form_class = LaunchForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        actor = self.request.user
        study = scheduling.launch(study=self.study, actor=actor, note=data["note"])
        messages.success(self.request, "Reading is open.")
        if data["send_letters"]:
            told = announcing.announce(study=study, actor=actor)
            level = messages.ERROR if told.failed else messages.SUCCESS
            messages.add_message(self.request, level, told.sentence)
        return redirect("study", self.study.pk)


class LockPage(ChecklistPage):
    """Freeze the protocol and draw the allocation."""

    post_action = Action.LOCK

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        del request, args, kwargs
        return redirect("study-launch", self.study.pk)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        actor = self.request.user
        scheduling.lock_and_allocate(study=self.study, actor=actor, note=data["note"])
        messages.success(self.request, "The protocol is locked and the allocation is drawn.")
        return redirect("study-launch", self.study.pk)


class CertificateView(StudyPage):
    """The certificate of the allocation, as a file."""

    action = Action.PROTOCOL

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        del request
        response = JsonResponse(scheduling.certificate(self.study), json_dumps_params={"indent": 1})
        name = f"allocation-{self.study.protocol_hash[:8]}.json"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
