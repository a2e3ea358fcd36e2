"""A department's server: refuses to start with unsafe values."""

from django.core.exceptions import ImproperlyConfigured

from readerstudy.settings import environment
from readerstudy.settings.base import *  # noqa: F403

DEBUG = False
SECRET_KEY = environment.text("READERSTUDY_SECRET_KEY")
if len(SECRET_KEY) < 40 or len(set(SECRET_KEY)) < 10:
    raise ImproperlyConfigured(
        "READERSTUDY_SECRET_KEY must have at least 40 random characters, such as those that "
        "python -c 'import secrets; print(secrets.token_urlsafe(50))' prints."
    )
ALLOWED_HOSTS = environment.words("READERSTUDY_HOSTS")
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("READERSTUDY_HOSTS must name the host names of this server.")
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST = environment.text("READERSTUDY_EMAIL_HOST", "localhost")
