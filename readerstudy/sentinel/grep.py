"""Look for words of truth in everything that the robot received. Pure.

A word is reported by its kind, never by itself: which generator's name was found would tell the
staff what the blind keeps from them.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

OPAQUE = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?"
)
WORD = re.compile(r"[^\W_]+(?:[-.][^\W_]+)*")
IMAGE_FILE = re.compile(
    r"[\w()-][\w.()-]*\.(?:nii(?:\.gz)?|dcm|ima|mgz|mgh|nrrd|mha|npy|png|jpe?g|tiff?)\b", re.I
)
FILE_KIND = "a name of an image file"
TOKEN = re.compile(r"[\w-]{20,}")
SHORTEST_IN_BYTES = 8
SHORTEST_IN_SOURCE = 6


@dataclass(frozen=True)
class Found:
    """Words of one kind in one place, and in how many answers."""

    kind: str
    place: str
    count: int


@dataclass
class Search:
    """Words to look for, and what was found so far.

    Attributes
    ----------
    words : dict of str to set of str
        Lower-case words that must not be in any answer, by kind.
    of_cases : dict of str to set of str
        Words that must not be in what is told of one case; the pages of a study may use them.
    known : list of str
        Texts that the protocol gives to every reader; not searched.
    own : set of str
        Tokens that the robot holds; chance may spell a word in them.
    """

    words: Mapping[str, set[str]]
    of_cases: Mapping[str, set[str]]
    known: list[str] = field(default_factory=list)
    own: set[str] = field(default_factory=set)
    found: Counter[tuple[str, str]] = field(default_factory=Counter)
    searched: int = 0

    def __post_init__(self) -> None:
        self.known = sorted(filter(None, self.known), key=len, reverse=True)

    def text(self, text: str, place: str, *, of_case: bool) -> None:
        """Search one answer, header or address."""
        lowered = self._cleared(text).lower()
        for kind, listed in self._lists(of_case):
            if _holds(lowered, listed):
                self.found[kind, place] += 1
        if of_case and IMAGE_FILE.search(lowered):
            self.found[FILE_KIND, place] += 1
        self.searched += 1

    def source(self, text: str, place: str) -> None:
        """Search a script or style, for words that no programmer uses by chance."""
        lowered = text.lower()
        for kind, listed in self._lists(of_case=False):
            rare = {w for w in listed if len(w) >= SHORTEST_IN_SOURCE and not w.isdigit()}
            if _holds(lowered, rare):
                self.found[kind, place] += 1
        self.searched += 1

    def content(self, content: bytes, place: str) -> None:
        """Search the raw bytes of an image for words long enough not to be there by chance."""
        lowered = content.lower()
        for kind, listed in self._lists(of_case=True):
            long = (word for word in listed if len(word) >= SHORTEST_IN_BYTES)
            if any(word.encode() in lowered for word in long):
                self.found[kind, place] += 1
        self.searched += 1

    def results(self) -> list[Found]:
        """Return what was found, sorted by kind and place."""
        return [Found(kind, place, count) for (kind, place), count in sorted(self.found.items())]

    def _lists(self, of_case: bool) -> Iterator[tuple[str, set[str]]]:
        yield from self.words.items()
        if of_case:
            yield from self.of_cases.items()

    def _cleared(self, text: str) -> str:
        text = html.unescape(text)
        for known in self.known:
            text = text.replace(known, " ")
        text = TOKEN.sub(lambda match: " " if match[0] in self.own else match[0], text)
        return OPAQUE.sub(self._kept_if_listed, text)

    def _kept_if_listed(self, match: re.Match[str]) -> str:
        """Keep an identifier that is itself a word of truth, such as that of a run."""
        listed = any(match[0].lower() in words for _, words in self._lists(of_case=True))
        return match[0] if listed else " "


def _holds(lowered: str, listed: set[str]) -> bool:
    """Is one of the words in a text, as a whole word?"""
    parts = set(WORD.findall(lowered))
    parts |= {part for word in parts for part in re.split(r"[-.]", word)}
    phrases = (word for word in listed if not WORD.fullmatch(word))
    return bool(parts & listed) or any(_spelt(word, lowered) for word in phrases)


def _spelt(word: str, text: str) -> bool:
    bounded = rf"(?<![^\W_]){re.escape(word)}(?![^\W_])"
    return word in text and re.search(bounded, text) is not None


def words(values: Iterable[object]) -> set[str]:
    """Return texts as words to look for: lower case, without blanks at the ends, none empty."""
    return {text for value in values if (text := str(value or "").strip().lower())}
