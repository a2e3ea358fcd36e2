"""Levels, arms and words as lines of text that people type: code | label | other spellings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def levels_to_text(levels: Iterable[Mapping[str, Any]]) -> str:
    """Return one line for each level; what says nothing new is left out."""
    return "\n".join(_line(one) for one in levels)


def _line(level: Mapping[str, Any]) -> str:
    code, label = str(level["code"]), str(level.get("label", ""))
    values = "; ".join(level.get("values", ()))
    if values:
        return f"{code} | {label} | {values}"
    return f"{code} | {label}" if label and label != code else code


def levels_from_text(text: str) -> list[dict[str, Any]]:
    """Return the levels that lines of text name, in their order."""
    lines = (line for line in text.splitlines() if line.strip())
    return [_level([part.strip() for part in line.split("|", 2)]) for line in lines]


def _level(parts: list[str]) -> dict[str, Any]:
    code, label, values = (*parts, "", "")[:3]
    return {"code": code, "label": label, "values": words_from_text(values)}


def words_from_text(text: str) -> list[str]:
    """Return words that are separated by semicolons."""
    return [word.strip() for word in text.split(";") if word.strip()]


def pairs_to_text(pairs: Mapping[str, str]) -> str:
    """Return one line for each pair, as value = level."""
    return "\n".join(f"{value} = {level}" for value, level in pairs.items())


def pairs_from_text(text: str) -> dict[str, str]:
    """Return value → level of lines as value = level."""
    lines = (line.rpartition("=") for line in text.splitlines() if line.strip())
    return {value.strip(): level.strip() for value, _, level in lines}
