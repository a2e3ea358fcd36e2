from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    name = "readerstudy.analysis"
    label = "analysis"

    def ready(self) -> None:
        from readerstudy.analysis import debrief, job_handlers, running
        from readerstudy.truth.unblinding import after_unblinding

        del job_handlers, debrief  # they register themselves
        after_unblinding(running.start_after_unblinding)
