"""Which display a request comes from: as little as tells one display from another.

The page keeps a random name in the browser's own store and writes it with the size of the
screen into a cookie, so that the server knows the display when a reading page is opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

COOKIE = "readerstudy_display"
_FORM = re.compile(
    r"(?P<id>[0-9a-f]{32})_(?P<width>\d{2,5})_(?P<height>\d{2,5})"
    r"_(?P<ratio>\d{1,2}(?:\.\d{1,4})?)_(?P<depth>\d{1,2})"
)


@dataclass(frozen=True)
class Device:
    """One display: a browser's random name and the screen that its window is on.

    Attributes
    ----------
    id : str
        32 hexadecimal digits, made by the browser.
    width, height : int
        Size of the screen, CSS pixels.
    pixel_ratio : float
        Device pixels for each CSS pixel.
    colour_depth : int
        Bits a pixel.
    """

    id: str
    width: int
    height: int
    pixel_ratio: float
    colour_depth: int

    def is_same_screen(self, other: Device) -> bool:
        """Tell whether both are one screen, whatever the zoom of the page.

        Some browsers count the screen in zoomed pixels; then width times ratio stays the same.
        """
        if self.colour_depth != other.colour_depth:
            return False
        sizes, physical = (
            [(d.width, d.height) for d in (self, other)],
            [(d.width * d.pixel_ratio, d.height * d.pixel_ratio) for d in (self, other)],
        )
        near = all(abs(a - b) <= 2 for a, b in zip(*physical, strict=True))
        return sizes[0] == sizes[1] or near


def device_of(cookie: str | None) -> Device | None:
    """Return the display that a cookie names, None without one or with another form."""
    found = _FORM.fullmatch(cookie or "")
    if found is None:
        return None
    return Device(
        id=found["id"],
        width=int(found["width"]),
        height=int(found["height"]),
        pixel_ratio=float(found["ratio"]),
        colour_depth=int(found["depth"]),
    )


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))
_SAFARI = re.compile(r"Version/(\d+)[\d.]* .*Safari/")


def browser_of(user_agent: str) -> str:
    """Return name and main version of a browser, "unknown" where the text tells neither."""
    for mark, name in _BROWSERS:
        if found := re.search(rf"{mark}/(\d+)", user_agent):
            return f"{name} {found[1]}"
    found = _SAFARI.search(user_agent)
    return f"Safari {found[1]}" if found else "unknown"
