from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "readerstudy.intake"
    verbose_name = "Intake of images"
