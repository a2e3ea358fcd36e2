"""What differs between two texts, word by word, for a page that shows both."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Piece:
    """A run of words that is the same, taken out or put in."""

    kind: str  # "same", "out" or "in"
    text: str


def pieces(old: str, new: str) -> list[Piece]:
    """Return the words of both texts in order."""
    before, after = _words(old), _words(new)
    found: list[Piece] = []
    # Compared without the blanks that follow a word: a longer text is no other last word.
    first, second = ([word.strip() for word in words] for words in (before, after))
    matcher = difflib.SequenceMatcher(a=first, b=second, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            found.append(Piece("same", "".join(after[c:d])))
            continue
        if a < b:
            found.append(Piece("out", "".join(before[a:b])))
        if c < d:
            found.append(Piece("in", "".join(after[c:d])))
    return found


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)
