"""The presets for the pages, asked of a process of its own: PyTorch stays out of the web."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from readerstudy.cases.flags import label
from readerstudy.core.errors import NotFound, ReaderStudyError

_CODE = Path(__file__).resolve().parent
_LONGEST_SECONDS = 120


def presets() -> list[dict[str, Any]]:
    """Return every preset with its settings; see `synthesis.training.catalogue`."""
    return _listed(_state_of_code())


@lru_cache(maxsize=1)
def _listed(state: float) -> list[dict[str, Any]]:
    """Return the presets of this code; kept on the disk, since asking takes seconds."""
    kept = Path(settings.WORK_ROOT) / f"presets-{state:.6f}.json"
    if not kept.exists():
        told = _ask("list", state=state)
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_name(f".{kept.name}.{os.getpid()}")
        unfinished.write_text(told, encoding="utf-8")
        unfinished.replace(kept)
    found: list[dict[str, Any]] = json.loads(kept.read_text(encoding="utf-8"))
    return found


def find(name: str) -> dict[str, Any]:
    """Return one preset.

    Raises
    ------
    NotFound
    """
    for preset in presets():
        if preset["name"] == name:
            return preset
    raise NotFound(f"There is no preset {name}.")


GROUPS = {
    "samples": ("Draw images", "from seeds, out of nothing"),
    "": ("Make one image from others", "of the same patient, such as T1 after contrast"),
    "segmentation": ("Find tumours", "label maps; for scores of synthetic images"),
}


COLUMNS = (("", "segmentation"), ("samples",))


def in_columns() -> list[list[dict[str, Any]]]:
    """Return the presets by what they make, in the columns of the page."""
    groups: dict[str, list[dict[str, Any]]] = {kind: [] for kind in GROUPS}
    for preset in presets():
        groups[_kind_of(preset)].append(named(preset))
    return [
        [
            {"name": GROUPS[kind][0], "note": GROUPS[kind][1], "presets": groups[kind]}
            for kind in column
            if groups[kind]
        ]
        for column in COLUMNS
    ]


def _kind_of(preset: dict[str, Any]) -> str:
    names = {setting["name"] for setting in preset["settings"]}
    if "latent" in names:
        return "samples"
    return "segmentation" if preset["name"].startswith("segment") else ""


def named(preset: dict[str, Any]) -> dict[str, Any]:
    """Return a preset with the names of the series that it needs, as people know them."""
    return {**preset, "needs": [label(role) for role in preset["sequences"]]}


def check(preset: str, overrides: list[str]) -> list[str]:
    """Return the sequences that a preset with these settings needs.

    Raises
    ------
    ReaderStudyError
        What is wrong with the settings, in words.
    """
    found = json.loads(_ask("check", preset, *overrides, state=_state_of_code()))
    if "error" in found:
        raise ReaderStudyError(found["error"])
    sequences: list[str] = found["sequences"]
    return sequences


def _state_of_code() -> float:
    """The date of the newest file: after an update the presets are asked for again."""
    files = (path for part in ("networks", "training") for path in (_CODE / part).glob("*.py"))
    return max(path.stat().st_mtime for path in files)


@lru_cache(maxsize=256)
def _ask(*arguments: str, state: float) -> str:
    del state  # part of the key
    command = [sys.executable, "-m", "synthesis.training.catalogue", *arguments]
    done = subprocess.run(  # noqa: S603 - no shell; each argument is one word
        command,
        cwd=_CODE.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST_SECONDS,
    )
    if done.returncode != 0:
        raise ReaderStudyError(
            "The presets could not be read: " + (done.stderr.strip().splitlines() or [""])[-1]
        )
    return done.stdout
