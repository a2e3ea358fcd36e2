"""Drawn images that are copies of training slices do not become cases, when asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError

from readerstudy.cases.models import Case
from readerstudy.core.errors import ReaderStudyError
from synthesis import copy_guard, drawing, sampling
from synthesis.data.hashing import content_sha256
from synthesis.folders import run_folder
from synthesis.generate import load_generator
from synthesis.manifest import RecordError
from synthesis.models import Checkpoint, GenerationRun
from synthesis.run_images import training_volumes
from synthesis.sample_record import SampleManifest, SampleRecord
from synthesis.sampling import BATCH, Drawn, verify_sample
from tests.synthesis.test_drawing import command, order, quiet, runs, style

pytestmark = pytest.mark.django_db
__all__ = ["runs", "style"]


@pytest.fixture
def at_hand(cohort: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The training images lie in the folder of the cohort."""
    monkeypatch.setattr(
        copy_guard, "training_volumes", lambda run, role: training_volumes(run, role, cohort)
    )


@pytest.fixture
def twin(style: Checkpoint, cohort: Path) -> np.ndarray[Any, Any]:
    """A training slice as an image of the generator: both sequences of one subject."""
    run = GenerationRun(checkpoint=style, record={"samples": {}})
    both = [list(training_volumes(run, role, cohort))[1].values[0] for role in ("t1", "flair")]
    return np.stack(both)[:, ::-1, ::-1].astype(np.int16)


def copying(monkeypatch: pytest.MonkeyPatch, image: np.ndarray[Any, Any], *seeds: int) -> None:
    """Let the generator draw a certain image from some seeds."""
    honest = sampling.draw

    def draw(generator: Any, asked: Any, *, truncation: float) -> list[Drawn]:
        made = honest(generator, asked, truncation=truncation)
        return [
            Drawn(
                SampleRecord(
                    one.record.uuid, one.record.seed, one.record.place,
                    list(image.shape), content_sha256(image),
                ),
                image,
            )
            if one.record.seed in seeds
            else one
            for one in made
        ]  # fmt: skip

    monkeypatch.setattr(drawing, "draw", draw)


def test_copies_are_left_out_and_the_record_says_so(
    style: Checkpoint, sources: list[Case], at_hand: None, twin: Any, monkeypatch: Any
) -> None:
    mirrored = np.ascontiguousarray(twin[..., ::-1])
    copying(monkeypatch, mirrored, 8, 10)
    before = Case.objects.count()
    run = drawing.draw_run(order(style, exclude_copies=True), job=None, progress=quiet)
    assert Case.objects.count() == before + 3
    manifest = SampleManifest.from_dict(json.loads(json.dumps(run.record["samples"])))
    assert [image.seed for image in manifest.images] == [7, 9, 11]
    assert manifest.left_out is not None
    assert manifest.left_out["seeds"] == [8, 10]
    rule = manifest.left_out["rule"]
    assert rule["name"] == "copies/1 pixels"
    assert set(rule["limits"]) == {"t1", "flair"}
    assert all(0 < limit < 1 for limit in rule["limits"].values())
    image = manifest.images[1]
    assert verify_sample(manifest, image.uuid, load_generator(run_folder("stylegan2"))).exact
    assert manifest.alone(image).left_out is None
    changed = {**manifest.to_dict(), "left_out": {**manifest.left_out, "seeds": [8]}}
    with pytest.raises(RecordError, match="changed"):
        SampleManifest.from_dict(changed)


def test_nothing_is_left_out_unless_asked(
    style: Checkpoint, sources: list[Case], twin: Any, monkeypatch: Any
) -> None:
    copying(monkeypatch, twin, 8)
    run = drawing.draw_run(order(style), job=None, progress=quiet)
    manifest = SampleManifest.from_dict(run.record["samples"])
    assert [image.seed for image in manifest.images] == [7, 8, 9]
    assert "left_out" not in manifest.to_dict()


def test_a_generator_that_copies_ends_the_order(
    style: Checkpoint, sources: list[Case], at_hand: None, twin: Any, monkeypatch: Any
) -> None:
    copying(monkeypatch, twin, *range(1000))
    with pytest.raises(ReaderStudyError, match="this generator copies"):
        drawing.draw_run(order(style, exclude_copies=True), job=None, progress=quiet)
    (run,) = GenerationRun.objects.all()
    manifest = SampleManifest.from_dict(run.record["samples"])
    assert not manifest.images
    assert 4 * BATCH < manifest.tried <= 5 * BATCH


def test_without_training_images_it_is_refused_before_a_run_is_made(
    style: Checkpoint, sources: list[Case]
) -> None:
    with pytest.raises(ReaderStudyError, match="only where the training images are at hand"):
        drawing.draw_run(order(style, exclude_copies=True), job=None, progress=quiet)
    assert not GenerationRun.objects.exists()


def test_the_command_takes_it_with_a_count_only(
    style: Checkpoint, sources: list[Case], at_hand: None, twin: Any, monkeypatch: Any
) -> None:
    copying(monkeypatch, twin, 4)
    command("generate", "stylegan2", "--count", 1, "--seed", 4, "--exclude-copies")
    samples = GenerationRun.objects.get().record["samples"]
    assert samples["left_out"]["seeds"] == [4]
    with pytest.raises(CommandError, match="goes with --count"):
        command("generate", "stylegan2", "--film", 2, "--exclude-copies")
