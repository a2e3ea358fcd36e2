"""Addresses of the design of a study and of the list of readers."""

from django.urls import path

from readerstudy.studies import analysis_views, builder_views, views

QUESTIONS = "staff/studies/<uuid:pk>/questions/"

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
    path(
        f"{QUESTIONS}",
        builder_views.QuestionsPage.as_view(),
        name="study-questions",
    ),
    path(
        f"{QUESTIONS}add/",
        builder_views.QuestionAction.as_view(),
        name="study-question-add",
    ),
    path(
        f"{QUESTIONS}full/",
        builder_views.FullPreviewPage.as_view(),
        name="study-questions-full",
    ),
    path(
        f"{QUESTIONS}analysis/<slug:entry>/",
        analysis_views.AnalysisPage.as_view(),
        name="study-analysis",
    ),
    path(
        f"{QUESTIONS}of/<slug:code>/",
        builder_views.QuestionsPage.as_view(),
        name="study-question",
    ),
    path(
        f"{QUESTIONS}of/<slug:code>/act/",
        builder_views.QuestionAction.as_view(),
        name="study-question-act",
    ),
    path(
        f"{QUESTIONS}of/<slug:code>/examples/<slug:option>/",
        builder_views.ExampleAction.as_view(),
        name="study-example",
    ),
    path("e/<str:token>", builder_views.ExampleImage.as_view(), name="example-image"),
    path("staff/studies/<uuid:pk>/close/", views.ClosePage.as_view(), name="study-close"),
]
