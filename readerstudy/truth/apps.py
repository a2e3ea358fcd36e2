from django.apps import AppConfig


class TruthConfig(AppConfig):
    name = "readerstudy.truth"
    label = "truth"

    def ready(self) -> None:
        from readerstudy.truth import (  # noqa: F401 register what they add
            checks,
            feedback,
            letters,
            unblinding,
        )
