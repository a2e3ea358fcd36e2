"""Addresses of the reads behind a number, and of the debriefs of readers."""

from django.urls import path

from readerstudy.analysis import debrief_views, reads_views

STUDY = "staff/studies/<uuid:pk>/results/"
READER = "read/<str:enrolment>/debrief/"

urlpatterns = [
    path(f"{STUDY}reads/", reads_views.ReadsPage.as_view(), name="study-reads"),
    path(
        f"{STUDY}pictures/<uuid:series>.png",
        reads_views.ReadPicture.as_view(),
        name="study-read-picture",
    ),
    path(f"{STUDY}debriefs/", debrief_views.ReleasePage.as_view(), name="study-debriefs"),
    path(READER, debrief_views.DebriefPage.as_view(), name="debrief"),
    path(
        f"{READER}<str:reading>/<int:number>.png",
        debrief_views.DebriefPicture.as_view(),
        name="debrief-picture",
    ),
]
