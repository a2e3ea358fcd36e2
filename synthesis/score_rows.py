"""One score on its way to the database."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One score to be stored."""

    candidate: str
    region: str
    preset: str
    metric: str
    value: float
    reason: str = ""
    n: int | None = None
    low: float = math.nan
    high: float = math.nan


ACQUIRED = "acquired"
LABEL_MAP = ", label map"
"""Added to the name of a preset whose reference is the label map of the case."""
REFERENCE = "label map"
"""Candidate under which the volumes of that label map are kept."""
