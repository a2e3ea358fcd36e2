"""The auditor's page of one study. It changes nothing."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.generic import TemplateView

from readerstudy.core import audit_pages
from readerstudy.reading import study_audit
from readerstudy.studies import deviations
from readerstudy.studies.pages import StudyPage
from readerstudy.studies.permissions import Action

BROKEN = "case unblinded"


class StudyAuditPage(StudyPage, TemplateView):
    """Records, hashes, amendments, unblindings and deviations of one study."""

    action = Action.AUDIT
    http_method_names = ["get", "head"]
    template_name = "reading/study_audit.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        action = self.request.GET.get("action", "")
        records = study_audit.records_of(self.study)
        page = audit_pages.page_of(records, action=action, number=self.request.GET.get("page"))
        entries = deviations.deviations_of(self.study)
        return super().get_context_data(
            seals=study_audit.seals_of(self.study),
            entries=entries,
            broken=[entry for entry in entries if entry.kind == BROKEN],
            unblinded=records.filter(action="study.unblinded").first(),
            amendments=self.study.amendments.select_related("actor").order_by("version"),
            page=page,
            lines=audit_pages.lines(page),
            actions=audit_pages.actions(records),
            chosen=action,
            **kwargs,
        )


class StudyAuditFile(StudyPage):
    """The audit records of one study as a table."""

    action = Action.AUDIT

    def get(self, request: HttpRequest, **_: Any) -> HttpResponse:
        del request
        out = io.StringIO()
        writer = csv.DictWriter(out, fieldnames=study_audit.COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(study_audit.csv_rows(self.study))
        response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="audit.csv"'
        return response
