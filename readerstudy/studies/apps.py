from django.apps import AppConfig


class StudiesConfig(AppConfig):
    name = "readerstudy.studies"
    label = "studies"

    def ready(self) -> None:
        from readerstudy.studies import usage  # noqa: F401 counts the use of cases
