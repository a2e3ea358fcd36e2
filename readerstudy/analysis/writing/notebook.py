"""The notebook of the archive: a script of cells as Jupyter's format 4.5, always the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parent / "scripts" / "analysis.py"
MARK = "# %%"


def notebook() -> bytes:
    """Return the notebook as JSON."""
    text = SCRIPT.read_text(encoding="utf-8")
    cells = [_cell(place, part) for place, part in enumerate(text.split(MARK)[1:])]
    document = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return f"{json.dumps(document, indent=1, ensure_ascii=False)}\n".encode()


def _cell(place: int, part: str) -> dict[str, Any]:
    kind, _, body = part.partition("\n")
    common = {"id": f"cell-{place:02}", "metadata": {}}
    if "[markdown]" in kind:
        lines = [line.removeprefix("#").removeprefix(" ") for line in body.strip().splitlines()]
        return {**common, "cell_type": "markdown", "source": _lines("\n".join(lines))}
    source = _lines(body.strip())
    return {**common, "cell_type": "code", "execution_count": None, "outputs": [], "source": source}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
