"""The page on which administrators manage accounts."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from readerstudy.core.errors import NotAllowed
from readerstudy.core.pages import ActionView
from readerstudy.readers import accounts
from readerstudy.readers.models import User


class AccountForm(forms.Form):
    """One account and what it may do."""

    user = forms.ModelChoiceField(queryset=User.objects.all())
    may_coordinate = forms.BooleanField(required=False)
    is_active = forms.BooleanField(required=False)
    reason = forms.CharField(max_length=500)


class AccountsPage(ActionView):
    """All accounts, for administrators."""

    template_name = "readers/accounts.html"
    form_class = AccountForm

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        if not (request.user.is_authenticated and request.user.is_superuser):
            raise NotAllowed("This page is for administrators.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        people = User.objects.order_by("-is_superuser", "-may_coordinate", "username")
        return super().get_context_data(people=people, **kwargs)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        accounts.set_account(actor=self.request.user, **data)
        messages.success(self.request, f"The account of {data['user']} is changed.")
        return redirect("accounts")
