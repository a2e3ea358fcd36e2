from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class TruthConfig(AppConfig):
    name = "readerstudy.truth"
    label = "truth"

    def ready(self) -> None:
        from readerstudy.truth import (  # noqa: F401 register what they add
            audit_checks,
            barring,
            checks,
            feedback,
            letters,
            triggers,
            unblinding,
        )

        pre_migrate.connect(triggers.remove, sender=self)
        post_migrate.connect(triggers.install, sender=self)
