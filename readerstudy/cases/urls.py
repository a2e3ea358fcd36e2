"""Addresses of the list of cases."""

from django.urls import path

from readerstudy.cases import bulk_views, preparation_pages, views

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
    path(
        "staff/cases/<uuid:pk>/preparation/",
        preparation_pages.CasePreparation.as_view(),
        name="case-preparation",
    ),
    path("staff/preparations/", preparation_pages.PreparationsPage.as_view(), name="preparations"),
    path(
        "staff/preparations/<uuid:pk>/",
        preparation_pages.PreparationPage.as_view(),
        name="preparation",
    ),
    path(
        "staff/preparations/<uuid:pk>/accept/",
        preparation_pages.AcceptPreparation.as_view(),
        name="preparation-accept",
    ),
    path(
        "staff/preparations/<uuid:pk>/reject/",
        preparation_pages.RejectPreparation.as_view(),
        name="preparation-reject",
    ),
    path(
        "staff/preparations/<uuid:pk>/<slug:role>/<slug:which>.png",
        preparation_pages.PreparationPicture.as_view(),
        name="preparation-picture",
    ),
]
