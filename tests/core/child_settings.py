"""Settings of a worker process that a test starts on its own database, and kills."""

import os

from readerstudy.settings.test import *  # noqa: F403
from readerstudy.settings.test import DATABASES

DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
JOB_LEASE_SECONDS = 1.5
