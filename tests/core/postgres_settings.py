"""Settings of tests that run on the PostgreSQL server of `tests.core.postgres`."""

import os

from readerstudy.settings.test import *  # noqa: F403

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["READERSTUDY_DB_NAME"],
        "USER": os.environ["READERSTUDY_DB_USER"],
        "HOST": os.environ["READERSTUDY_DB_HOST"],
    }
}
