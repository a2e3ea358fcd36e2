from django.apps import AppConfig


class TruthConfig(AppConfig):
    name = "readerstudy.truth"
    label = "truth"

    def ready(self) -> None:
        from readerstudy.truth import checks  # noqa: F401 registers points of the checklist
