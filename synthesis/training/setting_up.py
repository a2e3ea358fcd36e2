"""What a session of training begins with: device, split, networks and the way of training."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from synthesis.data.patients import patients_of
from synthesis.data.splits import Part, draw_parts
from synthesis.networks.registry import build, find_preset
from synthesis.training import parallel
from synthesis.training.adversarial_transfer import adopt_by_name
from synthesis.training.config import ConfigError, TrainingConfig
from synthesis.training.learner import Learner
from synthesis.training.objectives import OBJECTIVES
from synthesis.training.shared_norm import normalises_batches, share_batch_norm
from synthesis.training.transfer import adopt_weights


def parts_of(config: TrainingConfig, data_dir: Path, names: list[str]) -> dict[str, Part]:
    """Say who trains and who is held out."""
    return draw_parts(
        names,
        validation_fraction=config.validation_fraction,
        seed=config.seed,
        patients=patients_of(data_dir, names) if config.split_by == "patient" else None,
        folds=config.folds,
        fold=config.fold,
    )


def check_device(device: str) -> None:
    """Refuse a device that is not there.

    Raises
    ------
    ConfigError
    """
    try:
        kind = torch.device(device).type
    except RuntimeError as error:
        raise ConfigError(f"device must be cpu, cuda or cuda:N, got {device!r}") from error
    if kind == "cuda" and not torch.cuda.is_available():
        raise ConfigError("No CUDA device is available here; use device=cpu.")


def new_learner(config: TrainingConfig, start_from: Path | None) -> Learner:
    """Build the networks of a run, with the weights it starts from, and what trains them.

    Raises
    ------
    ValueError
        If the weights do not fit, or the processes cannot share the work.
    """
    torch.manual_seed(config.seed)
    networks = build(config.preset, **config.network)
    if start_from is not None and config.network_config().inference == "samples":
        adopt_by_name(networks, start_from)
    elif start_from is not None:
        adopt_weights(networks["generator"], start_from)
    _share_norms(config, networks)
    learner = OBJECTIVES[find_preset(config.preset).objective](config, networks)
    _check_sharing(learner)
    return learner


def _share_norms(config: TrainingConfig, networks: dict[str, nn.Module]) -> None:
    """Let several processes normalise over the whole batch; refuse what cannot be compiled so."""
    if parallel.size() == 1 or not any(normalises_batches(n) for n in networks.values()):
        return
    if config.compile or config.cuda_graphs:
        raise ConfigError(
            f"{config.preset} normalises over the whole batch, which several processes cannot do "
            "in compiled code: set compile=false and cuda_graphs=false, or take one process."
        )
    for network in networks.values():
        share_batch_norm(network)


def _check_sharing(learner: Learner) -> None:
    size = parallel.size()
    if learner.config.batch % size:
        raise ConfigError(
            f"batch must be a multiple of the {size} processes, got {learner.config.batch}."
        )
