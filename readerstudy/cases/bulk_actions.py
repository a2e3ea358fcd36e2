"""The actions of the list of cases that this app offers by itself."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any

from django import forms
from django.urls import reverse

from readerstudy.cases import labelling, preparing, usage
from readerstudy.cases.bulk import Action, Done, Request, Row, cases_text, offers_action
from readerstudy.cases.models import Case, Tag
from readerstudy.cases.preparation_forms import PrepareForm, chain_of, preset_label
from readerstudy.cases.withdrawing import MAX_REASON, clean_reason, reinstate, withdraw
from readerstudy.cases.words import preparation_text
from readerstudy.core import jobs
from readerstudy.core.errors import ReaderStudyError

NONE = "none"
HELD = (
    "Readers of a study that is not yours are shown it. Ask that study's coordinator or an "
    "administrator."
)


def _row(case: Case, old: str, new: str, reason: str = "", note: str = "") -> Row:
    return Row(str(case.pk), case.code, old, new, reason, note)


class StratumForm(forms.Form):
    """One stratum for all chosen cases."""

    stratum = forms.CharField(
        max_length=labelling.MAX_STRATUM,
        required=False,
        help_text="Group for stratified draws. Leave it empty to take the cases out of theirs.",
        widget=forms.TextInput(attrs={"list": "known-strata", "autocomplete": "off"}),
    )

    def clean_stratum(self) -> str:
        return labelling.clean_stratum(self.cleaned_data["stratum"])


@offers_action
class SetStratum(Action):
    key, label, what, form, main = "stratum", "Set stratum", "Stratum", StratumForm, True
    confirms = "Set the stratum of {}"

    def rows(self, request: Request) -> list[Row]:
        use = usage.usages_of([case.pk for case in request.cases])
        new = request.values["stratum"]
        return [
            _row(case, case.stratum or NONE, new or NONE, self._refusal(case, new, use[case.pk]))
            for case in request.cases
        ]

    def _refusal(self, case: Case, new: str, use: usage.Usage) -> str:
        if case.stratum == new:
            return "It is in this stratum already." if new else "It is in no stratum."
        if use.blinded:
            return "Its stratum stands still while a study with it is locked, running or closed."
        return ""

    def carry_out(self, request: Request) -> Done:
        stratum = request.values["stratum"]
        count = labelling.set_stratum(cases=request.cases, stratum=stratum, actor=request.user)
        where = f"in the stratum “{stratum}”" if stratum else "in no stratum"
        return Done(f"{cases_text(count)} put {where}.")


class TagForm(forms.Form):
    """Tags, separated by commas."""

    tags = forms.CharField(
        max_length=500,
        help_text="One or several, separated by commas.",
        widget=forms.TextInput(attrs={"list": "known-tags", "autocomplete": "off"}),
    )

    def clean_tags(self) -> list[str]:
        try:
            return labelling.clean_tags(re.split("[,;]", self.cleaned_data["tags"]))
        except ReaderStudyError as error:
            raise forms.ValidationError(error.message) from error


class _Tagging(Action):
    what, form = "Tags", TagForm
    refusal = ""

    @abstractmethod
    def after(self, old: set[str], tags: set[str]) -> set[str]:
        """Return the tags that a case would have."""

    def rows(self, request: Request) -> list[Row]:
        return [self._tag_row(case, set(request.values["tags"])) for case in request.cases]

    def _tag_row(self, case: Case, tags: set[str]) -> Row:
        old = {tag.name for tag in case.tags.all()}
        new = self.after(old, tags)
        reason = self.refusal if old == new else ""
        return _row(case, ", ".join(sorted(old)) or NONE, ", ".join(sorted(new)) or NONE, reason)


@offers_action
class AddTags(_Tagging):
    key, label, main = "tag", "Tag", True
    confirms = "Tag {}"
    refusal = "It has these tags already."

    def after(self, old: set[str], tags: set[str]) -> set[str]:
        return old | tags

    def carry_out(self, request: Request) -> Done:
        tags = request.values["tags"]
        count = labelling.add_tags(cases=request.cases, tags=tags, actor=request.user)
        return Done(f"{cases_text(count)} tagged: {', '.join(tags)}.")


@offers_action
class RemoveTags(_Tagging):
    key, label = "untag", "Untag"
    confirms = "Untag {}"
    refusal = "It has none of these tags."

    def after(self, old: set[str], tags: set[str]) -> set[str]:
        return old - tags

    def carry_out(self, request: Request) -> Done:
        tags = request.values["tags"]
        count = labelling.remove_tags(cases=request.cases, tags=tags, actor=request.user)
        return Done(f"Taken off {cases_text(count)}: {', '.join(tags)}.")


class ReasonForm(forms.Form):
    """Why; kept in the audit log."""

    reason = forms.CharField(
        max_length=MAX_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the audit log with your name.",
    )

    def clean_reason(self) -> str:
        try:
            return clean_reason(self.cleaned_data["reason"])
        except ReaderStudyError as error:
            raise forms.ValidationError(error.message) from error


@offers_action
class Withdraw(Action):
    key, label, what, form, main = "withdraw", "Withdraw", "In use", ReasonForm, True
    confirms = "Withdraw {}"

    def rows(self, request: Request) -> list[Row]:
        keys = [case.pk for case in request.cases]
        use, held = usage.usages_of(keys), usage.held_by_others(keys, request.user)
        return [
            _row(case, "in use", "in use", HELD)
            if case.pk in held and case.withdrawn_at is None
            else self._withdraw_row(case, use[case.pk])
            for case in request.cases
        ]

    def _withdraw_row(self, case: Case, use: usage.Usage) -> Row:
        if case.withdrawn_at is not None:
            return _row(case, "withdrawn", "withdrawn", "It was withdrawn already.")
        studies = "1 running study" if use.running == 1 else f"{use.running} running studies"
        note = (
            f"In {studies}: readings not made yet are left out; answers given stay and are "
            "marked in the export."
            if use.running
            else ""
        )
        return _row(case, "in use", "withdrawn", note=note)

    def carry_out(self, request: Request) -> Done:
        for case in request.cases:
            withdraw(case=case, reason=request.values["reason"], actor=request.user)
        return Done(f"{cases_text(len(request.cases))} withdrawn. Nothing was deleted.")


@offers_action
class Reinstate(Action):
    key, label, what, form = "reinstate", "Reinstate", "In use", ReasonForm
    confirms = "Reinstate {}"

    def rows(self, request: Request) -> list[Row]:
        held = usage.held_by_others([case.pk for case in request.cases], request.user)
        return [self._reinstate_row(case, case.pk in held) for case in request.cases]

    def _reinstate_row(self, case: Case, held: bool) -> Row:
        if case.withdrawn_at is None:
            return _row(case, "in use", "in use", "It is not withdrawn.")
        if held:
            return _row(case, "withdrawn", "withdrawn", HELD)
        return _row(case, "withdrawn", "in use", note=f"Withdrawn: {case.withdrawn_reason}")

    def carry_out(self, request: Request) -> Done:
        for case in request.cases:
            reinstate(case=case, reason=request.values["reason"], actor=request.user)
        return Done(f"{cases_text(len(request.cases))} in use again.")


@offers_action
class Verify(Action):
    key, label, what = "verify", "Verify checksums", "Last verified"
    confirms = "Verify {}"

    def rows(self, request: Request) -> list[Row]:
        return [self._verify_row(case) for case in request.cases]

    def _verify_row(self, case: Case) -> Row:
        times = [one.verified_at for one in case.series.all()]
        known = [at for at in times if at is not None]
        old = f"{min(known):%Y-%m-%d %H:%M} UTC" if known and len(known) == len(times) else "never"
        reason = "" if times else "It has no series."
        return _row(case, old, "now" if times else old, reason)

    def carry_out(self, request: Request) -> Done:
        count = cases_text(len(request.cases))
        job = jobs.enqueue(
            "verify_cases",
            title=f"Verify the checksums of {count}",
            arguments={"cases": [str(case.pk) for case in request.cases]},
            actor=request.user,
        )
        return Done(f"The checksums of {count} are being verified.", job)


@offers_action
class Prepare(Action):
    key, label, what, form = "prepare", "Prepare", "Preparation", PrepareForm
    confirms = "Prepare {}"

    def offered(self) -> bool:
        return jobs.is_handled(preparing.KIND)

    def shown_values(self, values: dict[str, Any]) -> dict[str, Any]:
        alone = "where the mask is certain" if values.get("auto_accept") else "no"
        return {"Steps": preset_label(values), "Accepted by itself": alone}

    def rows(self, request: Request) -> list[Row]:
        use = usage.usages_of([case.pk for case in request.cases])
        return [self._prepare_row(case, use[case.pk]) for case in request.cases]

    def _prepare_row(self, case: Case, use: usage.Usage) -> Row:
        old = "not shown" if use.blinded else preparation_text(case.series.all())
        reason = ""
        if use.blinded:
            reason = "Its images stand still while a study with it is locked, running or closed."
        elif case.withdrawn_at is not None:
            reason = "It was withdrawn."
        elif not case.series.all():
            reason = "It has no series."
        return _row(case, old, "proposed anew, for you to accept", reason)

    def carry_out(self, request: Request) -> Done:
        count = cases_text(len(request.cases))
        job = preparing.order(
            cases=request.cases,
            chain=chain_of(request.values),
            actor=request.user,
            auto_accept=request.values["auto_accept"],
        )
        text = f"{count} being prepared. Nothing is replaced before it is accepted."
        return Done(text, job, f"{reverse('preparations')}?state=proposed", "To the preparations")


def known_tags() -> list[str]:
    """Return the tags in use, for the suggestions of the form."""
    return list(Tag.objects.values_list("name", flat=True))


def known_strata() -> list[str]:
    """Return the strata in use, for the suggestions of the form."""
    strata = Case.objects.exclude(stratum="").order_by("stratum")
    return list(strata.values_list("stratum", flat=True).distinct())
