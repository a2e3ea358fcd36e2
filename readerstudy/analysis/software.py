"""Which versions computed a result."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

CODE = ("analysis", "stats")
PACKAGES = ("readerstudy", "numpy", "scipy", "statsmodels")


def software() -> str:
    """Return name and version of this program."""
    return f"readerstudy {version_of('readerstudy')}"


@lru_cache(maxsize=1)
def code_sha256() -> str:
    """Return the digest of the code that computes and writes results.

    A version is a promise of people; this changes with every line, so that what an earlier state
    of the code computed is never shown as what this one would.
    """
    digest = hashlib.sha256()
    root = Path(__file__).parent.parent
    for folder in CODE:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def version_of(package: str) -> str:
    """Return the version of an installed package."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "0.1.0"


def versions() -> dict[str, str]:
    """Return the versions that numbers depend on."""
    return {name: version_of(name) for name in PACKAGES}
