"""Records: they prove their image, and notice every change."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from synthesis.data.hashing import content_sha256
from synthesis.data.subjects import find_subjects, load_subject
from synthesis.generate import generate, load_generator
from synthesis.manifest import (
    GenerationRecord,
    ImageRecord,
    Inputs,
    Pixels,
    RecordError,
    code_version,
    environment,
    image_record,
    regenerate,
    verify,
)
from synthesis.training.loop import TrainingResult

from .conftest import make_volumes

SHAPE = (2, 3, 4)


@dataclass
class Doubler:
    """Stands in for a network: twice the input, plus the seed, plus a fault."""

    weights_sha256: str = "w"
    fault: int = 0

    def volume(self, inputs: Inputs, *, seed: int) -> Pixels:
        made = 2 * inputs["t1"] + seed
        made[0, 0, 0] += self.fault
        return made.astype(np.int16)


def sources() -> dict[str, npt.NDArray[np.int16]]:
    return {"t1": np.arange(24, dtype=np.int16).reshape(SHAPE)}


def recorded() -> tuple[GenerationRecord, str, Pixels]:
    pixels = Doubler().volume(sources(), seed=5)
    image = image_record(sources(), pixels, seed=5)
    record = GenerationRecord({"weights_sha256": "w"}, environment("cpu"), (image,))
    return record, image.uuid, pixels


def test_a_stored_record_makes_its_volume_again(
    finished: TrainingResult, cohort: Path, tmp_path: Path
) -> None:
    result = generate(finished.run_dir, cohort, tmp_path, subjects=["case-2"], seed=11)
    stored = json.loads((tmp_path / "generation.json").read_text())
    record = GenerationRecord.from_dict(stored)
    generator = load_generator(finished.run_dir)
    (files,) = [
        f for f in find_subjects(cohort, ("t1", "t2", "flair")).subjects if f.name == "case-2"
    ]
    raw = load_subject(files, inputs=("t1",)).raw
    (image,) = record.images
    check = verify(record, image.uuid, generator, raw)
    assert check.reproduced
    assert check.exact
    assert content_sha256(regenerate(record, image.uuid, generator, raw)) == image.pixel_sha256
    assert record == result.record
    assert image.seed == 11
    assert image.sources_seen_as in ("train", "validation")


def test_another_thread_count_stays_within_one_grey_level(finished: TrainingResult) -> None:
    volumes = make_volumes(8)
    raw = {role: volumes[role] for role in ("t1", "t2", "flair")}
    generator = load_generator(finished.run_dir)
    pixels = generator.volume(raw, seed=0)
    image = image_record(raw, pixels, seed=0)
    record = GenerationRecord(generator.describe(), environment("cpu"), (image,))
    torch.set_num_threads(2)
    try:
        check = verify(record, image.uuid, generator, raw, pixels=pixels, tolerance=1)
    finally:
        torch.set_num_threads(1)
    assert check.reproduced


def test_record_round_trips_through_json_and_has_a_fingerprint() -> None:
    record, _, _ = recorded()
    stored = json.loads(json.dumps(record.to_dict()))
    assert GenerationRecord.from_dict(stored) == record
    body = {key: value for key, value in stored.items() if key != "sha256"}
    spelt = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert stored["sha256"] == hashlib.sha256(spelt.encode()).hexdigest()


def test_a_changed_record_is_refused() -> None:
    stored = recorded()[0].to_dict()
    stored["images"][0]["seed"] = 6
    with pytest.raises(RecordError, match="does not match its fingerprint"):
        GenerationRecord.from_dict(stored)
    with pytest.raises(RecordError, match="schema"):
        GenerationRecord.from_dict({"schema": "other"})


def test_verification_passes_only_the_recorded_image() -> None:
    record, image, pixels = recorded()
    assert verify(record, image, Doubler(), sources()).exact
    faulty = Doubler(fault=1)
    assert not verify(record, image, faulty, sources()).reproduced
    assert verify(record, image, faulty, sources()).max_difference is None
    near = verify(record, image, faulty, sources(), pixels=pixels, tolerance=1)
    assert near.reproduced
    assert not near.exact
    assert near.max_difference == 1
    assert not verify(record, image, faulty, sources(), pixels=pixels).reproduced
    with pytest.raises(RecordError, match="not the one the record describes"):
        verify(record, image, faulty, sources(), pixels=pixels + 1)


def test_other_weights_or_inputs_are_refused() -> None:
    record, image, _ = recorded()
    with pytest.raises(RecordError, match="other weights"):
        regenerate(record, image, Doubler(weights_sha256="x"), sources())
    changed = sources()
    changed["t1"][1, 2, 3] += 1
    with pytest.raises(RecordError, match="t1 is not the image"):
        regenerate(record, image, Doubler(), changed)
    with pytest.raises(RecordError, match="t1 is missing"):
        regenerate(record, image, Doubler(), {})
    with pytest.raises(RecordError, match="no image"):
        regenerate(record, "other", Doubler(), sources())


def test_image_record_tells_where_the_network_met_its_source() -> None:
    pixels = np.zeros(SHAPE, dtype=np.int16)
    t1 = content_sha256(sources()["t1"])
    assert image_record(sources(), pixels, seed=0).sources_seen_as == "unseen"
    seen = image_record(sources(), pixels, seed=0, seen={t1: "validation"})
    assert seen.sources_seen_as == "validation"
    two = {**sources(), "t2": pixels}
    both = {t1: "validation", content_sha256(pixels): "train"}
    assert image_record(two, pixels, seed=0, seen=both).sources_seen_as == "train"


def test_uuid_is_random_and_says_nothing() -> None:
    pixels = np.zeros(SHAPE, dtype=np.int16)
    first, second = (image_record(sources(), pixels, seed=0) for _ in range(2))
    assert first.uuid != second.uuid
    assert uuid.UUID(first.uuid).version == 4
    assert replace(first, uuid="") == replace(second, uuid="")
    assert isinstance(first, ImageRecord)


def test_environment_names_versions_but_no_path() -> None:
    facts = environment("cpu")
    assert facts["torch"] == torch.__version__
    assert facts["device_type"] == "cpu"
    assert facts["code_version"] == code_version() != ""
    assert not any("/" in str(value) for value in facts.values())
