"""FID and KID while a generator trains, the extractor that they name, and the networks kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import linalg

from synthesis.generate import load_generator
from synthesis.metrics.encoder import EncoderSettings
from synthesis.metrics.extractors import BUILT_IN, load_extractor, train_self
from synthesis.training.checkpoints import CheckpointError
from synthesis.training.config import ConfigError
from synthesis.training.journal import Journal
from synthesis.training.loop import train
from synthesis.training.set_scores import SetScorer, choose_scorer

from .test_gan_training import gan_config, stop_after

rng = np.random.default_rng(3)


@pytest.fixture(scope="module")
def extractors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an extractor trained here and one under another name."""
    folder = tmp_path_factory.mktemp("extractors")
    images = rng.uniform(0, 1, (20, 32, 32)).astype(np.float32)
    for name, seed in (("self", 0), ("zebra", 1)):
        train_self(name, images, folder, facts={}, settings=EncoderSettings(steps=2, seed=seed))
    return folder


def images(count: int, channels: int = 1, shift: float = 0.0) -> torch.Tensor:
    values = rng.uniform(-1, 1, (count, channels, 32, 32)) * 0.5 + shift
    return torch.from_numpy(values.astype(np.float32))


def test_fid_and_kid_are_those_of_their_formulas() -> None:
    """Against scipy's square root of a matrix and the double sums of Gretton 2012, eq. 3."""
    scorer = choose_scorer("auto", None)
    assert scorer is not None
    real, made = (scorer.features(images(150, shift=shift)) for shift in (0.0, 0.2))
    found = scorer.scores(made, real)
    covariances = [np.cov(one, rowvar=False) for one in (real, made)]
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    shift = real.mean(axis=0) - made.mean(axis=0)
    wanted = shift @ shift + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert found["fid"] == pytest.approx(wanted, rel=1e-4)
    kernel = [(a @ b.T / real.shape[1] + 1) ** 3 for a, b in ((real, real), (made, made))]
    within = [k[~np.eye(len(k), dtype=bool)].mean() for k in kernel]
    between = ((real @ made.T / real.shape[1] + 1) ** 3).mean()
    assert found["kid"] == pytest.approx(sum(within) - 2 * between, rel=1e-6)


def test_sequences_that_do_not_belong_together_are_told_apart() -> None:
    """Features of the channels stand side by side: shuffling one channel raises FID."""
    scorer = SetScorer(load_extractor(BUILT_IN, Path()))
    base = images(60, shift=0.0) * torch.linspace(0.2, 1.0, 60)[:, None, None, None]
    joint = torch.cat([base, base], dim=1)
    apart = torch.cat([base, base.flip(0)], dim=1)
    real = scorer.features(joint)
    assert real.shape == (60, 2 * 128)
    single = scorer.scores(scorer.features(base.flip(0)), scorer.features(base))["fid"]
    assert single == pytest.approx(0, abs=1e-8)
    assert scorer.scores(scorer.features(apart), real)["fid"] > 1e-6


def test_too_few_images_give_no_number() -> None:
    scorer = choose_scorer(BUILT_IN, None)
    assert scorer is not None
    one = scorer.features(images(1))
    assert all(np.isnan(value) for value in scorer.scores(one, one).values())


def test_the_extractor_is_the_one_that_is_there(extractors: Path, tmp_path: Path) -> None:
    assert choose_scorer("none", extractors) is None
    built_in = choose_scorer("auto", tmp_path)
    assert built_in is not None
    assert built_in.about()["name"] == BUILT_IN
    again = choose_scorer("auto", None)
    assert again is not None
    assert again.about() == built_in.about(), "the weights are the same each time"
    added = choose_scorer("auto", extractors)
    assert added is not None
    assert added.about()["name"] == "zebra", "weights that were added come before self"
    own = choose_scorer("self", extractors)
    assert own is not None
    assert own.about()["weights_sha256"] != added.about()["weights_sha256"]


def lines(run: Path) -> list[dict]:
    return [line for line in Journal(run / "metrics.jsonl").lines() if line["kind"] == "validation"]


def test_every_validation_logs_them_with_the_extractor(cohort: Path, tmp_path: Path) -> None:
    config = gan_config("dcgan", validations=3, max_steps=6)
    train(config, cohort, tmp_path / "run", resume=False)
    told = lines(tmp_path / "run")
    assert [line["step"] for line in told] == [2, 4, 6]
    known = load_extractor(BUILT_IN, Path()).weights_sha256
    for line in told:
        assert line["fid"] > 0
        assert {"kid", "fid_of_real", "kid_of_real"} <= line.keys()
        assert line["about"]["extractor"]["weights_sha256"] == known
        assert line["about"]["images"]["made"] == 32
    card = json.loads((tmp_path / "run/model_card.json").read_text())
    (fid,) = (one for one in card["validation"]["scores"] if one["metric"] == "fid")
    assert fid["preset"] == f"training-sets/1 {BUILT_IN}/{known[:8]}"


def test_a_resumed_run_keeps_its_extractor(cohort: Path, tmp_path: Path, extractors: Path) -> None:
    config = gan_config("dcgan", validations=3, max_steps=6)
    run = tmp_path / "run"
    train(config, cohort, run, resume=False, should_stop=stop_after(3))
    train(config, cohort, run, resume=True, extractors=extractors)
    names = {line["about"]["extractor"]["name"] for line in lines(run)}
    assert names == {BUILT_IN}, "another extractor that came meanwhile is not taken"


def test_a_run_whose_extractor_was_changed_is_refused(
    cohort: Path, tmp_path: Path, extractors: Path
) -> None:
    config = gan_config("dcgan", extractor="self")
    run, other = tmp_path / "run", tmp_path / "other"
    train(config, cohort, run, resume=False, should_stop=stop_after(3), extractors=extractors)
    (other).mkdir()
    (extractors / "zebra").rename(other / "self")
    try:
        with pytest.raises(CheckpointError, match="is not the one with which this run was scored"):
            train(config, cohort, run, resume=True, extractors=other)
    finally:
        (other / "self").rename(extractors / "zebra")


def test_an_unknown_extractor_is_refused_before_the_first_step(
    cohort: Path, tmp_path: Path
) -> None:
    config = gan_config("dcgan", extractor="not-there")
    with pytest.raises(ConfigError, match="There is no extractor 'not-there'"):
        train(config, cohort, tmp_path / "run", resume=False)


def test_the_network_of_each_validation_is_kept(cohort: Path, tmp_path: Path) -> None:
    """What is kept at step 2 is the network that a run of 2 steps would release."""
    whole = gan_config("dcgan", validations=3, max_steps=6)
    train(whole, cohort, tmp_path / "whole", resume=False)
    short = train(gan_config("dcgan", max_steps=2), cohort, tmp_path / "short", resume=False)
    kept = tmp_path / "whole/snapshots"
    assert sorted(path.name for path in kept.iterdir()) == ["0000002", "0000004"]
    assert load_generator(kept / "0000002").weights_sha256 == short.weights_sha256
    card = json.loads((kept / "0000002/model_card.json").read_text())
    assert card["training"]["steps"] == 2
    assert (kept / "0000002/samples.png").exists()
    off = gan_config("dcgan", validations=3, snapshots=False)
    train(off, cohort, tmp_path / "off", resume=False)
    assert not (tmp_path / "off/snapshots").exists()
