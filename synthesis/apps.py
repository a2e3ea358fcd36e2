from django.apps import AppConfig


class SynthesisConfig(AppConfig):
    name = "synthesis"
    label = "synthesis"

    def ready(self) -> None:
        from readerstudy.studies.overview import offers_place
        from readerstudy.studies.permissions import Action

        text = "Do scores of images say what readers say?"
        offers_place("Scores and readers", text, "study-image-scores", Action.RESULTS)
