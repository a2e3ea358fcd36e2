"""Addresses under which images come in."""

from django.urls import URLPattern, URLResolver, path

from readerstudy.intake import api, dicomweb_views, manifest_views, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("staff/imports/", views.ImportsPage.as_view(), name="imports"),
    path("staff/imports/new/", views.UploadPage.as_view(), name="import-new"),
    path("staff/imports/<uuid:pk>/", views.ImportPage.as_view(), name="import"),
    path("staff/imports/<uuid:pk>/upload/", views.StartView.as_view(), name="import-start"),
    path("staff/imports/<uuid:pk>/end/", views.EndView.as_view(), name="import-end"),
    path("staff/imports/<uuid:pk>/list.csv", views.import_table, name="import-table"),
    path(
        "staff/imports/<uuid:pk>/preview/",
        manifest_views.PreviewPage.as_view(),
        name="import-preview",
    ),
    path(
        "staff/imports/<uuid:pk>/compare/",
        manifest_views.CompareView.as_view(),
        name="import-compare",
    ),
    path(
        "staff/imports/manifest.<str:form>",
        manifest_views.TemplateView.as_view(),
        name="manifest-template",
    ),
    path("staff/imports/dicomweb/", dicomweb_views.SearchPage.as_view(), name="dicomweb"),
    path(
        "staff/imports/dicomweb/series/",
        dicomweb_views.SeriesPage.as_view(),
        name="dicomweb-series",
    ),
    path("api/staff/imports/", api.UploadsView.as_view(), name="api-imports"),
    path("api/staff/imports/<uuid:pk>/", api.UploadView.as_view(), name="api-import"),
    path("api/staff/imports/<uuid:pk>/files/", api.FilesView.as_view(), name="api-import-files"),
    path(
        "api/staff/imports/<uuid:pk>/files/<uuid:token>/",
        api.FileView.as_view(),
        name="api-import-file",
    ),
]
