"""A chain of steps as JSON or TOML, checked before anything runs."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from readerstudy.imaging.preparation import brain_mask, normalise
from readerstudy.imaging.preparation.alignment import KINDS
from readerstudy.imaging.preparation.records import PreparationError
from readerstudy.imaging.preparation.resample import INTERPOLATIONS

REFERENCE = "reference"
TEMPLATE = "template"
EACH = "each"
LONGEST = 20


class ChainError(PreparationError):
    """A chain that cannot be run as it is written; the message names the step."""


@dataclass(frozen=True)
class StepSpec:
    """One step as asked for.

    Attributes
    ----------
    name : str
    parameters : mapping
        Complete, with defaults.
    roles : tuple of str or None
        The series it is limited to.
    """

    name: str
    parameters: Mapping[str, Any]
    roles: tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """As it would be written, with all defaults."""
        chosen = {"roles": list(self.roles)} if self.roles is not None else {}
        return {"step": self.name, **self.parameters, **chosen}


Check = Callable[[Any], Any]


def _one_of(*allowed: str) -> Check:
    def check(value: Any) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return str(value)

    return check


def _number(low: float, high: float) -> Check:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError("must be a number")
        if not low <= value <= high:
            raise ValueError(f"must lie between {low:g} and {high:g}")
        return float(value)

    return check


def _whole(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return check


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _word(value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 300:
        raise ValueError("must be a name")
    return value


def _pair(value: Any) -> list[float]:
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError("must be two numbers")
    return [_number(-1e9, 1e9)(each) for each in value]


def _iterations(value: Any) -> list[int]:
    if not isinstance(value, list) or not 1 <= len(value) <= 8:
        raise ValueError("must be a list of 1 to 8 whole numbers")
    return [_whole(1, 1000)(each) for each in value]


def _spacing(value: Any) -> list[float]:
    """One number, or three for x, y and z."""
    values = value if isinstance(value, list) else [value] * 3
    if len(values) != 3:
        raise ValueError("must be one number, or three for x, y and z")
    return [_number(0.05, 50)(each) for each in values]


_seed = _whole(0, 2**31 - 2)
_REQUIRED: Any = object()
_NONE: Any = None
# Per step: parameter, default, check. A default of _NONE stays None and is left unchecked.
STEPS: dict[str, dict[str, tuple[Any, Check]]] = {
    "reorient": {},
    "resample": {
        "spacing_mm": (_NONE, _spacing),
        "to": (_NONE, _word),
        "interpolation": ("linear", _one_of(*INTERPOLATIONS)),
    },
    "register": {
        "to": (_REQUIRED, _word),
        "kind": ("rigid", _one_of(*KINDS)),
        "interpolation": ("linear", _one_of(*INTERPOLATIONS)),
        "from": (REFERENCE, _word),
        "seed": (0, _seed),
    },
    "bias": {
        "iterations": ([50, 50, 50, 50], _iterations),
        "fwhm": (0.15, _number(0.01, 1)),
        "spline_mm": (200.0, _number(20, 1000)),
    },
    "brain_mask": {
        "method": ("computed", _one_of(*brain_mask.METHODS)),
        "from": (EACH, _word),
        "apply": (True, _truth),
        "margin_mm": (1.0, _number(0, 20)),
        "seed": (0, _seed),
    },
    "normalise": {
        "method": ("z-score", _one_of(*normalise.METHODS)),
        "mean": (0.0, _number(-1e6, 1e6)),
        "sd": (1.0, _number(1e-6, 1e6)),
        "percentiles": ([1.0, 99.0], _pair),
        "limits": ([0.0, 1000.0], _pair),
        "clip": (False, _truth),
        "reference": (_NONE, _word),
        "points": (32, _whole(2, 500)),
    },
}


def parse_chain(data: Any) -> tuple[StepSpec, ...]:
    """Check a chain.

    Parameters
    ----------
    data : list of mapping, or mapping with such a list as "steps"
        Each with "step", its parameters, and optionally "roles": the series it is limited to.

    Raises
    ------
    ChainError
        Naming the step and the parameter.
    """
    if isinstance(data, Mapping):
        unknown = set(data) - {"steps", "name"}
        if unknown or "steps" not in data:
            raise ChainError("the chain has no list named steps", 'Write {"steps": [...]}.')
        data = data["steps"]
    if not isinstance(data, list) or not data:
        advice = 'Write a list such as [{"step": "reorient"}].'
        raise ChainError("the chain is not a list of steps", advice)
    if len(data) > LONGEST:
        raise ChainError(f"the chain has {len(data)} steps", f"Use {LONGEST} at most.")
    return tuple(_step(number, each) for number, each in enumerate(data, start=1))


def _step(number: int, data: Any) -> StepSpec:
    if not isinstance(data, Mapping) or not isinstance(data.get("step"), str):
        raise ChainError(f"step {number} has no name", 'Write it like {"step": "reorient"}.')
    name = data["step"]
    if name not in STEPS:
        advice = f"There are {', '.join(STEPS)}."
        raise ChainError(f"step {number}: there is no step {name!r}", advice)
    given = {key: value for key, value in data.items() if key not in ("step", "roles")}
    unknown = [key for key in given if key not in STEPS[name]]
    if unknown:
        known = ", ".join([*STEPS[name], "roles"])
        raise ChainError(f"step {number} ({name}) knows no {unknown[0]!r}", f"It has {known}.")
    parameters = {
        key: _value(f"step {number} ({name})", key, given.get(key, default), STEPS[name][key])
        for key, (default, _) in STEPS[name].items()
    }
    _check_together(number, name, parameters)
    return StepSpec(name, parameters, _roles(number, name, data.get("roles")))


def _value(where: str, key: str, value: Any, rule: tuple[Any, Check]) -> Any:
    default, check = rule
    if value is _REQUIRED:
        raise ChainError(f"{where} lacks {key}", "Give it a value.")
    if value is None and default is None:
        return None
    try:
        return check(value)
    except ValueError as error:
        raise ChainError(f"{where}: {key} {error}", "Change it.") from error


def _check_together(number: int, name: str, parameters: Mapping[str, Any]) -> None:
    if name == "resample" and (parameters["spacing_mm"] is None) == (parameters["to"] is None):
        advice = "Give exactly one of the two."
        raise ChainError(f"step {number} (resample) needs spacing_mm or to", advice)
    if name == "normalise" and parameters["method"] == "histogram" and not parameters["reference"]:
        advice = "Name the file, folder or case to match."
        raise ChainError(f"step {number} (normalise) needs a reference", advice)


def _roles(number: int, name: str, roles: Any) -> tuple[str, ...] | None:
    if roles is None:
        return None
    if not isinstance(roles, list) or not roles or not all(isinstance(r, str) for r in roles):
        advice = 'Write it like "roles": ["t1", "t2"].'
        raise ChainError(f"step {number} ({name}): roles is not a list of names", advice)
    return tuple(roles)


def load_chain(path: str | Path) -> tuple[StepSpec, ...]:
    """Read a chain from a JSON or TOML file.

    Raises
    ------
    ChainError
        The file cannot be read, or see `parse_chain`. In TOML each step is a table ``[[steps]]``.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
        data = tomllib.loads(text) if file.suffix.lower() == ".toml" else json.loads(text)
    except OSError as error:
        raise ChainError(f"{file.name} cannot be read: {error.strerror}", "Check it.") from error
    except (ValueError, RecursionError) as error:
        advice = "Mend it, or start from an example."
        raise ChainError(f"{file.name} is not valid: {error}", advice) from error
    return parse_chain(data)


