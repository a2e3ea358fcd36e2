"""The segmentation network: labels and loss by hand, patches, windows, voxel sizes, training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import nn

from synthesis.data.labelled import (
    AUTO,
    LabelAugmentation,
    LabelledSampler,
    find_scheme,
    hold_labelled,
    regions_of,
)
from synthesis.data.patches import Augmentation
from synthesis.data.subjects import DataError
from synthesis.generate import generate
from synthesis.networks.registry import build, network_config
from synthesis.networks.segmentation import SegmentationConfig, labels_of, region_probabilities
from synthesis.segment import load_segmenter, segment
from synthesis.training.checkpoints import CheckpointError
from synthesis.training.config import TrainingConfig
from synthesis.training.label_sheet import NOTE
from synthesis.training.loop import TrainingResult, train
from synthesis.training.segmentation import SegmentationLearner

from .test_parallel import compare
from .test_training import stop_after
from .volumes import SHAPE, make_volumes, volume_config, write_cohort

TINY: dict[str, Any] = {
    "architecture": "unet", "width": 4, "levels": 3, "patch": [16, 24, 24], "window": [16, 24, 24],
    "batch": 2, "stop_metric": None, "ema_half_life": 4.0,
}  # fmt: skip


def segment_config(**changes: Any) -> TrainingConfig:
    return volume_config("segment-3d", **{**TINY, **changes})


class Pointwise(nn.Module):
    """Says tumour, core and enhancing by thresholds of the first input: knows no neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.steepness = nn.Parameter(torch.tensor(20.0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        cuts = torch.tensor([0.5, 1.0, 1.5]).view(1, 3, 1, 1, 1)
        return self.steepness * (x[:, :1] - cuts)


# Labels


def test_the_innermost_region_names_a_voxel() -> None:
    probabilities = np.zeros((3, 1, 1, 5), dtype=np.float32)
    probabilities[0, 0, 0, 1:] = 0.9  # tumour
    probabilities[1, 0, 0, 2:] = 0.6  # core
    probabilities[2, 0, 0, 3:] = 0.7  # enhancing
    brain = np.array([[[True, True, True, True, False]]])
    assert labels_of(probabilities, brain).tolist() == [[[0, 2, 1, 3, 0]]]
    assert labels_of(probabilities, brain, threshold=0.65).tolist() == [[[0, 2, 2, 3, 0]]]


@pytest.mark.parametrize("enhancing", [3, 4])
def test_regions_are_nested_and_either_number_enhances(enhancing: int) -> None:
    labels = np.array([[[0, 1, 2, enhancing]]])
    tumour, core, enhances = regions_of(labels, AUTO, name="x")
    assert tumour.tolist() == [[[False, True, True, True]]]
    assert core.tolist() == [[[False, True, False, True]]]
    assert enhances.tolist() == [[[False, False, False, True]]]


@pytest.mark.parametrize(
    ("numbers", "scheme"), [((3, 4), "auto"), ((1, 7), "auto"), ((3,), "brats2012")]
)
def test_numbers_without_a_meaning_are_refused(numbers: tuple[int, ...], scheme: str) -> None:
    with pytest.raises(DataError, match="Name what they mean"):
        regions_of(np.array([[list(numbers)]]), find_scheme(scheme), name="x")


def test_a_scheme_may_be_written_out() -> None:
    scheme = find_scheme("necrosis=5 oedema=6 enhancing=7")
    regions = regions_of(np.array([[[5, 6, 7]]]), scheme, name="x")
    assert regions.sum(axis=(1, 2, 3)).tolist() == [3, 2, 1]


# Patches


def sampler(**changes: Any) -> LabelledSampler:
    rng = np.random.default_rng(0)
    mask = np.ones((12, 14, 16), dtype=bool)
    regions = np.zeros((3, 12, 14, 16), dtype=bool)
    regions[0, 8:10, 9:11, 4:6] = True
    regions[1, 8, 9:11, 4:6] = True
    inputs = [rng.normal(5, 1, mask.shape).astype(np.float32) for _ in range(2)]
    held = hold_labelled(inputs, regions, mask, spacing_mm=(1.0, 1.0, 1.0))
    settings: dict[str, Any] = {
        "patch": (4, 4, 4), "batch": 3, "focus": 1.0, "multiples": (2, 2, 2), "seed": 1,
        "augmentation": LabelAugmentation(turning=Augmentation(), mirror=False, gain=0, shift=0),
    }  # fmt: skip
    return LabelledSampler([held], **{**settings, **changes})


def test_patches_in_focus_hold_tumour_and_the_same_step_gives_the_same() -> None:
    drawn = sampler().draw(3)
    assert drawn.inputs.shape == (3, 2, 4, 4, 4)
    assert drawn.regions.shape == (3, 3, 4, 4, 4)
    assert all(drawn.regions[:, 0].flatten(1).sum(1) > 0)
    assert drawn.regions[:, 2].sum() == 0
    assert torch.equal(drawn.inputs, sampler().draw(3).inputs)
    assert not torch.equal(drawn.inputs, sampler().draw(4).inputs)
    assert torch.equal(sampler().draw(3, slice(1, 3, 2)).inputs, drawn.inputs[1::2])


def test_without_focus_patches_lie_anywhere() -> None:
    drawn = sampler(focus=0.0, batch=40).draw(0)
    holding = (drawn.regions[:, 0].flatten(1).sum(1) > 0).float().mean()
    assert 0 < holding < 0.8


def test_sequences_are_shaded_apart_and_labels_are_mirrored_with_them() -> None:
    plain = sampler(batch=20).draw(0)
    turning = Augmentation()
    mirrored = sampler(
        batch=20, augmentation=LabelAugmentation(turning=turning, gain=0, shift=0)
    ).draw(0)
    flipped = [
        torch.equal(a.flip(-1), b) for a, b in zip(plain.inputs, mirrored.inputs, strict=True)
    ]
    same = [torch.equal(a, b) for a, b in zip(plain.inputs, mirrored.inputs, strict=True)]
    assert all(f != s for f, s in zip(flipped, same, strict=True))
    assert 2 < sum(flipped) < 18
    for k, turned in enumerate(flipped):
        wanted = plain.regions[k].flip(-1) if turned else plain.regions[k]
        assert torch.equal(mirrored.regions[k], wanted)
    shaded = sampler(
        augmentation=LabelAugmentation(turning=turning, mirror=False, gain=0.5, shift=1)
    ).draw(0)
    for role in range(2):
        x, y = sampler().draw(0).inputs[0, role].flatten(), shaded.inputs[0, role].flatten()
        slope, start = np.polyfit(x, y, 1)
        np.testing.assert_allclose(y, slope * x + start, atol=1e-2)
    assert torch.equal(shaded.regions, sampler().draw(0).regions)


def test_whole_volumes_are_filled_up() -> None:
    drawn = sampler(patch=None, batch=1, multiples=(8, 8, 8)).draw(0)
    assert drawn.inputs.shape == (1, 2, 16, 16, 16)
    with pytest.raises(DataError, match="batch=1"):
        sampler(patch=None)


# Network


@pytest.mark.parametrize("architecture", ["segresnet", "unet"])
def test_networks_map_inputs_to_three_regions(architecture: str) -> None:
    network = build("segment-3d", architecture=architecture, width=8, levels=3, window=None)
    made = network["generator"](torch.zeros(2, 4, 8, 12, 16))
    assert made.shape == (2, 3, 8, 12, 16)
    with pytest.raises(ValueError, match="multiples"):
        network["generator"](torch.zeros(2, 4, 8, 12, 15))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"inputs": ["t1", "t1"]}, "distinct"),
        ({"inputs": ["t1", "mask"]}, "cannot be an input"),
        ({"architecture": "vgg"}, "segresnet or unet"),
        ({"width": 12}, "multiple of 8"),
        ({"window": [96, 96, 90]}, "multiples of 8"),
        ({"overlap": 1.0}, "overlap"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        network_config("segment-3d", **settings)


def test_a_patch_that_the_network_cannot_take_is_refused() -> None:
    with pytest.raises(ValueError, match="patch must be multiples"):
        segment_config(patch=[10, 24, 24])


def test_windows_say_what_one_pass_says() -> None:
    """A network without neighbours knows no difference between a window and the whole."""
    stack = np.random.default_rng(0).normal(size=(1, 9, 22, 17)).astype(np.float32)
    kinds = {"inputs": ("t1",), "architecture": "unet", "levels": 3}
    with torch.inference_mode():
        whole, parts = (
            region_probabilities(Pointwise(), SegmentationConfig(window=window, **kinds), stack)
            for window in (None, (8, 8, 8))
        )
    np.testing.assert_allclose(parts, whole, atol=1e-5)
    cuts = np.array([0.5, 1.0, 1.5]).reshape(3, 1, 1, 1)
    np.testing.assert_allclose(whole, 1 / (1 + np.exp(-20 * (stack - cuts))), atol=1e-5)


def ball(spacing: float) -> dict[str, np.ndarray]:
    """A head of side 32 mm with a bright ball of radius 8 mm, sampled at a voxel size."""
    axis = np.arange(spacing / 2, 32, spacing) - 16
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    away = np.sqrt(z**2 + y**2 + x**2)
    return {"t1": (100 + 100 * np.clip((8 - away) / 2 + 0.5, 0, 1)).astype(np.float32)}


@pytest.mark.parametrize("spacing", [0.5, 1.0, 2.0])
def test_a_case_is_brought_to_the_voxel_size_of_the_training(spacing: float) -> None:
    config = SegmentationConfig(inputs=("t1",), architecture="unet", levels=3, window=None)
    seen: list[tuple[int, ...]] = []

    class Watching(Pointwise):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(tuple(x.shape[2:]))
            return super().forward(x)

    labels = segment(
        Watching(), config, ball(spacing), spacing_mm=[spacing] * 3, trained_mm=[1.0] * 3
    )
    assert seen == [(32, 32, 32)]
    assert labels.shape == (round(32 / spacing),) * 3
    values = ball(0.5)["t1"]
    level = values.mean() + 0.5 * values.std()  # where the network sees tumour begin
    radius = 9 - (level - 100) / 50
    volume = (labels > 0).sum() * spacing**3
    assert volume == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.12)


