"""The speed of every generator on one machine, as a Markdown table with the machine's name.

    PYTHONPATH=. python benchmarks/gpu_table.py --device cuda --out table.md

Each row builds the preset's own way of training on made-up subjects held in memory, warms it up,
and times rounds of 16 steps (the period of StyleGAN2's penalties) between synchronisations, until
there are 208 or half a minute has passed: no validation, no reading of files. A row is tried
compiled with CUDA graphs, then compiled, then neither; the first that runs is told, and how. What
seven minutes do not suffice for is told as not measured, and the table is written after every row.
``--toy`` runs every row at a size that a processor manages; its figures say nothing about a GPU.
"""

from __future__ import annotations

import argparse
import gc
import math
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from synthesis.data.subjects import Subject
from synthesis.generate import Generator, on_device, predict
from synthesis.networks.registry import build, find_preset, network_config
from synthesis.sampling import draw
from synthesis.training.checkpoints import write_atomically
from synthesis.training.config import TrainingConfig
from synthesis.training.learner import Learner
from synthesis.training.objectives import OBJECTIVES

SHAPE, TOY_SHAPE = (160, 224, 192), (20, 40, 36)
WHOLE_HEAD = (193, 229, 193)  # the volumes of Calabrese's program
ROUND = 16
BATCH_SIZE_OF_SAMPLING = 100


@dataclass(frozen=True, eq=False)
class Row:
    """One line of the table.

    Attributes
    ----------
    task, preset : str
    kind : {"train", "sample", "volume"}
    unit : str
        What is told; "s/kimg" and "s" fall, the others rise.
    must, goal : float
        In that unit, on one H200.
    toy : dict
        Settings beside those of the preset at toy size.
    """

    task: str
    preset: str
    kind: str
    unit: str
    must: float
    goal: float
    toy: dict[str, Any] = field(default_factory=dict)


HOW: dict[str, dict[str, Any]] = {
    "bfloat16, compiled, CUDA graphs": {
        "precision": "bfloat16", "compile": True, "cuda_graphs": True,
    },
    "bfloat16, compiled": {"precision": "bfloat16", "compile": True},
    "bfloat16": {"precision": "bfloat16"},
}  # fmt: skip
PLAIN: dict[str, dict[str, Any]] = {"float32": {}}
GAN_TOY = {"batch": 4, "size": 16}
STYLE_TOY = {**GAN_TOY, "widest": 16, "latent": 16, "mapping_layers": 2}
VOLUME_TOY = {"batch": 1}
ROWS = (
    Row(
        "StyleGAN2 256², half capacity, training",
        "park2021-stylegan2-half",
        *("train", "s/kimg", 8.0, 4.5, STYLE_TOY),
    ),
    Row(
        "StyleGAN2 256², full capacity, training",
        "park2021-stylegan2",
        *("train", "s/kimg", 15.0, 9.0, STYLE_TOY),
    ),
    Row(
        "StyleGAN2 256², 100 samples with writing",
        "park2021-stylegan2",
        *("sample", "s", 2.0, 0.5, STYLE_TOY),
    ),
    Row(
        "Residual 3-D U-Net, training on 80³ patches",
        "calabrese2021-unet",
        *("train", "patches/s", 80.0, 200.0),
        toy={**VOLUME_TOY, "base": 4, "patch": [16, 16, 16], "region_size": [16, 32, 32]},
    ),
    Row(
        "Residual 3-D U-Net, one volume",
        "calabrese2021-unet",
        *("volume", "s", 1.0, 0.15),
        toy={"base": 4},
    ),
    Row(
        "Encoder-decoder of Wang, training, batch 1",
        "wang2023-ed",
        *("train", "iterations/s", 40.0, 120.0),
        toy={**VOLUME_TOY, "width": 4, "blocks": 1},
    ),
    Row(
        "DCGAN 128², training",
        "han2018-dcgan-t1-128",
        *("train", "images/s", 5000.0, 20000.0, {**GAN_TOY, "width": 4}),
    ),
)


@dataclass(frozen=True)
class Effort:
    """How long each row is measured: rounds of `ROUND` steps, until ``seconds`` have passed."""

    warm: int
    rounds: int
    seconds: float
    toy: bool
    steps: int = ROUND


@dataclass(frozen=True)
class Figure:
    """What was measured, and how; NaN with the reason where nothing was."""

    value: float
    how: str

    def __str__(self) -> str:
        return self.how if math.isnan(self.value) else f"{self.value:.3g}"


NOT_MEASURED = Figure(math.nan, "not yet measured")


def measure(row: Row, device: str, effort: Effort, how: dict[str, Any]) -> float:
    """Return the figure of a row in its unit, with the settings of ``how``."""
    settings = {**how, **(row.toy if effort.toy else {})}
    if row.kind == "train":
        return _training(row, device, effort, settings)
    network = {name: value for name, value in settings.items() if name in _names(row.preset)}
    config = network_config(row.preset, **network)
    bare = build(row.preset, **network)["generator"]
    module = on_device(bare, torch.device(device)).eval().requires_grad_(False)
    if row.kind == "sample":
        generator = Generator(module, row.preset, config, "0" * 64, device)
        return _seconds(lambda: _draw_and_write(generator, effort), device)
    subject = made_up(config.inputs, TOY_SHAPE if effort.toy else WHOLE_HEAD)
    z = {role: subject.normalised(role).z for role in config.inputs}
    return _seconds(lambda: predict(module, config, z, subject.mask), device)


def _names(preset: str) -> set[str]:
    return set(find_preset(preset).config.__dataclass_fields__)


