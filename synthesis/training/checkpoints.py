"""Files of a run, written so that a crash leaves the old one or the new one, never half of one.

Weights are safetensors: numbers and names, nothing that runs. The state to resume from holds
optimiser moments too and is a `torch.save` file read with ``weights_only=True``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from synthesis.data.hashing import canonical_json

_ZIP_MAGIC = b"PK\x03\x04"
_PICKLE_MAGIC = b"\x80"
_FACTS = "readerstudy"


class CheckpointError(ValueError):
    """A checkpoint is missing, damaged or of a kind that is not accepted."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file through a temporary one in the same folder, synced, then renamed."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON atomically; NaN and infinite numbers are refused."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(path, f"{text}\n".encode())


def read_json(path: Path) -> Any:
    """Read a JSON file of a run.

    Raises
    ------
    CheckpointError
        If it is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CheckpointError(f"The run has no {path.name}; is this a run folder?") from error
    except ValueError as error:
        raise CheckpointError(f"{path.name} is not valid JSON: {error}") from error


def save_weights(path: Path, weights: dict[str, Tensor], facts: dict[str, Any]) -> str:
    """Write weights as safetensors with ``facts`` in the header; return the file's sha256.

    The facts are one JSON string: safetensors writes several entries in random order, and equal
    weights would then have unequal fingerprints.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    content = safetensors.torch.save(plain, metadata={_FACTS: canonical_json(facts)})
    write_atomically(path, content)
    return hashlib.sha256(content).hexdigest()


def load_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any], str]:
    """Read safetensors weights, the facts in their header and the sha256 of the file.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, or a pickle: those can run code and are not opened.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no weights file {path.name}.")
    content = path.read_bytes()
    try:
        weights = safetensors.torch.load(content)
        facts = _facts(content)
    except (safetensors.SafetensorError, ValueError) as error:
        # Only now: a sound file may begin with the same bytes, which are its header's length.
        if content.startswith((_PICKLE_MAGIC, _ZIP_MAGIC)):
            raise CheckpointError(
                f"{path.name} is a pickle (.pt, .pth, .pkl). Such files can run code when opened "
                "and are refused. Convert the weights to safetensors where they were made."
            ) from error
        raise CheckpointError(f"{path.name} is not a readable safetensors file: {error}") from error
    return weights, facts, hashlib.sha256(content).hexdigest()


def _facts(content: bytes) -> dict[str, Any]:
    """Read our entry of the JSON header: its length in 8 bytes, then the text."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    facts: dict[str, Any] = json.loads(header.get("__metadata__", {}).get(_FACTS, "{}"))
    return facts


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write the state of a run: tensors and plain values only."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomically(path, buffer.getvalue())


def load_state(path: Path) -> dict[str, Any]:
    """Read the state of a run back, without executing anything in it.

    Raises
    ------
    CheckpointError
        If it is missing, damaged, or holds more than tensors and plain values.
    """
    content = path.read_bytes() if path.is_file() else b""
    if not content.startswith(_ZIP_MAGIC):
        raise CheckpointError(f"{path.name} is missing or not a saved state of a run.")
    try:
        state: dict[str, Any] = torch.load(
            io.BytesIO(content), map_location="cpu", weights_only=True
        )
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise CheckpointError(f"{path.name} is damaged or not a saved state: {error}") from error
    return state
