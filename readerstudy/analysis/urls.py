from django.urls import path

from readerstudy.analysis import explore_views, views

RESULTS = "staff/studies/<uuid:pk>/results/"

urlpatterns = [
    path(
        "staff/studies/<uuid:pk>/sessions/", views.ProgrammePage.as_view(), name="study-programme"
    ),
    path(RESULTS, views.ResultsPage.as_view(), name="study-results"),
    path(f"{RESULTS}explore/", explore_views.ExplorePage.as_view(), name="study-explore"),
    path(f"{RESULTS}cancel/", views.CancelAnalysis.as_view(), name="study-analysis-cancel"),
    path(f"{RESULTS}figures/<str:name>", views.ResultFigure.as_view(), name="study-figure"),
    path(f"{RESULTS}tables/<str:name>", views.ResultTable.as_view(), name="study-table"),
    path(
        "staff/studies/<uuid:pk>/export/<str:name>", views.Download.as_view(), name="study-export"
    ),
]
