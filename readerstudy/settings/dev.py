"""One machine, one command: the settings of `make demo`. Binds to the loopback only."""

import secrets

from readerstudy.settings import environment
from readerstudy.settings.base import *  # noqa: F403
from readerstudy.settings.base import VAR

DEBUG = environment.flag("READERSTUDY_DEBUG", default=False)
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
# Serve the built front end from where it is built; no collecting step on one machine.
STATIC_ROOT = None
WHITENOISE_USE_FINDERS = True


def _stored_secret() -> str:
    """Return this installation's own secret key, made on first use."""
    path = VAR / "secret-key"
    VAR.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(secrets.token_urlsafe(48))
        path.chmod(0o600)
    return path.read_text().strip()


SECRET_KEY = environment.text("READERSTUDY_SECRET_KEY", "") or _stored_secret()
