"""Extractors from local weights, image sets, and the whole row of set scores."""

from __future__ import annotations

import math
import pickle

import numpy as np
import numpy.typing as npt
import pytest
import torch
from safetensors.torch import save_file
from scipy import ndimage

from synthesis.data.hashing import file_sha256
from synthesis.metrics import extractors, imagesets, unpaired
from synthesis.metrics.encoder import EncoderSettings, contrast_loss
from synthesis.metrics.extractors import ExtractorError, add_extractor, load_extractor, train_self
from synthesis.metrics.imagesets import ImageSet, Levels, NamedVolume, levels_of, slices_of
from synthesis.metrics.paired import UndefinedMetricError
from synthesis.metrics.resnet import resnet18, resnet50

Images = npt.NDArray[np.float32]


def scans(n: int, seed: int, side: int = 48, sigma: float = 3.0) -> Images:
    rng = np.random.default_rng(seed)
    smooth = [ndimage.gaussian_filter(rng.standard_normal((side, side)), sigma) for _ in range(n)]
    stack = np.stack(smooth)
    return ((stack - stack.min()) / np.ptp(stack)).astype(np.float32)


def image_set(images: Images, kind: str, each: int = 2) -> ImageSet:
    names = tuple(f"{kind} {i}" for i in range(len(images)))
    return ImageSet(images, tuple(f"{kind}{i // each}" for i in range(len(images))), names)


# Extractors


def test_the_architectures_have_their_published_numbers_of_parameters():
    """torchvision: 11,689,512 and 25,557,032 with a last layer of 513,000 and 2,049,000."""
    for build, expected in ((resnet18, 11_689_512 - 513_000), (resnet50, 25_557_032 - 2_049_000)):
        assert sum(p.numel() for p in build().parameters()) == expected


def test_the_random_extractor_is_the_same_every_time(tmp_path):
    images = scans(3, 0)
    first, second = (load_extractor("random-resnet", tmp_path) for _ in range(2))
    np.testing.assert_array_equal(first.features(images), second.features(images))
    assert first.features(images).shape == (3, 512)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_weights_from_a_file_give_the_features_of_that_network(tmp_path, suffix):
    torch.manual_seed(1)
    network = resnet18().eval()
    state = {**network.state_dict(), "fc.weight": torch.zeros(5, 512), "fc.bias": torch.zeros(5)}
    path = tmp_path / f"w.{suffix}"
    if suffix == "pth":
        torch.save({f"module.{key}": value for key, value in state.items()}, path)
    else:
        save_file(state, path)
    digest = file_sha256(path)
    added = add_extractor("mine", "resnet18", path, tmp_path / "store", sha256=digest)
    assert added.weights_sha256 == digest
    assert added.label == f"mine/{digest[:8]}"
    images = scans(2, 1, side=224)
    batch = torch.from_numpy((images[:, None] - 0.449) / 0.226).expand(-1, 3, -1, -1)
    with torch.inference_mode():
        expected = network(batch).double().numpy()
    found = load_extractor("mine", tmp_path / "store")
    np.testing.assert_allclose(found.features(images), expected, rtol=1e-4, atol=1e-5)
    assert extractors.installed(tmp_path / "store") == ["mine"]


def test_a_file_that_runs_code_is_refused(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(pickle.dumps({"a": print}, protocol=2))
    with pytest.raises(ExtractorError, match="more than tensors"):
        add_extractor("mine", "resnet18", path, tmp_path, sha256=file_sha256(path))


def test_wrong_files_are_refused_in_words(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"conv1.weight": torch.zeros(2, 2)}, path)
    digest = file_sha256(path)
    for arguments, words in (
        (("mine", "resnet18", "0" * 64), "another file"),
        (("mine", "resnet18", digest), "do not fit resnet18"),
        (("mine", "vgg", digest), "Unknown architecture"),
        (("../mine", "resnet18", digest), "letters, digits and dashes"),
    ):
        name, architecture, sha256 = arguments
        with pytest.raises(ExtractorError, match=words):
            add_extractor(name, architecture, path, tmp_path / "store", sha256=sha256)
    with pytest.raises(ExtractorError, match="There is no extractor 'nobody'"):
        load_extractor("nobody", tmp_path)


def test_an_encoder_learns_its_own_images_and_is_kept_with_its_fingerprint(tmp_path):
    images = scans(24, 2)
    settings = EncoderSettings(steps=3, batch=8)
    made = train_self("self", images, tmp_path, facts={"why": "test"}, settings=settings)
    again = load_extractor("self", tmp_path)
    np.testing.assert_array_equal(made.features(images), again.features(images))
    assert again.facts["images"] == 24
    assert made.features(images).shape == (24, 128)
    same = train_self("other", images, tmp_path, facts={"why": "test"}, settings=settings)
    assert same.weights_sha256 == made.weights_sha256
    weights = tmp_path / "self" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"0000")
    with pytest.raises(ExtractorError, match="changed since"):
        load_extractor("self", tmp_path)


@pytest.mark.slow
def test_training_lowers_the_contrast_loss(tmp_path):
    losses: list[float] = []
    train_self(
        "self",
        scans(40, 3),
        tmp_path,
        facts={},
        settings=EncoderSettings(steps=40, batch=20),
        progress=lambda _, __, loss: losses.append(loss),
    )
    assert np.mean(losses[-4:]) < np.mean(losses[:4]) - 0.3


