from django.urls import path

from synthesis import views

urlpatterns = [
    path("staff/generators/", views.generators, name="generators"),
    path("staff/generators/runs/<uuid:pk>/", views.generation_run, name="generation-run"),
    path("staff/generators/<uuid:pk>/", views.checkpoint, name="checkpoint"),
    path("staff/generators/<uuid:pk>/samples.png", views.samples, name="checkpoint-samples"),
    path("staff/generators/<uuid:pk>/generate/", views.GenerateView.as_view(), name="generate"),
]
