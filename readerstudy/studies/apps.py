from django.apps import AppConfig


class StudiesConfig(AppConfig):
    name = "readerstudy.studies"
    label = "studies"

    def ready(self) -> None:
        from readerstudy.studies import case_actions, protocol_checks, records, usage  # noqa: F401 register themselves
