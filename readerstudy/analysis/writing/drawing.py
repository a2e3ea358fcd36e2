"""Figures as SVG, PDF and PNG at 300 dpi, from their Vega-Lite specification."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from readerstudy.analysis.document import Figure
from readerstudy.analysis.writing.paged import DrawingUnavailable, pdf_of_svg

FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
DPI = 300
PIXELS_PER_INCH = 96  # of a specification
FORMATS = ("svg", "pdf", "png")


def svg(figure: Figure) -> str:
    """Return a figure as SVG text."""
    return _svg(_specification(figure.spec))


def pdf(figure: Figure) -> bytes:
    """Return a figure as PDF. The renderer of the specification numbers its parts at random, so
    WeasyPrint draws the SVG.

    Raises
    ------
    DrawingUnavailable
        Where the drawing libraries of Debian are missing.
    """
    return pdf_of_svg(svg(figure), figure.title)


def png(figure: Figure, *, dpi: int = DPI) -> bytes:
    """Return a figure as PNG on white, with its resolution in the file."""
    import vl_convert as vlc
    from PIL import Image

    drawn = vlc.svg_to_png(svg(figure), scale=dpi / PIXELS_PER_INCH, ppi=PIXELS_PER_INCH)
    out = io.BytesIO()
    image = Image.open(io.BytesIO(drawn)).convert("RGB")
    image.save(out, "PNG", dpi=(dpi, dpi), optimize=True)
    return out.getvalue()


def files(figure: Figure, name: str) -> dict[str, bytes]:
    """Return a figure in all formats, and its specification, by file name."""
    specification = json.dumps(figure.spec, indent=1, ensure_ascii=False, sort_keys=True)
    return {
        f"{name}.svg": svg(figure).encode(),
        **_pdf(figure, f"{name}.pdf"),
        f"{name}.png": png(figure),
        f"{name}.vl.json": f"{specification}\n".encode(),
    }


def _pdf(figure: Figure, name: str) -> dict[str, bytes]:
    """Return the PDF, or nothing where it cannot be drawn; the report's folder says so."""
    try:
        return {name: pdf(figure)}
    except DrawingUnavailable:
        return {}


@lru_cache(maxsize=64)
def _svg(specification: str) -> str:
    import vl_convert as vlc

    text: str = vlc.vegalite_to_svg(specification)
    return text


def _specification(spec: Mapping[str, Any]) -> str:
    """Return a specification with a font that the renderer has, whatever it asks for."""
    made = copy.deepcopy(dict(spec))
    made["config"] = _with_font(made.get("config") or {})
    return json.dumps(made, sort_keys=True)


def _with_font(config: Mapping[str, Any]) -> dict[str, Any]:
    made = {**config, "font": FONT, "background": config.get("background") or "white"}
    for part in ("axis", "legend", "header"):
        made[part] = {**dict(made.get(part) or {}), "labelFont": FONT, "titleFont": FONT}
    made["title"] = {**dict(made.get("title") or {}), "font": FONT}
    return made
