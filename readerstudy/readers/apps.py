from django.apps import AppConfig


class ReadersConfig(AppConfig):
    name = "readerstudy.readers"
    label = "readers"
