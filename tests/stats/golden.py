"""Where the reference numbers are, and how close is close enough.

Two kinds: ``reference/*.json`` beside the tests, made by the R script of the same name; and the
larger shared folder of golden files, which lives outside the repository. Tests that need the
latter skip when it is absent.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[2] / "shared" / "golden" / "stats"

# 20 subjects, 3 raters: data(anxiety) of R's irr 0.84.1.
ANXIETY = [
    [3, 3, 2], [3, 6, 1], [3, 4, 4], [4, 6, 4], [5, 2, 3], [5, 4, 2], [2, 2, 1], [3, 4, 6],
    [5, 3, 1], [2, 3, 1], [2, 2, 1], [6, 3, 2], [1, 3, 3], [5, 3, 3], [2, 2, 1], [2, 2, 1],
    [1, 1, 3], [2, 3, 3], [4, 3, 2], [3, 4, 2],
]  # fmt: skip


def reference(name: str) -> dict[str, Any]:
    """Return ``reference/<name>.json``."""
    return json.loads((HERE / "reference" / f"{name}.json").read_text())


def golden(name: str) -> dict[str, Any]:
    """Return a golden file, or skip the test with the reason."""
    folder = Path(os.environ.get("READERSTUDY_GOLDEN", SHARED))
    path = folder / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"no golden file {name}.json: set READERSTUDY_GOLDEN to the folder that has it")
    return json.loads(path.read_text())


def close(value: Any, tolerance: float = 1e-8) -> Any:
    """Return what ``value`` must approximate; None in a golden file stands for NaN."""
    if isinstance(value, list | tuple):
        return [close(v, tolerance) for v in value]
    if value is None:
        return pytest.approx(math.nan, nan_ok=True)
    return pytest.approx(value, rel=tolerance, abs=tolerance)
