"""Patches: the published grid and rule, no subject lost, and turns that do not deform."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from synthesis.data.patches import (
    Augmentation,
    PatchSampler,
    cut,
    hold_volume,
    patch_corners,
    region_of,
    rotated,
    rotation_matrix,
    swapped_axes,
)
from synthesis.data.subjects import DataError

RNG = np.random.default_rng(0)


def held(shape: tuple[int, int, int] = (20, 24, 22), **changes: object):
    image = RNG.normal(5, 1, shape).astype(np.float32)
    corners = patch_corners(
        image, tuple(slice(0, n) for n in shape), patch=(8, 8, 8), stride=(4, 4, 4), least_filled=0
    )
    settings = {"corners": corners, "spacing_mm": (1.0, 1.0, 1.0), **changes}
    return hold_volume([image], image * 2, np.ones(shape, bool), **settings)


def sampler(*subjects, **changes: object) -> PatchSampler:
    settings: dict[str, object] = {
        "patch": (8, 8, 8), "batch": 3, "augmentation": Augmentation(), "multiples": (4, 4, 4),
        "seed": 1, **changes,
    }  # fmt: skip
    return PatchSampler(subjects or (held(),), **settings)


def test_the_slab_of_the_paper_gives_forty_eight_patches() -> None:
    # 193 x 229 in plane and a slab of 80: (193 - 80) // 20 + 1 = 6, (229 - 80) // 20 + 1 = 8.
    label = np.ones((193, 229, 193), dtype=np.uint8)
    tumour = np.zeros(label.shape, dtype=bool)
    tumour[90:100, 100:110, 90:100] = True
    region = region_of(tumour, label.shape, least=(80, 232, 232))
    assert region == (slice(55, 135), slice(0, 229), slice(0, 193))
    corners = patch_corners(
        label, region, patch=(80, 80, 80), stride=(20, 20, 20), least_filled=0.2
    )
    assert len(corners) == 48
    assert set(corners[:, 0]) == {55}
    assert sorted(set(corners[:, 1])) == [0, 20, 40, 60, 80, 100, 120, 140]


@pytest.mark.parametrize("where", [0, 45, 91])
def test_a_tumour_at_the_edge_keeps_its_subject(where: int) -> None:
    label = np.ones((93, 60, 100), dtype=np.uint8)
    tumour = np.zeros(label.shape, dtype=bool)
    tumour[where : where + 2, 5:8, 95:100] = True
    region = region_of(tumour, label.shape, least=(80, 232, 232))
    assert region[0].stop - region[0].start == 80
    corners = patch_corners(
        label, region, patch=(80, 80, 80), stride=(20, 20, 20), least_filled=0.2
    )
    assert len(corners) == 2
    assert set(corners[:, 1]) == {-10}  # 60 rows: one patch, centred, ten rows beyond either edge


def test_an_image_that_is_nearly_empty_keeps_its_fullest_patch() -> None:
    label = np.zeros((20, 20, 20))
    label[14:17, 14:17, 14:17] = 1
    whole = tuple(slice(0, 20) for _ in range(3))
    corners = patch_corners(label, whole, patch=(8, 8, 8), stride=(4, 4, 4), least_filled=0.2)
    assert corners.tolist() == [[12, 12, 12]]


def test_the_rule_counts_voxels_of_the_label() -> None:
    label = (RNG.random((24, 24, 24)) < 0.25) * RNG.normal(size=(24, 24, 24))
    label[:, :, 12:] = 0
    whole = tuple(slice(0, 24) for _ in range(3))
    corners = patch_corners(label, whole, patch=(8, 8, 8), stride=(4, 4, 4), least_filled=0.2)
    kept = {tuple(c) for c in corners.tolist()}
    for z in range(0, 17, 4):
        for y in range(0, 17, 4):
            for x in range(0, 17, 4):
                filled = np.count_nonzero(label[z : z + 8, y : y + 8, x : x + 8]) / 512
                assert ((z, y, x) in kept) == (filled > 0.2)


def test_corners_follow_the_crop_to_the_brain() -> None:
    image = np.zeros((30, 30, 30), dtype=np.float32)
    image[10:26, 5:21, 7:23] = RNG.normal(5, 1, (16, 16, 16))
    mask = image != 0
    corners = patch_corners(
        image, region_of(mask, image.shape), patch=(8, 8, 8), stride=(8, 8, 8), least_filled=0.2
    )
    subject = hold_volume([image], image, mask, corners=corners, spacing_mm=(1.0, 1.0, 1.0))
    for place, corner in zip(corners, subject.corners, strict=True):
        z, y, x = place
        expected = image[z : z + 8, y : y + 8, x : x + 8]
        np.testing.assert_allclose(cut(subject.layers, corner, (8, 8, 8))[0], expected, rtol=1e-3)


def test_beyond_the_volume_lies_zero() -> None:
    layers = torch.arange(1, 28, dtype=torch.float16).reshape(1, 3, 3, 3)
    box = cut(layers, (-1, 1, 2), (3, 3, 2))
    assert box[0, 0].abs().sum() == 0
    assert box[0, 1:, :2, 0].tolist() == layers[0, :2, 1:, 2].tolist()
    assert box[0, :, 2].abs().sum() == box[0, :, :, 1].abs().sum() == 0
    assert cut(layers, (9, 0, 0), (2, 2, 2)).abs().sum() == 0


def test_every_patch_comes_once_per_epoch() -> None:
    source = sampler(held(), held(), batch=4)
    drawn = [source.draw(step) for step in range(source.patches // 4)]
    firsts = torch.cat([batch.truth[:, 0, 0, 0, 0] for batch in drawn])
    assert len(firsts) == source.patches == 2 * 4 * 5 * 4
    expected = torch.cat(
        [
            torch.stack([cut(s.layers, c, (8, 8, 8))[1, 0, 0, 0] for c in s.corners])
            for s in source.subjects
        ]
    )
    torch.testing.assert_close(firsts.sort().values, expected.sort().values)


def test_the_same_step_gives_the_same_batch() -> None:
    turned = Augmentation(rotation="three-axis", swap_axes=True)
    subject = held()
    one, two = (sampler(subject, augmentation=turned) for _ in range(2))
    two.draw(0)
    assert torch.equal(one.draw(7).inputs, two.draw(7).inputs)
    assert not torch.equal(one.draw(7).inputs, one.draw(8).inputs)


def test_input_truth_and_mask_are_turned_alike() -> None:
    turned = Augmentation(rotation="three-axis", degrees=25, swap_axes=True)
    batch = sampler(augmentation=turned).draw(0)
    torch.testing.assert_close(batch.truth, 2 * batch.inputs, rtol=2e-3, atol=2e-3)
    assert set(batch.mask.unique().tolist()) <= {0.0, 1.0}


def test_a_rotation_agrees_with_scipy() -> None:
    image = ndimage.gaussian_filter(RNG.normal(size=(31, 31, 31)), 2).astype(np.float32)
    subject = hold_volume(
        [image], image, np.ones(image.shape, bool), corners=np.zeros((1, 3), int),
        spacing_mm=(1.0, 1.0, 1.0),
    )  # fmt: skip
    matrix = rotation_matrix(Augmentation(rotation="three-axis"), np.random.default_rng(4))
    assert matrix is not None
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    corner, size = np.array([10, 9, 11]), (8, 9, 10)
    centre = corner + (np.array(size) - 1) / 2
    drawn = rotated(subject, corner, size, matrix)[0].numpy()
    offset = centre - matrix @ ((np.array(size) - 1) / 2)
    expected = ndimage.affine_transform(image, matrix, offset, size, order=1)
    np.testing.assert_allclose(drawn, expected, atol=2e-3)


def test_a_rotation_keeps_millimetres() -> None:
    # A ball of 12 mm on voxels of 3 x 1 x 1 mm stays the same ball.
    z, y, x = np.meshgrid(np.arange(16) * 3.0, np.arange(48.0), np.arange(48.0), indexing="ij")
    ball = np.clip(13 - np.sqrt((z - 24) ** 2 + (y - 24) ** 2 + (x - 24) ** 2), 0, 1)
    subject = hold_volume(
        [ball.astype(np.float32)], ball.astype(np.float32), np.ones(ball.shape, bool),
        corners=np.zeros((1, 3), int), spacing_mm=(3.0, 1.0, 1.0),
    )  # fmt: skip
    matrix = rotation_matrix(
        Augmentation(rotation="three-axis", degrees=40), np.random.default_rng(1)
    )
    assert matrix is not None
    corner, size = np.array([1, 1, 1]), (15, 47, 47)
    drawn = rotated(subject, corner, size, matrix)[0]
    assert abs(float(drawn.sum()) / ball[1:, 1:, 1:].sum() - 1) < 0.02


def test_in_plane_leaves_the_slices_apart() -> None:
    matrix = rotation_matrix(Augmentation(rotation="in-plane"), np.random.default_rng(2))
    assert matrix is not None
    assert matrix[0].tolist() == [1, 0, 0]
    assert np.degrees(np.arccos(matrix[1, 1])) <= 30


def test_axes_of_other_spacing_are_not_exchanged() -> None:
    rng = np.random.default_rng(0)
    drawn = {swapped_axes((8, 8, 8), (2.0, 1.0, 1.0), rng) for _ in range(50)}
    assert drawn == {(0, 1, 2), (0, 2, 1)}
    assert len({swapped_axes((8, 8, 8), (1.0, 1.0, 1.0), rng) for _ in range(200)}) == 6


def test_whole_volumes_are_filled_up_and_come_one_at_a_time() -> None:
    source = sampler(held((5, 9, 10)), patch=None, batch=1)
    assert source.draw(0).inputs.shape == (1, 1, 8, 12, 12)
    with pytest.raises(DataError, match="batch=1"):
        sampler(patch=None, batch=2)
    with pytest.raises(DataError, match="at least one"):
        PatchSampler(
            [], patch=None, batch=1, augmentation=Augmentation(), multiples=(1, 1, 1), seed=0
        )
