"""Settings of the test suite: everything in a temporary folder, fast password hashing."""

import atexit
import shutil
import tempfile
from pathlib import Path

from readerstudy.core.sqlite import connection_options
from readerstudy.settings.base import *  # noqa: F403
from readerstudy.settings.base import DJANGO_VITE as _VITE
from readerstudy.settings.base import SQLITE_VERSION

SECRET_KEY = "only for tests, never for a server " * 2
DEBUG = False
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
VAR = Path(tempfile.mkdtemp(prefix="readerstudy-tests-"))
atexit.register(shutil.rmtree, VAR, ignore_errors=True)
MEDIA_ROOT = VAR / "media"
WORK_ROOT = VAR / "work"
STATIC_ROOT = None  # nothing collected: WhiteNoise has no folder to look into
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AXES_ENABLED = False
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR / "tests.sqlite3",
        "OPTIONS": connection_options(SQLITE_VERSION),
        "TEST": {"NAME": VAR / "tests.sqlite3"},
    }
}
DISPLAY_CHECK = "off"  # tests of the check itself say what is asked
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
# Dev mode reads no manifest, so that Python tests need no front-end build.
DJANGO_VITE = {"default": {**_VITE["default"], "dev_mode": True}}
