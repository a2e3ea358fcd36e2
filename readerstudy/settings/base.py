"""Settings shared by all environments. Values come from the environment (see environment.py)."""

from pathlib import Path

from csp.constants import NONE, SELF

from readerstudy.core.sqlite import connection_options, use_bundled_sqlite
from readerstudy.settings import environment

ROOT = Path(__file__).resolve().parent.parent.parent
VAR = Path(environment.text("READERSTUDY_VAR", str(ROOT / "var"))).resolve()
MEDIA_ROOT = VAR / "media"
WORK_ROOT = VAR / "work"  # runs of generators, uploads on their way in
# Folders whose subfolders (of subjects) may be chosen for training, separated by colons.
_TRAINING = environment.text("READERSTUDY_TRAINING_DATA", "")
TRAINING_ROOTS = [*filter(None, _TRAINING.split(":")), VAR / "training", WORK_ROOT / "demo"]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "axes",
    "csp",
    "django_vite",
    "readerstudy.core",
    "readerstudy.cases",
    "readerstudy.readers",
    "readerstudy.studies",
    "readerstudy.reading",
    "readerstudy.truth",
    "readerstudy.intake",
    "readerstudy.adjudication",
    "readerstudy.analysis",
    "readerstudy.rehearsal",
    "readerstudy.sentinel",
    "synthesis",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "readerstudy.core.middleware.UnavailableMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "readerstudy.core.middleware.ErrorMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "readerstudy.urls"
WSGI_APPLICATION = "readerstudy.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {
                "sentinel": "readerstudy.sentinel.templatetags.sentinel",
                "readerstudy": "readerstudy.core.templatetags.readerstudy",
                "truth": "readerstudy.truth.templatetags.truth",
            },
            "builtins": ["readerstudy.core.templatetags.readerstudy"],
        },
    }
]

SQLITE_VERSION = use_bundled_sqlite()
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": VAR / "readerstudy.sqlite3",
        "OPTIONS": connection_options(SQLITE_VERSION),
    }
}
if environment.text("READERSTUDY_DATABASE", "sqlite") == "postgresql":
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": environment.text("READERSTUDY_DB_NAME", "readerstudy"),
        "USER": environment.text("READERSTUDY_DB_USER", "readerstudy"),
        "PASSWORD": environment.text("READERSTUDY_DB_PASSWORD"),
        "HOST": environment.text("READERSTUDY_DB_HOST", "localhost"),
        "PORT": environment.text("READERSTUDY_DB_PORT", "5432"),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"pool": True},
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "readers.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 6
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "readerstudy.core.views.locked_out"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "readerstudy.core.views.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "media-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [ROOT / "static" / "dist"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DJANGO_VITE = {
    "default": {"manifest_path": ROOT / "static" / "dist" / "manifest.json"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# What the staff's viewer keeps of encoded images; what was not looked at longest goes first.
VIEWER_CACHE_BYTES = environment.number("READERSTUDY_VIEWER_CACHE_GB", 4) * 2**30

# Imports: what one upload may hold, what the disk must keep free, how long names are kept.
INTAKE_PART_BYTES = 4 * 2**20
INTAKE_MAX_FILES = environment.number("READERSTUDY_UPLOAD_FILES", 20_000)
INTAKE_MAX_FILE_BYTES = environment.number("READERSTUDY_UPLOAD_FILE_GB", 8) * 2**30
INTAKE_MAX_TOTAL_BYTES = environment.number("READERSTUDY_UPLOAD_GB", 64) * 2**30
INTAKE_FREE_BYTES = environment.number("READERSTUDY_DISK_FREE_GB", 2) * 2**30
INTAKE_OPEN_UPLOADS = 5
INTAKE_KEEP_DAYS = 30
INTAKE_UPLOAD_DAYS = 7
DICOMWEB_SERVERS = environment.dicomweb_servers()

# Displays of readers: what is asked before reading, and for how many days a check holds.
DISPLAY_CHECK = environment.one_of("READERSTUDY_DISPLAY_CHECK", ("advised", "required", "off"))
DISPLAY_CHECK_DAYS = environment.number("READERSTUDY_DISPLAY_CHECK_DAYS", 30)

# Preparation: a program of the operator's that finds the brain; no web user can set it.
BRAIN_MASK_COMMAND = environment.text("READERSTUDY_BRAIN_MASK_COMMAND", "")
BRAIN_MASK_SECONDS = environment.number("READERSTUDY_BRAIN_MASK_SECONDS", 900)

# Scores: a program of the operator's that segments tumours; no web user can set it.
SEGMENTATION_COMMAND = environment.text("READERSTUDY_SEGMENTATION_COMMAND", "")
SEGMENTATION_SECONDS = environment.number("READERSTUDY_SEGMENTATION_SECONDS", 900)

# What the reading of one file of unknown origin may cost (docs/how-to/hostile-files.md).
READING_LIMITS = {
    "memory_mb": environment.number("READERSTUDY_READING_MEMORY_MB", 352),
    "most_memory_mb": environment.number("READERSTUDY_READING_MOST_MEMORY_MB", 3072),
    "cpu_s": environment.number("READERSTUDY_READING_SECONDS", 10),
    "most_cpu_s": environment.number("READERSTUDY_READING_MOST_SECONDS", 900),
}
ARCHIVE_LIMITS = {
    "members": environment.number("READERSTUDY_ARCHIVE_FILES", 50_000),
    "total_mb": environment.number("READERSTUDY_ARCHIVE_GB", 16) * 1024,
    "free_mb": environment.number("READERSTUDY_DISK_FREE_GB", 2) * 1024,
}

EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = VAR / "mail"
# Where readers find this server, for letters that are sent without a page being open.
PUBLIC_URL = environment.text("READERSTUDY_URL", "")
DEFAULT_FROM_EMAIL = environment.text("READERSTUDY_FROM_EMAIL", "readerstudy@localhost")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["readerstudy.core.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "readerstudy.core.api.exception_handler",
}
SPECTACULAR_SETTINGS = {"TITLE": "readerstudy", "VERSION": "0.1.0"}

CELERY_BROKER_URL = environment.text("READERSTUDY_BROKER", "filesystem://localhost/")
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "data_folder_in": str(VAR / "queue"),
        "data_folder_out": str(VAR / "queue"),
        "control_folder": str(VAR / "queue-control"),
    }
    if CELERY_BROKER_URL.startswith("filesystem://")
    else {}
)
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {
        "task": "readerstudy.core.tasks.sweep",
        "schedule": 20.0,
        "options": {"expires": 20},  # a worker that was busy needs only the newest
    },
    "by-the-clock": {
        "task": "readerstudy.core.tasks.hourly",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
}
JOB_LEASE_SECONDS = 30

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {"axes": {"level": "WARNING"}},
}
