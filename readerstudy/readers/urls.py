"""Addresses of sign-in, sign-out and invitations."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from readerstudy.readers import views

urlpatterns = [
    path("sign-in/", views.SignInPage.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("invitation/<str:token>/", views.InvitationPage.as_view(), name="invitation"),
]
