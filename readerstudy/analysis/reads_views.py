"""Pages of the reads behind a number, for whoever may see the results."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import TemplateView

from readerstudy.analysis.reads_behind import Behind, Filters
from readerstudy.cases.models import Series
from readerstudy.cases.thumbnails import SIZES, thumbnail
from readerstudy.core.errors import NotFound
from readerstudy.studies.pages import StudyPage
from readerstudy.studies.permissions import Action

PER_PAGE = 12


@method_decorator(never_cache, name="dispatch")
class ReadsPage(StudyPage, TemplateView):
    """The reads that some filters leave, with images, answers, times and truth."""

    action = Action.RESULTS
    template_name = "analysis/reads.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        given = self.request.GET
        behind = Behind(self.study, Filters.of(given.dict()), actor=self.request.user)
        page = Paginator(behind.keys(), PER_PAGE).get_page(given.get("page"))
        return super().get_context_data(
            chips=behind.chips(), page=page, reads=behind.shown(page.object_list), **kwargs
        )


class ReadPicture(StudyPage):
    """The picture of one series of the study, for those too who have no list of cases."""

    action = Action.RESULTS

    def get(self, request: HttpRequest, pk: Any, series: Any) -> HttpResponse:
        del pk
        found = Series.objects.filter(pk=series, case__in=self.study.cases.values("pk")).first()
        if found is None:
            raise NotFound("There is no such series in this study.")
        size = request.GET.get("size", "small")
        content = thumbnail(found, size if size in SIZES else "small")
        headers = {"Cache-Control": "private, max-age=86400"}
        return HttpResponse(content, content_type="image/png", headers=headers)
