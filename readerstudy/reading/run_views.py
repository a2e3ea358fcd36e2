"""Pages on which a locked or running study is amended, previewed and kept going."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from readerstudy.core.forms import ConfirmForm, ReasonForm
from readerstudy.readers.forms import InvitationForm
from readerstudy.reading import (
    amending,
    announcing,
    attempts,
    draft_preview,
    opening_early,
    previewing,
    reminding,
    replacing,
    withdrawing,
)
from readerstudy.studies import inviting
from readerstudy.studies.amending import Wanted
from readerstudy.studies.models import Enrolment, Study
from readerstudy.studies.pages import StudyAction
from readerstudy.studies.permissions import Action

HELP = "help_"


class AmendForm(forms.Form):
    """What may change after the lock."""

    reader_title = forms.CharField(max_length=120, label="Title for readers")
    instructions = forms.CharField(widget=forms.Textarea(attrs={"rows": 8}))
    margin_points = forms.FloatField(
        min_value=0.1, max_value=49.9, label="Equivalence margin, points"
    )
    washout_days = forms.IntegerField(min_value=0, label="Washout, days")
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Part of the protocol; readers do not see it.",
    )

    def __init__(self, *args: Any, questions: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for question in questions:
            self.fields[HELP + question.code] = forms.CharField(
                required=False,
                label=f"Help of “{question.text}”",
                initial=question.help,
                widget=forms.Textarea(attrs={"rows": 2}),
            )

    def wanted(self) -> Wanted:
        """Return the amendment that the form asks for."""
        data = self.cleaned_data
        helps = {name[len(HELP) :]: data[name] for name in data if name.startswith(HELP)}
        return Wanted(
            reader_title=data["reader_title"],
            instructions=data["instructions"],
            helps=helps,
            margin=data["margin_points"] / 100,
            washout_days=data["washout_days"],
        )

    def helps(self) -> list[Any]:
        """Return the fields of the help texts."""
        return [self[name] for name in self.fields if name.startswith(HELP)]


class AmendPage(StudyAction):
    """Change texts, margin or washout, with a reason."""

    action = Action.AMEND
    template_name = "reading/amend.html"
    form_class = AmendForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "questions": self.study.questions.all()}

    def get_initial(self) -> dict[str, Any]:
        return {
            "reader_title": self.study.reader_title,
            "instructions": self.study.instructions,
            "margin_points": round(100 * self.study.margin, 6),
            "washout_days": self.study.plan.washout_days,
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        why_not = amending.why_no_more_readers(self.study)
        return super().get_context_data(no_more_readers=why_not, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        form.cleaned_data["wanted"] = form.wanted()
        return super().form_valid(form)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        stored = amending.amend(
            study=self.study,
            wanted=data["wanted"],
            reason=data["reason"],
            actor=self.request.user,
        )
        messages.success(self.request, f"Protocol version {stored.version} is in force.")
        return redirect("study-versions", self.study.pk)


class WithdrawForm(ReasonForm):
    """Cases by code."""

    codes = forms.CharField(label="Codes of the cases", help_text="Separated by commas or blanks.")
    field_order = ("codes", "reason")


class WithdrawPage(StudyAction):
    """Take cases out of the study, with a reason."""

    action = Action.AMEND
    template_name = "reading/withdraw.html"
    form_class = WithdrawForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        codes = data["codes"].replace(",", " ").split()
        amending.withdraw_cases(
            study=self.study, codes=codes, reason=data["reason"], actor=self.request.user
        )
        messages.success(self.request, "The cases are shown no more; what was read of them stays.")
        return redirect("study-versions", self.study.pk)


class LateReaderForm(InvitationForm):
    """A reader who comes after the lock."""

    reason = forms.CharField(max_length=500, help_text="Part of the protocol.")


class Inviting(StudyAction):
    """A page that invites a reader after the lock."""

    def invite(self, data: dict[str, Any], enrol: Callable[[Any], Enrolment]) -> inviting.Invited:
        """Find or make the account, enrol it, and write to the person."""
        return inviting.invite_reader(
            study=self.study,
            name=data.pop("name"),
            email=data.pop("email"),
            profile=data,
            link_of=lambda token: self.request.build_absolute_uri(
                reverse("invitation", args=[token])
            ),
            actor=self.request.user,
            enrol=enrol,
        )


class ReaderAction(Inviting):
    """A page about one reader of the study."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.enrolment = get_object_or_404(self.study.readers, code=kwargs["code"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(enrolment=self.enrolment, **kwargs)


