"""Pages of imports: the list, the upload, one import with its result."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET
from django.views.generic import TemplateView

from readerstudy.core.forms import ConfirmForm
from readerstudy.core.pages import ActionView, CoordinatorPage
from readerstudy.intake import (
    accepting,
    closing,
    manifest_proposing,
    opening,
    receiving,
    results,
    starting,
)
from readerstudy.intake.access import access_import, access_own_import, access_to_end
from readerstudy.intake.forms import StartForm, options_of
from readerstudy.intake.limits import size_text
from readerstudy.intake.listing import rows
from readerstudy.intake.models import Import
from readerstudy.intake.options import FACES, ORIGINS
from readerstudy.intake.states import is_running, state_of

PER_PAGE = 20
COLLECTING = Import.State.COLLECTING


class ImportsPage(CoordinatorPage, TemplateView):
    """All imports, newest first."""

    template_name = "intake/imports.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        imports = Import.objects.select_related("job", "created_by")
        page = Paginator(imports, PER_PAGE).get_page(self.request.GET.get("page"))
        return super().get_context_data(page=page, rows=rows(page, self.request.user), **kwargs)


class UploadPage(CoordinatorPage, ActionView):
    """Choose files and say what they are; works as a plain form, better with script."""

    template_name = "intake/upload.html"
    form_class = StartForm
    batch: Import | None = None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        limits = {
            "files": f"{settings.INTAKE_MAX_FILES:,}",
            "file": size_text(settings.INTAKE_MAX_FILE_BYTES),
            "total": size_text(settings.INTAKE_MAX_TOTAL_BYTES),
            "plain": settings.DATA_UPLOAD_MAX_NUMBER_FILES,
        }
        known = receiving.known_files(self.batch) if self.batch else []
        return super().get_context_data(
            batch=self.batch,
            limits=limits,
            known=len(known),
            whole=sum(one.is_whole for one in known),
            **kwargs,
        )

    def act(self, data: dict[str, Any]) -> HttpResponse:
        batch = self.batch or opening.open_upload(actor=self.request.user)
        try:
            accepting.accept(batch=batch, files=data["files"])
            return redirect(self.go_on(batch, data), batch.pk)
        except Exception:
            if self.batch is None:
                closing.cancel(batch=batch, actor=self.request.user)
            raise

    def go_on(self, batch: Import, data: dict[str, Any]) -> str:
        """Start the upload, or have its manifest compared first; return which page shows it."""
        actor, options = self.request.user, options_of(data)
        if data["manifest"] is not None:
            starting.keep_manifest(batch=batch, file=data["manifest"])
        if data["leave_out"]:
            starting.leave_out_rest(batch=batch)
        if manifest_proposing.has_manifest(batch):
            manifest_proposing.propose(batch=batch, options=options, actor=actor)
            return "import-preview"
        starting.start_upload(batch=batch, options=options, actor=actor)
        return "import"


class StartView(UploadPage):
    """Start an upload whose files have come; the page of it, if something is in the way."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.batch = access_own_import(pk=kwargs["pk"], user=request.user)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.batch is None or self.batch.state != COLLECTING:
            return redirect("import", kwargs["pk"])
        return super().get(request, *args, **kwargs)


class ImportPage(CoordinatorPage, TemplateView):
    """One import: its progress, then what became of each file."""

    template_name = "intake/import.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.batch = access_import(pk=kwargs["pk"], user=request.user)
        if self.batch.state == COLLECTING and self.batch.created_by == request.user:
            return redirect("import-start", self.batch.pk)
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        show = self.request.GET.get("show", "")
        show = show if show in results.SHOWS else ""
        options = self.batch.options
        return super().get_context_data(
            batch=self.batch,
            state=state_of(self.batch),
            running=is_running(self.batch),
            may_end=self.request.user.is_superuser or self.batch.created_by == self.request.user,
            summary=results.summary_of(self.batch),
            page=results.page_of(self.batch, show=show, number=self.request.GET.get("page")),
            show=show,
            shows=results.SHOWS.items(),
            origin=ORIGINS.get(options.get("origin", ""), ""),
            faces=FACES.get(options.get("faces", ""), ""),
            **kwargs,
        )


class EndView(CoordinatorPage, ActionView):
    """Cancel an upload, or close an import; both remove the names of the source."""

    form_class = ConfirmForm
    template_name = "intake/end.html"
    http_method_names = ["post"]

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.batch = access_to_end(pk=kwargs["pk"], user=request.user)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        del data
        if self.batch.state == COLLECTING:
            closing.cancel(batch=self.batch, actor=self.request.user)
            return redirect("imports")
        closing.close(batch=self.batch, actor=self.request.user)
        return redirect("import", self.batch.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        back = reverse("import", args=[self.batch.pk])
        return super().get_context_data(batch=self.batch, back=back, **kwargs)


@require_GET
def import_table(request: HttpRequest, pk: Any) -> HttpResponse:
    """Return the list of an import as CSV."""
    batch = access_import(pk=pk, user=request.user)
    show = request.GET.get("show", "")
    name = f"import-{batch.created_at:%Y-%m-%d}-{str(batch.pk)[:8]}.csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
    content = results.table_of(batch, show=show if show in results.SHOWS else "")
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)
