"""Settings of a training run: one frozen dataclass, saved with the run as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

from synthesis.networks.registry import find_preset, network_config
from synthesis.training.settings import OBJECTIVE_SETTINGS

BOUNDS = ("max_steps", "max_minutes")
_SECTIONS = ("network", "objective")
_UNBOUNDED = float("inf")


class ConfigError(ValueError):
    """A setting is unknown or out of range; the message names it and the choice."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """Everything that decides how a run goes, beside the data.

    Attributes
    ----------
    preset : str
        Which network; see `synthesis.networks.registry.PRESETS`.
    network, objective : dict
        Settings of the network and of its way of training that differ from the preset's.
    seed : int
        Of the initial weights, the split and the batches.
    device : str
        ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
    threads : int or None
        Processor threads; None leaves one core to the rest of the machine. Threads wait for each
        other busily, so one more than there are idle cores makes a step ten times slower.
    precision : {"float32", "bfloat16"}
        Arithmetic of the networks in training; weights stay float32.
    batch : int
        Samples per step.
    max_steps : int
        Optimiser steps at most.
    max_minutes : float or None
        Wall-clock minutes at most, validation included, summed over resumed sessions. With it the
        learning rate follows the clock, so a repeat is alike but not equal to the bit.
    learning_rate, schedule, warmup : float, {"cosine", "constant"}, float
        Peak; its course after the first ``warmup`` (share of the run) in which it rises.
    clip_norm : float
        Longest gradient allowed.
    ema_half_life : float
        Steps after which a weight's share in the released average has halved.
    validation_fraction : float
        Share of subjects held out.
    split_by : {"patient", "examination"}
        "patient" keeps the examinations of one patient together. "examination" lets a patient
        train and be held out at once, as some papers did: only to repeat their numbers.
    folds, fold : int or None, int
        Parts of a cross-validation and which of them is held out (from 0); None for one split.
    parent : str or None
        sha256 of the weights the run started from; filled in by `train`.
    validations : int
        Validations over the run, evenly spaced, the last one at its end.
    validation_limit : int
        Held-out subjects scored at most (the first by name).
    checkpoint_every, report_every : int
        Steps between saved states; between lines of the log.
    memory_gb : float
        Memory that the training images may take.
    compile : bool
        Compile the networks with `torch.compile`; the first steps then take minutes.
    cuda_graphs : bool
        On a GPU, replay compiled steps as CUDA graphs; without effect on a processor.
    stop_metric : str or None
        Score of the validation to watch. The weights of its best validation are released, and the
        run ends once it has stood still.
    stop_patience : int
        Validations in a row without a new best after which the run ends.
    snapshots : bool
        Keep the network of each validation, so that it can become a generator of its own.
    """

    preset: str = "unet2d-t1c"
    network: dict[str, Any] = field(default_factory=dict)
    objective: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    device: str = "cpu"
    threads: int | None = None
    precision: Literal["float32", "bfloat16"] = "float32"
    batch: int = 2
    max_steps: int = 3000
    max_minutes: float | None = None
    learning_rate: float = 3e-3
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup: float = 0.05
    clip_norm: float = 1.0
    ema_half_life: float = 20.0
    validation_fraction: float = 0.2
    split_by: Literal["patient", "examination"] = "patient"
    folds: int | None = None
    fold: int = 0
    parent: str | None = None
    validations: int = 4
    validation_limit: int = 8
    checkpoint_every: int = 200
    report_every: int = 10
    memory_gb: float = 16.0
    compile: bool = False
    cuda_graphs: bool = False
    stop_metric: str | None = None
    stop_patience: int = 3
    snapshots: bool = False

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and low <= value <= high):
                raise ConfigError(f"{name} must lie between {low:g} and {high:g}, got {value!r}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(
                    f"{name} must be {' or '.join(choices)}, got {getattr(self, name)!r}"
                )
        if self.fold >= (self.folds or 1):
            raise ConfigError(f"fold must be below folds={self.folds}, got {self.fold}")
        for name in _SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name} must be true or false, got {getattr(self, name)!r}")
        self.objective_settings().check_against(self.network_config())

    def network_config(self) -> Any:
        """Return the network's own settings, complete."""
        return network_config(self.preset, **self.network)

    def sequences(self) -> tuple[str, ...]:
        """Return the sequences a training subject must have."""
        further = getattr(self.objective_settings(), "further_sequences", ())
        return tuple(dict.fromkeys((*self.network_config().sequences, *further)))

    def objective_settings(self) -> Any:
        """Return the settings of the way of training, complete."""
        return OBJECTIVE_SETTINGS[find_preset(self.preset).objective](**self.objective)

    @classmethod
    def for_preset(cls, preset: str, **settings: Any) -> TrainingConfig:
        """Return the configuration of a preset with some settings replaced.

        Settings of the run, of the objective and of the network are told apart by their names:
        ``for_preset("unet2d-t1c", batch=4, focus=0.5, width=16)``.

        Raises
        ------
        ValueError
            If the preset or a setting is unknown, or a value is out of range.
        """
        merged: dict[str, Any] = {"network": {}, "objective": {}}
        homes = _homes(preset)
        for name, value in {**find_preset(preset).training, **settings}.items():
            if name not in homes:
                raise ConfigError(_unknown_setting(preset, name, homes))
            home = merged if homes[name] == "run" else merged[homes[name]]
            home[name] = value
        try:
            return cls(preset=preset, **merged)
        except TypeError as error:
            raise ConfigError(f"A setting has a value of the wrong kind: {error}") from error

    @classmethod
    def parse(cls, preset: str, assignments: Iterable[str], **fixed: Any) -> TrainingConfig:
        """Read settings as typed on a command line.

        Parameters
        ----------
        preset : str
        assignments : iterable of str
            ``"key=value"``. Values are JSON, or bare words: ``batch=4``, ``crop=[64,64]``,
            ``inputs=["t1","t2"]``, ``precision=bfloat16``.
        **fixed
            Settings that have their own options, already of the right type.

        Raises
        ------
        ValueError
            If an assignment cannot be read, is unknown or out of range.
        """
        settings: dict[str, Any] = {}
        for assignment in assignments:
            key, equals, text = assignment.partition("=")
            if not equals or not key:
                raise ConfigError(f"Write settings as key=value, got {assignment!r}.")
            settings[key] = _value(text)
        return cls.for_preset(preset, **{**settings, **fixed})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> TrainingConfig:
        """Read the JSON form back.

        Raises
        ------
        ConfigError
            If it holds a setting that this version does not know.
        """
        try:
            return cls(**stored)
        except TypeError as error:
            raise ConfigError(f"The stored settings do not fit this version: {error}") from error

    def resumed_with(self, asked: TrainingConfig) -> TrainingConfig:
        """Return these stored settings with the bounds of ``asked``.

        Raises
        ------
        ConfigError
            If anything but the bounds differs: that would be another run.
        """
        updated = replace(self, **{name: getattr(asked, name) for name in BOUNDS})
        mine, theirs = updated.to_dict(), asked.to_dict()
        theirs["parent"] = theirs["parent"] or mine["parent"]
        changed = [name for name in mine if mine[name] != theirs[name]]
        if changed:
            raise ConfigError(
                f"A resumed run may change {' and '.join(BOUNDS)} only; {', '.join(changed)} "
                "differ from the stored run. Start a new run folder for other settings."
            )
        return updated


