"""The pages of the display check: begin, one target after another, the result."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django.views.generic import TemplateView

from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.core.pages import ActionView
from readerstudy.readers import display_check_drawing as drawing
from readerstudy.readers import display_check_recording as recording
from readerstudy.readers import display_check_result as result
from readerstudy.readers import display_check_run as runs
from readerstudy.readers import display_check_validity as validity
from readerstudy.readers.display_check_device import browser_of
from readerstudy.readers.display_check_verdict import Conditions
from readerstudy.readers.forms import DisplayCheckForm

READING = re.compile(r"/read/(?:[\w-]+/)?")


def goal_of(text: str) -> str:
    """Return the page of a study to go on to, or the reader's first page for anything else."""
    return text if READING.fullmatch(text) else reverse("reader-home")


@method_decorator(never_cache, name="dispatch")
class CheckPage(ActionView):
    """Begin a display check, or go on with the one under way."""

    form_class = DisplayCheckForm
    template_name = "readers/display_check.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        run = runs.present(request.session, device=validity.device_from(request))
        if run is None:
            return super().get(request, *args, **kwargs)
        if "next" in request.GET:
            run = runs.aim(request.session, run, goal=goal_of(request.GET["next"]))
        shown = {"run": run, "size": drawing.SIZE, "total": len(run.targets)}
        return TemplateResponse(request, "readers/display_check_target.html", shown)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user, device = self.request.user, validity.device_from(self.request)
        return super().get_context_data(
            goal=goal_of(self.request.GET.get("next") or self.request.POST.get("goal", "")),
            policy=validity.policy(),
            standing=validity.standing(user=user, device=device),
            **kwargs,
        )

    def act(self, data: dict[str, Any]) -> HttpResponse:
        device = validity.device_from(self.request)
        if device is None:
            raise ReaderStudyError(recording.NO_DEVICE)
        given = Conditions(
            width=data["width"],
            height=data["height"],
            colour_depth=device.colour_depth,
            zoom=data["zoom"],
            light=data["light"],
        )
        browser, goal = browser_of(self.request.headers.get("User-Agent", "")), data["goal"]
        session = self.request.session
        runs.begin(session, device=device, conditions=given, browser=browser, goal=goal_of(goal))
        return redirect("display-check")


@require_safe
@never_cache
def patch(request: HttpRequest, place: int) -> HttpResponse:
    """Return the picture of the target that is to be answered now, and of no other."""
    run = runs.require(request.session, device=validity.device_from(request))
    if place != run.place or run.is_finished:
        raise NotFound("This target is not to be answered now.")
    picture = drawing.png(run.targets[place])
    return HttpResponse(picture, content_type="image/png")


@require_POST
def answer(request: HttpRequest) -> HttpResponse:
    """Keep one answer; after the last one, the verdict."""
    run = runs.present(request.session, device=validity.device_from(request))
    if run is None:  # sent twice, or after half an hour
        return redirect("display-check")
    text = "" if "nothing" in request.POST else request.POST.get("answer", "")
    place = request.POST.get("place", "")
    run = runs.answer(request.session, run, place=place, text=text)
    if not run.is_finished:
        return redirect("display-check")
    check = recording.record_run(user=request.user, run=run)
    runs.forget(request.session)
    return redirect(result.address(check, goal=run.goal))


@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Give up the check under way and start from the first page."""
    runs.forget(request.session)
    return redirect(result.start_address(goal=goal_of(request.POST.get("goal", ""))))


@require_POST
def skip(request: HttpRequest) -> HttpResponse:
    """Go on to the reading without a passed check; kept on record."""
    device = validity.device_from(request)
    recording.skip(user=request.user, device=device)
    runs.forget(request.session)
    return redirect(goal_of(request.POST.get("goal", "")))


@method_decorator(never_cache, name="dispatch")
class ResultPage(TemplateView):
    """What a check found, and what to do."""

    template_name = "readers/display_check_result.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        check = result.own_check(user=self.request.user, pk=self.kwargs["pk"])
        return super().get_context_data(
            check=check,
            goal=goal_of(self.request.GET.get("next", "")),
            until=validity.good_until(check),
            policy=validity.policy(),
            **kwargs,
        )


@method_decorator(never_cache, name="dispatch")
class CardView(TemplateView):
    """The card of this display on the reader's first page, after the screen has changed."""

    template_name = "readers/display_check_card.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        device = validity.device_from(self.request)
        standing = validity.standing(user=self.request.user, device=device)
        return super().get_context_data(standing=standing, **kwargs)
