"""Scores against closed forms, scikit-image, scikit-learn and brute force."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage
from skimage.metrics import structural_similarity
from skimage.transform import downscale_local_mean
from sklearn.metrics import mutual_info_score

from synthesis.metrics import compare, compare_with_reasons, multiscale, paired, windows
from synthesis.metrics.presets import PRESETS

Array = npt.NDArray[np.float64]


def image(seed: int, shape: tuple[int, ...] = (16, 18, 20)) -> Array:
    rng = np.random.default_rng(seed)
    return ndimage.gaussian_filter(rng.standard_normal(shape), 1.5) * 400 + 500


def pair(shape: tuple[int, ...] = (16, 18, 20)) -> tuple[Array, Array]:
    truth = image(1, shape)
    return truth + 0.3 * (image(2, shape) - 500), truth


def ball(shape: tuple[int, ...] = (16, 18, 20)) -> npt.NDArray[np.bool_]:
    grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    return sum(g**2 for g in grid) < 0.7


def test_plain_errors_by_hand() -> None:
    truth = np.array([0.0, 10.0, 4.0, 99.0]).reshape(1, 1, 4)
    prediction = truth + np.array([3.0, 0.0, -4.0, 50.0]).reshape(1, 1, 4)
    mask = np.array([1, 1, 1, 0]).reshape(1, 1, 4)
    scores = compare(prediction, truth, mask, preset="plain")
    rmse = math.sqrt(25 / 3)
    assert scores == pytest.approx(
        {"mae": 7 / 3, "rmse": rmse, "psnr": 20 * math.log10(10 / rmse), "nrmse": rmse / 10}
    )


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_equal_images_have_the_best_scores(preset: str) -> None:
    _, truth = pair()
    scores = compare(truth, truth, ball(), preset=preset)
    best = {"psnr": math.inf, "ssim": 1.0, "cc": 1.0, "msssim": 1.0, "ccc": 1.0}
    if preset == "wang2023":  # in per cent
        best = {"ssim": 100.0, "ssim_square": 100.0}
    for name, value in scores.items():
        if name != "mi":
            assert value == pytest.approx(best.get(name, 0.0), abs=1e-9), name


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_voxels_outside_the_box_of_the_mask_do_not_count(preset: str) -> None:
    prediction, truth = pair((30, 30, 30))
    mask = np.zeros(truth.shape, dtype=bool)
    mask[8:22, 8:22, 8:22] = True
    spoilt = prediction.copy()
    spoilt[:2] = 1e4
    before = compare(prediction, truth, mask, preset=preset)
    assert compare(spoilt, truth, mask, preset=preset) == pytest.approx(before)


def test_brasyn_ssim_is_that_of_scikit_image() -> None:
    prediction, truth = pair()
    low, high = np.percentile(truth, [0.5, 99.5])
    p, t = (np.clip((v - low) / (high - low), 0, 1) for v in (prediction, truth))
    settings = {"sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    expected, full = structural_similarity(p, t, gaussian_weights=True, full=True, **settings)
    assert compare(prediction, truth, preset="brasyn")["ssim"] == pytest.approx(expected, abs=1e-12)
    values = paired.ssim_map(
        p, t, window=paired.Window(11, 1.5), data_range=1.0, sample_covariance=False
    )
    np.testing.assert_allclose(values, full, atol=1e-12)


def test_brasyn_ssim_in_a_region_is_the_mean_of_the_map_there() -> None:
    prediction, truth = pair()
    mask = ball()
    low, high = np.percentile(truth[mask], [0.5, 99.5])
    p, t = (np.clip((v - low) / (high - low), 0, 1) for v in (prediction, truth))
    settings = {"sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    _, full = structural_similarity(p, t, gaussian_weights=True, full=True, **settings)
    whole = np.zeros_like(mask)
    whole[5:-5, 5:-5, 5:-5] = True
    expected = full[mask & whole].mean()
    assert compare(prediction, truth, mask, preset="brasyn")["ssim"] == pytest.approx(expected)


def test_calabrese_ssim_is_that_of_scikit_image_on_the_box_of_the_mask() -> None:
    prediction, truth = pair((20, 22, 24))
    mask = np.zeros(truth.shape, dtype=bool)
    mask[3, 5, 7] = mask[15, 17, 20] = True
    box = (slice(3, 16), slice(5, 18), slice(7, 21))
    expected = structural_similarity(
        prediction[box], truth[box], win_size=9, data_range=np.ptp(truth[box])
    )
    scores = compare(prediction, truth, mask, preset="calabrese2021")
    assert scores["ssim"] == pytest.approx(expected, abs=1e-12)


def correlation_by_loop(p: Array, t: Array, mask: npt.NDArray[np.bool_], radius: int) -> float:
    """Squared Pearson correlation of the masked voxels in each window."""
    values = []
    for centre in np.argwhere(mask):
        window = tuple(slice(max(c - radius, 0), c + radius + 1) for c in centre)
        inside = mask[window]
        a, b = p[window][inside], t[window][inside]
        a, b = a - a.mean(), b - b.mean()
        product = (a @ a) * (b @ b)
        values.append(1.0 if product <= np.finfo(np.float32).eps else (a @ b) ** 2 / product)
    return float(np.mean(values))


@pytest.mark.parametrize("radius", [1, 2, 5])
def test_local_correlation_is_that_of_a_loop(radius: int) -> None:
    prediction, truth = pair((9, 10, 11))
    mask = ball(truth.shape)
    got = paired.local_correlation(prediction, truth, mask, radius=radius)
    assert got == pytest.approx(correlation_by_loop(prediction, truth, mask, radius), abs=1e-10)


def test_calabrese_cc_has_a_window_of_eleven() -> None:
    prediction, truth = pair((13, 14, 15))
    mask = ball(truth.shape)
    expected = correlation_by_loop(prediction, truth, mask, 5)
    scores = compare(prediction, truth, mask, preset="calabrese2021")
    assert scores["cc"] == pytest.approx(expected, abs=1e-10)


def test_local_correlation_of_flat_windows_is_one() -> None:
    prediction, truth = pair((12, 12, 12))
    truth[:] = 4095.0
    assert paired.local_correlation(prediction, truth, ball(truth.shape), radius=2) == 1.0


def test_local_correlation_ignores_gain_and_offset() -> None:
    prediction, truth = pair((10, 10, 10))
    mask = ball(truth.shape)
    plain = paired.local_correlation(prediction, truth, mask, radius=2)
    changed = paired.local_correlation(-3 * prediction + 7, truth, mask, radius=2)
    assert changed == pytest.approx(plain, abs=1e-10)


def test_mutual_information_without_smoothing_is_that_of_scikit_learn() -> None:
    prediction, truth = pair()
    mask = ball()

    def bins(values: Array) -> npt.NDArray[np.int64]:
        inside = values[mask]
        scaled = (inside - inside.min()) / np.ptp(inside)
        return np.floor(scaled * 59 + 0.5).astype(int)

    expected = mutual_info_score(bins(truth), bins(prediction)) / math.log(2)
    got = paired.mutual_information(prediction[mask], truth[mask], bins=64, variance=0.0)
    assert got == pytest.approx(expected, abs=1e-12)


def test_smoothed_mutual_information_by_explicit_convolution() -> None:
    prediction, truth = pair()
    mask = ball()
    joint, *_ = np.histogram2d(
        *((v[mask] - v[mask].min()) / np.ptp(v[mask]) for v in (truth, prediction)),
        bins=[np.r_[(np.arange(61) - 0.5) / 59]] * 2,
    )
    joint = np.pad(joint, 2)
    bessel = np.array([1.2660658778, 0.5651591040, 0.1357476698, 0.0221684249]) / math.e
    kernel = np.r_[bessel[:0:-1], bessel]
    kernel /= kernel.sum()
    spread = np.pad(joint, 3, mode="edge")
    for axis in (0, 1):
        spread = np.apply_along_axis(np.convolve, axis, spread, kernel, "valid")
    spread /= joint.sum()
    independent = np.outer(spread.sum(axis=1), spread.sum(axis=0))
    filled = spread > 0
    expected = (spread[filled] * np.log2(spread[filled] / independent[filled])).sum()
    got = compare(prediction, truth, mask, preset="calabrese2021")["mi"]
    assert got == pytest.approx(expected, rel=1e-6)


def test_smoothing_kernel_is_the_bessel_kernel() -> None:
    """Modified Bessel functions at 1, Abramowitz and Stegun table 9.8."""
    half = np.array([1.2660658778, 0.5651591040, 0.1357476698, 0.0221684249]) / math.e
    expected = np.array([*half[:0:-1], *half])
    np.testing.assert_allclose(
        paired.discrete_gaussian(1.0, mass=0.99), expected / expected.sum(), rtol=1e-8
    )


def test_twelve_bit_scores_by_hand() -> None:
    """Two values +-1 about their mean become 2448 and 1648; swapped, they disagree everywhere."""
    truth = np.array([[[3.0, 5.0]]])
    prediction = np.array([[[70.0, 10.0]]])
    scores = compare(prediction, truth, preset="calabrese2021")
    ratio = math.log(2448 / 1648)
    assert scores["smape"] == pytest.approx(800 / 4096)
    assert scores["logac"] == pytest.approx(ratio)
    assert scores["medsymac"] == pytest.approx(2448 / 1648 - 1)
    assert scores["nrmse"] == pytest.approx(math.sqrt((67**2 + 5**2) / 2) / 2)


def test_twelve_bit_scores_are_blind_to_gain_and_offset_but_nrmse_is_not() -> None:
    _, truth = pair()
    scores = compare(1.5 * truth + 100, truth, ball(), preset="calabrese2021")
    for name in ("smape", "logac", "medsymac"):
        assert scores[name] == pytest.approx(0.0, abs=1e-12)
    assert scores["nrmse"] > 0.1


def test_undefined_scores_are_nan_with_a_reason() -> None:
    truth = np.full((12, 12, 12), 7.0)
    result = compare_with_reasons(truth + 1, truth, preset="plain")
    assert math.isnan(result.values["psnr"])
    assert math.isnan(result.values["nrmse"])
    assert result.values["mae"] == 1.0
    assert set(result.reasons) == {"psnr", "nrmse"}
    assert "constant" in result.reasons["psnr"]
    assert result.preset == "plain/1"
    assert result.voxels == 12**3


def test_a_region_smaller_than_the_window_has_no_ssim() -> None:
    prediction, truth = pair((8, 18, 20))
    for preset in ("brasyn", "calabrese2021"):
        result = compare_with_reasons(prediction, truth, preset=preset)
        assert math.isnan(result.values["ssim"])
        assert "window" in result.reasons["ssim"]


def test_presets_are_found_by_name_and_version() -> None:
    prediction, truth = pair()
    assert compare(prediction, truth, preset="plain/1") == compare(
        prediction, truth, preset="plain"
    )
    with pytest.raises(ValueError, match=r"plain/1, brasyn/1, calabrese2021/1"):
        compare(prediction, truth, preset="brasyn/2")


@pytest.mark.parametrize(
    ("prediction", "mask", "match"),
    [
        (np.zeros((2, 2, 3)), None, "one shape"),
        (np.zeros((2, 2)), None, "one shape"),
        (np.full((2, 2, 2), np.nan), None, "finite"),
        (np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), "mask is empty"),
    ],
)
def test_unusable_images_are_refused(prediction: Array, mask: Array | None, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        compare(prediction, np.zeros((2, 2, 2)), mask, preset="plain")


@pytest.mark.parametrize(
    ("metric", "settings"),
    [
        (
            "ssim",
            {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False},
        ),
        ("ssim_square", {"win_size": 7}),
    ],
)
def test_wang_ssim_is_that_of_scikit_image_by_slice(metric: str, settings: dict) -> None:
    prediction, truth = pair((4, 24, 26))
    whole = {"data_range": np.ptp(truth), **settings}
    slices = [structural_similarity(p, t, **whole) for p, t in zip(prediction, truth, strict=True)]
    scores = compare(prediction, truth, preset="wang2023")
    assert scores[metric] == pytest.approx(100 * np.mean(slices), abs=1e-9)


@pytest.mark.parametrize(("side", "scales"), [(176, 5), (96, 4), (44, 3)])
def test_multiscale_similarity_is_made_of_those_of_scikit_image(side: int, scales: int) -> None:
    prediction, truth = pair((1, side, side + 16))
    assert multiscale.scales_for(side, side + 16) == scales
    p, t, expected = prediction[0], truth[0], 1.0
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    for scale in range(scales):
        last = scale == scales - 1
        k1 = 0.01 if last else 1e6  # the luminance term of the finer scales becomes 1
        value = structural_similarity(p, t, data_range=np.ptp(truth), K1=k1, **settings)
        expected *= value ** (multiscale.WEIGHTS[scale] / sum(multiscale.WEIGHTS[:scales]))
        p, t = (downscale_local_mean(v, (2, 2)) for v in (p, t))
    got = compare(prediction, truth, preset="msssim")["msssim"]
    assert got == pytest.approx(expected, abs=1e-9)


def test_one_scale_of_the_multiscale_similarity_is_ssim() -> None:
    prediction, truth = pair((1, 15, 16))
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    expected = structural_similarity(prediction[0], truth[0], data_range=np.ptp(truth), **settings)
    assert compare(prediction, truth, preset="msssim")["msssim"] == pytest.approx(expected)


def test_slices_smaller_than_a_window_have_no_multiscale_similarity() -> None:
    prediction, truth = pair((3, 10, 20))
    result = compare_with_reasons(prediction, truth, preset="msssim")
    assert math.isnan(result.values["msssim"])
    assert result.reasons["msssim"] == (
        "the slices measure 10 x 20 pixels, less than the window of 11"
    )


def test_the_mean_by_cubes_is_the_mean_of_the_map() -> None:
    prediction, truth = pair((11, 13, 17))
    expected = structural_similarity(prediction, truth, win_size=5, data_range=800.0)
    got = paired.cube_ssim(prediction, truth, size=5, data_range=800.0)
    assert got == pytest.approx(expected, abs=1e-12)


def test_moving_sums_are_those_of_a_loop() -> None:
    values = np.random.default_rng(0).standard_normal((6, 7, 8))

    def fill(z: int, out: Array) -> None:
        out[0] = values[z]

    for z, sums in windows.moving_sums(fill, 1, values.shape, 2):
        for y, x in np.ndindex(7, 8):
            cube = values[tuple(slice(max(c - 2, 0), c + 3) for c in (z, y, x))]
            assert sums[0, y, x] == pytest.approx(cube.sum(), abs=1e-12)


def test_maps_are_scored_in_their_unit_by_hand() -> None:
    truth = np.array([1.0, 2.0, 3.0, 6.0]).reshape(1, 2, 2)
    made = np.array([2.0, 2.0, 5.0, 7.0]).reshape(1, 2, 2)
    found = compare(made, truth, preset="quantitative/1")
    # means 4 and 3; sums of squared deviations 18 and 14, of products 15
    assert found == pytest.approx(
        {
            "mae": 1.0,
            "rmse": math.sqrt(6 / 4),
            "bias": 1.0,
            "relative_bias": 1 / 3,
            "ccc": 2 * (15 / 4) / (18 / 4 + 14 / 4 + 1.0),
        }
    )


def test_an_affine_error_of_a_map_is_not_forgiven() -> None:
    _, truth = pair()
    right, wrong = (compare(m, truth, preset="quantitative") for m in (truth, 2 * truth + 1))
    assert right["ccc"] == pytest.approx(1)
    assert wrong["ccc"] < 0.9
    assert wrong["bias"] == pytest.approx(truth.mean() + 1)


def test_undefined_scores_of_maps_say_why() -> None:
    flat = np.zeros((2, 3, 3))
    found = compare_with_reasons(flat, flat, preset="quantitative")
    assert math.isnan(found.values["ccc"])
    assert found.reasons == {
        "relative_bias": "the mean of the true map is not positive",
        "ccc": "both maps are one constant",
    }