def test_the_contrast_loss_of_perfect_views_by_hand():
    """Two images, orthogonal: of three others one is the partner: -log(e / (e + 2))."""
    views = torch.eye(2).repeat(2, 1)
    expected = -math.log(math.e / (math.e + 2))
    assert contrast_loss(views, 1.0).item() == pytest.approx(expected)


# Image sets


def test_volumes_become_squares_on_the_grey_scale_of_the_real_ones():
    values = np.zeros((4, 6, 10), np.int16)
    values[1:3, 1:5, 2:8] = np.arange(2 * 4 * 6).reshape(2, 4, 6) + 100
    found = slices_of([NamedVolume(values, "p1", "C-1")], Levels(100.0, 147.0))
    assert found.images.shape == (2, 10, 10)
    assert found.patients == ("p1", "p1")
    assert found.names == ("C-1 slice 2", "C-1 slice 3")
    assert found.images[0, 3, 2] == 0.0  # the lowest grey level
    assert found.images[1, 6, 7] == 1.0
    assert (found.images[:, :2] == 0).all()
    assert len(slices_of([NamedVolume(values, "p", "C")], Levels(0, 1), every=2)) == 1


def test_levels_are_percentiles_of_what_is_not_background():
    values = np.tile(np.arange(1001.0), 7).reshape(7, 7, 143)
    levels = levels_of([NamedVolume(values, "p", "C")])
    assert (levels.low, levels.high) == pytest.approx((5.5, 995.5), abs=8)
    with pytest.raises(UndefinedMetricError, match="one grey level"):
        levels_of([NamedVolume(np.zeros((2, 2, 2)), "p", "C")])


def test_black_volumes_make_no_set():
    with pytest.raises(UndefinedMetricError, match="a tenth"):
        slices_of([NamedVolume(np.zeros((2, 9, 9)), "p", "C")], Levels(0, 1))


def test_sets_are_joined_and_cut():
    whole = imagesets.joined([image_set(scans(4, 0), "a"), image_set(scans(3, 1), "b")])
    assert len(whole) == 7
    assert len(whole.at_most(5, seed=1)) == 5
    assert whole.at_most(9, seed=1) is whole


# All scores


def featured(images: ImageSet) -> unpaired.Featured:
    seed = sum(map(ord, images.names[0]))
    features = np.random.default_rng(seed).standard_normal((len(images), 12))
    return unpaired.Featured(images, features)


def test_all_scores_of_two_sets_of_one_kind():
    real, made = (featured(image_set(scans(60, seed), kind)) for seed, kind in ((0, "r"), (1, "g")))
    scores = {one.metric: one for one in unpaired.score_sets(real, made, draws=20)}
    assert scores["fid"].low <= scores["fid"].value <= scores["fid"].high
    assert "few: the value is too high" in scores["fid"].reason
    assert scores["kid"].low < 0 < scores["kid"].high
    assert scores["c2st_p"].value > 0.01
    assert scores["pair_similarity"].reason == ""
    assert {one.images for one in scores.values()} == {60}
    assert {one.patients for one in scores.values()} == {60}


def test_a_set_that_is_too_small_is_undefined_with_its_reason():
    real, made = (featured(image_set(scans(4, seed), kind)) for seed, kind in ((0, "r"), (1, "g")))
    scores = {one.metric: one for one in unpaired.score_sets(real, made, draws=4)}
    assert math.isnan(scores["precision"].value)
    assert scores["precision"].reason == "a set has no more than 5 images: too few neighbours"


def test_the_interval_of_kid_is_as_wide_as_its_spread_over_patients():
    values, widths = [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        sets = []
        for kind, shift in (("r", 0.0), ("g", 1.0)):
            own = np.repeat(rng.standard_normal((40, 4)), 3, axis=0)
            images = image_set(scans(120, 0, side=12), kind, each=3)
            sets.append(
                unpaired.Featured(images, own + 0.2 * rng.standard_normal((120, 4)) + shift)
            )
        (score,) = (
            one
            for one in unpaired._with_intervals(*sets, draws=25, seed=seed)
            if one.metric == "kid"
        )
        values.append(score.value)
        widths.append((score.high - score.low) / (2 * unpaired.LEVEL_Z))
    assert np.mean(widths) == pytest.approx(np.std(values), rel=0.35)


def test_copies_are_found_by_pixels_and_by_features():
    train, held, made = (
        image_set(scans(n, s), k) for n, s, k in ((30, 0, "t"), (40, 1, "h"), (20, 2, "g"))
    )
    made.images[4] = train.images[11][:, ::-1]
    found = unpaired.search_copies(made, train, held, lambda x: x.reshape(len(x), -1).astype(float))
    assert 4 in found.flagged
    for one in found.by.values():
        assert one.made.index[4] == 11
    shares = {one.metric: one.value for one in found.scores()}
    assert shares["copies_pixels"] >= 1 / 20
    with pytest.raises(UndefinedMetricError, match="both trained on and held out"):
        unpaired.search_copies(made, train, train, lambda x: x.reshape(len(x), -1).astype(float))
