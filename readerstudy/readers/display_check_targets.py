"""The targets of a display check: which character, on which grey, at which contrast.

Backgrounds 0, 128 and 255 and steps of few grey levels follow the lettering of the TG18-QC
pattern (AAPM On-line Report 03, 2005), the step of 13 levels its 5 % and 95 % patches. Its
fixed words are replaced by single characters drawn anew each time, so that nobody can answer
from memory.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

ALGORITHM = "display-check-1"
# Without characters that are taken for others: 0 O D Q, 1 I l, 2 Z, 5 S, 6 G, 8 B, U V.
CHARACTERS = "ACEFHJKLMNPRTWXY3479"
LEVELS = 255
WANTED_STEP = 4  # the letter T: eleven of the fourteen letters of TG18-QC are to be seen
SPREAD = 60  # how far a character may lie from the middle of its patch, pixels


@dataclass(frozen=True)
class Zone:
    """One background with the steps tried on it, from the easiest on.

    Attributes
    ----------
    code : str
        Name in stored results.
    name : str
        Name in sentences: "on black".
    background : int
        Grey level, 0 to 255.
    steps : tuple of int
        Differences from the background, grey levels; negative where the character is darker.
    """

    code: str
    name: str
    background: int
    steps: tuple[int, ...]


# From dark to bright: a bright patch would dull the eye for the dark ones after it.
ZONES = (
    Zone("black", "black", 0, (13, 8, 4, 2)),
    Zone("dark", "dark grey", 64, (4,)),
    Zone("mid", "mid grey", 128, (4, 2)),
    Zone("light", "light grey", 191, (-4,)),
    Zone("white", "white", 255, (-13, -8, -4, -2)),
)
LINES = "lines"


@dataclass(frozen=True)
class Target:
    """One patch to look at.

    Attributes
    ----------
    zone : str
        Code of a zone, or "lines" for the pattern of single-pixel lines.
    background, ink : int
        Grey levels of the patch and of the character; of the two lines in "lines".
    character : str
        What is to be read.
    offset : tuple of int
        Where the character lies from the middle of the patch, pixels to the right and down.
    """

    zone: str
    background: int
    ink: int
    character: str
    offset: tuple[int, int]

    @property
    def step(self) -> int:
        """Size of the difference, grey levels."""
        return abs(self.ink - self.background)


def percent(step: int) -> float:
    """Return a difference of grey levels in per cent of the full range, unrounded."""
    return 100 * abs(step) / LEVELS


def draw(seed: str) -> tuple[Target, ...]:
    """Return the targets of one check; the same seed gives the same targets.

    Parameters
    ----------
    seed : str
        Any text; stored with the result.

    Returns
    -------
    tuple of Target
        Twelve contrasts from black to white, then the lines. No character comes twice.
    """
    plan = [(z.code, z.background, z.background + step) for z in ZONES for step in z.steps]
    plan.append((LINES, 0, LEVELS))
    characters = sorted(CHARACTERS, key=lambda character: _digest(seed, character))
    return tuple(
        Target(zone, background, ink, characters[place], _offset(seed, place, zone))
        for place, (zone, background, ink) in enumerate(plan)
    )


def _offset(seed: str, place: int, zone: str) -> tuple[int, int]:
    if zone == LINES:
        return 0, 0  # the pattern is large and fills its patch
    digest = _digest(seed, f"place {place}")
    span = 2 * SPREAD + 1
    across, down = (int.from_bytes(digest[at : at + 4], "big") % span for at in (0, 4))
    return across - SPREAD, down - SPREAD


def _digest(seed: str, of: str) -> bytes:
    """Return bytes that nobody can foresee without the seed, the same on every machine."""
    return hashlib.sha256(f"{ALGORITHM}|{seed}|{of}".encode()).digest()
