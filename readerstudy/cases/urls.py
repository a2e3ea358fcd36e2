"""Addresses of the list of cases."""

from django.urls import path

from readerstudy.cases import bulk_views, views

urlpatterns = [
    path("staff/cases/", views.CasesPage.as_view(), name="cases"),
    path("staff/cases/columns/", views.ColumnsView.as_view(), name="cases-columns"),
    path("staff/cases/select/", bulk_views.SelectView.as_view(), name="cases-select"),
    path("staff/cases/changes/<uuid:pk>/", bulk_views.ChangePage.as_view(), name="cases-change"),
    path("staff/cases/<uuid:pk>/", views.CasesPage.as_view(), name="case"),
    path(
        "staff/series/<uuid:pk>/thumbnail.png",
        views.ThumbnailView.as_view(),
        name="series-thumbnail",
    ),
]
