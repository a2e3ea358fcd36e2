from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "readerstudy.intake"
    verbose_name = "Intake of images"

    def ready(self) -> None:
        from readerstudy.intake import summaries  # noqa: F401 adds to the list of cases
