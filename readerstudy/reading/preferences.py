"""A reader's own keys and mouse buttons on the reading page."""

from __future__ import annotations

from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotAllowed, ReaderStudyError
from readerstudy.readers.models import ReaderProfile

# Every action of the reading page that may have another key (static/src/viewer/actions.ts and
# static/src/reading/keys.ts), with its default. Keys are named as the browser names them.
ACTIONS = {
    "not_evaluable": "n",
    "undo": "u",
    "pause": "p",
    "help": "h",
    "slice_up": "arrowup",
    "slice_down": "arrowdown",
    "slice_up_5": "pageup",
    "slice_down_5": "pagedown",
    "slice_first": "home",
    "slice_last": "end",
    "window": "w",
    "zoom": "z",
    "pan": "x",
    "length": "l",
    "ellipse": "e",
    "mark": "m",
    "place": " ",
    "erase": "delete",
    "zoom_in": "+",
    "zoom_out": "-",
    "invert": "i",
    "reset": "r",
    "full": "f",
    "fullscreen": "shift+f",
    "hanging_next": "g",
    "hanging_previous": "shift+g",
    "planes": "a",
    "pane_next": "b",
    "pane_previous": "shift+b",
    "link": "k",
    "colour": "c",
    "overlay": "v",
    "overlay_opacity": "shift+v",
    "interpolation": "d",
    "cine": "y",
    "cine_slower": ",",
    "cine_faster": ".",
}
LONGEST_KEY = 20
BUTTONS = ("left", "middle", "right")
DRAGS = ("window", "zoom", "pan", "slice")
MOUSE = {"left": "window", "middle": "pan", "right": "zoom"}
RESERVED = frozenset("0123456789?") | {
    "tab",
    "shift+tab",
    "enter",
    "escape",
    "arrowleft",
    "arrowright",
    "shift+arrowleft",
    "shift+arrowright",
}


def of(user: Any) -> dict[str, dict[str, str]]:
    """Return the keys that a reader changed, and all three mouse buttons."""
    profile = ReaderProfile.objects.filter(user=user).first()
    kept = profile.preferences if profile else {}
    return {"keys": kept.get("keys", {}), "mouse": {**MOUSE, **kept.get("mouse", {})}}


def change(*, user: Any, keys: Any, mouse: Any) -> None:
    """Keep a reader's keys and mouse buttons in place of the former ones.

    Raises
    ------
    ReaderStudyError
        An unknown action or button, a reserved key, or two actions on one key.
    """
    wanted = {"keys": _keys(keys), "mouse": _mouse(mouse)}
    with write_transaction():
        profile = ReaderProfile.objects.select_for_update().filter(user=user).first()
        if profile is None:
            raise NotAllowed("Only readers have keys of their own.")
        old, profile.preferences = profile.preferences, wanted
        profile.save(update_fields=("preferences",))
        audit.record(
            actor=user, action="reader.preferences", target=f"user {user.pk}", old=old, new=wanted
        )


def _keys(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _fault("The keys must be an object.")
    for action, key in value.items():
        if action not in ACTIONS:
            raise _fault(f"There is no action “{action}” to give a key to.")
        _check_key(key)
    _check_twice({**ACTIONS, **{action: key.lower() for action, key in value.items()}})
    return {action: key.lower() for action, key in value.items()}


def _check_key(key: Any) -> None:
    if not isinstance(key, str) or len(key) > LONGEST_KEY:
        raise _fault("A key must be named by a short text, such as “w”, or “” for none.")
    if key.lower() in RESERVED:
        raise _fault(f"“{key}” has a fixed meaning on the reading page; choose another key.")


def _check_twice(keys: dict[str, str]) -> None:
    owners: dict[str, str] = {}
    for action, key in keys.items():
        if key and key in owners:
            raise _fault(
                f"The key “{key}” would do two things: {owners[key]} and {action}. Change one."
            )
        owners[key] = action


def _mouse(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _fault("The mouse buttons must be an object.")
    for button, drag in value.items():
        if button not in BUTTONS or drag not in DRAGS:
            raise _fault(f"A mouse button drags one of {', '.join(DRAGS)}, not {button} {drag!r}.")
    return dict(value)


def _fault(sentence: str) -> ReaderStudyError:
    return ReaderStudyError(sentence, code="preferences")
