"""Drawing images from seeds: each can be made again to the bit; files, sheets and films."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import av
import nibabel as nib
import numpy as np
import pytest
import torch
from PIL import Image

from synthesis.data.hashing import content_sha256
from synthesis.film import FilmError, captioned, walk, write_film
from synthesis.generate import Generator, load_generator
from synthesis.manifest import RecordError
from synthesis.networks import build
from synthesis.networks.registry import network_config
from synthesis.sample_record import SampleManifest
from synthesis.sampling import (
    BATCH,
    draw,
    draw_to_folder,
    finished,
    image_generator,
    latents_of,
    new_manifest,
    plane_affine,
    redraw,
    rendered,
    verify_sample,
)
from synthesis.training.loop import TrainingResult, train

from .test_gan_training import gan_config


@pytest.fixture(scope="module")
def run(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    folder = tmp_path_factory.mktemp("sampling") / "style"
    return train(gan_config("stylegan2", max_steps=4), cohort, folder, resume=False)


@pytest.fixture
def generator(run: TrainingResult) -> Generator:
    return load_generator(run.run_dir)


def made(kind: str, **settings: object) -> Generator:
    """An untrained generator."""
    preset = {"dcgan": "han2018-dcgan-t1-128", "style": "park2021-stylegan2"}[kind]
    torch.manual_seed(2)
    network = build(preset, **settings)["generator"].eval()
    return Generator(network, preset, network_config(preset, **settings), "0" * 64)


def test_a_seed_says_which_image(generator: Generator) -> None:
    one, two, again = draw(generator, [5, 6, 5])
    assert one.pixels.dtype == np.int16
    assert one.pixels.shape == (2, 16, 16)
    assert not np.array_equal(one.pixels, two.pixels)
    np.testing.assert_array_equal(one.pixels, again.pixels)
    assert one.record.uuid != again.record.uuid
    assert one.record.pixel_sha256 == again.record.pixel_sha256 == content_sha256(one.pixels)
    assert [x.record.place for x in (one, two, again)] == [0, 1, 2]


def test_every_image_can_be_made_again_from_its_record(
    generator: Generator, tmp_path: Path
) -> None:
    manifest = new_manifest(generator, truncation=0.7)
    images = draw(generator, range(100, 100 + BATCH + 3), truncation=0.7)
    manifest = manifest.with_images([one.record for one in images])
    path = tmp_path / "samples.json"
    path.write_text(json.dumps(manifest.to_dict()))
    read = SampleManifest.from_dict(json.loads(path.read_text()))
    torch.randn(9)
    for one in images:
        np.testing.assert_array_equal(redraw(read, one.record.uuid, generator), one.pixels)
        alone = read.alone(read.image(one.record.uuid))
        assert verify_sample(alone, one.record.uuid, generator).exact


def test_a_record_that_was_changed_or_is_of_other_weights_is_refused(generator: Generator) -> None:
    (one,) = draw(generator, [1])
    manifest = new_manifest(generator, truncation=1.0).with_images([one.record])
    stored = manifest.to_dict()
    stored["images"][0]["seed"] = 2
    with pytest.raises(RecordError, match="has been changed"):
        SampleManifest.from_dict(stored)
    with pytest.raises(RecordError, match="not 'readerstudy-samples/1'"):
        SampleManifest.from_dict({**manifest.to_dict(), "schema": "x"})
    other = Generator(generator.network, generator.preset, generator.config, "1" * 64)
    with pytest.raises(RecordError, match="other weights"):
        redraw(manifest, one.record.uuid, other)
    with pytest.raises(RecordError, match="holds no image"):
        redraw(manifest, "none", generator)


def test_verification_measures_the_difference(generator: Generator) -> None:
    (one,) = draw(generator, [1])
    manifest = new_manifest(generator, truncation=1.0).with_images([one.record])
    with torch.no_grad():
        generator.network.synthesis.images[-1].bias += 4 / 4095 * 2
    result = verify_sample(manifest, one.record.uuid, generator, pixels=one.pixels, tolerance=9999)
    assert not result.exact
    assert result.reproduced
    assert verify_sample(manifest, one.record.uuid, generator).reproduced is False
    with pytest.raises(RecordError, match="not the one the record describes"):
        verify_sample(manifest, one.record.uuid, generator, pixels=one.pixels + 1)


def test_latents_do_not_depend_on_the_other_seeds() -> None:
    network = image_generator(made("style", size=16, widest=8, latent=6, mapping_layers=1))
    latents, noises = latents_of(network, [3, 4, 5])
    alone, noise = latents_of(network, [4])
    torch.testing.assert_close(latents[1:2], alone, rtol=0, atol=0)
    torch.testing.assert_close(noises[1:2], noise, rtol=0, atol=0)


def test_truncation_to_zero_is_one_image_but_for_the_noise() -> None:
    style = made("style", size=16, widest=8, latent=6, mapping_layers=1)
    one, two = draw(style, [1, 2], truncation=0.0)
    np.testing.assert_array_equal(one.pixels, two.pixels)  # strengths of noise start at 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        draw(style, [1], truncation=1.5)
    with pytest.raises(ValueError, match="no truncation"):
        draw(made("dcgan", size=16, width=4), [1], truncation=0.5)
    with pytest.raises(ValueError, match="Seeds lie between"):
        draw(style, [-1])
    with pytest.raises(ValueError, match="at least one seed"):
        draw(style, [])


def test_a_generator_of_other_images_draws_none(finished: TrainingResult) -> None:
    with pytest.raises(ValueError, match="unet2d-t1c makes images from images"):
        draw(load_generator(finished.run_dir), [1])


def test_finish_by_hand() -> None:
    image = np.full((2, 20, 20), -0.97)  # 1.5 % of white: background
    image[0, 4:12, 4:12] = 0.0  # a head, seen in the first sequence
    image[0, 6, 6] = -1.0  # a dark place within it
    image[1, 5, 5] = 3.0
    image[0, 17, 17] = 1.0  # a speck of one pixel in 400 (less than two)
    levels = finished(image)
    assert levels[0, 4, 4] == round(4095 / 2)
    assert levels[0, 6, 6] == 1
    assert levels[1, 5, 5] == 4095
    assert levels[1, 4, 4] == round(4095 * 0.015)
    assert levels[0, 17, 17] == 0
    assert (levels[:, :4] == 0).all()
    assert (levels[:, 4:12, 4:12] > 0).all()
    assert (finished(np.full((1, 8, 8), -1.0)) == 0).all()


def test_an_empty_channel_is_not_kept() -> None:
    three = made("style", size=16, widest=8, latent=6, mapping_layers=1, empty_channels=1)
    assert draw(three, [1])[0].pixels.shape == (2, 16, 16)


def test_files_of_a_draw(run: TrainingResult, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    manifest = draw_to_folder(
        run.run_dir,
        tmp_path,
        range(BATCH + 1),
        truncation=0.5,
        on_image=lambda done, of: told.append((done, of)),
    )
    assert told == [(BATCH, BATCH + 1), (BATCH + 1, BATCH + 1)]
    assert json.loads((tmp_path / "samples.json").read_text()) == manifest.to_dict()
    for number, image in enumerate(manifest.images, start=1):
        files = [
            tmp_path / f"{number:05d}" / f"{role}_synthetic.nii.gz" for role in ("t1", "flair")
        ]
        slices = [np.asarray(nib.load(file).dataobj)[:, :, 0].T for file in files]
        assert content_sha256(np.ascontiguousarray(slices)) == image.pixel_sha256
        assert b"SYNTHETIC" in nib.load(files[0]).header["descrip"].item()
    with Image.open(tmp_path / "samples.png") as sheet:
        assert "SYNTHETIC" in sheet.info["Description"]
    assert str(tmp_path) not in (tmp_path / "samples.json").read_text()


@pytest.mark.parametrize(
    ("plane", "letters"), [("axial", "LPS"), ("coronal", "LIA"), ("sagittal", "PIR")]
)
def test_drawn_slices_lie_in_their_plane(plane: str, letters: str) -> None:
    network = image_generator(made("dcgan", size=16, width=4, plane=plane))
    network.pixel_mm.copy_(torch.tensor([2.0, 3.0]))
    affine = plane_affine(network)
    # A third axis of either sense is right: the slice has no neighbours.
    assert "".join(nib.aff2axcodes(affine))[:2] == letters[:2]
    np.testing.assert_allclose(nib.affines.voxel_sizes(affine), [3.0, 2.0, 1.0])
    np.testing.assert_allclose(affine @ [7.5, 7.5, 0, 1], [0, 0, 0, 1], atol=1e-9)


@pytest.mark.parametrize("kind", ["style", "dcgan"])
def test_a_walk_begins_at_its_seeds_and_moves_in_small_steps(kind: str) -> None:
    settings = {"latent": 6, "size": 16}
    own = {"widest": 8, "mapping_layers": 1} if kind == "style" else {"width": 4}
    network = image_generator(made(kind, **settings, **own))
    images = np.stack(list(walk(network, [1, 2, 3], truncation=1.0, frames_per_leg=20)))
    assert len(images) == 60
    latents, noises = latents_of(network, [1, 2, 3])
    still = rendered(network, latents, noises[:1].expand(3, -1), truncation=1.0)
    np.testing.assert_allclose(images[[0, 20, 40]], still, atol=1e-4)
    steps = np.abs(np.diff(images, axis=0)).mean(axis=(1, 2, 3))
    far = np.abs(still[0] - still[1]).mean()
    assert steps.max() < 0.35 * far
    assert np.abs(images[-1] - images[0]).mean() < 0.35 * far


def test_the_way_between_normal_latents_keeps_their_length() -> None:
    network = image_generator(made("style", size=16, widest=8, latent=64, mapping_layers=1))
    one, other = torch.randn(64), torch.randn(64)
    half = network.between(one, other, 0.5)
    assert half.norm().item() == pytest.approx((one.norm() + other.norm()).item() / 2, rel=0.05)
    torch.testing.assert_close(network.between(one, one, 0.3), one)
    torch.testing.assert_close(network.between(one, other, 0.0), one)


def test_a_film_can_be_played_and_says_what_it_is(generator: Generator, tmp_path: Path) -> None:
    path = tmp_path / "walk.mp4"
    assert write_film(path, generator, [1, 2], frames_per_leg=5) == 10
    with av.open(str(path)) as film:
        frames = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
        assert film.streams.video[0].codec_context.name == "h264"
    assert len(frames) == 10
    height, width = frames[0].shape
    assert height % 2 == width % 2 == 0
    assert height > 256
    assert width > 2 * 256
    assert frames[0][-20:].max() > 128  # the note
    with pytest.raises(ValueError, match="two seeds"):
        write_film(tmp_path / "none.mp4", generator, [1])


def without(monkeypatch: pytest.MonkeyPatch, *encoders: str) -> None:
    """Make PyAV one whose FFmpeg lacks encoders."""
    known = av.Codec

    def codec(name: str, mode: str = "r") -> av.Codec:
        if name in encoders:
            raise av.codec.codec.UnknownCodecError(name)
        return known(name, mode)

    monkeypatch.setattr(av, "Codec", codec)


def test_a_film_without_h264_can_be_played(
    generator: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, "libx264", "libopenh264")
    path = tmp_path / "walk.mp4"
    assert write_film(path, generator, [1, 2], frames_per_leg=2) == 4
    with av.open(str(path)) as film:
        assert film.streams.video[0].codec_context.name in {"vp9", "libvpx-vp9"}
        assert len(list(film.decode(video=0))) == 4


def test_a_machine_that_cannot_film_says_what_to_install(
    generator: Generator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as bare:
        without(bare, "libx264", "libopenh264", "libvpx-vp9", "mpeg4")
        with pytest.raises(FilmError, match="none of the encoders libx264"):
            write_film(tmp_path / "a.mp4", generator, [1, 2])
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(FilmError, match="pip install av"):
        write_film(tmp_path / "b.mp4", generator, [1, 2])
    assert not list(tmp_path.iterdir())


def test_frames_show_the_sequences_side_by_side() -> None:
    image = np.full((2, 64, 64), -1.0, dtype=np.float32)
    image[0, 16:48, 16:48] = 1.0
    frame = captioned(image)[:256]
    assert frame[128, 128].tolist() == [255, 255, 255]
    assert frame[128, 260 + 128].max() < 5