class AddReaderPage(Inviting):
    """Invite a reader after the lock; the order is drawn for this reader alone."""

    action = Action.AMEND
    template_name = "reading/add_reader.html"
    form_class = LateReaderForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        why_not = amending.why_no_more_readers(self.study)
        return super().get_context_data(no_more_readers=why_not, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        reason = data.pop("reason")
        invited = self.invite(
            data,
            lambda reader: amending.add_reader(
                study=self.study, reader=reader, reason=reason, actor=self.request.user
            ),
        )
        return self.render_to_response(
            self.get_context_data(form=LateReaderForm(), invited=invited)
        )


class WithdrawReaderPage(ReaderAction):
    """End the reading of one reader, with a reason."""

    template_name = "reading/withdraw_reader.html"
    form_class = ReasonForm

    @property
    def needed(self) -> Action:
        return Action.DESIGN if self.study.state == Study.State.DRAFT else Action.AMEND

    def act(self, data: dict[str, Any]) -> HttpResponse:
        code = self.enrolment.code
        withdrawing.withdraw_reader(
            study=self.study, code=code, reason=data["reason"], actor=self.request.user
        )
        messages.success(self.request, f"{code} reads no more; what was read is kept.")
        return redirect("study-readers", self.study.pk)


class ReplaceReaderPage(ReaderAction):
    """Invite a reserve who takes over what a withdrawn reader has not begun."""

    action = Action.AMEND
    template_name = "reading/replace_reader.html"
    form_class = LateReaderForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            why_not=replacing.why_no_takeover(self.enrolment),
            left=replacing.remainder_of(self.enrolment),
            no_more_readers=amending.why_no_more_readers(self.study),
            **kwargs,
        )

    def act(self, data: dict[str, Any]) -> HttpResponse:
        reason = data.pop("reason")
        invited = self.invite(
            data,
            lambda reader: replacing.take_over(
                enrolment=self.enrolment, reader=reader, reason=reason, actor=self.request.user
            ),
        )
        return self.render_to_response(
            self.get_context_data(form=self.form_class(), invited=invited)
        )


class PreviewPage(StudyAction):
    """Begin or go on with a preview as a reader; of a draft with a few of its cases."""

    action = Action.PREVIEW
    template_name = "reading/preview.html"
    form_class = ConfirmForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        preview = draft_preview.open_preview(self.study, user) if self.is_draft else None
        return super().get_context_data(
            preview=preview,
            job=draft_preview.job_of(preview) if preview else None,
            stale=preview is not None and draft_preview.is_stale(preview, self.study),
            **kwargs,
        )

    @property
    def is_draft(self) -> bool:
        return bool(self.study.state == Study.State.DRAFT)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        del data
        if self.is_draft:
            return self.act_on_draft()
        preview = previewing.begin_preview(study=self.study, user=self.request.user)
        return redirect("read", preview.token)

    def act_on_draft(self) -> HttpResponse:
        where = {"study": self.study, "user": self.request.user}
        if self.request.POST.get("step") == "end":
            draft_preview.end_draft_preview(**where)
            messages.success(self.request, "The preview is thrown away.")
        else:
            draft_preview.begin_draft_preview(**where)
        return redirect("study-preview", self.study.pk)


class AnnouncePage(StudyAction):
    """Tell the readers who do not know it yet that the study is open."""

    action = Action.RUN
    http_method_names = ["post"]
    form_class = ConfirmForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        del data
        told = announcing.announce(study=self.study, actor=self.request.user)
        level = messages.ERROR if told.failed else messages.SUCCESS
        text = told.sentence or "Every reader with open cases has this letter already."
        messages.add_message(self.request, level, text)
        return redirect("study-letters", self.study.pk)

    def refused(self, form: Any, *, status: int) -> HttpResponse:
        del status
        for errors in form.errors.values():
            messages.error(self.request, " ".join(errors))
        return redirect("study-letters", self.study.pk)


class ReaderStep(StudyAction):
    """A step for one reader, with its reason; a refusal is told on the board."""

    action = Action.RUN
    http_method_names = ["post"]
    form_class = ReasonForm

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.enrolment = get_object_or_404(
            self.study.enrolments, code=kwargs["code"], kind=Enrolment.Kind.READER
        )

    def refused(self, form: Any, *, status: int) -> HttpResponse:
        del status
        for errors in form.errors.values():
            messages.error(self.request, " ".join(errors))
        return redirect("study", self.study.pk)


class OpenEarlyPage(ReaderStep):
    """Open the next period before its washout is over."""

    def act(self, data: dict[str, Any]) -> HttpResponse:
        opening_early.open_early(
            enrolment=self.enrolment, reason=data["reason"], actor=self.request.user
        )
        messages.success(
            self.request, f"{self.enrolment.code} can go on. It stands among the deviations."
        )
        return redirect("study", self.study.pk)


class AttemptPage(ReaderStep):
    """Allow another attempt at the training block."""

    def act(self, data: dict[str, Any]) -> HttpResponse:
        attempts.allow_attempt(
            enrolment=self.enrolment, reason=data["reason"], actor=self.request.user
        )
        messages.success(self.request, f"{self.enrolment.code} can try the training again.")
        return redirect("study", self.study.pk)


class RemindPage(ReaderStep):
    """Send a reminder to one reader."""

    form_class = ConfirmForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        del data
        letter = reminding.remind(enrolment=self.enrolment, actor=self.request.user)
        if letter.handed_over:
            messages.success(self.request, f"A reminder is on its way to {self.enrolment.code}.")
        else:
            messages.error(self.request, "The mail system did not take the reminder.")
        return redirect("study", self.study.pk)
