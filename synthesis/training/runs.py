"""The folder of a run: which files it has and how it is opened anew or again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthesis.data.splits import Split
from synthesis.generate import SPLIT_FILE, WEIGHTS_FILE
from synthesis.training import parallel
from synthesis.training.checkpoints import CheckpointError, load_state, read_json, write_json
from synthesis.training.config import TrainingConfig
from synthesis.training.journal import Journal
from synthesis.training.places import snapshot_of


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run's files."""

    path: Path

    @property
    def config(self) -> Path:
        """Settings."""
        return self.path / "config.json"

    @property
    def split(self) -> Path:
        """Which subject trains and which is held out."""
        return self.path / SPLIT_FILE

    @property
    def weights(self) -> Path:
        """The released network."""
        return self.path / WEIGHTS_FILE

    @property
    def state(self) -> Path:
        """What a resumed run starts from."""
        return self.path / "state.pt"

    @property
    def card(self) -> Path:
        """Model card, JSON; the readable one lies beside it with the suffix .md."""
        return self.path / "model_card.json"

    @property
    def sheet(self) -> Path:
        """Sample sheet."""
        return self.path / "samples.png"

    def snapshot(self, step: int) -> RunFolder:
        """The network as it was after a step: a folder like that of a finished run."""
        return RunFolder(self.path / snapshot_of(step))

    @property
    def journal(self) -> Journal:
        """The log."""
        return Journal(self.path / "metrics.jsonl")


def open_run(folder: RunFolder, config: TrainingConfig, *, resume: bool) -> TrainingConfig:
    """Make the folder of a new run, or check that of an old one; return the settings to use.

    Raises
    ------
    CheckpointError
        If a new run would overwrite another, or there is none to resume.
    ConfigError
        If a resumed run asks for other settings than the stored ones.
    """
    if resume:
        config = TrainingConfig.from_dict(read_json(folder.config)).resumed_with(config)
    elif parallel.leads() and folder.config.exists():
        raise CheckpointError(
            f"{folder.path.name} already holds a run. Resume it, or choose another folder."
        )
    if parallel.leads():
        folder.path.mkdir(parents=True, exist_ok=True)
        write_json(folder.config, config.to_dict())
    return config


def settle_split(folder: RunFolder, split: Split) -> None:
    """Store the split of a new run; check that a resumed one has the same data.

    Raises
    ------
    CheckpointError
        If the data are not those the run began with.
    """
    if not parallel.leads():
        return
    if not folder.split.exists():
        write_json(folder.split, split.to_dict())
        return
    if Split.from_dict(read_json(folder.split)) != split:
        raise CheckpointError(
            "The images differ from those this run began with (split.json lists their "
            "fingerprints). Restore them, or start a new run."
        )


def stored_state(folder: RunFolder, *, resume: bool) -> dict[str, Any] | None:
    """Return the state to go on from; None at the start of a run."""
    return load_state(folder.state) if resume and folder.state.exists() else None
