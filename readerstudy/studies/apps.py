from django.apps import AppConfig


class StudiesConfig(AppConfig):
    name = "readerstudy.studies"
    label = "studies"

    def ready(self) -> None:
        from readerstudy.studies import (  # noqa: F401 register themselves
            audit_checks,
            case_actions,
            design_checks,
            protocol_checks,
            records,
            usage,
        )
