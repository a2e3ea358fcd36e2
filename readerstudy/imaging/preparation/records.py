"""What a step of preparation hands on: the image, and an account of what was done."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from readerstudy.imaging.geometry import Volume

Mask = NDArray[np.bool_]


class PreparationError(Exception):
    """A step that cannot be done or whose result is not to be trusted.

    Parameters
    ----------
    reason : str
        What is wrong, as a plain clause without a full stop.
    advice : str
        What the user can do about it, as a full sentence.
    """

    def __init__(self, reason: str, advice: str) -> None:
        self.reason = reason
        self.advice = advice
        super().__init__(f"{reason[:1].upper()}{reason[1:]}. {advice}")


@dataclass(frozen=True)
class StepRecord:
    """An account of one step for one series.

    Attributes
    ----------
    step : str
        Name of the step, such as "register".
    parameters : mapping
        All of them, also those left at their defaults.
    tool, version : str
        The software that did the work.
    seconds : float
    figures : mapping
        Numbers that show how it went, such as the final metric or the 4 by 4 matrix.
    warnings : tuple of str
        What a person should look at, as full sentences.
    """

    step: str
    parameters: Mapping[str, Any]
    tool: str
    version: str
    seconds: float
    figures: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "warnings": list(self.warnings)}


@dataclass(frozen=True, eq=False)
class Prepared:
    """A volume after a step, with its mask where one is known, and the account."""

    volume: Volume
    record: StepRecord
    mask: Mask | None = None


class Stopwatch:
    """Seconds since the start of a block."""

    def __init__(self) -> None:
        self._start = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Elapsed time, rounded to the millisecond."""
        return round(time.perf_counter() - self._start, 3)


@contextmanager
def timed() -> Iterator[Stopwatch]:
    """Measure how long a block takes."""
    yield Stopwatch()


def version_of(package: str) -> str:
    """Version of an installed package; of this one also where it runs from its sources."""
    try:
        return version(package)
    except PackageNotFoundError:
        return _version_of_sources() if package == "readerstudy" else "unknown"


def _version_of_sources() -> str:
    project = Path(__file__).parents[3] / "pyproject.toml"
    if not project.is_file():
        return "unknown"
    return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])


def tools() -> dict[str, str]:
    """Versions of everything that has a part in the result."""
    names = ("readerstudy", "numpy", "scipy", "SimpleITK", "nilearn")
    return {name: version_of(name) for name in names}
