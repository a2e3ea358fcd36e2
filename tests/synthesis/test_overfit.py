"""Each network can learn a tiny set by heart: the least that a way of training must do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from synthesis.data.subjects import Subject, brain_mask
from synthesis.networks.registry import build, find_preset
from synthesis.training.config import TrainingConfig
from synthesis.training.gan import GanLearner
from synthesis.training.learner import Learner
from synthesis.training.objectives import OBJECTIVES
from synthesis.training.schedule import rate_factor

from .test_gan_training import gan_config
from .volumes import make_volumes

SHAPE = (8, 24, 24)
TASK = {"inputs": ["t1", "t2", "flair"], "target": "t1c", "threads": 1, "ema_half_life": 10.0}
WHOLE = {"patch": SHAPE, "stride": [8, 8, 8], "batch": 1}
WANG = {"target_scale": None, "width": 8, "blocks": 1}
JUDGE = {"judge_width": 8, "judge_layers": 2}


def learner_of(config: TrainingConfig) -> Any:
    torch.manual_seed(0)
    return OBJECTIVES[find_preset(config.preset).objective](
        config, build(config.preset, **config.network)
    )


def one_subject() -> Subject:
    raw = make_volumes(0, SHAPE)
    hashes = {role: "0" * 64 for role in raw}
    return Subject("only", raw, brain_mask([raw["t1"]]), np.eye(4), hashes)


@pytest.mark.parametrize(
    ("preset", "steps", "settings"),
    [
        (
            "unet2d-t1c",
            120,
            {"width": 8, "levels": 2, "crop": [24, 24], "batch": 4, "learning_rate": 1e-2},
        ),
        (
            "calabrese2021-unet-reduced",
            80,
            {
                **WHOLE, "base": 8, "layers": [1, 1], "dropout": 0.0, "bn_momentum": 0.1,
                "rotation": "none", "swap_axes": False, "learning_rate": 1e-2,
            },
        ),
        ("wang2023-ed", 120, {**WANG, "learning_rate": 1e-2}),
        (
            "wang2023-fcgan",
            120,
            {**WANG, **JUDGE, "voxel_weight": 10.0, "learning_rate": 5e-3},
        ),
        (
            "jayachandran2021-cgan",
            100,
            {**WHOLE, **JUDGE, "width": 8, "levels": 2, "learning_rate": 1e-2},
        ),
        (
            "flow-matching",
            200,
            {
                "channels": [16, 32], "heads": 16, "noise": 0.3, "steps": 4, "batch": 8,
                "patch": [1, 24, 24], "stride": [1, 8, 8], "learning_rate": 1e-2,
            },
        ),
    ],
)  # fmt: skip
def test_a_translation_learns_one_subject_by_heart(
    preset: str, steps: int, settings: dict[str, Any]
) -> None:
    config = TrainingConfig.for_preset(preset, **{**TASK, **settings})
    learner = learner_of(config)
    for part in ("train", "validation"):
        learner.take(one_subject(), part)
    walk(learner, steps)
    scores = {score.metric: score for score in learner.validate().scores}
    assert scores["mae"].value < 0.7 * scores["mae"].do_nothing
    assert scores["contrast_mae"].value < 0.3 * scores["contrast_mae"].do_nothing
    assert scores["psnr"].value > scores["psnr"].do_nothing + 6  # half the error


def walk(learner: Learner, steps: int) -> None:
    learner.prepare()
    for step in range(steps):
        learner.step(step, rate_factor(step / steps, schedule="cosine", warmup=0.05))


@pytest.mark.parametrize(
    ("kind", "steps", "settings"),
    [
        ("dcgan", 500, {"learning_rate": 4e-3, "ema_half_life": 10.0}),
        ("wgan", 150, {"learning_rate": 1e-3, "ema_half_life": 10.0}),
        ("wgan-gp", 120, {"learning_rate": 1e-3, "ema_half_life": 10.0}),
        ("stylegan2", 150, {"learning_rate": 6e-3}),
    ],
)
def test_a_generator_of_images_learns_one_slice_by_heart(
    kind: str, steps: int, settings: dict[str, Any]
) -> None:
    learner: GanLearner = learner_of(gan_config(kind, **settings))
    for part in ("train", "validation"):
        learner.take(one_subject(), part)
    (whole,) = learner.training
    learner.training = [replace(whole, images=whole.images[1:2], numbers=whole.numbers[1:2])]
    learner.prepare()
    before = distance(learner)
    for step in range(steps):
        learner.step(step, 1.0)
    assert distance(learner) < 0.4 * before


def distance(learner: GanLearner) -> float:
    """Mean grey difference of drawn images to the only slice that trains."""
    known = torch.from_numpy(learner.training[0].images).float()
    return float((learner.drawn(16) - known).abs().mean())
