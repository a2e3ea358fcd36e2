from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class CoreConfig(AppConfig):
    name = "readerstudy.core"
    label = "core"

    def ready(self) -> None:
        from readerstudy import celery  # noqa: F401 makes the application that tasks belong to
        from readerstudy.core import append_only
        from readerstudy.core.tasks import load_handlers

        load_handlers()
        pre_migrate.connect(append_only.remove, sender=self)
        post_migrate.connect(append_only.install, sender=self)
