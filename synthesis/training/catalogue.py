"""What can be trained, in words and numbers for a form: presets with their settings and help.

Printed as JSON by ``python -m synthesis.training.catalogue``, so that a page can offer every
preset without loading PyTorch into the web process; ``… check PRESET key=value …`` tells whether
settings fit, in the words that the command line would use.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
import textwrap
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from synthesis.networks.registry import PRESETS, find_preset, network_config
from synthesis.training.config import TrainingConfig
from synthesis.training.journal import finite_or_none
from synthesis.training.settings import OBJECTIVE_SETTINGS

_ASKED_APART = {"preset", "network", "objective", "seed", "device", "parent"}
_ENTRY = re.compile(r"^(\w+(?:, \w+)*) : .*$")


def describe() -> list[dict[str, Any]]:
    """Return every preset: name, summary, sequences and settings, as JSON values."""
    return [_preset(name) for name in sorted(PRESETS)]


def _preset(name: str) -> dict[str, Any]:
    preset = find_preset(name)
    own = network_config(name)
    chosen = {**preset.network, **preset.training}
    homes = (
        ("Training", TrainingConfig),
        ("Objective", OBJECTIVE_SETTINGS[preset.objective]),
        ("Network", preset.config),
    )
    return {
        "name": name,
        "summary": preset.summary,
        "sequences": sequences_of(own),
        "settings": [one for home, kind in homes for one in _settings(home, kind, chosen)],
    }


def sequences_of(config: Any) -> list[str]:
    """Return the series a network needs of each subject."""
    return list(getattr(config, "sequences", ()))


def _settings(home: str, kind: type[Any], chosen: dict[str, Any]) -> list[dict[str, Any]]:
    told, types = help_of(kind), get_type_hints(kind)
    return [
        {
            "name": one.name,
            "home": home,
            "default": finite_or_none(_plain(chosen.get(one.name, _default(one)))),
            "help": told.get(one.name, ""),
            "choices": _choices(types[one.name]),
        }
        for one in fields(kind)
        if one.name not in _ASKED_APART
    ]


def _default(one: Field[Any]) -> Any:
    if one.default is not MISSING:
        return one.default
    return one.default_factory() if one.default_factory is not MISSING else None


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _choices(annotation: Any) -> list[str]:
    """Return the words that a setting may have; none where it is no choice of words."""
    words = get_args(annotation) if get_origin(annotation) is Literal else ()
    return [word for word in words if isinstance(word, str)]


def help_of(kind: type[Any]) -> dict[str, str]:
    """Return what docstrings of a dataclass and of those it extends say of each attribute."""
    told: dict[str, str] = {}
    for one in reversed(kind.__mro__):
        told |= _told_by(one)
    return told


def _told_by(kind: type[Any]) -> dict[str, str]:
    text = inspect.cleandoc(kind.__dict__.get("__doc__") or "")
    _, _, section = text.partition("Attributes\n----------\n")
    told: dict[str, str] = {}
    names: list[str] = []
    lines: list[str] = []
    for line in [*section.splitlines(), "end : "]:
        if entry := _ENTRY.match(line):
            told |= dict.fromkeys(names, " ".join(lines).replace("`", ""))
            names, lines = entry[1].split(", "), []
        elif line.startswith(" "):
            lines.append(textwrap.dedent(line).strip())
        elif line.strip():
            break
    return told


def check(preset: str, overrides: list[str]) -> dict[str, Any]:
    """Return the sequences that a preset with these settings needs, or what is wrong with them."""
    try:
        config = TrainingConfig.parse(preset, overrides)
    except ValueError as error:
        return {"error": str(error)}
    return {"sequences": sequences_of(config.network_config()), "batch": config.batch}


def main(arguments: list[str] | None = None) -> None:
    """Print the catalogue, or the outcome of a check."""
    parser = argparse.ArgumentParser(prog="python -m synthesis.training.catalogue")
    parser.add_argument("action", choices=("list", "check"))
    parser.add_argument("preset", nargs="?", default="")
    parser.add_argument("overrides", nargs="*")
    asked = parser.parse_args(arguments)
    found = describe() if asked.action == "list" else check(asked.preset, asked.overrides)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
