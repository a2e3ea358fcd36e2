"""What the robot reader saw, as plain values: one presentation after another. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Exchange:
    """One request and what came back.

    Attributes
    ----------
    kind : str
        "image", "state", "answer", "draft", "refused" …
    about : str
        What exactly was asked for, the same text for every case, such as "t1c zstd 0".
    number : int
        Counts all requests of the walk.
    status : int
    headers : tuple of (name, value)
    length : int
        Bytes of the body as sent, before any decoding.
    seconds : float
        Until the last byte.
    """

    kind: str
    about: str
    number: int
    status: int
    headers: Headers
    length: int
    seconds: float


@dataclass
class ImageSeen:
    """One image of one presentation.

    Attributes
    ----------
    case : str
        Joins the image with its class after the walk; never part of a cue.
    slot : str
    place : int
        Which of the images beside each other, from 0.
    token : str
    frames : dict of str to str
        What the container says of itself, by "encoding chunk".
    decoded : dict of str to int
        Bytes after decoding, by "encoding chunk".
    facts : dict of str to float
        Of the decoded levels; see `readerstudy.sentinel.pixels`.
    """

    case: str
    slot: str
    place: int
    token: str
    frames: dict[str, str] = field(default_factory=dict)
    decoded: dict[str, int] = field(default_factory=dict)
    facts: dict[str, float] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)


@dataclass
class Presentation:
    """One item shown once to the robot.

    Attributes
    ----------
    token : str
    served : int
        In which order the server gave it, from 1.
    fields : mapping of str to scalar
        All that was told, flattened: path to text, number, truth value or None.
    images : list of ImageSeen
    exchanges : list of Exchange
        Those that concern the item and not one image.
    """

    token: str
    served: int
    fields: Mapping[str, Any] = field(default_factory=dict)
    images: list[ImageSeen] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)


@dataclass(frozen=True)
class Turn:
    """When a reader of the study is shown a case: share of the way through, and on which side."""

    reader: str
    case: str
    share: float
    place: int = 0


def flattened(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield path and scalar of everything in a JSON value; an empty list or object counts too."""
    if isinstance(value, dict) and value:
        for key, one in value.items():
            yield from flattened(one, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for index, one in enumerate(value):
            yield from flattened(one, f"{path}[{index}]")
    else:
        yield path, str(value) if isinstance(value, dict | list) else value
