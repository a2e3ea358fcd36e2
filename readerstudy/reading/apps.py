from django.apps import AppConfig


class ReadingConfig(AppConfig):
    name = "readerstudy.reading"
    label = "reading"

    def ready(self) -> None:
        from readerstudy.reading import checks  # noqa: F401 registers points of the checklist
