"""Addresses of readers' pages and programming interface, and of a study's phases."""

from django.urls import path

from readerstudy.reading import api, design_pages, staff_views, views

API = "api/read/<str:enrolment>/"
READING = f"{API}readings/<str:reading>/"
STUDY = "staff/studies/<uuid:pk>/"

urlpatterns = [
    path("", views.first_page, name="home"),
    path("read/", views.ReaderHome.as_view(), name="reader-home"),
    path("read/<str:enrolment>/", views.read, name="read"),
    path("read/<str:enrolment>/next.ics", views.washout_calendar, name="read-calendar"),
    path(f"{API}state", api.StateView.as_view(), name="api-state"),
    path(f"{API}pause", api.PauseView.as_view(), name="api-pause"),
    path(f"{API}resume", api.ResumeView.as_view(), name="api-resume"),
    path(f"{READING}answers", api.AnswersView.as_view(), name="api-answers"),
    path(f"{READING}undo", api.UndoView.as_view(), name="api-undo"),
    path(f"{READING}draft", api.DraftView.as_view(), name="api-draft"),
    path("api/read/preferences/", api.PreferencesView.as_view(), name="api-preferences"),
    path("api/session", api.SessionView.as_view(), name="api-session"),
    path("i/<str:token>/<int:index>", api.ImageView.as_view(), name="image"),
    path("staff/studies/", staff_views.StudiesPage.as_view(), name="studies"),
    path(STUDY, staff_views.StudyOverview.as_view(), name="study"),
    path(f"{STUDY}design/", design_pages.DesignPage.as_view(), name="study-design"),
    path(f"{STUDY}design/arms/", design_pages.ArmAction.as_view(), name="study-arm"),
    path(f"{STUDY}launch/", staff_views.LaunchPage.as_view(), name="study-launch"),
    path(f"{STUDY}lock/", staff_views.LockPage.as_view(), name="study-lock"),
    path(
        f"{STUDY}certificate.json",
        staff_views.CertificateView.as_view(),
        name="study-certificate",
    ),
]
