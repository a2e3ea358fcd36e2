"""Addresses of what a study offers other programs."""

from django.urls import path

from readerstudy.analysis import other_views

urlpatterns = [
    path(
        "staff/studies/<uuid:pk>/results/others/",
        other_views.OthersPage.as_view(),
        name="study-others",
    ),
    path("staff/studies/<uuid:pk>/results/bids.zip", other_views.Bids.as_view(), name="study-bids"),
]
