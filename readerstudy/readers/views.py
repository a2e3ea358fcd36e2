"""Sign-in, sign-out and the acceptance of an invitation."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from readerstudy.core.pages import ActionView
from readerstudy.readers import invitations, profiles
from readerstudy.readers.forms import PasswordForm, ProfileForm, SignInForm
from readerstudy.readers.models import ReaderProfile

BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignInPage(LoginView):
    """Sign in with a name and a password."""

    template_name = "readers/sign_in.html"
    authentication_form = SignInForm


@method_decorator([login_not_required, never_cache], name="dispatch")
class InvitationPage(ActionView):
    """Open a personal link and choose a password; the link works once."""

    template_name = "readers/invitation.html"
    form_class = PasswordForm

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.invitation = invitations.open_invitation(kwargs["token"])

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.invitation.user}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, invitation=self.invitation)

    def act(self, data: dict[str, Any]) -> HttpResponse:
        user = invitations.accept(token=self.kwargs["token"], password=data["new_password1"])
        login(self.request, user, backend=BACKEND)
        return redirect("profile" if hasattr(user, "profile") else "home")


@method_decorator(never_cache, name="dispatch")
class ProfilePage(ActionView):
    """What reports say of a reader: asked at the first sign-in, changed at any time."""

    template_name = "readers/profile.html"
    form_class = ProfileForm

    def get_initial(self) -> dict[str, Any]:
        found = ReaderProfile.objects.filter(user_id=self.request.user.pk).first()
        return {name: getattr(found, name) for name in ProfileForm.base_fields} if found else {}

    def act(self, data: dict[str, Any]) -> HttpResponse:
        profiles.state_profile(user=self.request.user, **data)
        messages.success(self.request, "Your profile is saved.")
        return redirect("reader-home")
