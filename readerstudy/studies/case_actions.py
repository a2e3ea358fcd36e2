"""What the studies add to the list of cases, and what withdrawn cases mean to a draft."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.urls import reverse

from readerstudy.cases.bulk import Action, Done, Request, Row, cases_text, offers_action
from readerstudy.core.errors import NotFound
from readerstudy.studies import permissions
from readerstudy.studies.access import studies_of
from readerstudy.studies.adding import add_cases, refusals
from readerstudy.studies.checklist import BLOCKS, Check, adds_checks
from readerstudy.studies.models import Study


class StudyForm(forms.Form):
    """One of the user's drafts."""

    study = forms.ChoiceField(help_text="Only drafts take cases; a locked protocol stands still.")

    def __init__(self, data: Any = None, *, user: Any) -> None:
        super().__init__(data)
        drafts = drafts_of(user).values_list("pk", "name")
        self.fields["study"].choices = [(str(key), name) for key, name in drafts]  # type: ignore[attr-defined]
        if not drafts:
            self.fields[
                "study"
            ].help_text = "You have no draft. Start one under Studies, then come back."


def drafts_of(user: Any) -> Any:
    """Return the drafts of a coordinator, newest first."""
    return studies_of(user, permissions.Action.DESIGN).filter(state=Study.State.DRAFT)


@offers_action
class AddToStudy(Action):
    """Add the chosen cases to a draft."""

    key, label, what, main = "study", "Add to study", "Study", True
    confirms = "Add {} to the study"

    def make_form(self, user: Any, data: Any = None) -> forms.Form:
        return StudyForm(data, user=user)

    def shown_values(self, values: dict[str, Any]) -> dict[str, Any]:
        study = Study.objects.filter(pk=values.get("study")).first() if values else None
        return {"Study": study.name} if study else {}

    def rows(self, request: Request) -> list[Row]:
        study = self._draft(request)
        reasons = refusals(study, request.cases)
        known = set(study.cases.values_list("subject", flat=True))
        return [
            Row(
                case=str(case.pk),
                code=case.code,
                old="in it" if reasons.get(case.pk, "").startswith("It is in") else "not in it",
                new="in it",
                reason=reasons.get(case.pk, ""),
                note=self._note(case, known, reasons),
            )
            for case in request.cases
        ]

    def _note(self, case: Any, known: set[Any], reasons: dict[Any, str]) -> str:
        if case.pk in reasons or case.subject_id not in known:
            return ""
        return "The study has another case of this subject; the two are not independent."

    def _draft(self, request: Request) -> Study:
        study = drafts_of(request.user).filter(pk=request.values["study"]).first()
        if study is None:
            raise NotFound("The study is not a draft of yours any more. Choose another one.")
        return study

    def carry_out(self, request: Request) -> Done:
        study = self._draft(request)
        count = add_cases(study=study, cases=request.cases, actor=request.user)
        return Done(
            f"{cases_text(count)} added to {study.name}.",
            link=reverse("study", args=[study.pk]),
            link_text="To the study",
        )


@adds_checks
def withdrawn_checks(study: Study) -> Iterable[Check]:
    """Block the lock of a draft that holds a withdrawn case."""
    if study.state != Study.State.DRAFT:
        return
    codes = list(
        study.cases.filter(withdrawn_at__isnull=False)
        .order_by("code")
        .values_list("code", flat=True)
    )
    if codes:
        yield Check(
            "Cases",
            f"{len(codes)} of the cases were withdrawn",
            f"{', '.join(codes[:5])}: choose the cases again, or reinstate them",
            BLOCKS,
        )
