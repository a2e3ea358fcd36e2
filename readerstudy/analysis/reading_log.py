"""What the export says of how each answer came about: raw events, and what was seen of the images.

The page kept both with its answer; nothing is computed here but counts of slices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from readerstudy.analysis.datasets import Dataset, Read
from readerstudy.core.cells import safe_cell

PLACE = ("reader", "arm", "period", "position", "stage", "repeat", "case")
EVENT_TEXTS = {
    "answer": "1 for the first answer to the case, 2 and on for corrections",
    "at_ms": "Milliseconds since the case was shown",
    "event": "loaded, input, idle, active, blur, hidden, back, pause, resume, closed, opened, "
    "saved or undone; see docs/how-to/reading-times.md",
    "lasted_ms": "Of a burst of input: from its first to its last",
    "inputs": "Of a burst of input: presses, moves and turns of the wheel",
}
VIEW_TEXTS = {
    "series": "Code of the series on the page",
    "slice": "Slice on screen when the answer was saved, from 1",
    "slices_seen": "How many slices of the series were on screen",
    "seen_ranges": "Which, from 1, as first-last, separated by a vertical bar",
    "window_width": "Window at the end, in display levels",
    "window_level": "Level at the end, in display levels",
    "zoom": "CSS pixels for each column of the image at the end",
    "inverted": "1 if grey levels were inverted at the end, else 0",
}
EVENT_COLUMNS = (*PLACE, *EVENT_TEXTS)
VIEW_COLUMNS = (*PLACE, *VIEW_TEXTS)


def event_rows(data: Dataset) -> Iterable[dict[str, Any]]:
    """Yield one row per raw event of each answer, corrected ones included."""
    for read in data.reads:
        for answer, clock in enumerate(read.clocks, start=1):
            for event in _events(clock):
                yield _place(read) | dict(zip(EVENT_TEXTS, (answer, *event), strict=False))


def _events(clock: dict[str, Any]) -> Iterator[list[Any]]:
    events = clock.get("events")
    for event in events if isinstance(events, list) else ():
        if isinstance(event, list) and len(event) >= 2:
            yield [_cell(value) for value in event]


def view_rows(data: Dataset) -> Iterable[dict[str, Any]]:
    """Yield one row per answer that stands and series on the page."""
    for read in data.reads:
        for series, pane in sorted(read.viewer.items()):
            if isinstance(pane, dict) and "slice" in pane:
                yield _place(read) | {"series": _cell(series)} | _view(pane)


def _place(read: Read) -> dict[str, Any]:
    return {name: getattr(read, name) for name in PLACE}


def _view(pane: dict[str, Any]) -> dict[str, Any]:
    window = pane.get("window")
    window = window if isinstance(window, dict) else {}
    ranges = list(_ranges(pane.get("slices_seen")))
    return {
        "slice": pane["slice"] + 1 if isinstance(pane["slice"], int) else "",
        "slices_seen": sum(end - first for first, end in ranges),
        "seen_ranges": "|".join(f"{first + 1}-{end}" for first, end in ranges),
        "window_width": _cell(window.get("width")),
        "window_level": _cell(window.get("level")),
        "zoom": _cell(pane.get("zoom")),
        "inverted": int(bool(pane.get("invert"))),
    }


def _cell(value: Any) -> Any:
    """Return what a browser sent as a cell: a number, or text that no program takes for more."""
    if isinstance(value, int | float):
        return value
    return "" if value is None else safe_cell(str(value))


def _ranges(seen: Any) -> Iterator[tuple[int, int]]:
    """Return each range as the page sent it: first slice, from 0, and the one after the last."""
    for pair in seen if isinstance(seen, list) else ():
        if isinstance(pair, list) and len(pair) == 2 and all(isinstance(n, int) for n in pair):
            yield pair[0], pair[1]
