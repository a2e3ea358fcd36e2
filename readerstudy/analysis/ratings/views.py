"""Pages of imports of ratings: file, columns, questions, analyses, check, results."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import formset_factory
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.generic import TemplateView

from readerstudy.analysis.document import Figure, Table
from readerstudy.analysis.importing.faults import KINDS
from readerstudy.analysis.importing.mapping import LONG, READERS, parse
from readerstudy.analysis.models import RatingsImport
from readerstudy.analysis.presentation import page_of
from readerstudy.analysis.ratings import changing, computing, planning, storing, uploading
from readerstudy.analysis.ratings.access import access_import, imports_of
from readerstudy.analysis.ratings.defining import arms_for, headers_of, questions_for, samples_of
from readerstudy.analysis.ratings.downloading import CONTENT_TYPES, file_named, offered_files
from readerstudy.analysis.ratings.forms import (
    ColumnsForm,
    DeleteForm,
    PlanForm,
    QuestionForm,
    StoreForm,
    StudyForm,
    UploadForm,
    columns_initial,
    question_initial,
    study_initial,
)
from readerstudy.analysis.views import DRAWN, TYPES, attachment
from readerstudy.analysis.writing.table_csv import table_csv
from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.core.pages import ActionView, CoordinatorPage
from readerstudy.studies.analysis_plan import document_of

PER_PAGE = 100
Draft = RatingsImport.State.DRAFT


class ImportsPage(CoordinatorPage, TemplateView):
    """Every import of the coordinator."""

    template_name = "ratings/imports.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = Paginator(imports_of(self.request.user), PER_PAGE)
        return super().get_context_data(page=rows.get_page(self.request.GET.get("page")), **kwargs)


class NewImport(CoordinatorPage, ActionView):
    """Step 1: the files."""

    template_name = "ratings/upload.html"
    form_class = UploadForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        row = uploading.upload(actor=self.request.user, **data)
        step = "ratings-check" if data["mapping"] else "ratings-columns"
        return redirect(step, row.pk)


class DraftPage(CoordinatorPage):
    """A step of a draft."""

    step = 0

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.row = access_import(pk=kwargs["pk"], user=request.user)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if self.row.state != Draft:
            return redirect("ratings-import", self.row.pk)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(row=self.row, step=self.step, **kwargs)


class ColumnsPage(DraftPage, ActionView):
    """Step 2: what each column means."""

    step = 1
    template_name = "ratings/columns.html"
    form_class = ColumnsForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "headers": headers_of(self.row)}

    def get_initial(self) -> dict[str, Any]:
        return columns_initial(self.row.mapping, headers_of(self.row))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        samples = samples_of(self.row)
        return super().get_context_data(
            samples=samples, rows=len(self.row.table["lines"]), notes=self.row.table["notes"],
            **kwargs,
        )  # fmt: skip

    def act(self, data: dict[str, Any]) -> HttpResponse:
        wanted = data["mapping"]
        wanted["questions"] = questions_for(self.row, wanted, data["answers"])
        wanted["arms"] = arms_for(self.row, wanted)
        changing.note_columns(row=self.row, wanted=wanted, actor=self.request.user)
        return redirect("ratings-questions", self.row.pk)


class QuestionsPage(DraftPage, TemplateView):
    """Step 3: the questions with their levels, arms, and how origins are written."""

    step = 2
    template_name = "ratings/questions.html"

    def forms(self, data: Any = None) -> dict[str, Any]:
        mapping = self.row.mapping
        made = formset_factory(QuestionForm, extra=0)
        references = list(mapping.get("references", {}))
        return {
            "formset": made(
                data,
                initial=[question_initial(one) for one in mapping.get("questions", [])],
                form_kwargs={"references": references},
            ),
            "study": StudyForm(data, initial=study_initial(mapping)),
            "by_source": mapping.get("form") not in (LONG, READERS),
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = kwargs if "formset" in kwargs else {**self.forms(), **kwargs}
        return super().get_context_data(**found)

    def post(self, request: HttpRequest, **_: Any) -> HttpResponse:
        sent = self.forms(request.POST)
        if not (sent["formset"].is_valid() and sent["study"].is_valid()):
            return self.render_to_response(self.get_context_data(**sent), status=400)
        questions = [one.document() for one in sent["formset"]]
        wanted = {"questions": questions, **sent["study"].document(), "plan": []}
        try:
            changing.note_mapping(row=self.row, wanted=wanted, actor=request.user)
        except ReaderStudyError as error:
            context = self.get_context_data(**sent, refusal=error.message)
            return self.render_to_response(context, status=error.status)
        return redirect("ratings-plan", self.row.pk)


class PlanPage(DraftPage, ActionView):
    """Step 4: what is computed, and whether it was planned before."""

    step = 3
    template_name = "ratings/plan.html"
    form_class = PlanForm

    def get_form_kwargs(self) -> dict[str, Any]:
        mapping = parse(self.row.mapping)
        kept = {one.code: one for one in (*planning.offered(mapping), *mapping.plan)}
        return {**super().get_form_kwargs(), "offered": tuple(kept.values())}

    def get_initial(self) -> dict[str, Any]:
        mapping = parse(self.row.mapping)
        plan = mapping.plan or planning.offered(mapping)
        primary = next((one.code for one in mapping.plan if one.primary), "")
        attested = self.row.mapping.get("attested") or {}
        codes = [one.code for one in plan]
        return {"analyses": codes, "primary": primary, "attested": bool(attested), **attested}

    def act(self, data: dict[str, Any]) -> HttpResponse:
        plan = planning.chosen(parse(self.row.mapping), data["analyses"], data["primary"])
        wanted = {"plan": document_of(plan), "attested": data["attestation"]}
        changing.note_mapping(row=self.row, wanted=wanted, actor=self.request.user)
        return redirect("ratings-check", self.row.pk)


class CheckPage(DraftPage, ActionView):
    """Step 5: every fault, row by row; then the ratings are stored."""

    step = 4
    template_name = "ratings/check.html"
    form_class = StoreForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        try:
            found = storing.examined(self.row)
        except ReaderStudyError as error:
            return super().get_context_data(refusal=error.message, **kwargs)
        kind = self.request.GET.get("show", "")
        listed = [one for one in found.faults if kind in ("", one.kind)]
        counts = {key: sum(one.kind == key for one in found.faults) for key in KINDS}
        return super().get_context_data(
            found=found,
            show=kind,
            counts=[(key, words, counts[key]) for key, words in KINDS.items() if counts[key]],
            page=Paginator(listed, PER_PAGE).get_page(self.request.GET.get("page")),
            **kwargs,
        )

    def act(self, data: dict[str, Any]) -> HttpResponse:
        storing.store(row=self.row, leave_out=data["leave_out"], actor=self.request.user)
        messages.success(self.request, "The ratings are stored. The file itself is not kept.")
        return redirect("ratings-import", self.row.pk)


class ImportPage(CoordinatorPage, TemplateView):
    """The results of stored ratings, or how far the analysis is."""

    template_name = "ratings/results.html"

    def get(self, request: HttpRequest, pk: Any, **_: Any) -> HttpResponse:  # type: ignore[override]
        row = access_import(pk=pk, user=request.user)
        if row.state == Draft:
            return redirect("ratings-check" if row.mapping.get("plan") else "ratings-columns", pk)
        computing.start(row=row, actor=request.user)
        if row.document is None:
            return render(request, "ratings/at_work.html", {"row": row})
        shown = page_of(computing.results_of(row), reads_url="")
        files = offered_files(row)
        address = reverse("ratings-import", args=[pk])
        context = {"row": row, "files": files, "results_url": address, **shown}
        return self.render_to_response(self.get_context_data(**context))


class ResultPart(CoordinatorPage):
    """One figure or table of the results."""

    kind: type[Any] = Figure

    def get(self, request: HttpRequest, pk: Any, name: str) -> HttpResponse:
        row = access_import(pk=pk, user=request.user)
        code, _, ending = name.rpartition(".")
        for section, block in computing.results_of(row).blocks():
            if isinstance(block, self.kind) and f"{section.code}.{block.code}" == code:
                return self.sent(block, f".{ending}", name)
        raise NotFound("The results have no such part. They may have been computed again.")

    def sent(self, block: Any, ending: str, name: str) -> HttpResponse:
        del name
        if ending not in DRAWN:
            raise NotFound("A figure can be had as svg, png, pdf or json.")
        return HttpResponse(DRAWN[ending](block), content_type=TYPES[ending])


class ResultTable(ResultPart):
    """One table at full precision."""

    kind = Table

    def sent(self, block: Any, ending: str, name: str) -> HttpResponse:
        del ending
        return attachment(table_csv(block).encode(), name, "text/csv")


class Download(CoordinatorPage):
    """One file of an import: mapping, facts, results, report, exports for other programs."""

    def get(self, request: HttpRequest, pk: Any, name: str) -> HttpResponse:
        row = access_import(pk=pk, user=request.user)
        content = file_named(row, name)
        if content is None:
            raise NotFound("There is no such file of this import.")
        kind = CONTENT_TYPES.get(name[name.rfind(".") :], "text/plain")
        return attachment(content, name, kind)


class DeletePage(CoordinatorPage, ActionView):
    """Delete an import with its ratings and results."""

    template_name = "ratings/delete.html"
    form_class = DeleteForm

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.row = access_import(pk=kwargs["pk"], user=request.user)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(row=self.row, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        changing.delete(row=self.row, reason=data["reason"], actor=self.request.user)
        messages.success(self.request, f"“{self.row.name}” was deleted.")
        return redirect("ratings-imports")
