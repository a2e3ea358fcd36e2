"""Addresses of the pages that need truth."""

from django.urls import path

from readerstudy.truth import case_pages, native_views, views

urlpatterns = [
    path(
        "staff/cases/<uuid:pk>/viewer/", native_views.CaseViewerPage.as_view(), name="case-viewer"
    ),
    path(
        "staff/cases/<uuid:pk>/compare/<uuid:other>/",
        native_views.CaseComparePage.as_view(),
        name="case-compare",
    ),
    path(
        "staff/i/<str:token>/<int:index>",
        native_views.NativeImageView.as_view(),
        name="native-image",
    ),
    path("staff/cases/<uuid:pk>/truth/", case_pages.CaseTruthPage.as_view(), name="case-truth"),
    path("staff/studies/<uuid:pk>/cases/", views.CasesPage.as_view(), name="study-cases"),
    path(
        "staff/studies/<uuid:pk>/unblind-case/",
        views.BreakBlindPage.as_view(),
        name="study-unblind-case",
    ),
    path("staff/studies/<uuid:pk>/unblind/", views.UnblindPage.as_view(), name="study-unblind"),
]
