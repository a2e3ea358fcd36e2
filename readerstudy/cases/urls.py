"""Addresses of the list of cases."""

from django.urls import path

from readerstudy.cases import views

urlpatterns = [
    path("staff/cases/", views.CasesPage.as_view(), name="cases"),
    path("staff/cases/<uuid:pk>/", views.CasesPage.as_view(), name="case"),
    path(
        "staff/series/<uuid:pk>/thumbnail.png",
        views.ThumbnailView.as_view(),
        name="series-thumbnail",
    ),
]
