"""Pages of adjudication: the coordinator opens and concludes, the panel votes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView
from django.views.generic.base import View

from readerstudy.adjudication import access, presentation, table, voting
from readerstudy.adjudication.adopting import adopt_consensus
from readerstudy.adjudication.concluding import conclude
from readerstudy.adjudication.forms import AdoptForm, RoundForm
from readerstudy.adjudication.opening import open_round
from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.studies import permissions
from readerstudy.studies.pages import StudyAction, StudyPage
from readerstudy.studies.permissions import Action


class AdjudicationPage(StudyAction):
    """Rounds of a closed study: open one, watch the votes, read the consensus."""

    action = Action.MANAGE
    form_class = RoundForm
    template_name = "adjudication/rounds.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "study": self.study}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sees = permissions.may(Action.ANSWERS, study=self.study, role=self.role)
        context = presentation.page_of(self.study, sees_answers=sees)
        adoption = kwargs.pop("adoption", None) or AdoptForm(study=self.study)
        return super().get_context_data(**context, adoption=adoption, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        del data
        form = self.get_form()
        form.is_valid()
        opened = open_round(study=self.study, actor=self.request.user, **form.chosen())
        messages.success(self.request, f"Round {opened.number} is before its panel.")
        return redirect("study-adjudication", self.study.pk)


class ConcludeView(StudyPage):
    """Count the votes of the open round."""

    action = Action.MANAGE

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        del request
        return redirect("study-adjudication", self.study.pk)

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        opened = self.study.rounds.filter(concluded_at__isnull=True).first()
        if opened is None:
            raise NotFound("There is no open round.")
        try:
            conclude(opened=opened, actor=request.user)
            messages.success(request, f"Round {opened.number} is concluded.")
        except ReaderStudyError as error:
            messages.error(request, error.message)
        return redirect("study-adjudication", self.study.pk)


class AdoptView(AdjudicationPage):
    """Make a consensus the reference standard."""

    http_method_names = ["post"]
    post_action = Action.REFERENCE
    form_class = AdoptForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        refused = kwargs.pop("form", None) or self.get_form()
        form = RoundForm(study=self.study)
        return super().get_context_data(adoption=refused, form=form, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        del data
        form = self.get_form()
        form.is_valid()
        made = adopt_consensus(study=self.study, actor=self.request.user, **form.chosen())
        cases = made.facts["recorded"]
        messages.success(
            self.request,
            f"Version {made.version} of {made.endpoint} is on record for {cases} "
            f"case{'' if cases == 1 else 's'}.",
        )
        return redirect("study-adjudication", self.study.pk)


class ConsensusTable(StudyPage):
    """The consensus as CSV."""

    action = Action.EXPORT

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        del request
        response = HttpResponse(table.consensus_csv(self.study), content_type="text/csv")
        response["Content-Disposition"] = 'attachment; filename="consensus.csv"'
        return response


class SeatsPage(TemplateView):
    """The panels of the signed-in person."""

    template_name = "adjudication/seats.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        seats = [
            (seat, voting.left_to_vote(seat.panels.get(concluded_at__isnull=True), seat))
            for seat in access.seats_of(self.request.user)
        ]
        return super().get_context_data(seats=seats, **kwargs)


class NextCase(View):
    """Go to the next case of a panel, or back when all votes are cast."""

    def get(self, request: HttpRequest, seat: str) -> HttpResponse:
        found, opened = access.access_seat(token=seat, user=request.user)
        reading = access.next_reading(found, opened)
        if reading is None:
            return redirect("adjudicate")
        return redirect("adjudicate-case", seat, reading.token)


@method_decorator(never_cache, name="dispatch")
class VotePage(View):
    """One discordant case: the own vote first, then the opinions and the final vote."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        seat, opened = access.access_seat(token=kwargs["seat"], user=request.user)
        self.reading = access.access_case(seat=seat, opened=opened, token=kwargs["reading"])
        self.opened = opened

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        return self._page(request)

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        stage = request.POST.get("stage", "")
        try:
            voting.vote(
                reading=self.reading,
                stage=stage,
                answers=_answers(request, self.reading),
                comment=request.POST.get("comment", ""),
            )
        except ReaderStudyError as error:
            return self._page(request, error=error)
        return redirect(request.path if stage == "own" else self._onward())

    def _onward(self) -> str:
        return f"../../{self.reading.enrolment.token}/"

    def _page(self, request: HttpRequest, error: ReaderStudyError | None = None) -> HttpResponse:
        stage = voting.stage_of(self.reading)
        seat = self.reading.enrolment
        context = {
            "seat": seat,
            "stage": stage,
            "asked": presentation.asked_of(self.reading, stage, request.POST),
            "place": presentation.place_of(self.reading, self.opened),
            "data": presentation.viewer_data(self.reading),
            "error": error,
            "comment": request.POST.get("comment", ""),
        }
        status = error.status if error else 200
        return render(request, "adjudication/vote.html", context, status=status)


def _answers(request: HttpRequest, reading: Any) -> dict[str, Any]:
    """Return the votes of the form by question."""
    found = {}
    for laid in voting.before(reading):
        value = request.POST.get(f"vote-{laid.question.code}", "")
        found[laid.question.code] = {"not_evaluable": True} if value == "-" else value
    return found
