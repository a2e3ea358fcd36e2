"""The series of the papers: inputs x algorithms, folds, random search, ablation, comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from synthesis.networks.encoder_decoder import INPUTS, input_combinations
from synthesis.networks.registry import find_preset, network_config
from synthesis.training.config import ConfigError
from synthesis.training.series import Cell

WANG_ALGORITHMS = ("wang2023-fcgan", "wang2023-ed")
CALABRESE_SPACE: dict[str, tuple[Any, ...]] = {
    "base": (8, 16, 32, 64),
    "batch": (4, 8, 16, 32),
    "dropout": (0.2, 0.3, 0.4, 0.5),
}
_WANG_TASK: dict[str, Any] = {
    "inputs": ["t1", "t2", "flair"],
    "target": "t1c",
    "target_scale": None,
}
COMPARED: dict[str, dict[str, Any]] = {
    "unet2d-t1c": {},
    "calabrese2021-unet-reduced": {},
    "wang2023-ed": _WANG_TASK,
    "wang2023-fcgan": _WANG_TASK,
    "jayachandran2021-cgan": {},
    "flow-matching": {},
}


def input_grid(
    settings: Mapping[str, Any],
    *,
    inputs: Sequence[str] = INPUTS,
    algorithms: Sequence[str] = WANG_ALGORITHMS,
) -> list[Cell]:
    """Every choice of inputs times every algorithm: Wang's 31 x 2 models.

    All cells hold out the same subjects, since the split depends on the seed alone.
    """
    return [
        Cell(
            f"{algorithm}-{'+'.join(chosen)}",
            algorithm,
            {**settings, "inputs": list(chosen)},
            {"inputs": "+".join(chosen), "algorithm": algorithm},
        )
        for chosen, algorithm in product(input_combinations(tuple(inputs)), algorithms)
    ]


def cross_validation(preset: str, folds: int, settings: Mapping[str, Any]) -> list[Cell]:
    """One run per fold; together they hold every patient out once."""
    if folds < 2:
        raise ConfigError(f"A cross-validation needs at least 2 folds, got {folds}.")
    return [
        Cell(
            f"fold-{fold:02d}",
            preset,
            {**settings, "folds": folds, "fold": fold},
            {"fold": f"{fold + 1} of {folds}"},
        )
        for fold in range(folds)
    ]


def random_search(
    preset: str,
    settings: Mapping[str, Any],
    *,
    draws: int = 16,
    seed: int = 0,
    space: Mapping[str, Sequence[Any]] = CALABRESE_SPACE,
) -> list[Cell]:
    """Draw different points of a space of settings (Calabrese: 16 of 64).

    Raises
    ------
    ConfigError
        If the space has fewer points than are to be drawn.
    """
    points = list(product(*space.values()))
    if not 1 <= draws <= len(points):
        raise ConfigError(f"The space has {len(points)} points; draws must be 1 to that.")
    cells = []
    for index in np.random.default_rng(seed).permutation(len(points))[:draws]:
        drawn = dict(zip(space, points[index], strict=True))
        name = "-".join(f"{key}{value}" for key, value in drawn.items())
        labels = {key: str(value) for key, value in drawn.items()}
        cells.append(Cell(name, preset, {**settings, **drawn}, labels))
    return cells


def input_ablation(preset: str, settings: Mapping[str, Any], *, kept: str = "t1") -> list[Cell]:
    """The full model, then ``kept`` with each other input (Calabrese: T1 and one more)."""
    full = network_config(preset).inputs
    if kept not in full:
        raise ConfigError(f"{preset} has no input {kept}; it has {', '.join(full)}.")
    chosen = [full, *((kept, other) for other in full if other != kept)]
    return [
        Cell(
            "full" if inputs == full else "+".join(inputs),
            preset,
            {**settings, "inputs": list(inputs)},
            {"inputs": "+".join(inputs)},
        )
        for inputs in chosen
    ]


def comparison(
    settings: Mapping[str, Any],
    own: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Cell]:
    """Different networks on one task with one split.

    Parameters
    ----------
    settings : mapping
        For all of them.
    own : mapping of str to mapping
        For one of them, by preset.
    presets : mapping of str to mapping, optional
        Which, with what makes them do the task; `COMPARED` (T1 after contrast from T1, T2 and
        FLAIR) by default.

    Raises
    ------
    ConfigError
        If they would not predict one target from one set of inputs.
    """
    chosen = presets or COMPARED
    cells = [
        Cell(name, name, {**settings, **task, **(own or {}).get(name, {})}, {"network": name})
        for name, task in chosen.items()
    ]
    tasks = {_task(cell) for cell in cells}
    if len(tasks) > 1:
        raise ConfigError(f"The networks compared have different tasks: {sorted(tasks)}.")
    return cells


def _task(cell: Cell) -> str:
    network = cell.config().network_config()
    return f"{network.target} from {', '.join(sorted(network.inputs))}"


def summary_of(cell: Cell) -> str:
    """Return the line that lists say of the cell's preset."""
    return find_preset(cell.preset).summary
