from django.apps import AppConfig


class RehearsalConfig(AppConfig):
    name = "readerstudy.rehearsal"
    label = "rehearsal"

    def ready(self) -> None:
        from readerstudy.rehearsal import (  # noqa: F401 registers jobs and points of the checklist
            checks,
            job_handlers,
        )
        from readerstudy.studies.overview import offers_place
        from readerstudy.studies.permissions import Action

        text = "Cases and readers for the power or the interval that is wanted"
        offers_place("Sample size", text, "study-sample-size", Action.CHECKLIST)
        text = "Simulated readers try the study: hours, intervals, every answer there"
        offers_place("Dry run", text, "study-dry-run", Action.CHECKLIST)
