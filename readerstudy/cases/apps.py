from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "readerstudy.cases"
    label = "cases"

    def ready(self) -> None:
        from readerstudy.cases import audit_checks  # noqa: F401 registers itself
