from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "readerstudy.intake"
    verbose_name = "Intake of images"

    def ready(self) -> None:
        from readerstudy.intake import (  # noqa: F401 register jobs, and add to the list of cases
            dicomweb_jobs,
            manifest_jobs,
            summaries,
        )
