"""Weights files: sound ones load whatever their header's length, pickles never do."""

from __future__ import annotations

import pickle

import pytest
import torch

from synthesis.training.checkpoints import CheckpointError, load_weights, save_weights


def test_weights_load_whatever_the_length_of_the_header(tmp_path):
    """The file begins with that length; some lengths look like the first byte of a pickle."""
    first_bytes = set()
    for number in range(40):
        path = tmp_path / "weights.safetensors"
        digest = save_weights(path, {"w": torch.ones(2)}, {"note": "x" * 8 * number})
        weights, facts, found = load_weights(path)
        assert torch.equal(weights["w"], torch.ones(2))
        assert facts["note"] == "x" * 8 * number
        assert found == digest
        first_bytes.add(path.read_bytes()[0])
    assert 0x80 in first_bytes, "the case that matters was among them"


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_pickle_is_refused_by_name_and_never_opened(tmp_path, protocol):
    path = tmp_path / "weights.pt"
    path.write_bytes(pickle.dumps({"w": [1.0]}, protocol=protocol))
    with pytest.raises(CheckpointError, match="is a pickle"):
        load_weights(path)


def test_a_torch_archive_is_refused(tmp_path):
    path = tmp_path / "weights.pth"
    torch.save({"w": torch.ones(2)}, path)
    with pytest.raises(CheckpointError, match="is a pickle"):
        load_weights(path)


def test_a_damaged_file_says_so(tmp_path):
    path = tmp_path / "weights.safetensors"
    path.write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00nonsense")
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        load_weights(path)
