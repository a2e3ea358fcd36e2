from django.urls import path

from readerstudy.analysis import views

urlpatterns = [
    path(
        "staff/studies/<uuid:pk>/sessions/", views.ProgrammePage.as_view(), name="study-programme"
    ),
    path("staff/studies/<uuid:pk>/results/", views.results, name="study-results"),
    path("staff/studies/<uuid:pk>/results/accuracy.svg", views.figure, name="study-figure"),
    path("staff/studies/<uuid:pk>/export/<str:name>", views.download, name="study-export"),
]
