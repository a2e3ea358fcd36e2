"""The settings of the demo with short leases, for real workers that a test starts and kills."""

from readerstudy.settings.dev import *  # noqa: F403
from readerstudy.settings.dev import CELERY_BEAT_SCHEDULE

JOB_LEASE_SECONDS = 3
CELERY_BEAT_SCHEDULE["sweep-jobs"]["schedule"] = 1.0
