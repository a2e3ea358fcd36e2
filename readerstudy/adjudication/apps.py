from django.apps import AppConfig


class AdjudicationConfig(AppConfig):
    name = "readerstudy.adjudication"
    verbose_name = "Adjudication"
