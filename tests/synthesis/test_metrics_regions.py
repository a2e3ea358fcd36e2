"""Regions, segmentations, volumes and agreement against hand counts, scikit-image and papers."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from skimage.metrics import hausdorff_distance

from synthesis.metrics import agreement, compare, regions, resampling, segmentation
from synthesis.metrics.paired import UndefinedMetricError
from synthesis.metrics.regions import SCHEMES, parse_scheme, region_masks, scheme_of, score_regions

SHAPE = (14, 16, 18)


def nested(numbers: dict[str, int]) -> npt.NDArray[np.uint8]:
    """Oedema holds a core of necrosis and a rim of enhancement."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:12, 2:12, 2:12] = numbers["oedema"]
    labels[4:10, 4:10, 4:10] = numbers["enhancing"]
    labels[6:8, 6:8, 6:8] = numbers["necrosis"]
    return labels


OLD = nested({"necrosis": 1, "oedema": 2, "enhancing": 4})
NEW = nested({"necrosis": 1, "oedema": 2, "enhancing": 3})


@pytest.mark.parametrize(("labels", "name"), [(OLD, "brats2012"), (NEW, "brats2023")])
def test_the_scheme_is_told_by_the_numbers(labels, name):
    scheme = scheme_of([np.zeros(SHAPE, np.uint8), labels])
    assert scheme == SCHEMES[name]
    masks = region_masks(np.ones(SHAPE, bool), labels, regions.REGIONS, scheme)
    counts = {region: int(mask.sum()) for region, mask in masks.items()}
    assert counts == {
        "brain": 14 * 16 * 18,
        "tumour": 1000,
        "core": 216,
        "enhancing": 208,
        "outside": 14 * 16 * 18 - 1000,
    }


@pytest.mark.parametrize("numbers", [[3, 4], [5], [1, 2, 9]])
def test_numbers_of_no_scheme_are_refused(numbers):
    with pytest.raises(ValueError, match="Name the scheme"):
        scheme_of([np.array(numbers)])


def test_a_scheme_of_ones_own():
    scheme = parse_scheme("necrosis=1,3 oedema=2 enhancing=4")
    assert scheme.numbers("core") == (1, 3, 4)
    for text in ("necrosis=1 oedema=2", "necrosis=1 oedema=1 enhancing=2", "x=1", "enhancing"):
        with pytest.raises(ValueError, match=r"form|own numbers"):
            parse_scheme(text)


def test_without_labels_there_is_the_brain_alone():
    assert set(region_masks(np.ones(SHAPE, bool), None, ("brain", "core"), None)) == {"brain"}


def test_each_region_is_scored_as_alone_beside_doing_nothing():
    rng = np.random.default_rng(0)
    truth, before = rng.normal(500, 100, (2, *SHAPE))
    made = truth + rng.normal(0, 10, SHAPE)
    masks = region_masks(np.ones(SHAPE, bool), OLD, ("brain", "enhancing"), SCHEMES["brats2012"])
    scores = score_regions(
        {"synthetic": made, "do nothing": before}, truth, masks, presets=("plain", "brasyn/1")
    )
    assert len(scores) == 2 * 2 * 7
    for score in scores:
        image = made if score.candidate == "synthetic" else before
        alone = compare(image, truth, masks[score.region], preset=score.preset)
        assert score.value == alone[score.metric]
        assert score.voxels == masks[score.region].sum()


def test_an_empty_region_is_undefined_with_its_reason():
    image = np.random.default_rng(1).random(SHAPE)
    (score, *_) = score_regions(
        {"synthetic": image}, image, {"core": np.zeros(SHAPE, bool)}, presets=("plain",)
    )
    assert math.isnan(score.value)
    assert score.reason == "the region is empty in this case"


# Segmentations


def box(*sides: slice) -> npt.NDArray[np.bool_]:
    mask = np.zeros((20, 20, 20), dtype=bool)
    mask[sides] = True
    return mask


def test_dice_and_volumes_by_hand():
    a, b = (box(slice(0, 10), slice(0, 10), slice(s, s + 10)) for s in (0, 5))
    found = segmentation.overlap(a, b, (2.0, 1.0, 1.0))
    assert found.dice == 0.5
    assert (found.volume_ml, found.true_volume_ml, found.volume_error_ml) == (2.0, 2.0, 0.0)


def test_two_empty_masks_agree_and_have_no_surface():
    nothing = np.zeros((3, 3, 3), bool)
    found = segmentation.overlap(nothing, nothing, (1, 1, 1))
    assert found.dice == 1.0
    assert math.isnan(found.hd95_mm)


def test_parallel_faces_are_as_far_apart_as_they_are():
    a = box(slice(2, 3), slice(0, 20), slice(0, 20))
    b = box(slice(7, 8), slice(0, 20), slice(0, 20))
    assert segmentation.hd95(a, b, (3.0, 1.0, 1.0)) == pytest.approx(15.0)
    assert hausdorff_distance(a, b) == 5.0


