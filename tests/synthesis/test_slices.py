"""Slices: which, how turned, how fitted, on what grey scale, and drawn by step number alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from synthesis.data.slices import SliceRule, SliceStore, cut_slices, stacked
from synthesis.data.subjects import DataError, Subject


def subject(*volumes: npt.NDArray[np.generic], spacing: tuple[float, ...] = (1, 1, 1)) -> Subject:
    """A subject whose volumes (z, y, x) are called t1, t2 ..."""
    raw = {f"t{n}": v.astype(np.float32) for n, v in enumerate(volumes, start=1)}
    mask = np.any([v != 0 for v in volumes], axis=0)
    dz, dy, dx = spacing
    return Subject("one", raw, mask, np.diag([dx, dy, dz, 1.0]), {})


def rule(**changes: object) -> SliceRule:
    settings: dict[str, object] = {"plane": "axial", "size": 8, "fit": "stretch"}
    return SliceRule(**{**settings, "white_percentile": 100.0, **changes})


def marked() -> npt.NDArray[np.float32]:
    """RAS: dim everywhere, and one bright corner: superior, anterior and right."""
    volume = np.full((8, 8, 8), 0.25, dtype=np.float32)
    volume[7, 7, 7] = 1.0
    return volume


def test_hans_range_is_slices_80_to_149_of_240() -> None:
    whole = np.ones((4, 4, 240))
    cut = cut_slices(subject(whole), ["t1"], rule(plane="sagittal", first=80 / 240, last=150 / 240))
    assert cut.numbers == tuple(range(80, 150))
    assert len(cut.images) == 70


@pytest.mark.parametrize(
    ("plane", "corner"),
    [
        # anterior above; the patient's right on the left of the picture
        ("axial", (0, 0)),
        # superior above; the patient's right on the left
        ("coronal", (0, 0)),
        # superior above; anterior on the left
        ("sagittal", (0, 0)),
    ],
)
def test_slices_are_turned_to_be_looked_at(plane: str, corner: tuple[int, int]) -> None:
    cut = cut_slices(subject(marked()), ["t1"], rule(plane=plane))
    assert cut.numbers[-1] == 7
    brightest = np.unravel_index(cut.images[-1, 0].argmax(), (8, 8))
    assert brightest == corner


def test_planes_cut_along_their_axis() -> None:
    volume = np.random.default_rng(0).uniform(0.1, 1, (8, 8, 8))
    volume[0, 0, 0] = 1.0
    expected = {
        "axial": volume[3][::-1, ::-1],
        "coronal": volume[:, 3][::-1, ::-1],
        "sagittal": volume[:, :, 3][::-1, ::-1],
    }
    for plane, values in expected.items():
        cut = cut_slices(subject(volume), ["t1"], rule(plane=plane))
        np.testing.assert_allclose(cut.images[3, 0], 2 * values - 1, atol=2e-3)


def test_grey_scale_is_the_percentile_of_the_voxels_that_are_not_zero() -> None:
    volume = np.zeros((2, 8, 8))
    volume[:, :4] = np.linspace(10, 330, 64).reshape(2, 4, 8)
    white = np.percentile(volume[volume != 0], 90)
    cut = cut_slices(subject(volume), ["t1"], rule(white_percentile=90.0))
    expected = 2 * np.clip(volume[0] / white, 0, 1)[::-1, ::-1] - 1
    np.testing.assert_allclose(cut.images[0, 0], expected, atol=2e-3)
    assert (cut.images[0, 0, :4] == -1).all()


def test_padding_keeps_the_aspect_in_millimetres() -> None:
    volume = np.ones((2, 4, 8))
    square = cut_slices(subject(volume), ["t1"], rule(fit="pad"))
    assert square.pixel_mm == (1.0, 1.0)
    np.testing.assert_allclose(square.images[0, 0].mean(axis=1), [-1, -1, 1, 1, 1, 1, -1, -1])
    fine = cut_slices(subject(volume, spacing=(1, 2, 1)), ["t1"], rule(fit="pad"))
    assert fine.pixel_mm == (1.0, 1.0)
    assert (fine.images == 1).all()
    wide = cut_slices(subject(volume), ["t1"], rule(fit="stretch"))
    assert wide.pixel_mm == (0.5, 1.0)
    assert (wide.images == 1).all()


def test_a_field_is_centred_on_the_brain_and_may_crop_or_pad() -> None:
    volume = np.zeros((2, 16, 16))
    volume[:, 10:14, 4:8] = 1.0
    near = cut_slices(subject(volume), ["t1"], rule(fit="field", field_mm=4.0))
    assert (near.images == 1).all()
    assert near.pixel_mm == (0.5, 0.5)
    far = cut_slices(subject(volume), ["t1"], rule(fit="field", field_mm=32.0, size=32))
    where = np.argwhere(far.images[0, 0] > 0)
    assert where.min(axis=0).tolist() == [14, 14]
    assert where.max(axis=0).tolist() == [17, 17]


def test_slices_with_too_little_brain_are_left_out() -> None:
    volume = np.zeros((4, 10, 10))
    volume[1, 0, 0] = 1
    volume[2, :5] = 1
    assert cut_slices(subject(volume), ["t1"], rule()).numbers == (1, 2)
    assert cut_slices(subject(volume), ["t1"], rule(least_brain=0.1)).numbers == (2,)
    with pytest.raises(DataError, match="Widen the range"):
        cut_slices(subject(volume), ["t1"], rule(first=0.75))


def test_an_empty_sequence_is_refused() -> None:
    with pytest.raises(DataError, match="t2 has no bright voxels"):
        cut_slices(subject(np.ones((2, 4, 4)), np.zeros((2, 4, 4))), ["t1", "t2"], rule())


def two_sequences() -> Subject:
    return subject(np.ones((3, 8, 8)), np.tile(np.linspace(0.1, 1, 8), (3, 8, 1)))


def test_pooling_makes_every_sequence_an_image() -> None:
    cut = cut_slices(two_sequences(), ["t1", "t2"], rule())
    assert stacked([cut], pooled=False).shape == (3, 2, 8, 8)
    pooled = stacked([cut], pooled=True)
    assert pooled.shape == (6, 1, 8, 8)
    np.testing.assert_array_equal(pooled[1, 0], cut.images[0, 1])


def test_batches_are_a_function_of_their_numbers() -> None:
    cut = cut_slices(two_sequences(), ["t1", "t2"], rule())
    store = SliceStore([cut], pooled=False, empty_channels=1, device=torch.device("cpu"))
    batch = store.draw(5, (7, 0, 3))
    assert batch.shape == (5, 3, 8, 8)
    assert (batch[:, 2] == -1).all()
    store.draw(5, (7, 0, 4))
    assert torch.equal(batch, store.draw(5, (7, 0, 3)))
    drawn = store.draw(300, (1,))[:, 1]
    assert len(torch.unique(drawn, dim=0)) == 1  # the slices of this subject are alike
    many = SliceStore(
        [cut_slices(subject(np.arange(1, 513).reshape(8, 8, 8)), ["t1"], rule())],
        pooled=False,
        empty_channels=0,
        device=torch.device("cpu"),
    )
    assert len(torch.unique(many.draw(300, (1,)), dim=0)) == 8