def test_missing_sequences_and_other_shapes_are_told() -> None:
    config = SegmentationConfig(inputs=("t1", "t2"), architecture="unet")
    with pytest.raises(ValueError, match="t2 is missing"):
        segment(Pointwise(), config, ball(1.0))
    with pytest.raises(ValueError, match="one shape"):
        segment(Pointwise(), config, {**ball(1.0), "t2": np.ones((4, 4, 4))})


# Loss


def test_the_loss_is_soft_dice_and_cross_entropy() -> None:
    rng = np.random.default_rng(0)
    logits, truth = rng.normal(size=(2, 3, 2, 3, 4)), rng.integers(0, 2, (2, 3, 2, 3, 4))
    config = segment_config(dice_weight=2.0, entropy_weight=0.5)
    learner = SegmentationLearner(config, build("segment-3d", **config.network))
    loss, parts = learner.loss(torch.tensor(logits), torch.tensor(truth, dtype=torch.float64))
    p = 1 / (1 + np.exp(-logits))
    sums = [(a).sum(axis=(2, 3, 4)) for a in (p * truth, p, truth)]
    dice = (1 - (2 * sums[0] + 1e-5) / (sums[1] + sums[2] + 1e-5)).mean()
    entropy = -(truth * np.log(p) + (1 - truth) * np.log(1 - p)).mean()
    assert parts == pytest.approx({"dice_loss": dice, "entropy": entropy})
    assert float(loss) == pytest.approx(2 * dice + 0.5 * entropy)


