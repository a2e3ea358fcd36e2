"""Judge a display check: the smallest contrast seen on each grey, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from readerstudy.readers.display_check_targets import LINES, WANTED_STEP, ZONES, Target, percent

WIDTH, HEIGHT = 1024, 768  # the smallest window that the reading page is made for
COLOUR_DEPTH = 24
ZOOM_SLACK = 0.03
LIGHTS = ("dim", "normal", "bright")
THIN = "\N{NARROW NO-BREAK SPACE}"

ADVICE = {
    "black": "Dim the room, turn the display away from windows and lamps, and raise its brightness."
    " A picture mode such as DICOM or sRGB keeps dark greys apart.",
    "dark": "Dim the room and raise the brightness. Switch off night mode and “dynamic contrast”.",
    "mid": "Raise the brightness, clean the screen and look at it straight on.",
    "light": "Lower the contrast setting of the display. Switch off night mode and HDR.",
    "white": "Lower the contrast setting of the display and choose a picture mode such as DICOM or"
    " sRGB: bright greys run into white. Switch off night mode and HDR.",
    LINES: "Set the display to its native resolution in the settings of the computer, and do not "
    "read through a remote desktop that shrinks or compresses the picture.",
}


@dataclass(frozen=True)
class Conditions:
    """What the browser and the reader said about the place of reading.

    Attributes
    ----------
    width, height : int
        Size of the window's content, CSS pixels.
    colour_depth : int
        Bits per pixel.
    zoom : float or None
        Zoom of the page, 1 for 100 %; None where the browser does not tell.
    light : str
        The room: "dim", "normal" or "bright".
    """

    width: int
    height: int
    colour_depth: int
    zoom: float | None
    light: str


@dataclass(frozen=True)
class Point:
    """One line of the result."""

    code: str
    passed: bool
    statement: str
    advice: str = ""
    counts: bool = True  # False: worth a look, but nothing that fails the check


@dataclass(frozen=True)
class Verdict:
    """The result of one check.

    Attributes
    ----------
    smallest : dict
        Smallest step read rightly by zone, grey levels; None where nothing was read.
    points : tuple of Point
        The five greys from black to white, the lines, then the conditions.
    """

    smallest: dict[str, int | None]
    points: tuple[Point, ...]

    @property
    def passed(self) -> bool:
        return all(point.passed for point in self.points if point.counts)


def judge(targets: Sequence[Target], answers: Sequence[str], conditions: Conditions) -> Verdict:
    """Return the verdict on the answers to a check.

    Parameters
    ----------
    targets : sequence of Target
        As drawn from the seed.
    answers : sequence of str
        What was typed for each, in the same order; empty for "I see nothing".
    conditions : Conditions
        Window, colour depth, zoom and light.

    Raises
    ------
    ValueError
        If there is not one answer for each target.
    """
    if len(targets) != len(answers):
        raise ValueError(f"{len(targets)} targets need as many answers, not {len(answers)}.")
    right = [t for t, answer in zip(targets, answers, strict=True) if is_right(t, answer)]
    smallest = {
        zone: min((target.step for target in right if target.zone == zone), default=None)
        for zone in (*(zone.code for zone in ZONES), LINES)
    }
    lines_seen = smallest.pop(LINES) is not None
    return Verdict(smallest, (*_greys(smallest), _lines(lines_seen), *_surroundings_of(conditions)))


def is_right(target: Target, answer: str) -> bool:
    """Tell whether the character was read; capital or small is the same."""
    return answer.strip().upper() == target.character


def steps_text(step: int) -> str:
    """Return a step in per cent with one decimal: "1.6 %"."""
    return f"{percent(step):.1f}{THIN}%"


def _greys(smallest: Mapping[str, int | None]) -> tuple[Point, ...]:
    return tuple(_grey(zone.code, zone.name, smallest[zone.code]) for zone in ZONES)


def _grey(code: str, name: str, seen: int | None) -> Point:
    passed = seen is not None and seen <= WANTED_STEP
    found = f"you saw {steps_text(seen)} steps" if seen else "you saw none of the steps"
    statement = f"On {name} {found}" + ("" if passed else f"; {steps_text(WANTED_STEP)} is wanted")
    return Point(code, passed, statement, "" if passed else ADVICE[code])


def _lines(seen: bool) -> Point:
    if seen:
        return Point(LINES, True, "Lines of one pixel are shown apart")
    return Point(LINES, False, "Lines of one pixel run together", ADVICE[LINES])


def _surroundings_of(given: Conditions) -> tuple[Point, ...]:
    return (_window(given), _depth(given), _zoom(given), _light(given))


def _window(given: Conditions) -> Point:
    enough = given.width >= WIDTH and given.height >= HEIGHT
    size = f"The window has {given.width} × {given.height} pixels"
    if enough:
        return Point("window", True, size)
    wanted = f"; {WIDTH} × {HEIGHT} are wanted"
    return Point("window", False, size + wanted, "Make the window as large as the screen (F11).")


def _depth(given: Conditions) -> Point:
    enough = given.colour_depth >= COLOUR_DEPTH
    bits = f"The display gets {given.colour_depth} bits a pixel"
    if enough:
        return Point("depth", True, bits)
    advice = "Choose 24 bits or “true colour” in the display settings of the computer."
    return Point("depth", False, f"{bits}; {COLOUR_DEPTH} are wanted", advice)


def _zoom(given: Conditions) -> Point:
    if given.zoom is None:
        return Point("zoom", True, "The browser does not tell its zoom", counts=False)
    zoom = f"The page is zoomed to {100 * given.zoom:.0f}{THIN}%"
    if abs(given.zoom - 1) <= ZOOM_SLACK:
        return Point("zoom", True, zoom, counts=False)
    advice = "Press Ctrl and 0: at 100 % text and panes have the sizes they were made for."
    return Point("zoom", False, zoom, advice, counts=False)


def _light(given: Conditions) -> Point:
    words = {"dim": "dim", "normal": "lit as an office", "bright": "bright"}
    statement = f"The room is {words[given.light]}"
    if given.light != "bright":
        return Point("room", True, statement, counts=False)
    advice = "Close the blinds and leave only a weak, indirect light on."
    return Point("room", False, statement, advice, counts=False)
