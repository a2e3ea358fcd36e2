"""N4 and normalisation against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from readerstudy.imaging.preparation.bias import bias
from readerstudy.imaging.preparation.faces import brain_only
from readerstudy.imaging.preparation.normalise import normalise
from readerstudy.imaging.preparation.records import PreparationError
from tests.imaging.preparation.heads import as_volume, icbm_brain

MM3 = np.diag([3.0, 3.0, 3.0, 1.0])


@pytest.fixture(scope="module")
def shaded():
    """A brain under a known field, and the field."""
    share, brain = icbm_brain("t1")
    z, y, x = (np.linspace(-1, 1, n) for n in share.shape)
    log_field = 0.5 * z[:, None, None] - 0.3 * y[None, :, None] ** 2 + 0.25 * x[None, None, :]
    field = np.exp(log_field)
    noise = np.random.default_rng(0).normal(0, 4, share.shape)
    array = np.where(brain, 400 * share * field + noise, 0).clip(0).astype(np.float32)
    return as_volume(array, MM3), brain, field, 400 * share


def test_n4_recovers_a_known_field(shaded):
    volume, brain, field, truth = shaded
    done = bias(volume, mask=brain)
    found = volume.array[brain] / done.volume.array[brain].clip(1e-3)
    assert np.corrcoef(np.log(found), np.log(field[brain]))[0, 1] > 0.95
    white = brain & (truth > 0.93 * 400)
    before = volume.array[white].std() / volume.array[white].mean()
    after = done.volume.array[white].std() / done.volume.array[white].mean()
    assert after < 0.4 * before
    assert done.volume.array[brain].mean() == pytest.approx(volume.array[brain].mean(), rel=1e-4)
    assert not done.volume.array[~brain].any()


def test_n4_repeats_to_the_bit(shaded):
    volume, brain, _, _ = shaded
    once, again = (bias(volume, mask=brain, iterations=(10, 10)) for _ in range(2))
    assert (once.volume.array == again.volume.array).all()


def test_n4_refuses_what_it_cannot_do():
    volume = as_volume(np.full((12, 12, 12), -1.0, np.float32), np.eye(4))
    with pytest.raises(PreparationError, match="below zero"):
        bias(volume, mask=np.ones(volume.shape, bool))
    with pytest.raises(PreparationError, match="empty"):
        bias(volume, mask=np.zeros(volume.shape, bool))
    with pytest.raises(PreparationError, match="positive"):
        bias(volume, mask=np.ones(volume.shape, bool), fwhm=0.0)


@pytest.fixture
def image():
    rng = np.random.default_rng(4)
    array = rng.gamma(5, 60, (20, 22, 24)).astype(np.float32)
    mask = ndimage.binary_dilation(np.pad(np.ones((8, 10, 12), bool), 6), iterations=2)
    return as_volume(array, np.eye(4)), mask


def test_the_z_score_has_mean_0_and_standard_deviation_1_in_the_mask(image):
    volume, mask = image
    done = normalise(volume, mask=mask)
    assert done.volume.array[mask].mean() == pytest.approx(0, abs=1e-5)
    assert done.volume.array[mask].std() == pytest.approx(1, abs=1e-5)
    assert done.record.figures["mean"] == pytest.approx(float(volume.array[mask].mean()), rel=1e-6)


def test_the_z_score_may_be_moved_above_zero(image):
    volume, mask = image
    done = normalise(volume, mask=mask, mean=1000, sd=200, clip=True)
    assert done.volume.array.min() >= 0
    z = (volume.array - volume.array[mask].mean()) / volume.array[mask].std()
    assert done.volume.array == pytest.approx(np.maximum(1000 + 200 * z, 0), rel=1e-4, abs=1e-2)


def test_percentiles_go_to_the_limits(image):
    volume, mask = image
    done = normalise(volume, mask=mask, method="percentile", percentiles=(2, 98), limits=(0, 100))
    low, high = np.percentile(volume.array[mask], (2, 98))
    assert np.percentile(done.volume.array[mask], (2, 98)) == pytest.approx([0, 100], abs=1e-3)
    assert done.volume.array == pytest.approx((volume.array - low) / (high - low) * 100, abs=1e-2)
    cut = normalise(volume, mask=mask, method="percentile", limits=(0, 100), clip=True)
    assert (cut.volume.array.min(), cut.volume.array.max()) == (0, 100)


def test_histogram_matching_brings_the_quantiles_of_the_reference(image):
    volume, mask = image
    rng = np.random.default_rng(9)
    reference = as_volume(rng.normal(800, 120, volume.shape).astype(np.float32), np.eye(4))
    done = normalise(
        volume, mask=mask, method="histogram", reference=reference, reference_mask=mask
    )
    shares = (5, 25, 50, 75, 95)
    wanted = np.percentile(reference.array[mask], shares)
    assert np.percentile(done.volume.array[mask], shares) == pytest.approx(wanted, rel=0.01)
    order = np.argsort(volume.array[mask])
    assert (np.diff(done.volume.array[mask][order]) >= -1e-3).all()


def test_a_cleared_background_stays_the_darkest(image):
    volume, mask = image
    alone = brain_only(volume, mask)
    done = normalise(alone, mask=mask)
    assert np.unique(done.volume.array[~mask]).size == 1
    assert done.volume.array[~mask].max() <= done.volume.array[mask].min()
    above = normalise(alone, mask=mask, mean=1000, sd=200, clip=True)
    assert not above.volume.array[~mask].any()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"method": "magic"}, "no way"),
        ({"sd": 0.0}, "above 0"),
        ({"method": "percentile", "percentiles": (60, 40)}, "must rise"),
        ({"method": "percentile", "limits": (1, 1)}, "must rise"),
        ({"method": "histogram"}, "No reference"),
        ({"mask": np.zeros((20, 22, 24), bool)}, "empty"),
    ],
)
def test_what_makes_no_sense_is_refused(image, arguments, reason):
    volume, mask = image
    with pytest.raises(PreparationError, match=reason):
        normalise(volume, **{"mask": mask, **arguments})


def test_an_image_without_contrast_is_refused():
    flat = as_volume(np.full((4, 4, 4), 7.0, np.float32), np.eye(4))
    with pytest.raises(PreparationError, match="equal"):
        normalise(flat, mask=np.ones((4, 4, 4), bool))
