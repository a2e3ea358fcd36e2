from django.apps import AppConfig


class ReadingConfig(AppConfig):
    name = "readerstudy.reading"
    label = "reading"

    def ready(self) -> None:
        from readerstudy.reading import (  # noqa: F401 register themselves
            audit_checks,
            checks,
            deviating,
            draft_preview,
            records,
            reminding,
        )