def _training(row: Row, device: str, effort: Effort, settings: dict[str, Any]) -> float:
    config = TrainingConfig.for_preset(row.preset, device=device, **settings)
    learner = _learner(row, config, effort)
    for step in range(effort.warm):
        learner.step(step, 1.0)
    _wait(device)
    started, taken = time.perf_counter(), 0
    for number in range(effort.rounds):
        for step in range(number * effort.steps, (number + 1) * effort.steps):
            learner.step(effort.warm + step, 1.0)
        _wait(device)
        taken += effort.steps
        if time.perf_counter() - started > effort.seconds:
            break
    per_step = (time.perf_counter() - started) / taken
    if row.unit == "iterations/s":
        return 1 / per_step
    per_image = per_step / learner.images_per_step
    return 1000 * per_image if row.unit == "s/kimg" else 1 / per_image


def _learner(row: Row, config: TrainingConfig, effort: Effort) -> Learner:
    torch.manual_seed(config.seed)
    networks = build(config.preset, **config.network)
    learner = OBJECTIVES[find_preset(row.preset).objective](config, networks)
    shape = config.network_config()
    for number in range(4):
        part = "validation" if number == 0 else "train"
        learner.take(made_up(shape.sequences, TOY_SHAPE if effort.toy else SHAPE, number), part)
    learner.prepare()  # brings the images to the device
    return learner


def made_up(roles: Sequence[str], shape: tuple[int, int, int], seed: int = 0) -> Subject:
    """Return a subject of smooth noise in an ellipsoid: the time does not depend on the values."""
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij", sparse=True)
    mask = sum(axis**2 for axis in grid) < 0.9
    raw = {
        role: np.where(mask, rng.uniform(50, 150, shape), 0).astype(np.float32) for role in roles
    }
    return Subject(f"s{seed}", raw, mask, np.eye(4), {role: "0" * 64 for role in roles})


def _draw_and_write(generator: Generator, effort: Effort) -> None:
    count = 4 if effort.toy else BATCH_SIZE_OF_SAMPLING
    with TemporaryDirectory() as folder:
        for number, one in enumerate(draw(generator, range(count))):
            write_atomically(Path(folder) / f"{number}.raw", one.pixels.tobytes())


def _seconds(work: Callable[[], Any], device: str) -> float:
    work()
    _wait(device)
    started = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - started


def _wait(device: str) -> None:
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize()


def machine(device: str) -> str:
    """Return what was measured on."""
    on_gpu = torch.device(device).type == "cuda"
    name = torch.cuda.get_device_name(device) if on_gpu else f"{platform.machine()} processor"
    return f"{name}, PyTorch {torch.__version__}"


def measured(row: Row, device: str, effort: Effort, *, out_of_time: float = math.inf) -> Figure:
    """Return the figure of a row, or why it has none: one failure must not cost the others.

    Parameters
    ----------
    row : Row
    device : str
    effort : Effort
    out_of_time : float
        Moment (`time.monotonic`) after which nothing more is begun.
    """
    fast = row.kind == "train" and not effort.toy
    failed = ""
    for how, settings in (HOW if fast else PLAIN).items():
        if time.monotonic() > out_of_time:
            return Figure(math.nan, failed or "not measured: out of time")
        try:
            return Figure(measure(row, device, effort, settings), how)
        except (RuntimeError, ValueError) as error:
            first = (str(error).splitlines() or [""])[0]
            failed = f"failed: {type(error).__name__}, {first[:120]}"
        _tidy(device)
    return Figure(math.nan, failed)


def _tidy(device: str) -> None:
    """Forget compiled code and free memory before the next attempt."""
    torch.compiler.reset()
    gc.collect()
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()


def table(figures: Sequence[tuple[Row, Figure]], where: str, *, toy: bool) -> str:
    """Return the table as Markdown; a row without a figure says why."""
    head = f"Measured on: {where}." + (" Toy size: says nothing about a GPU." if toy else "")
    lines = [
        head,
        "",
        "| Task | Preset | Measured | How | Must | Goal | Unit |",
        "|---|---|---:|---|---:|---:|---|",
    ]
    for row, figure in figures:
        how = "" if math.isnan(figure.value) else figure.how
        lines.append(
            f"| {row.task} | `{row.preset}` | {figure} | {how} | {row.must:g} | {row.goal:g} | "
            f"{row.unit} |"
        )
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Measure every row and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--toy", action="store_true", help="every row, small, on any machine")
    parser.add_argument("--blank", action="store_true", help="the table without figures")
    parser.add_argument("--only", nargs="*", default=[], help="presets")
    parser.add_argument("--minutes", type=float, default=7.0, help="begin no row after so many")
    asked = parser.parse_args(arguments)
    if asked.device == "cpu" and not (asked.toy or asked.blank):
        parser.error("Absolute times are told on a GPU only; add --toy to try the rows here.")
    effort = Effort(1, 1, 1.0, toy=True, steps=2) if asked.toy else Effort(32, 13, 30.0, toy=False)
    where = "not yet measured" if asked.blank else machine(asked.device)
    out_of_time = time.monotonic() + 60 * asked.minutes
    chosen = [row for row in ROWS if not asked.only or row.preset in asked.only]
    figures = dict.fromkeys(chosen, NOT_MEASURED)
    text = table(list(figures.items()), where, toy=asked.toy)
    for row in [] if asked.blank else sorted(chosen, key=_long_to_compile):
        figures[row] = measured(row, asked.device, effort, out_of_time=out_of_time)
        _tidy(asked.device)
        text = table(list(figures.items()), where, toy=asked.toy)
        _write(asked.out, text)
    _write(asked.out, text)
    print(text)


def _long_to_compile(row: Row) -> bool:
    """Tell rows whose compiling takes minutes: they come last."""
    return row.kind == "train" and row.preset.startswith("park2021")


def _write(place: Path | None, text: str) -> None:
    if place:
        place.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
