"""Which versions computed a result."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("readerstudy", "numpy", "scipy", "statsmodels")


def software() -> str:
    """Return name and version of this program."""
    return f"readerstudy {version_of('readerstudy')}"


def version_of(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "0.1.0"


def versions() -> dict[str, str]:
    """Return the versions that numbers depend on."""
    return {name: version_of(name) for name in PACKAGES}
