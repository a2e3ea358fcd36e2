"""The log of a run: one JSON object per line, each written at once."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from synthesis.training.checkpoints import write_atomically


class Journal:
    """Appends lines to ``metrics.jsonl``.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, **line: Any) -> None:
        """Write one line through to the disk; NaN and infinite numbers become null."""
        text = json.dumps(finite_or_none(line), ensure_ascii=False, allow_nan=False)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(text + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def lines(self) -> list[dict[str, Any]]:
        """Read the whole lines back; a last line cut off by a crash is left out."""
        if not self.path.exists():
            return []
        text = self.path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def rewind(self, step: int) -> None:
        """Drop lines after ``step``: a resumed run writes them again."""
        kept = [line for line in self.lines() if line["step"] <= step]
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in kept)
        write_atomically(self.path, text.encode())


def finite_or_none(value: Any) -> Any:
    """Replace numbers that JSON cannot hold by None, in nested dicts and lists."""
    if isinstance(value, dict):
        return {key: finite_or_none(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite_or_none(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
