"""Addresses of the design of a study and of the list of readers."""

from django.urls import path

from readerstudy.studies import views

urlpatterns = [
    path("staff/readers/", views.ReadersPage.as_view(), name="readers"),
    path("staff/studies/new/", views.NewStudyPage.as_view(), name="study-new"),
    path(
        "staff/studies/<uuid:pk>/describe/",
        views.DescribePage.as_view(),
        name="study-describe",
    ),
    path("staff/studies/<uuid:pk>/display/", views.DisplayPage.as_view(), name="study-display"),
    path(
        "staff/studies/<uuid:pk>/readers/",
        views.StudyReadersPage.as_view(),
        name="study-readers",
    ),
    path(
        "staff/studies/<uuid:pk>/readers/<str:code>/link/",
        views.RenewLinkPage.as_view(),
        name="study-reader-link",
    ),
    path("staff/studies/<uuid:pk>/close/", views.ClosePage.as_view(), name="study-close"),
]
