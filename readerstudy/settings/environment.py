"""Read settings from the environment, and stop the start with a sentence when one is wrong."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from readerstudy.intake.dicomweb_servers import Server, ServerError, servers_from


def text(name: str, default: str | None = None) -> str:
    """Return a setting; without a default it must be set. ``NAME_FILE`` names a file to read."""
    if file := os.environ.get(f"{name}_FILE"):
        return Path(file).read_text().strip()
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(f"Set the environment variable {name} (or {name}_FILE).")
    return value


def flag(name: str, default: bool) -> bool:
    """Return a yes/no setting."""
    value = text(name, "yes" if default else "no").lower()
    if value not in {"yes", "no", "true", "false", "1", "0"}:
        raise ImproperlyConfigured(f"{name} must be yes or no, not {value!r}.")
    return value in {"yes", "true", "1"}


def number(name: str, default: int) -> int:
    """Return a whole-number setting."""
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from error


def one_of(name: str, choices: tuple[str, ...]) -> str:
    """Return a setting that is one of these words; the first stands where none is set."""
    value = text(name, choices[0]).lower()
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be {', '.join(choices[:-1])} or {choices[-1]}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated setting as a list."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def dicomweb_servers() -> dict[str, Server]:
    """Return the DICOMweb servers that images can be imported from, by name."""
    try:
        return servers_from(os.environ)
    except (ServerError, OSError) as error:
        raise ImproperlyConfigured(str(error)) from error
