"""Forms of sign-in, invitation and the reader's profile."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm, SetPasswordForm

from readerstudy.readers.profiles import INSTITUTIONS


class SignInForm(AuthenticationForm):
    """Sign in with the e-mail address of the invitation."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "The name or the password is not right. Mind capital letters.",
    }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail or user name"


class PasswordForm(SetPasswordForm):  # type: ignore[type-arg]
    """Choose the password of an invited account."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["new_password1"].label = "Password"
        self.fields["new_password1"].help_text = "At least 12 characters; several words are good."
        self.fields["new_password2"].label = "The same password again"
        self.fields["new_password2"].help_text = ""


class InvitationForm(forms.Form):
    """A person to invite, with what agreement studies must report about a reader."""

    name = forms.CharField(max_length=120, help_text="As it should stand in the letter.")
    email = forms.EmailField(label="E-mail", help_text="Also the name to sign in with.")
    subspecialty = forms.CharField(
        max_length=120, required=False, help_text="For example neuroradiology."
    )
    years_of_experience = forms.IntegerField(
        min_value=0, max_value=70, required=False, label="Years of experience"
    )


class DisplayCheckForm(forms.Form):
    """What a display check needs to know before it begins; the page's script fills in most."""

    LIGHTS = (
        ("dim", "Dim: blinds closed, a weak light"),
        ("normal", "Lit as an office"),
        ("bright", "Bright: daylight or lamps on the screen"),
    )
    light = forms.ChoiceField(choices=LIGHTS, label="The room is")
    width = forms.IntegerField(min_value=1, max_value=100_000)
    height = forms.IntegerField(min_value=1, max_value=100_000)
    zoom = forms.FloatField(min_value=0.05, max_value=20, required=False)
    goal = forms.CharField(required=False, max_length=200)


class ProfileForm(forms.Form):
    """Experience, as a reader states it."""

    subspecialty = forms.CharField(max_length=120, help_text="For example neuroradiology.")
    years_of_experience = forms.IntegerField(min_value=0, max_value=70, label="Years of experience")
    institution = forms.ChoiceField(choices=[("", "Choose"), *INSTITUTIONS.items()])
