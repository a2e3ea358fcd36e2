"""Addresses of the pages that need truth."""

from django.urls import path

from readerstudy.truth import case_pages, views

urlpatterns = [
    path("staff/cases/<uuid:pk>/truth/", case_pages.CaseTruthPage.as_view(), name="case-truth"),
    path("staff/studies/<uuid:pk>/cases/", views.CasesPage.as_view(), name="study-cases"),
    path(
        "staff/studies/<uuid:pk>/unblind-case/",
        views.BreakBlindPage.as_view(),
        name="study-unblind-case",
    ),
    path("staff/studies/<uuid:pk>/unblind/", views.UnblindPage.as_view(), name="study-unblind"),
]
