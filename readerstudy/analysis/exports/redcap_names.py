"""Names and codes as REDCap takes them."""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 100
RESERVED = frozenset(
    {
        "record_id",
        "redcap_event_name",
        "redcap_csrf_token",
        "redcap_repeat_instance",
        "redcap_repeat_instrument",
        "redcap_data_access_group",
        "redcap_survey_identifier",
        "redcap_survey_timestamp",
    }
)


class Names:
    """Gives each thing a name of its own that REDCap accepts: lower case, from a letter on."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken) | RESERVED
        self._by_thing: dict[str, str] = {}

    def of(self, thing: str) -> str:
        """Return the name of a thing, always the same one."""
        if thing not in self._by_thing:
            self._by_thing[thing] = self._free(_plain(thing))
            self._taken.add(self._by_thing[thing])
        return self._by_thing[thing]

    def _free(self, wanted: str) -> str:
        name, number = wanted, 1
        while name in self._taken or name.endswith("_complete"):
            number += 1
            name = f"{wanted[: LONGEST - 5]}_{number}"
        return name


def _plain(thing: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", thing.lower()).strip("_")
    name = name if name[:1].isalpha() else f"q_{name}".rstrip("_")
    return name[:LONGEST].rstrip("_")


def code_of(level: str) -> str:
    """Return the raw value of a choice: letters, digits and underscores, lower case."""
    return re.sub(r"[^a-z0-9]+", "_", level.lower()).strip("_") or "_"


def codes_of(levels: Iterable[str]) -> dict[str, str]:
    """Return level → raw value, all different."""
    found: dict[str, str] = {}
    for level in levels:
        code = wanted = code_of(level)
        number = 1
        while code in found.values():
            number += 1
            code = f"{wanted}_{number}"
        found[level] = code
    return found


def choices_text(choices: Iterable[tuple[str, str]]) -> str:
    """Return choices as one cell: ``code, label | code, label``."""
    return " | ".join(f"{code}, {plain_text(label)}" for code, label in choices)


def plain_text(text: str) -> str:
    """Return a label in one line, without what REDCap would read as a choice or as HTML."""
    return " ".join(text.replace("|", "/").replace("<", "‹").replace(">", "›").split())
