"""The page that sets scores of images beside what readers said of them."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.generic import TemplateView

from readerstudy.analysis.document import Figure, Table
from readerstudy.analysis.presentation import section_of
from readerstudy.analysis.views import DRAWN, TYPES, attachment
from readerstudy.analysis.writing.table_csv import table_csv
from readerstudy.core.errors import NotFound
from readerstudy.studies.pages import StudyPage
from readerstudy.studies.permissions import Action
from synthesis.readers_compared import compared


class ReadersCompared(StudyPage, TemplateView):
    """Scores and readers, per image and per generator."""

    action = Action.RESULTS
    template_name = "synthesis/readers_compared.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sections = compared(self.study, actor=self.request.user)
        return super().get_context_data(
            shown_sections=[section_of(one, "") for one in sections],
            results_url=reverse("study-image-scores", args=[self.study.pk]),
            **kwargs,
        )


class ComparedPart(StudyPage):
    """One figure or table of the comparison, named "section.block.ending"."""

    action = Action.RESULTS

    def get(self, request: HttpRequest, name: str, **_: Any) -> HttpResponse:
        code, _dot, ending = name.rpartition(".")
        for section in compared(self.study, actor=request.user):
            for block in section.blocks:
                if isinstance(block, Table) and f"{section.code}.{block.code}" == code:
                    return attachment(table_csv(block).encode(), name, "text/csv")
                if isinstance(block, Figure) and f"{section.code}.{block.code}" == code:
                    return self._drawn(block, f".{ending}")
        raise NotFound("The comparison has no such part.")

    def _drawn(self, figure: Figure, ending: str) -> HttpResponse:
        if ending not in DRAWN:
            raise NotFound("A figure can be had as svg, png, pdf or json.")
        return HttpResponse(DRAWN[ending](figure), content_type=TYPES[ending])
