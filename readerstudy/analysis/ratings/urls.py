"""Addresses of imports of ratings."""

from django.urls import path

from readerstudy.analysis.ratings import views

urlpatterns = [
    path("staff/ratings/", views.ImportsPage.as_view(), name="ratings-imports"),
    path("staff/ratings/new/", views.NewImport.as_view(), name="ratings-new"),
    path("staff/ratings/<uuid:pk>/", views.ImportPage.as_view(), name="ratings-import"),
    path("staff/ratings/<uuid:pk>/columns/", views.ColumnsPage.as_view(), name="ratings-columns"),
    path(
        "staff/ratings/<uuid:pk>/questions/",
        views.QuestionsPage.as_view(),
        name="ratings-questions",
    ),
    path("staff/ratings/<uuid:pk>/analyses/", views.PlanPage.as_view(), name="ratings-plan"),
    path("staff/ratings/<uuid:pk>/check/", views.CheckPage.as_view(), name="ratings-check"),
    path("staff/ratings/<uuid:pk>/delete/", views.DeletePage.as_view(), name="ratings-delete"),
    path(
        "staff/ratings/<uuid:pk>/figures/<str:name>",
        views.ResultPart.as_view(),
        name="ratings-figure",
    ),
    path(
        "staff/ratings/<uuid:pk>/tables/<str:name>",
        views.ResultTable.as_view(),
        name="ratings-table",
    ),
    path("staff/ratings/<uuid:pk>/files/<str:name>", views.Download.as_view(), name="ratings-file"),
]
