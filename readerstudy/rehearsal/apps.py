from django.apps import AppConfig


class RehearsalConfig(AppConfig):
    name = "readerstudy.rehearsal"
    label = "rehearsal"

    def ready(self) -> None:
        from readerstudy.rehearsal import (  # noqa: F401 registers jobs and points of the checklist
            checks,
            job_handlers,
        )