_RANGES: dict[str, tuple[float, float]] = {
    "seed": (0, 2**63 - 1),
    "threads": (1, 1024),
    "batch": (1, _UNBOUNDED),
    "max_steps": (1, _UNBOUNDED),
    "max_minutes": (1e-3, _UNBOUNDED),
    "learning_rate": (1e-9, 1.0),
    "warmup": (0.0, 1.0),
    "clip_norm": (1e-6, _UNBOUNDED),
    "ema_half_life": (1e-6, _UNBOUNDED),
    "validation_fraction": (1e-6, 1.0),
    "folds": (2, _UNBOUNDED),
    "fold": (0, _UNBOUNDED),
    "validations": (1, _UNBOUNDED),
    "validation_limit": (1, _UNBOUNDED),
    "checkpoint_every": (1, _UNBOUNDED),
    "report_every": (1, _UNBOUNDED),
    "memory_gb": (1e-6, _UNBOUNDED),
    "stop_patience": (1, _UNBOUNDED),
}
_CHOICES = {
    "precision": ("float32", "bfloat16"),
    "schedule": ("cosine", "constant"),
    "split_by": ("patient", "examination"),
}
_SWITCHES = ("compile", "cuda_graphs", "snapshots")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _homes(preset: str) -> dict[str, str]:
    """Return where each setting lives: "run", "objective" or "network"."""
    chosen = find_preset(preset)
    homes = {f.name: "network" for f in fields(chosen.config)}
    homes |= {f.name: "objective" for f in fields(OBJECTIVE_SETTINGS[chosen.objective])}
    own = {f.name for f in fields(TrainingConfig)} - {"preset", *_SECTIONS}
    return homes | dict.fromkeys(own, "run")


def _unknown_setting(preset: str, name: str, homes: dict[str, str]) -> str:
    return f"{preset} has no setting {name!r}. Its settings: {', '.join(sorted(homes))}."


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