# Training


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("segment"), ["a", "b", "c", "d"])


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    folder = tmp_path_factory.mktemp("runs") / "segment"
    config = segment_config(
        max_steps=150, width=8, learning_rate=1e-2, report_every=50, checkpoint_every=1000,
        validations=1, ema_half_life=10.0,
    )  # fmt: skip
    return train(config, data, folder, resume=False)


def test_it_learns_to_find_tumours_in_unseen_subjects(run: TrainingResult) -> None:
    assert run.finished
    assert run.do_nothing["dice"] == 0.0
    assert run.metrics["dice_tumour"] > 0.8
    assert run.metrics["dice_enhancing"] > 0.6
    assert run.metrics["volume_error_ml"] < run.do_nothing["volume_error_ml"]


def test_the_card_says_what_it_is_for(run: TrainingResult) -> None:
    card = json.loads((run.run_dir / "model_card.json").read_text())
    assert card["more"] == {
        "labels": {"tumour": 2, "core": 1, "enhancing": 3},
        "spacing_mm": [1.0, 1.0, 1.0],
    }
    assert "label map" in card["do_nothing"]
    assert "making images" not in card["intended_use"]
    text = (run.run_dir / "model_card.md").read_text()
    assert "*Do nothing* is an empty label map." in text
    assert NOTE in (run.run_dir / "samples.png").read_bytes().decode("latin-1")


