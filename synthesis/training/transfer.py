"""Start from the weights of another run: fine-tuning on the images of another hospital."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from synthesis.data.hashing import file_sha256
from synthesis.generate import WEIGHTS_FILE, WEIGHTS_FORMAT
from synthesis.training.checkpoints import CheckpointError, load_weights

_NAMED = 5


def weights_file(start_from: Path) -> Path:
    """Return the weights file of a run folder, or the file itself.

    Raises
    ------
    CheckpointError
        If there is none.
    """
    file = start_from / WEIGHTS_FILE if start_from.is_dir() else start_from
    if not file.is_file():
        raise CheckpointError(
            f"There are no weights to start from in {start_from.name}. Name the folder of a "
            "finished run."
        )
    return file


def parent_sha256(start_from: Path | None) -> str | None:
    """Return the fingerprint of the weights a run starts from; None if it starts at random."""
    return None if start_from is None else file_sha256(weights_file(start_from))


def adopt_weights(network: nn.Module, start_from: Path) -> None:
    """Replace the weights of a network by those of a released one of the same shape.

    Raises
    ------
    CheckpointError
        If they are missing, not ours, or of a network of another shape.
    """
    weights, facts, _ = load_weights(weights_file(start_from))
    if facts.get("format") != WEIGHTS_FORMAT:
        raise CheckpointError(f"{start_from.name} was not written by this program.")
    mine = {name: value.shape for name, value in network.state_dict().items()}
    theirs = {name: value.shape for name, value in weights.items()}
    other = [name for name in {*mine, *theirs} if mine.get(name) != theirs.get(name)]
    if other:
        raise CheckpointError(
            f"{start_from.name} ({facts.get('preset')}) has other layers than this network: "
            f"{', '.join(sorted(other)[:_NAMED])}. Give it the same inputs and settings."
        )
    network.load_state_dict(weights)
