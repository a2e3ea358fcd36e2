"""Addresses of adjudication: one space for the staff, one for the panel."""

from django.urls import path

from readerstudy.adjudication import views

urlpatterns = [
    path(
        "staff/studies/<uuid:pk>/adjudication/",
        views.AdjudicationPage.as_view(),
        name="study-adjudication",
    ),
    path(
        "staff/studies/<uuid:pk>/adjudication/conclude/",
        views.ConcludeView.as_view(),
        name="study-adjudication-conclude",
    ),
    path(
        "staff/studies/<uuid:pk>/adjudication/reference/",
        views.AdoptView.as_view(),
        name="study-adjudication-adopt",
    ),
    path(
        "staff/studies/<uuid:pk>/adjudication/consensus.csv",
        views.ConsensusTable.as_view(),
        name="study-consensus",
    ),
    path("adjudicate/", views.SeatsPage.as_view(), name="adjudicate"),
    path("adjudicate/<str:seat>/", views.NextCase.as_view(), name="adjudicate-next"),
    path(
        "adjudicate/<str:seat>/<str:reading>/",
        views.VotePage.as_view(),
        name="adjudicate-case",
    ),
]
