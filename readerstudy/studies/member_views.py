"""The page on which the roles of a study are given and ended."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from readerstudy.studies import members, permissions
from readerstudy.studies.models import Membership
from readerstudy.studies.pages import StudyAction
from readerstudy.studies.permissions import Action

ROLES = [(role, permissions.ROLE_NAMES[role]) for role in Membership.Role]


class MemberForm(forms.Form):
    """A new member."""

    email = forms.EmailField(label="E-mail", help_text="Of a person who has an account.")
    role = forms.ChoiceField(choices=ROLES, widget=forms.RadioSelect)
    reason = forms.CharField(max_length=500, help_text="Kept in the audit log with your name.")


class ChangeForm(forms.Form):
    """Another role, or none."""

    user = forms.IntegerField(widget=forms.HiddenInput)
    role = forms.ChoiceField(choices=[*ROLES, ("", "Remove from the study")], required=False)
    reason = forms.CharField(max_length=500)


class MembersPage(StudyAction):
    """Who has which role, and a form for a new member."""

    action = Action.MEMBERS
    template_name = "studies/members.html"
    form_class = MemberForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = self.study.memberships.select_related("user").order_by("role", "user__username")
        return super().get_context_data(
            members=[(one, permissions.ROLE_NAMES[one.role]) for one in found],
            roles=[(role, name, permissions.ROLE_TEXTS[role]) for role, name in ROLES],
            **kwargs,
        )

    def act(self, data: dict[str, Any]) -> HttpResponse:
        member = members.add_member(study=self.study, actor=self.request.user, **data)
        role = permissions.ROLE_NAMES[member.role].lower()
        messages.success(self.request, f"{member.user} is {role} of this study.")
        return redirect("study-members", self.study.pk)


class MemberChangePage(MembersPage):
    """Change or end one role."""

    http_method_names = ["post"]
    form_class = ChangeForm

    def act(self, data: dict[str, Any]) -> HttpResponse:
        if data["role"]:
            members.change_role(study=self.study, actor=self.request.user, **data)
        else:
            members.remove_member(
                study=self.study,
                user=data["user"],
                reason=data["reason"],
                actor=self.request.user,
            )
        messages.success(self.request, "The roles are changed.")
        if data["user"] == self.request.user.pk:
            return redirect("studies")
        return redirect("study-members", self.study.pk)

    def refused(self, form: Any, *, status: int) -> HttpResponse:
        reasons = [text for errors in form.errors.values() for text in errors]
        context = self.get_context_data(form=MemberForm(), refusal=" ".join(reasons))
        return self.render_to_response(context, status=status)
