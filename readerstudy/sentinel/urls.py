"""Addresses of the leak sentinel's page."""

from django.urls import path

from readerstudy.sentinel import views

STUDY = "staff/studies/<uuid:pk>/sentinel/"

urlpatterns = [
    path(STUDY, views.SentinelPage.as_view(), name="study-sentinel"),
    path(f"{STUDY}run/", views.RunSentinel.as_view(), name="study-sentinel-run"),
    path(f"{STUDY}limits/", views.LimitsPage.as_view(), name="study-sentinel-limits"),
]
