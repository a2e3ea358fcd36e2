"""What a study offers other programs: the list of files, and its images as BIDS."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpRequest
from django.views.generic import TemplateView

from readerstudy.analysis import datasets
from readerstudy.analysis.exports import bids, dicom_sr
from readerstudy.analysis.exports.for_others import names_for_others
from readerstudy.analysis.shown_images import bids_archive
from readerstudy.studies.pages import StudyPage
from readerstudy.studies.permissions import Action


class OthersPage(StudyPage, TemplateView):
    """Every file for another program, with what reads it."""

    action = Action.EXPORT
    template_name = "analysis/others.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        data = datasets.load(self.study, actor=self.request.user)
        drawn = any(one.kind == "region" for one in data.protocol.questions)
        regions = [(dicom_sr.NAME, "DICOM SR: what readers drew, TID 1500")] if drawn else []
        files = [*names_for_others(data), *regions]
        return super().get_context_data(files=files, **kwargs)


class Bids(StudyPage):
    """The images of the study, made on demand."""

    action = Action.EXPORT

    def get(self, request: HttpRequest, **_: Any) -> FileResponse:
        data = datasets.load(self.study, actor=request.user)
        archive = bids_archive(data, actor=request.user)
        return FileResponse(archive, as_attachment=True, filename=bids.NAME)