def test_a_run_is_loaded_and_segments_alike_at_another_voxel_size(run: TrainingResult) -> None:
    model = load_segmenter(run.run_dir)
    volumes = make_volumes(77)
    labels = model.labels(volumes, (1.0, 1.0, 1.0))
    true = volumes["mask"] > 0
    found = labels > 0
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.7
    doubled = {role: v.repeat(2, 0).repeat(2, 1).repeat(2, 2) for role, v in volumes.items()}
    fine = model.labels(doubled, (0.5, 0.5, 0.5)) > 0
    again = found.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    assert fine.shape == tuple(2 * n for n in SHAPE)
    assert 2 * (fine & again).sum() / (fine.sum() + again.sum()) > 0.85


def test_it_makes_no_images(run: TrainingResult, data: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not make images"):
        generate(run.run_dir, data, tmp_path / "out")


def test_a_generator_is_no_segmenter(tmp_path: Path, data: Path) -> None:
    config = volume_config(
        "calabrese2021-unet-reduced", base=4, layers=[1, 1], patch=[8, 8, 8], stride=[8, 8, 8],
        max_steps=1, batch=1, validations=1,
    )  # fmt: skip
    train(config, data, tmp_path / "run", resume=False)
    with pytest.raises(CheckpointError, match="which makes images"):
        load_segmenter(tmp_path / "run")


def test_resumed_it_ends_where_the_uninterrupted_run_does(data: Path, tmp_path: Path) -> None:
    config = segment_config(rotation="three-axis")
    whole = train(config, data, tmp_path / "whole", resume=False)
    train(config, data, tmp_path / "parts", resume=False, should_stop=stop_after(3))
    parts = train(config, data, tmp_path / "parts", resume=True)
    assert parts.weights_sha256 == whole.weights_sha256
    assert parts.metrics == whole.metrics


@pytest.mark.slow
def test_two_processes_train_as_one(data: Path, tmp_path: Path) -> None:
    config = segment_config(max_steps=4, report_every=1)
    compare(config, data, tmp_path, ("loss", "dice_loss", "entropy", "gradient"), 1e-3)


def test_labels_that_say_nothing_stop_the_training(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path / "data", ["a", "b"])
    odd = np.zeros(SHAPE[::-1], dtype=np.float32)
    odd[3:6] = 9
    nib.save(nib.Nifti1Image(odd, np.eye(4)), folder / "b" / "seg.nii.gz")
    with pytest.raises(DataError, match="Subject b: the segmentation holds the labels"):
        train(segment_config(), folder, tmp_path / "run", resume=False)


def test_a_subject_without_tumour_is_trained_on(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path / "data", ["a", "b", "c"])
    for name in "abc":
        nib.save(
            nib.Nifti1Image(np.zeros(SHAPE[::-1], dtype=np.uint8), np.eye(4)),
            folder / name / "seg.nii.gz",
        )
    done = train(segment_config(max_steps=2), folder, tmp_path / "run", resume=False)
    assert done.finished
    assert done.do_nothing["dice"] == 1.0  # an empty map of no tumour