def test_enhancement_that_is_not_there_is_counted_over_a_tenth_of_a_millilitre():
    true = box(slice(0, 6), slice(0, 6), slice(0, 6))
    made = true.copy()
    made[5:8, 5:8, 5:8] = True  # hangs on what is there
    made[12:17, 12:17, 12:17] = True  # 125 voxels of 1 mm: 0.125 mL
    made[0:4, 14:19, 14:19] = True  # 0.1 mL does not count
    errors = segmentation.enhancement_errors(made, true, (1, 1, 1))
    assert errors.false_positive_ml == (0.125,)
    assert errors.false_negative_ml == ()
    assert not errors.invented
    nothing = np.zeros_like(true)
    assert segmentation.enhancement_errors(made, nothing, (1, 1, 1)).invented
    assert segmentation.enhancement_errors(nothing, made, (1, 1, 1)).missed


def test_label_maps_are_compared_by_region():
    found = segmentation.overlaps(OLD, OLD, (1, 1, 1), SCHEMES["brats2012"])
    assert {region: one.true_volume_ml for region, one in found.items()} == {
        "tumour": 1.0,
        "core": 0.216,
        "enhancing": 0.208,
    }
    assert {one.dice for one in found.values()} == {1.0}


# Agreement and intervals


def test_limits_of_agreement_of_the_peak_flow_data_of_bland_and_altman():
    """Lancet 1986: Wright and mini meter, 17 subjects; bias -2.1, SD 38.8, limits -79.7, 75.5."""
    wright = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
    mini = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]
    found = agreement.bland_altman(wright, mini)
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    # The paper takes 2 SD; its interval of the bias is -22.0 to 17.8.
    assert found.bias - 2 * found.sd == pytest.approx(-79.7, abs=0.1)
    assert (found.bias_low, found.bias_high) == pytest.approx((-22.0, 17.8), abs=0.1)
    assert (found.ccc_low, found.ccc, found.ccc_high) == pytest.approx(
        (0.85, 0.943, 0.98), abs=0.002
    )


def test_concordance_by_hand():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0])
    # s_ab = s_aa = s_bb = 2/3, shift 1: (4/3) / (4/3 + 1)
    assert agreement.concordance(a, b)[0] == pytest.approx(4 / 7)
    assert math.isnan(agreement.concordance(a, np.ones(3))[0])


def test_two_pairs_have_no_limits():
    with pytest.raises(UndefinedMetricError, match="too few"):
        agreement.bland_altman([1, 2], [2, 3])


def test_the_mean_of_a_map_in_a_region():
    cbv = np.arange(27.0).reshape(3, 3, 3)
    mask = cbv >= 25
    assert agreement.mean_inside(cbv, mask) == 25.5
    assert math.isnan(agreement.mean_inside(cbv, np.zeros_like(mask)))


def test_the_interval_over_patients_has_the_width_of_theory():
    """Equal images of a patient carry no more than one: SE = SD of patients / sqrt(n)."""
    rng = np.random.default_rng(4)
    of_patient = rng.standard_normal(100)
    values, patients = np.repeat(of_patient, 8), [f"p{i // 8}" for i in range(800)]
    found = resampling.mean_interval(values, patients, draws=4000)
    half = 1.96 * of_patient.std() / 10
    assert found.value == pytest.approx(of_patient.mean())
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.05)
    assert (found.patients, found.images) == (100, 800)


def test_both_bootstraps_agree():
    rng = np.random.default_rng(5)
    values, patients = rng.random(60), [f"p{i % 20}" for i in range(60)]
    quick = resampling.mean_interval(values, patients, draws=4000)
    whole = resampling.patient_bootstrap(lambda rows: values[rows].mean(), patients, draws=4000)
    assert whole.value == pytest.approx(quick.value)
    assert (whole.low, whole.high) == pytest.approx((quick.low, quick.high), abs=0.01)


def test_one_patient_has_no_interval_and_undefined_values_do_not_count():
    one = resampling.mean_interval([1.0, 2.0], ["a", "a"])
    assert (one.value, math.isnan(one.low)) == (1.5, True)
    assert one.reason == "one patient has no spread over patients"
    assert resampling.mean_interval([1.0, math.nan, 3.0], ["a", "b", "c"]).patients == 2
    assert resampling.mean_interval([math.nan], ["a"]).reason == "undefined in every image"


def test_limits_over_patients_hold_the_bias():
    rng = np.random.default_rng(6)
    patients = [f"p{i // 2}" for i in range(80)]
    acquired = rng.random(80)
    found = agreement.patient_limits(acquired + 0.5 + rng.normal(0, 0.1, 80), acquired, patients)
    assert found.bias.low < 0.5 < found.bias.high
    assert found.lower.value < found.bias.low < found.bias.high < found.upper.value
