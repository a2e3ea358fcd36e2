"""Within a bounded time each translation beats doing nothing on phantoms that it never saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synthesis.phantom.writer import write_cohort
from synthesis.training.config import TrainingConfig
from synthesis.training.loop import train

pytestmark = pytest.mark.slow

RUN = {
    "threads": 1, "validations": 1, "checkpoint_every": 10_000, "validation_fraction": 0.2,
    "schedule": "cosine", "ema_half_life": 15.0,
}  # fmt: skip
TASK = {"inputs": ["t1", "t2", "flair"], "target": "t1c", "residual_to": "t1"}
PATCH = {"patch": [16, 32, 32], "stride": [4, 8, 8], "batch": 2, "learning_rate": 5e-3}
WANG = {"target_scale": None, "width": 8, "blocks": 2, "learning_rate": 5e-3}
JUDGE = {"judge_width": 8, "judge_layers": 2, "voxel_weight": 100.0}


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten gliomas of the digital brain, coarse: eight train, two are held out."""
    folder = tmp_path_factory.mktemp("phantoms")
    write_cohort(folder, range(100, 110), workers=1, spacing_mm=(6.0, 4.0, 4.0), lesion="glioma")
    return folder


@pytest.mark.parametrize(
    ("preset", "steps", "settings"),
    [
        ("unet2d-t1c", 400, {"width": 16, "levels": 3, "crop": [32, 32], "batch": 8}),
        (
            "calabrese2021-unet-reduced",
            250,
            {
                **PATCH, "base": 8, "layers": [1, 2], "dropout": 0, "bn_momentum": 0.1,
                "rotation": "none", "swap_axes": False,
            },
        ),
        ("wang2023-ed", 400, WANG),
        ("wang2023-fcgan", 400, {**WANG, **JUDGE}),
        ("jayachandran2021-cgan", 200, {**PATCH, **JUDGE, "width": 8, "levels": 3}),
        (
            "flow-matching",
            300,
            {
                "channels": [16, 32], "heads": 16, "noise": 0.3, "steps": 3, "draws": 2,
                "patch": [1, 32, 32], "stride": [1, 8, 8], "batch": 8, "learning_rate": 5e-3,
            },
        ),
    ],
)  # fmt: skip
def test_it_beats_doing_nothing(
    preset: str, steps: int, settings: dict[str, Any], phantoms: Path, tmp_path: Path
) -> None:
    config = TrainingConfig.for_preset(preset, **{**RUN, **TASK, "max_steps": steps, **settings})
    result = train(config, phantoms, tmp_path / "run", resume=False)
    assert result.metrics["mae"] < 0.96 * result.do_nothing["mae"]
    assert result.metrics["psnr"] > result.do_nothing["psnr"]
