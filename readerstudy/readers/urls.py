"""Addresses of sign-in, sign-out and invitations."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from readerstudy.readers import account_views, views
from readerstudy.readers import display_check_views as display

urlpatterns = [
    path("sign-in/", views.SignInPage.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("staff/accounts/", account_views.AccountsPage.as_view(), name="accounts"),
    path("profile/", views.ProfilePage.as_view(), name="profile"),
    path("invitation/<str:token>/", views.InvitationPage.as_view(), name="invitation"),
    path("check-display/", display.CheckPage.as_view(), name="display-check"),
    path("check-display/answer/", display.answer, name="display-check-answer"),
    path("check-display/skip/", display.skip, name="display-check-skip"),
    path("check-display/again/", display.again, name="display-check-again"),
    path("check-display/card/", display.CardView.as_view(), name="display-check-card"),
    path("check-display/patch/<int:place>/", display.patch, name="display-check-patch"),
    path("check-display/<int:pk>/", display.ResultPage.as_view(), name="display-check-result"),
]
