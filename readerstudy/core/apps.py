from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "readerstudy.core"
    label = "core"

    def ready(self) -> None:
        from readerstudy import celery  # noqa: F401 makes the application that tasks belong to
        from readerstudy.core.tasks import load_handlers

        load_handlers()
