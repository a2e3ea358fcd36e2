"""Pages about manifests: what one would change, and an empty one to fill in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.pages import ActionView, CoordinatorPage
from readerstudy.intake import manifest_proposing
from readerstudy.intake.access import access_own_import
from readerstudy.intake.manifest_plan import FAULTS, SAME
from readerstudy.intake.manifest_template import FORMS, template
from readerstudy.intake.models import Import
from readerstudy.intake.options import Options
from readerstudy.studies.access import access_study

PER_PAGE = 100


class ApplyForm(forms.Form):
    """The reason that corrections are kept with."""

    reason = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept with each corrected value and in the audit log, with your name.",
        error_messages={"required": "State the reason; the corrected values are kept with it."},
    )

    def __init__(self, *args: Any, needed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = needed


class PreviewPage(CoordinatorPage, ActionView):
    """What the manifest of an upload would change; nothing has changed before Apply."""

    template_name = "intake/preview.html"
    form_class = ApplyForm

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.batch = access_own_import(pk=kwargs["pk"], user=request.user)

        self.found = manifest_proposing.proposal(self.batch) or {}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "needed": bool(self.found.get("needs_reason"))}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = self.found
        show = self.request.GET.get("show", "")
        changes = [one for one in found.get("changes", []) if show in ("", one["kind"])]
        return super().get_context_data(
            batch=self.batch,
            waits=self.batch.state == Import.State.COLLECTING,
            job=self.batch.job,
            found=found,
            faults=sum(found.get("counts", {}).get(kind, 0) for kind in FAULTS),
            fault_kinds=FAULTS,
            same_kind=SAME,
            show=show,
            page=Paginator(changes, PER_PAGE).get_page(self.request.GET.get("page")),
            **kwargs,
        )

    def act(self, data: dict[str, Any]) -> HttpResponse:
        manifest_proposing.accept(batch=self.batch, reason=data["reason"], actor=self.request.user)
        messages.success(self.request, "The manifest is being applied.")
        return redirect("import", self.batch.pk)


class CompareView(CoordinatorPage):
    """Have the manifest of an upload compared, or compared again."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: Any) -> HttpResponse:
        batch = access_own_import(pk=pk, user=request.user)
        try:
            options = Options.of(batch.options)
            manifest_proposing.propose(batch=batch, options=options, actor=request.user)
        except ReaderStudyError as error:
            messages.error(request, error.message)
        return redirect("import-preview", pk)


class TemplateView(CoordinatorPage):
    """An empty manifest, made for a study if one is named."""

    def get(self, request: HttpRequest, form: str) -> HttpResponse:
        if form not in FORMS:
            raise Http404
        pk = request.GET.get("study")
        study = access_study(pk=pk, user=request.user) if pk else None
        headers = {"Content-Disposition": f'attachment; filename="manifest.{form}"'}
        return HttpResponse(template(form, study), content_type=FORMS[form], headers=headers)