PRESETS: dict[str, dict[str, Any]] = {
    "brain-only": {
        "label": "Brain only",
        "explained": (
            "Finds the brain in each sequence and clears everything else, the face above all. "
            "Values inside stay as they are; nothing is interpolated."
        ),
        "steps": [{"step": "reorient"}, {"step": "brain_mask"}],
    },
    "brats-like": {
        "label": "Like BraTS: registered, 1 mm, brain only",
        "explained": (
            "Brings T1 to 1 mm, registers the other sequences to it rigidly, and clears "
            "everything outside the brain. All sequences end on one grid."
        ),
        "steps": [
            {"step": "reorient"},
            {"step": "resample", "spacing_mm": 1.0, "roles": [REFERENCE]},
            {"step": "register", "to": REFERENCE},
            {"step": "brain_mask", "from": REFERENCE},
        ],
    },
    "n4-z-score": {
        "label": "N4 and z-score",
        "explained": (
            "Evens out the brightness of the coils and brings the grey values inside the brain "
            "to a mean of 1000 and a standard deviation of 200. Maps with a unit, such as CBV "
            "and ADC, are left alone."
        ),
        "steps": [
            {"step": "reorient"},
            {"step": "brain_mask", "apply": False},
            {"step": "bias"},
            {"step": "normalise", "method": "z-score", "mean": 1000, "sd": 200, "clip": True},
        ],
    },
}
