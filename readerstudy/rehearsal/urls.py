"""Addresses of the planner and of the dry run."""

from django.urls import path

from readerstudy.rehearsal import views

STUDY = "staff/studies/<uuid:pk>/"

urlpatterns = [
    path(f"{STUDY}sample-size/", views.SamplePage.as_view(), name="study-sample-size"),
    path(f"{STUDY}sample-size/curve.svg", views.SampleCurve.as_view(), name="study-size-curve"),
    path(f"{STUDY}dry-run/", views.DryRunPage.as_view(), name="study-dry-run"),
    path(
        f"{STUDY}dry-run/<int:number>/discard/",
        views.DiscardPage.as_view(),
        name="study-dry-run-discard",
    ),
    path(
        f"{STUDY}dry-run/<int:number>/simulated.zip",
        views.DryRunExport.as_view(),
        name="study-dry-run-export",
    ),
]
