"""A series of runs that belong together: folds, a grid of inputs, a search, a comparison.

Each cell is a run in a folder of its own. A cell that is finished is skipped, one that was stopped
or killed goes on from its last saved state, one that failed is tried again. Cells run in processes
of their own; how many at once, the memory that the first one took decides.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from synthesis.training.checkpoints import CheckpointError, read_json, write_json
from synthesis.training.config import BOUNDS, ConfigError, TrainingConfig
from synthesis.training.loop import train
from synthesis.training.runs import RunFolder

PLAN_FILE = "series.json"
SCHEMA = "readerstudy-series/1"

_EVERYBODY = 1_000_000
_SPARE = 0.9
_KIB = 1024

Told = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Cell:
    """One run of a series.

    Attributes
    ----------
    name : str
        Of its folder.
    preset : str
    settings : dict
        By which it differs from the preset.
    labels : dict of str to str
        What tables say of it, for example inputs or fold.
    """

    name: str
    preset: str
    settings: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def config(self) -> TrainingConfig:
        """Return the settings of the run; every held-out subject is scored unless told."""
        return TrainingConfig.for_preset(
            self.preset, **{"validation_limit": _EVERYBODY, **self.settings}
        )


@dataclass(frozen=True)
class CellResult:
    """How a cell ended: "finished", "skipped" (it was already) or "failed", and why."""

    cell: Cell
    state: str
    reason: str = ""


@dataclass(frozen=True)
class Footprint:
    """Bytes that a cell took at most, of the machine and of its GPU."""

    host: int
    gpu: int = 0


def run_series(
    cells: Sequence[Cell],
    data_dir: Path,
    folder: Path,
    *,
    workers: int = 1,
    start_from: Path | None = None,
    tell: Told | None = None,
) -> list[CellResult]:
    """Train every cell that is not finished.

    Parameters
    ----------
    cells : sequence of Cell
    data_dir : Path
        ``<subject>/<sequence>.nii.gz``.
    folder : Path
        Gets ``series.json`` and ``<cell>/`` for each.
    workers : int
        Cells at once at most. With more than one, the first cell runs alone and the others as
        many at once as fit into the memory that is free.
    start_from : Path, optional
        Run whose weights every cell starts from.
    tell : callable, optional
        Called with (cells done, of, message).

    Raises
    ------
    ConfigError
        If a setting of a cell is wrong, or names are not unique.
    CheckpointError
        If the folder holds another series.
    """
    _settle(cells, folder)
    told = tell or _silent
    waiting = [cell for cell in cells if not is_finished(folder / cell.name)]
    results = {c.name: CellResult(c, "skipped") for c in cells if c not in waiting}
    order = _Order(data_dir, folder, start_from)
    work = _alone if workers == 1 else _side_by_side
    for result in work(waiting, order, workers):
        results[result.cell.name] = result
        told(
            len(results), len(cells), f"{result.cell.name}: {result.state} {result.reason}".strip()
        )
    return [results[cell.name] for cell in cells]


@dataclass(frozen=True)
class _Order:
    data_dir: Path
    folder: Path
    start_from: Path | None


def is_finished(run: Path) -> bool:
    """Tell whether a run folder holds the files written at its end."""
    folder = RunFolder(run)
    return folder.weights.is_file() and folder.card.is_file() and folder.sheet.is_file()


def read_series(folder: Path) -> list[Cell]:
    """Read the cells of a series back.

    Raises
    ------
    CheckpointError
        If the folder holds none.
    """
    stored = read_json(folder / PLAN_FILE)
    if stored.get("schema") != SCHEMA:
        raise CheckpointError(f"{PLAN_FILE} is of schema {stored.get('schema')!r}, not {SCHEMA!r}.")
    return [Cell(**cell) for cell in stored["cells"]]


def _settle(cells: Sequence[Cell], folder: Path) -> None:
    if len({cell.name for cell in cells}) != len(cells):
        raise ConfigError("Two cells of the series have one name.")
    for cell in cells:
        cell.config()
    asked = [_meaning(cell) for cell in cells]
    if (folder / PLAN_FILE).exists() and asked != [_meaning(c) for c in read_series(folder)]:
        raise CheckpointError(
            f"{folder.name} holds another series. Ask for the same one to go on with it, or name "
            "another folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    plan = {"schema": SCHEMA, "cells": [asdict(cell) for cell in cells]}
    write_json(folder / PLAN_FILE, plan)


def _meaning(cell: Cell) -> tuple[str, dict[str, Any]]:
    """Return what makes two cells the same: all but the bounds, which may be moved."""
    settings = cell.config().to_dict()
    return cell.name, {key: value for key, value in settings.items() if key not in BOUNDS}


def _train_cell(cell: Cell, order: _Order) -> Footprint:
    """Train or resume one cell: the work of a process."""
    run = order.folder / cell.name
    train(
        cell.config(),
        order.data_dir,
        run,
        resume=RunFolder(run).config.exists(),
        start_from=order.start_from,
    )
    return Footprint(_peak_bytes(), _gpu_bytes(cell.config().device))


def _alone(cells: Sequence[Cell], order: _Order, _workers: int) -> Any:
    for cell in cells:
        try:
            _train_cell(cell, order)
            yield CellResult(cell, "finished")
        except (ValueError, RuntimeError) as error:
            yield CellResult(cell, "failed", str(error))


def _side_by_side(cells: Sequence[Cell], order: _Order, workers: int) -> Any:
    if not cells:
        return
    first, *others = cells
    with _pool(1) as pool:
        future = pool.submit(_train_cell, first, order)
        yield _ended(first, future)
    fitting = workers
    if future.exception() is None:
        fitting = workers_that_fit(workers, future.result(), free_memory(first.config().device))
    with _pool(fitting) as pool:
        futures = {pool.submit(_train_cell, cell, order): cell for cell in others}
        for done in as_completed(futures):
            yield _ended(futures[done], done)


def _pool(workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, max_tasks_per_child=1)


def _ended(cell: Cell, future: Future[Footprint]) -> CellResult:
    error = future.exception()
    if error is None:
        return CellResult(cell, "finished")
    if isinstance(error, Exception):
        return CellResult(cell, "failed", str(error) or type(error).__name__)
    raise error


def workers_that_fit(asked: int, one: Footprint, free: Footprint) -> int:
    """Return how many cells fit into nine tenths of the free memory, at least 1, at most ``asked``.

    Parameters
    ----------
    asked : int
    one, free : Footprint
        What one cell takes; what is free. A GPU counts if the cell uses one.
    """
    fits = [asked, int(_SPARE * free.host // max(one.host, 1))]
    if one.gpu:
        fits.append(int(_SPARE * free.gpu // one.gpu))
    return max(1, min(fits))


def free_memory(device: str) -> Footprint:
    """Return the memory that is free now; of the GPU too, where ``device`` is one."""
    pages = Path("/proc/meminfo")
    host = sys.maxsize
    if pages.exists():
        lines = dict(line.split(":", 1) for line in pages.read_text().splitlines())
        host = int(lines["MemAvailable"].split()[0]) * _KIB
    on_gpu = torch.device(device).type == "cuda"
    return Footprint(host, torch.cuda.mem_get_info(device)[0] if on_gpu else 0)


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * _KIB


def _gpu_bytes(device: str) -> int:
    on_gpu = torch.device(device).type == "cuda"
    return torch.cuda.max_memory_reserved(device) if on_gpu else 0


def _silent(_done: int, _of: int, _message: str) -> None:
    """Take no notice of progress."""
