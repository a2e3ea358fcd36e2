"""The question builder: one page for each question, and the actions beside it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.generic import TemplateView, View

from readerstudy.core.errors import NotAllowed, ReaderStudyError
from readerstudy.studies import examples, planning_analysis, questioning
from readerstudy.studies.asking import arms_of
from readerstudy.studies.builder import full_page_of, page_of, source_named
from readerstudy.studies.models import Question
from readerstudy.studies.pages import StudyAction, StudyPage
from readerstudy.studies.permissions import Action
from readerstudy.studies.question_form import QuestionForm, initial_of


class QuestionsPage(StudyAction):
    """All questions of a study, one of them open in the editor."""

    action = Action.DESIGN
    template_name = "studies/questions.html"
    form_class = QuestionForm

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        questions = self.study.questions.prefetch_related("options")
        self.question: Question | None = questions.first()
        if code := kwargs.get("code"):
            self.question = questioning.question_of(self.study, code)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "study": self.study, "question": self.question}

    def get_initial(self) -> dict[str, Any]:
        return initial_of(self.question) if self.question else {}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        code = self.question.code if self.question else ""
        context = super().get_context_data(question=self.question, **kwargs)
        return {**context, **page_of(self.study, code)}

    def form_valid(self, form: Any) -> HttpResponse:
        form.cleaned_data["source"] = form.source()
        return super().form_valid(form)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        if self.question is None:
            raise ReaderStudyError("Add a question first.")
        changed = questioning.change_question(
            study=self.study,
            code=self.question.code,
            source=data["source"],
            actor=self.request.user,
        )
        if self.wants_data:
            return JsonResponse({"saved_at": timezone.now(), **self.saved()})
        messages.success(self.request, f"“{changed.text}” is saved.")
        return redirect("study-question", self.study.pk, changed.code)

    @property
    def wants_data(self) -> bool:
        """Does the page's own script ask, rather than a person who sent the form?"""
        return self.request.headers.get("Accept", "") == "application/json"

    def saved(self) -> dict[str, Any]:
        """Return what the script shows after it saved."""
        shown = page_of(self.study, "")
        return {
            "preview": shown["preview"],
            "misfits": [warning.text for warning in shown["misfits"]],
            "rows": [{"code": r["question"].code, "kind": r["kind"]} for r in shown["rows"]],
            "seconds": shown["prospect"].seconds,
        }

    def refused(self, form: Any, *, status: int) -> HttpResponse:
        if self.wants_data:
            errors = {name: " ".join(found) for name, found in form.errors.items()}
            return JsonResponse({"errors": errors}, status=status)
        return super().refused(form, status=status)


class FullPreviewPage(StudyPage, TemplateView):
    """The question column as large as on the reading page, beside empty panes."""

    action = Action.DESIGN
    template_name = "studies/full_preview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        arms = arms_of(self.study)
        wanted = self.request.GET.get("arm", "")
        arm = wanted if wanted in arms else arms[0]
        return super().get_context_data(**full_page_of(self.study, arm), **kwargs)


class QuestionAction(StudyPage):
    """An action on a question, from a button of the builder."""

    action = Action.DESIGN
    http_method_names = ("post",)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        code, action = kwargs.get("code", ""), request.POST.get("action", "add")
        if action not in ACTIONS:
            raise NotAllowed("There is no such action.")
        try:
            code = ACTIONS[action](self, code)
        except ReaderStudyError as error:
            messages.error(request, error.message)
        if not code or not self.study.questions.filter(code=code).exists():
            return redirect("study-questions", self.study.pk)
        return redirect("study-question", self.study.pk, code)

    def common(self) -> dict[str, Any]:
        return {"study": self.study, "actor": self.request.user}

    def add(self, code: str) -> str:
        source = source_named(self.request.POST.get("source", ""))
        return questioning.add_question(source=source, after=code, **self.common()).code

    def duplicate(self, code: str) -> str:
        return questioning.duplicate_question(code=code, **self.common()).code

    def confidence(self, code: str) -> str:
        return questioning.add_confidence(code=code, **self.common()).code

    def up(self, code: str) -> str:
        questioning.move_question(code=code, by=-1, **self.common())
        return code

    def down(self, code: str) -> str:
        questioning.move_question(code=code, by=1, **self.common())
        return code

    def remove(self, code: str) -> str:
        questioning.remove_question(code=code, **self.common())
        return ""

    def plan(self, code: str) -> str:
        given = self.request.POST
        planning_analysis.plan_analysis(
            question=code,
            endpoint=given.get("endpoint", ""),
            primary=bool(given.get("primary")),
            **self.common(),
        )
        return code

    def unplan(self, code: str) -> str:
        planning_analysis.drop_analysis(code=self.request.POST.get("entry", ""), **self.common())
        return code


ACTIONS = {
    "add": QuestionAction.add,
    "duplicate": QuestionAction.duplicate,
    "confidence": QuestionAction.confidence,
    "up": QuestionAction.up,
    "down": QuestionAction.down,
    "remove": QuestionAction.remove,
    "plan": QuestionAction.plan,
    "unplan": QuestionAction.unplan,
}


class ExampleAction(StudyPage):
    """Upload or remove the example image of a level."""

    action = Action.DESIGN
    http_method_names = ("post",)

    def post(self, request: HttpRequest, code: str, option: str, **_: Any) -> HttpResponse:
        where = {"study": self.study, "code": code, "option": option, "actor": request.user}
        file = request.FILES.get("example")
        try:
            if request.POST.get("action") == "remove":
                examples.remove_example(**where)
            elif file is None:
                messages.error(request, "Choose a picture first.")
            else:
                examples.set_example(file=file, **where)
        except ReaderStudyError as error:
            messages.error(request, error.message)
        return redirect("study-question", self.study.pk, code)


class ExampleImage(View):
    """The example image of a level, for readers and staff of its study alone."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        content = examples.read_example(token=token, user=request.user)
        response = HttpResponse(content, content_type="image/png")
        response["Cache-Control"] = "private, no-store"
        return response
