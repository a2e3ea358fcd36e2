from django.urls import path

from synthesis import (
    drawing_views,
    readers_views,
    score_views,
    segmentation_views,
    training_views,
    views,
)

urlpatterns = [
    path(
        "staff/studies/<uuid:pk>/image-scores/",
        readers_views.ReadersCompared.as_view(),
        name="study-image-scores",
    ),
    path(
        "staff/studies/<uuid:pk>/image-scores/figures/<str:name>",
        readers_views.ComparedPart.as_view(),
        name="study-image-scores-figure",
    ),
    path(
        "staff/studies/<uuid:pk>/image-scores/tables/<str:name>",
        readers_views.ComparedPart.as_view(),
        name="study-image-scores-table",
    ),
    path("staff/generators/", views.generators, name="generators"),
    path("staff/generators/train/", training_views.choose_preset, name="train"),
    path(
        "staff/generators/train/<slug:preset>/",
        training_views.TrainView.as_view(),
        name="train-preset",
    ),
    path("staff/generators/trainings/<uuid:pk>/", training_views.training, name="training"),
    path(
        "staff/generators/trainings/<uuid:pk>/samples.png",
        training_views.training_samples,
        name="training-samples",
    ),
    path(
        "staff/generators/trainings/<uuid:pk>/stop/",
        training_views.training_stop,
        name="training-stop",
    ),
    path(
        "staff/generators/trainings/<uuid:pk>/resume/",
        training_views.training_resume,
        name="training-resume",
    ),
    path(
        "staff/generators/trainings/<uuid:pk>/files/",
        training_views.training_files,
        name="training-files",
    ),
    path(
        "staff/generators/trainings/<uuid:pk>/register/<int:step>/",
        training_views.training_release,
        name="training-release",
    ),
    path(
        "staff/generators/trainings/<uuid:pk>/<str:name>",
        training_views.training_curve,
        name="training-curve",
    ),
    path("staff/generators/scores/", score_views.generator_scores, name="generator-scores"),
    path(
        "staff/generators/scores.csv",
        score_views.generator_scores_csv,
        name="generator-scores-csv",
    ),
    path(
        "staff/generators/over-training.csv",
        score_views.courses_table,
        name="courses-csv",
    ),
    path(
        "staff/generators/runs/<uuid:pk>/scores.csv",
        score_views.run_scores_csv,
        name="run-scores-csv",
    ),
    path(
        "staff/generators/scores.svg",
        score_views.generator_scores_figure,
        name="generator-scores-figure",
    ),
    path(
        "staff/generators/runs/<uuid:pk>/scores/",
        score_views.RunScores.as_view(),
        name="run-scores",
    ),
    path(
        "staff/generators/runs/<uuid:pk>/agreement.svg",
        score_views.run_agreement,
        name="run-agreement",
    ),
    path(
        "staff/generators/runs/<uuid:pk>/segmentations/",
        segmentation_views.run_segmentations,
        name="run-segmentations",
    ),
    path(
        "staff/generators/runs/<uuid:pk>/segmentations.csv",
        segmentation_views.run_overlaps_csv,
        name="run-overlaps-csv",
    ),
    path(
        "staff/generators/runs/<uuid:pk>/progression.csv",
        segmentation_views.run_progression_csv,
        name="run-progression-csv",
    ),
    path(
        "staff/generators/runs/<uuid:pk>/label-maps/",
        segmentation_views.upload_label_maps,
        name="upload-label-maps",
    ),
    path("staff/generators/runs/<uuid:pk>/copies/", score_views.run_copies, name="run-copies"),
    path(
        "staff/generators/runs/<uuid:pk>/copies/<slug:measure>-<int:place>-<slug:kind>.png",
        score_views.run_copy,
        name="run-copy",
    ),
    path("staff/generators/runs/<uuid:pk>/fairness/", views.fairness_report, name="fairness"),
    path(
        "staff/generators/runs/<uuid:pk>/images/<str:code>/",
        views.generated_image,
        name="generated-image",
    ),
    path("staff/generators/runs/<uuid:pk>/", views.generation_run, name="generation-run"),
    path("staff/generators/<uuid:pk>/", views.checkpoint, name="checkpoint"),
    path("staff/generators/<uuid:pk>/files/", views.checkpoint_files, name="checkpoint-files"),
    path("staff/generators/<uuid:pk>/samples.png", views.samples, name="checkpoint-samples"),
    path("staff/generators/<uuid:pk>/generate/", views.GenerateView.as_view(), name="generate"),
    path("staff/generators/<uuid:pk>/draw/", drawing_views.DrawView.as_view(), name="draw"),
    path("staff/generators/<uuid:pk>/slices/", drawing_views.CutView.as_view(), name="cut-slices"),
    path("staff/generators/<uuid:pk>/film/", drawing_views.FilmView.as_view(), name="film"),
    path("staff/generators/<uuid:pk>/film.mp4", drawing_views.film_file, name="film-file"),
]
