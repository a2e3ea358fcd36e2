"""Pages on which a study is planned and rehearsed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic.base import TemplateResponseMixin

from readerstudy.cases import storage
from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.core.forms import ReasonForm
from readerstudy.rehearsal import discarding, presentation, starting, stating
from readerstudy.rehearsal.forms import DryRunForm, SizeForm
from readerstudy.rehearsal.models import Rehearsal, SampleSize
from readerstudy.rehearsal.pilots import Pilot, pilots_of
from readerstudy.stats.figures import to_svg
from readerstudy.stats.figures_planning import planning_curve
from readerstudy.stats.sample_size import AIMS, SizePlan
from readerstudy.studies.pages import StudyAction, StudyPage
from readerstudy.studies.permissions import Action


class SizeMixin(StudyPage):
    """What the planner's page and its figure share: the aim and its inputs in the address."""

    action = Action.CHECKLIST

    @property
    def aim(self) -> str:
        given = self.request.GET.get("aim") or presentation.likely_aim(self.study)
        if given not in AIMS:
            raise NotFound("There is no such aim of a sample size.")
        return given

    @cached_property
    def pilots(self) -> list[Pilot]:
        """Dry runs whose variance components the aim can use."""
        return pilots_of(self.study) if self.aim == "mrmc" else []

    @cached_property
    def pilot(self) -> Pilot | None:
        """The dry run that the address names."""
        number = self.request.GET.get("run", "")
        return next((one for one in self.pilots if str(one.number) == number), None)

    def size_form(self) -> SizeForm:
        """Return the form with what the address gives, or with what fits the study."""
        known = presentation.starting_inputs(self.study, self.aim)
        pilot = self.pilot.inputs if self.pilot else {}
        return SizeForm(known | pilot | self.request.GET.dict(), aim=self.aim)

    def source_of(self, form: SizeForm) -> str:
        """Return where the components of a plan come from; empty if they were changed by hand."""
        used = self.pilot and form.is_valid() and self.pilot.is_used(form.cleaned_data)
        return self.pilot.source if self.pilot and used else ""

    def plan(self, form: SizeForm) -> SizePlan | None:
        """Return the plan, or None beside errors in the form."""
        if not form.is_valid():
            return None
        try:
            return stating.planned(self.aim, form.cleaned_data)
        except ReaderStudyError as error:
            form.add_error(None, error.message)
            return None


class SamplePage(TemplateResponseMixin, SizeMixin):
    """Plan the size of a study, and state it in its draft."""

    post_action = Action.DESIGN
    template_name = "rehearsal/sample_size.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = self.size_form()
        plan = self.plan(form)
        return super().get_context_data(
            form=form,
            plan=plan,
            aim=self.aim,
            aims=AIMS,
            pilots=self.pilots,
            pilot=self.pilot,
            source=self.source_of(form),
            query=presentation.query_of(self.aim, form, self.pilot),
            stated=SampleSize.objects.filter(study=self.study).select_related("actor"),
            **kwargs,
        )

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        del request
        return self.render_to_response(self.get_context_data())

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        form = self.size_form()
        try:
            if not form.is_valid():
                raise ReaderStudyError("Calculate the size first.")
            stating.state_size(
                study=self.study,
                aim=self.aim,
                inputs=form.cleaned_data,
                actor=request.user,
                source=self.source_of(form),
            )
            messages.success(request, "The sample size is stated.")
        except ReaderStudyError as error:
            messages.error(request, error.message)
        query = presentation.query_of(self.aim, form, self.pilot)
        return redirect(f"{request.path}?{query}")


class SampleCurve(SizeMixin):
    """Power or width over cases, as a figure."""

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        del request
        plan = self.plan(self.size_form())
        if plan is None or not plan.curve:
            raise NotFound("There is no curve for these inputs.")
        chart = planning_curve(
            plan.curve, target=plan.target, axis=plan.measure, chosen=plan.inputs.readers
        )
        return HttpResponse(to_svg(chart), content_type="image/svg+xml")


class DryRunPage(StudyAction):
    """Start a dry run, follow it and read what came out."""

    action = Action.CHECKLIST
    post_action = Action.MANAGE
    template_name = "rehearsal/dry_run.html"
    form_class = DryRunForm

    def get_initial(self) -> dict[str, Any]:
        return {"readers": max(self.study.readers.count(), 2)}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        runs = list(Rehearsal.objects.filter(study=self.study))
        number = self.request.GET.get("run", "")
        shown = next((run for run in runs if str(run.number) == number), runs[0] if runs else None)
        return super().get_context_data(
            runs=runs, run=shown, shown=presentation.outcome_of(shown), **kwargs
        )

    def act(self, data: dict[str, Any]) -> HttpResponse:
        starting.start_rehearsal(
            study=self.study,
            actor=self.request.user,
            readers=data["readers"],
            seed=data["seed"],
            images=data["images"],
            stated={name: value for name, value in data.items() if name not in DRY_RUN_OWN},
        )
        return redirect("study-dry-run", self.study.pk)


DRY_RUN_OWN = ("readers", "seed", "images")


class DiscardPage(StudyAction):
    """Discard the simulated readings of a dry run."""

    http_method_names = ["post"]
    form_class = ReasonForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        run = get_object_or_404(Rehearsal, study=self.study, number=self.kwargs["number"])
        discarding.discard(rehearsal=run, actor=self.request.user, reason=data["reason"])
        messages.success(self.request, "The simulated readings are gone; the result stays.")
        return redirect(f"{reverse('study-dry-run', args=[self.study.pk])}?run={run.number}")

    def refused(self, form: Any, *, status: int) -> HttpResponse:
        del status
        messages.error(self.request, " ".join(form.errors.get("__all__", ["Give a reason."])))
        return redirect("study-dry-run", self.study.pk)


class DryRunExport(StudyPage):
    """The export of a dry run, under codes of its own."""

    def get(self, request: HttpRequest, number: int, **_: Any) -> HttpResponse:
        del request
        run = get_object_or_404(Rehearsal, study=self.study, number=number)
        if not run.archive:
            raise NotFound("This dry run has no export.")
        with storage.open_verified(run.archive) as stored:
            response = HttpResponse(stored.read(), content_type="application/zip")
        name = f"dry-run-{run.number}-simulated.zip"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
