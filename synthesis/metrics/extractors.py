"""What turns images into features, by name: always from weights on this machine.

Nothing is ever downloaded. An extractor is a folder with ``weights.safetensors`` and
``extractor.json``; its fingerprint goes into every score made with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from synthesis.data.hashing import file_sha256
from synthesis.metrics.encoder import Encoder, EncoderSettings, Progress, resized, train_encoder
from synthesis.metrics.resnet import resnet18, resnet50

RANDOM = "random-resnet"
BUILT_IN = "random-encoder"
SELF = "self"
WEIGHTS, FACTS = "weights.safetensors", "extractor.json"
_RANDOM_SEED = 20260101
_BATCH = 64


class ExtractorError(ValueError):
    """The extractor cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Architecture:
    """A network whose weights can be given, and how it wants its images.

    Attributes
    ----------
    build : callable
    side : int
        Images are brought to side x side pixels.
    channels : int
        1, or 3 copies of the one channel.
    mean, sd : float
        Taken off, and divided by, after scaling to [0, 1].
    ignored : tuple of str
        Beginnings of parameter names that a weights file may hold beyond the network's.
    """

    build: Callable[[], nn.Module]
    side: int
    channels: int
    mean: float
    sd: float
    ignored: tuple[str, ...] = ("fc.",)


ARCHITECTURES: dict[str, Architecture] = {
    "encoder": Architecture(Encoder, 64, 1, 0.0, 1.0, ()),
    "resnet18": Architecture(resnet18, 224, 3, 0.449, 0.226),
    "resnet50": Architecture(resnet50, 224, 3, 0.449, 0.226),
    "resnet50-radimagenet": Architecture(resnet50, 224, 3, 0.5, 0.5),
}


