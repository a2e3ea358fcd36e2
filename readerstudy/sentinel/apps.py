from django.apps import AppConfig


class SentinelConfig(AppConfig):
    name = "readerstudy.sentinel"
    label = "sentinel"

    def ready(self) -> None:
        from readerstudy.sentinel import checks  # noqa: F401 registers points of the checklist
