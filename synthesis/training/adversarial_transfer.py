"""Start a generator of images and its discriminator from another run, layer by layer.

Park 2021 trained on normal brains first and on a rare tumour class from there. Weights are copied
by name wherever the shapes agree, so that the number of sequences or the size may differ.
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor, nn

from synthesis.training.checkpoints import CheckpointError, load_state, load_weights
from synthesis.training.transfer import weights_file

_STATE = "state.pt"


def adopt_by_name(networks: dict[str, nn.Module], start_from: Path) -> dict[str, int]:
    """Copy what fits of a finished run into networks.

    The generator starts from the released, averaged weights. The discriminator starts from the
    saved state of the run if ``start_from`` is its folder, and at random if it is a weights file
    alone.

    Returns
    -------
    dict of str to int
        Tensors copied, by network.

    Raises
    ------
    CheckpointError
        If the weights cannot be read, or nothing of the generator fits.
    """
    weights, facts, _ = load_weights(weights_file(start_from))
    copied = {"generator": copy_matching(networks["generator"], weights)}
    if not copied["generator"]:
        raise CheckpointError(
            f"No layer of {facts.get('preset', start_from.name)} fits this network. Start from a "
            "run of the same family."
        )
    state = start_from / _STATE
    if start_from.is_dir() and state.exists():
        old = load_state(state)["learner"].get("discriminator", {})
        copied["discriminator"] = copy_matching(networks["discriminator"], old)
    return copied


def copy_matching(network: nn.Module, weights: dict[str, Tensor]) -> int:
    """Copy tensors of the same name and shape into a network; return how many."""
    mine = network.state_dict()
    fitting = {
        name: value
        for name, value in weights.items()
        if name in mine and mine[name].shape == value.shape
    }
    network.load_state_dict({**mine, **fitting})
    return len(fitting)
