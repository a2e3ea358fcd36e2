"""Pages on which a study is designed and closed, and the list of readers."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.forms import ReasonForm
from readerstudy.core.pages import ActionView, CoordinatorPage
from readerstudy.readers.forms import InvitationForm
from readerstudy.studies import design, lifecycle
from readerstudy.studies.forms import DescribeForm, NewStudyForm
from readerstudy.studies.inviting import invite_reader, renew_link
from readerstudy.studies.pages import StudyAction
from readerstudy.studies.people import people_for
from readerstudy.studies.permissions import Action
from readerstudy.studies.templates.registry import TEMPLATES
from readerstudy.studies.viewing_form import ViewingForm, initial_of


class NewStudyPage(CoordinatorPage, ActionView):
    """Start a study from a template."""

    template_name = "studies/new.html"
    form_class = NewStudyForm
    extra_context = {"templates": TEMPLATES.values()}

    def get_initial(self) -> dict[str, Any]:
        first = next(iter(TEMPLATES.values()))
        return {"template": first.key, "reader_title": first.reader_title}

    def act(self, data: dict[str, Any]) -> HttpResponse:
        study = design.create_study(**data, actor=self.request.user)
        return redirect("study", study.pk)


class DescribePage(StudyAction):
    """Edit what a draft says of itself."""

    action = Action.DESIGN
    template_name = "studies/describe.html"
    form_class = DescribeForm

    def get_initial(self) -> dict[str, Any]:
        shown = ("name", "reader_title", "instructions", "programme", "checkpoint")
        initial = {name: getattr(self.study, name) for name in shown}
        return {**initial, "margin_points": f"{100 * self.study.margin:g}"}

    def act(self, data: dict[str, Any]) -> HttpResponse:
        margin = data.pop("margin_points") / 100
        design.describe(study=self.study, margin=margin, actor=self.request.user, **data)
        messages.success(self.request, "The description is saved.")
        return redirect(self.get_success_url())


class DisplayPage(StudyAction):
    """Say how the images of a draft are shown."""

    action = Action.DESIGN
    template_name = "studies/display.html"
    form_class = ViewingForm

    def get_initial(self) -> dict[str, Any]:
        return initial_of(self.study.display)

    def form_valid(self, form: Any) -> HttpResponse:
        form.cleaned_data["document"] = form.document()
        return super().form_valid(form)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        design.set_viewing(study=self.study, document=data["document"], actor=self.request.user)
        messages.success(self.request, "The display is saved.")
        return redirect(self.get_success_url())


@method_decorator(never_cache, name="dispatch")
class StudyReadersPage(StudyAction):
    """Invite readers into a draft. A personal link is shown once, right after it was made."""

    action = Action.READERS
    template_name = "studies/readers.html"
    form_class = InvitationForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        enrolments = self.study.readers.select_related("reader__profile", "reader__invitation")
        return super().get_context_data(enrolments=enrolments, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        invited = invite_reader(
            study=self.study,
            name=data.pop("name"),
            email=data.pop("email"),
            profile=data,
            link_of=self.link_of,
            actor=self.request.user,
        )
        context = self.get_context_data(form=InvitationForm(), invited=invited)
        return self.render_to_response(context)

    def link_of(self, token: str) -> str:
        """Return the full address of a personal link."""
        return self.request.build_absolute_uri(reverse("invitation", args=[token]))


class RenewLinkPage(StudyReadersPage):
    """Make a new personal link for a reader whose first link was not used."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, code: str, **_: Any) -> HttpResponse:
        enrolment = get_object_or_404(self.study.readers, code=code)
        try:
            invited = renew_link(enrolment=enrolment, link_of=self.link_of, actor=request.user)
        except ReaderStudyError as error:
            messages.error(request, error.message)
            return redirect("study-readers", self.study.pk)
        context = self.get_context_data(form=InvitationForm(), invited=invited)
        return self.render_to_response(context)


class ClosePage(StudyAction):
    """End the reading, with a reason."""

    action = Action.CLOSE
    template_name = "studies/close.html"
    form_class = ReasonForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        lifecycle.close(study=self.study, actor=self.request.user, reason=data["reason"])
        messages.success(self.request, "Reading is closed.")
        return redirect(self.get_success_url())


class ReadersPage(CoordinatorPage, TemplateView):
    """Everybody who reads, with profile and the studies of this coordinator."""

    template_name = "studies/people.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(people=people_for(self.request.user), **kwargs)
