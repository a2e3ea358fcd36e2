from django.urls import path

from synthesis import drawing_views, views

urlpatterns = [
    path("staff/generators/", views.generators, name="generators"),
    path("staff/generators/runs/<uuid:pk>/", views.generation_run, name="generation-run"),
    path("staff/generators/<uuid:pk>/", views.checkpoint, name="checkpoint"),
    path("staff/generators/<uuid:pk>/samples.png", views.samples, name="checkpoint-samples"),
    path("staff/generators/<uuid:pk>/generate/", views.GenerateView.as_view(), name="generate"),
    path("staff/generators/<uuid:pk>/draw/", drawing_views.DrawView.as_view(), name="draw"),
    path("staff/generators/<uuid:pk>/slices/", drawing_views.CutView.as_view(), name="cut-slices"),
    path("staff/generators/<uuid:pk>/film/", drawing_views.FilmView.as_view(), name="film"),
    path("staff/generators/<uuid:pk>/film.mp4", drawing_views.film_file, name="film-file"),
]