@dataclass(frozen=True, eq=False)
class Extractor:
    """A network and what is known of it.

    Attributes
    ----------
    name, architecture : str
    weights_sha256 : str
        Of the weights as they were given.
    network : Module
    facts : dict
        Source, date, licence or training of the weights.
    """

    name: str
    architecture: str
    weights_sha256: str
    network: nn.Module
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """Name and the beginning of the fingerprint: what belongs beside every number."""
        return f"{self.name}/{self.weights_sha256[:8]}"

    def describe(self) -> dict[str, Any]:
        """Return what a record says of it."""
        way = ARCHITECTURES[self.architecture]
        return {
            "name": self.name,
            "architecture": self.architecture,
            "weights_sha256": self.weights_sha256,
            "input": {
                "side": way.side, "channels": way.channels, "mean": way.mean, "sd": way.sd,
                "resize": "bilinear, antialiased",
            },
            "facts": self.facts,
        }  # fmt: skip

    def features(self, images: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return features (n, d) of images (n, y, x) in [0, 1]."""
        way, rows = ARCHITECTURES[self.architecture], []
        device = next(self.network.parameters()).device
        with torch.inference_mode():
            for start in range(0, len(images), _BATCH):
                part = torch.from_numpy(np.ascontiguousarray(images[start : start + _BATCH]))
                whole = resized(part[:, None].to(device).float(), way.side)
                batch = (whole - way.mean) / way.sd
                rows.append(self.network(batch.expand(-1, way.channels, -1, -1)).double())
        features: npt.NDArray[np.float64] = torch.cat(rows).cpu().numpy()
        return features


def load_extractor(name: str, folder: Path) -> Extractor:
    """Load an extractor that was added or trained on this machine.

    Parameters
    ----------
    name : str
        "random-resnet" and "random-encoder" are made on the spot from a fixed seed; they say
        little of realism.
    folder : Path
        Holds one folder per extractor.

    Raises
    ------
    ExtractorError
        If it is not there, was changed or does not fit this version.
    """
    if name == RANDOM:
        return _random()
    if name == BUILT_IN:
        return _built_in()
    home = folder / name
    if Path(name).name != name or not (home / FACTS).is_file():
        known = ", ".join([RANDOM, BUILT_IN, *installed(folder)])
        raise ExtractorError(
            f"There is no extractor {name!r}. Known: {known}. Add one: manage.py extractor add, "
            "or train one on real images: manage.py extractor train."
        )
    facts = json.loads((home / FACTS).read_text())
    if file_sha256(home / WEIGHTS) != facts["file_sha256"]:
        raise ExtractorError(f"The weights of {name!r} were changed since they were added.")
    network = _network(facts["architecture"], load_file(home / WEIGHTS))
    return Extractor(name, facts["architecture"], facts["weights_sha256"], network, facts["facts"])


def installed(folder: Path) -> list[str]:
    """Return the names of the extractors of a folder."""
    return sorted(path.parent.name for path in folder.glob(f"*/{FACTS}"))


def _random() -> Extractor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_RANDOM_SEED)
        network = resnet18()
    digest = f"seed{_RANDOM_SEED}".ljust(64, "0")
    facts = {"note": "random weights of a fixed seed: for tests, says nothing of realism"}
    return Extractor(RANDOM, "resnet18", digest, network.eval().requires_grad_(False), facts)


def _built_in() -> Extractor:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_RANDOM_SEED)
        network = Encoder()
    weights = b"".join(value.numpy().tobytes() for value in network.state_dict().values())
    facts = {"note": "random weights of a fixed seed: follows a training, says little of realism"}
    digest = hashlib.sha256(weights).hexdigest()
    return Extractor(BUILT_IN, "encoder", digest, network.eval().requires_grad_(False), facts)


def add_extractor(
    name: str,
    architecture: str,
    weights: Path,
    folder: Path,
    *,
    sha256: str,
    facts: Mapping[str, Any] | None = None,
) -> Extractor:
    """Check a weights file and keep it as an extractor.

    Parameters
    ----------
    name : str
        Of letters, digits and dashes.
    architecture : str
        Of `ARCHITECTURES`.
    weights : Path
        safetensors, or a state dictionary of PyTorch; the latter is read without running code.
    folder : Path
    sha256 : str
        What the file should be, from whoever published it.
    facts : mapping, optional
        Source and licence, for the record.

    Raises
    ------
    ExtractorError
        If the file is another, holds more than tensors, or does not fit the architecture.
    """
    if architecture not in ARCHITECTURES:
        raise ExtractorError(
            f"Unknown architecture {architecture!r}. Known: {', '.join(ARCHITECTURES)}."
        )
    _check_name(name)
    found = file_sha256(weights)
    if found != sha256.lower():
        raise ExtractorError(f"The file's sha256 is {found}, not {sha256}: it is another file.")
    tensors = _read(weights)
    network = _network(architecture, tensors)
    return _keep(folder / name, architecture, network, found, dict(facts or {}))


def _check_name(name: str) -> None:
    if name in (RANDOM, BUILT_IN) or not name.replace("-", "").isalnum():
        raise ExtractorError(f"{name!r} cannot name an extractor: use letters, digits and dashes.")


def train_self(
    name: str,
    images: npt.NDArray[np.float32],
    folder: Path,
    *,
    facts: Mapping[str, Any],
    settings: EncoderSettings | None = None,
    progress: Progress | None = None,
) -> Extractor:
    """Train an encoder on real images (n, y, x) in [0, 1] and keep it: see `train_encoder`."""
    _check_name(name)
    settings = settings or EncoderSettings()
    encoder, loss = train_encoder(images, settings, progress=progress)
    known = {
        **facts, "images": len(images), "settings": asdict(settings), "last_loss": round(loss, 4)
    }  # fmt: skip
    return _keep(folder / name, "encoder", encoder, "", known)


def _keep(home: Path, architecture: str, network: nn.Module, sha256: str, facts: Any) -> Extractor:
    if (home / FACTS).exists():
        raise ExtractorError(f"There is an extractor {home.name!r} already; choose another name.")
    home.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, home / WEIGHTS)
    digest = file_sha256(home / WEIGHTS)
    stored = {
        "architecture": architecture,
        "weights_sha256": sha256 or digest,
        "file_sha256": digest,
        "facts": facts,
    }
    (home / FACTS).write_text(json.dumps(stored, indent=1, sort_keys=True))
    return load_extractor(home.name, home.parent)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, RuntimeError, ValueError, EOFError, OSError) as error:
        raise ExtractorError(f"{path.name} cannot be read as weights: {error}") from error
    except Exception as error:  # the unpickler refuses code with an error of its own
        if type(error).__name__ != "UnpicklingError":
            raise
        raise ExtractorError(f"{path.name} holds more than tensors and is refused.") from error
    tensors = stored.get("state_dict", stored) if isinstance(stored, dict) else {}
    if not tensors or not all(isinstance(value, Tensor) for value in tensors.values()):
        raise ExtractorError(f"{path.name} is not a dictionary of tensors.")
    return {str(key).removeprefix("module."): value for key, value in tensors.items()}


def _network(architecture: str, tensors: dict[str, Tensor]) -> nn.Module:
    if architecture not in ARCHITECTURES:
        raise ExtractorError(f"This version does not know the architecture {architecture!r}.")
    way = ARCHITECTURES[architecture]
    network = way.build()
    known = {
        key: value for key, value in tensors.items() if not key.startswith(way.ignored or "\0")
    }
    try:
        network.load_state_dict(known)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise ExtractorError(f"The weights do not fit {architecture}: {first[:200]}") from error
    return network.eval().requires_grad_(False)
