"""Seven paired scores in three regions of a 240 x 240 x 155 pair against SSIM alone by others;
FID against torchmetrics.

    python benchmarks/bench_metrics.py [--repeats 3]

Peers that are not installed (scikit-image, MONAI, torchmetrics) are left out and named.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

SHAPE = (155, 240, 240)
IMAGES, DIMENSION = 2000, 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    print(json.dumps({"paired": paired(repeats), "fid": fid(repeats)}, indent=1))


def seconds(work: Callable[[], Any], repeats: int) -> float:
    """Return the shortest of several runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def ratios(ours: float, peers: dict[str, float | str]) -> dict[str, Any]:
    return {
        "ours_s": round(ours, 3),
        **{
            name: {"s": round(took, 3), "times_ours": round(took / ours, 2)}
            if isinstance(took, float)
            else took
            for name, took in peers.items()
        },
    }


def paired(repeats: int) -> dict[str, Any]:
    from synthesis.metrics.regions import score_regions

    prediction, truth, masks = made_up_pair()

    def ours() -> None:
        score_regions({"synthetic": prediction}, truth, masks, presets=("calabrese2021",))

    own = seconds(ours, repeats)
    return ratios(
        own,
        {
            "scikit-image, SSIM alone": skimage_ssim(prediction, truth),
            "MONAI, SSIM alone": monai_ssim(prediction, truth),
        },
    )


def made_up_pair() -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """A stripped head with a tumour: brain 0.25, tumour 0.03, core 0.004 of the volume."""
    rng = np.random.default_rng(0)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    brain = z**2 / 0.9 + y**2 / 0.6 + x**2 / 0.45 < 1
    away = (z - 0.1) ** 2 + (y - 0.2) ** 2 + (x + 0.2) ** 2
    truth = np.where(brain, np.clip(1000 + 200 * rng.standard_normal(SHAPE), 1, 4095).round(), 0)
    noisy = np.clip(truth + 50 * rng.standard_normal(SHAPE), 1, 4095).round()
    masks = {"brain": brain, "tumour": brain & (away < 0.1), "core": brain & (away < 0.02)}
    return np.where(brain, noisy, 0.0), truth, masks


def skimage_ssim(prediction: np.ndarray, truth: np.ndarray) -> float | str:
    try:
        from skimage.metrics import structural_similarity
    except ImportError:
        return "not installed"
    return seconds(
        lambda: structural_similarity(
            prediction, truth, win_size=9, data_range=float(np.ptp(truth))
        ),
        1,
    )


def monai_ssim(prediction: np.ndarray, truth: np.ndarray) -> float | str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import torch
            from monai.metrics import SSIMMetric
    except ImportError:
        return "not installed"
    metric = SSIMMetric(3, data_range=float(np.ptp(truth)), kernel_type="uniform", win_size=9)
    p, t = (torch.from_numpy(v[None, None].astype(np.float32)) for v in (prediction, truth))
    return seconds(lambda: metric(p, t), 1)


def fid(repeats: int) -> dict[str, Any]:
    from synthesis.metrics.distributions import frechet_distance

    rng = np.random.default_rng(1)
    real, made = rng.standard_normal((2, IMAGES, DIMENSION))
    own = seconds(lambda: frechet_distance(real, made), repeats)
    return ratios(own, {"torchmetrics": torchmetrics_fid(real, made)})


def torchmetrics_fid(real: np.ndarray, made: np.ndarray) -> float | str:
    try:
        import torch
        from torchmetrics.image.fid import FrechetInceptionDistance
    except ImportError:
        return "not installed"

    class Features(torch.nn.Module):
        num_features = DIMENSION

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images.flatten(1)

    def work() -> None:
        metric = FrechetInceptionDistance(feature=Features(), input_img_size=(1, 1, DIMENSION))
        metric.set_dtype(torch.float64)
        for features, is_real in ((real, True), (made, False)):
            metric.update(torch.from_numpy(features)[:, None, None], real=is_real)
        metric.compute()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return seconds(work, 1)


if __name__ == "__main__":
    main()
