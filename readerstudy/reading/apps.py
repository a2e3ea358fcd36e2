from django.apps import AppConfig


class ReadingConfig(AppConfig):
    name = "readerstudy.reading"
    label = "reading"

    def ready(self) -> None:
        from readerstudy.reading import checks, deviating, records, reminding  # noqa: F401 register themselves
