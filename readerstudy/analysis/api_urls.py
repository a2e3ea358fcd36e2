"""Addresses of the programming interface for ratings."""

from django.urls import path

from readerstudy.analysis import api

urlpatterns = [
    path("api/v1/schema/", api.SchemaView.as_view(), name="api-schema"),
    path("api/v1/studies/<uuid:pk>/ratings/", api.RatingsView.as_view(), name="study-ratings-api"),
]
