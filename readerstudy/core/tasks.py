"""Celery tasks: they wake a worker, nothing more. What to do stands in the job table."""

from importlib import import_module

from celery import shared_task
from celery.signals import worker_ready
from django.apps import apps
from django.db import connection
from django.utils.module_loading import module_has_submodule

from readerstudy.core import jobs, regular
from readerstudy.core.models import Job


def load_handlers() -> None:
    """Import ``job_handlers`` of every app, which registers the kinds of jobs."""
    for config in apps.get_app_configs():
        if module_has_submodule(config.module, "job_handlers"):
            import_module(f"{config.name}.job_handlers")


@shared_task
def work(queue: str) -> int:
    """Run what waits in a queue."""
    return jobs.work_through(queue)


@shared_task
def sweep() -> int:
    """Return the jobs of dead workers and wake the queues that have waiting rows."""
    count = jobs.sweep()
    waiting = Job.objects.filter(state=Job.State.WAITING).values_list("queue", flat=True)
    for queue in set(waiting):
        jobs.wake(queue)
    return count


@shared_task
def hourly() -> int:
    """Do what is done by the clock, such as reminders; return how many parts failed."""
    return regular.run_hourly()


@worker_ready.connect
def _look_at_the_table(**_: object) -> None:
    """Sweep in the worker's own process: the queue of the sweeper may be busy for long."""
    try:
        jobs.clean_up()
        sweep()
    finally:
        connection.close()
