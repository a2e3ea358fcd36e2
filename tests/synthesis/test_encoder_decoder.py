"""Wang's networks: sizes, normalisation, both ways of training, and maps that keep their unit."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch

from synthesis.data.subjects import DataError
from synthesis.generate import generate, load_generator
from synthesis.levels import output_mapping
from synthesis.networks import build
from synthesis.networks.encoder_decoder import INPUTS, input_combinations
from synthesis.networks.registry import network_config
from synthesis.training.loop import train
from synthesis.training.volume_adversarial import (
    adversarial_loss,
    discriminator_loss,
    feature_distance,
)

from .test_residual_unet3d import parameters
from .test_training import stop_after
from .volumes import make_volumes, volume_config, write_cohort

ROLES = (*INPUTS, "cbv")
TINY: dict[str, Any] = {"width": 8, "blocks": 1, "judge_width": 8, "judge_layers": 2}


def test_sizes_are_those_of_the_published_networks() -> None:
    networks = build("wang2023-fcgan")
    assert parameters(networks["generator"]) == 490_241
    assert parameters(networks["discriminator"]) == 174_577
    assert parameters(build("wang2023-ed")["generator"]) == 490_241
    fewer = build("wang2023-ed", inputs=["t1"])["generator"]
    assert 490_241 - parameters(fewer) == 4 * 9 * 16


def test_thirty_one_combinations_in_the_order_of_the_table() -> None:
    chosen = input_combinations()
    assert len(chosen) == len(set(chosen)) == 31
    assert chosen[0] == ("t1",)
    assert chosen[-1] == INPUTS
    assert chosen == [c for n in range(1, 6) for c in combinations(INPUTS, n)]


def test_slices_meet_only_in_the_normalisation() -> None:
    torch.manual_seed(0)
    network = build("wang2023-ed", inputs=["t1"], **TINY)["generator"].eval()
    x = torch.randn(1, 1, 4, 8, 8)
    turned = x[:, :, [2, 0, 3, 1]]
    torch.testing.assert_close(
        network(turned), network(x)[:, :, [2, 0, 3, 1]], atol=1e-5, rtol=1e-4
    )
    alone = network(x[:, :, :1])
    assert (alone - network(x)[:, :, :1]).abs().max() > 1e-3


def test_the_discriminator_sees_the_map_alone_or_with_its_inputs() -> None:
    judge = build("wang2023-fcgan")["discriminator"]
    features = judge(torch.randn(1, 1, 2, 64, 96))
    assert [tuple(f.shape[1:]) for f in features] == [
        (16, 2, 32, 48), (32, 2, 16, 24), (64, 2, 8, 12), (128, 2, 4, 6), (1, 2, 3, 5),
    ]  # fmt: skip
    informed = build("wang2023-fcgan", conditional=True)["discriminator"]
    assert informed(torch.randn(1, 6, 2, 64, 64))[-1].shape == (1, 1, 2, 3, 3)


def test_images_too_small_to_be_judged_are_refused_in_words() -> None:
    judge = build("wang2023-fcgan")["discriminator"].eval()
    assert judge(torch.randn(1, 1, 1, 32, 32))[-1].shape == (1, 1, 1, 1, 1)
    with pytest.raises(ValueError, match=r"judge_layers=4, which needs \(1, 32, 32\)"):
        judge(torch.randn(1, 1, 8, 32, 28))


def test_losses_by_hand() -> None:
    real, made = torch.tensor([1.0, 0.5]), torch.tensor([0.0, 2.0])
    assert float(discriminator_loss(real, made)) == pytest.approx(0.5 * 0.125 + 0.5 * 2.0)
    assert float(adversarial_loss(made)) == pytest.approx((1 + 1) / 2)
    layers = [torch.zeros(2, 3), torch.ones(4)]
    other = [torch.full((2, 3), 0.5), torch.tensor([1.0, 1.0, 1.0, 3.0])]
    assert float(feature_distance(layers, other)) == pytest.approx(0.5 + 0.5)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ["sub-1_ses-1", "sub-1_ses-2", "sub-2_ses-1", "sub-3_ses-1"]
    return write_cohort(tmp_path_factory.mktemp("cbv"), names, roles=ROLES)


@pytest.mark.parametrize("preset", ["wang2023-ed", "wang2023-fcgan"])
def test_a_resumed_run_equals_an_uninterrupted_one(
    preset: str, cohort: Path, tmp_path: Path
) -> None:
    config = volume_config(preset, **TINY)
    whole = train(config, cohort, tmp_path / "whole", resume=False)
    train(config, cohort, tmp_path / "run", resume=False, should_stop=stop_after(3))
    torch.randn(10)
    resumed = train(config, cohort, tmp_path / "run", resume=True)
    assert resumed.weights_sha256 == whole.weights_sha256
    assert resumed.metrics == whole.metrics


@pytest.mark.parametrize(
    ("preset", "changes"),
    [("wang2023-ed", {}), ("wang2023-fcgan", {"voxel_weight": 1.0}), ("wang2023-fcgan", {})],
)
def test_both_ways_learn_blood_volume_in_its_unit(
    preset: str, changes: dict[str, Any], cohort: Path, tmp_path: Path
) -> None:
    config = volume_config(
        preset, **{**TINY, **changes}, inputs=["t1", "t1c", "adc"], max_steps=80, validations=1,
        checkpoint_every=1000, learning_rate=3e-3, schedule="cosine",
    )  # fmt: skip
    result = train(config, cohort, tmp_path / "run", resume=False)
    assert result.metrics["mae"] < 0.6 * result.do_nothing["mae"]
    unseen = write_cohort(tmp_path / "unseen", ["u"], roles=("t1", "t1c", "adc"), first_seed=50)
    made = generate(tmp_path / "run", unseen, tmp_path / "out")
    (file,) = made.files.values()
    assert file.name == "cbv_synthetic.nii.gz"
    image = nib.load(file).get_fdata().transpose(2, 1, 0)
    truth = make_volumes(50)
    rim, rest = truth["mask"] == 3, (truth["t1"] > 0) & (truth["mask"] == 0)
    assert abs(image[rest].mean() - truth["cbv"][rest].mean()) < 1.0  # mL/100 g
    assert image[rim].mean() > image[rest].mean() + 2.0


def test_the_mapping_keeps_the_unit() -> None:
    mapping = output_mapping(network_config("wang2023-ed"))
    z = np.array([[[1.0, 0.5, -1.0]]], dtype=np.float32)  # in multiples of 4 mL/100 g
    levels = mapping.apply(z, np.ones(z.shape, dtype=bool))
    assert (levels * mapping.slope).ravel().tolist() == [4.0, 2.0, 0.0]


def test_maps_in_another_unit_are_refused_in_words(cohort: Path, tmp_path: Path) -> None:
    config = volume_config("wang2023-ed", **TINY, inputs=["t1"], target="t2", max_steps=1)
    large = write_cohort(tmp_path / "data", ["a", "b"], roles=("t1", "t2"))
    for path in large.glob("*/t2w.nii.gz"):
        image = nib.load(path)
        nib.save(nib.Nifti1Image((image.get_fdata() * 20).astype(np.int16), image.affine), path)
    with pytest.raises(DataError, match="mL/100 g"):
        train(config, large, tmp_path / "run", resume=False)
    plain = volume_config(
        "wang2023-ed", **TINY, inputs=["t1"], target="t2", target_scale=None, max_steps=1
    )
    assert train(plain, large, tmp_path / "plain", resume=False).finished


def test_examinations_of_a_patient_are_split_only_when_asked(cohort: Path, tmp_path: Path) -> None:
    together = volume_config("wang2023-ed", **TINY, max_steps=1)
    assert together.split_by == "patient"
    apart = volume_config("wang2023-ed", **TINY, max_steps=1, split_by="examination", seed=3)
    train(apart, cohort, tmp_path / "run", resume=False)
    card = json.loads((tmp_path / "run" / "model_card.json").read_text())
    assert card["training"]["settings"]["split_by"] == "examination"
    split = json.loads((tmp_path / "run" / "split.json").read_text())["subjects"]
    training = [one["name"] for one in split if one["part"] == "train"]
    maps = [nib.load(cohort / name / "cbv.nii.gz").get_fdata() for name in training]
    values = np.concatenate([one[one > 0] for one in maps])
    assert card["more"]["target_mean"] == pytest.approx(values.mean(), rel=1e-3)
    assert card["more"]["target_sd"] == pytest.approx(values.std(), rel=1e-3)
    assert load_generator(tmp_path / "run").config.inputs == INPUTS
