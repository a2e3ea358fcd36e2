"""Generation: whole volumes, files, and what they are marked with."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from synthesis.data.hashing import content_sha256
from synthesis.data.subjects import DataError, find_subjects, load_subject, zscore
from synthesis.generate import (
    generate,
    generate_volume,
    load_generator,
    nifti_bytes,
    predict,
)
from synthesis.levels import OutputMapping
from synthesis.networks import build
from synthesis.networks.unet2d import UNet2DConfig
from synthesis.training.checkpoints import CheckpointError, save_weights
from synthesis.training.loop import TrainingResult

from .conftest import NAMES, Volumes, make_volumes, write_nifti, write_subject

CONFIG = UNet2DConfig(width=4, levels=2, neighbours=1)


def network(*, trained: bool = True) -> torch.nn.Module:
    torch.manual_seed(3)
    made = build("unet2d-t1c", width=4, levels=2, neighbours=1)["generator"]
    if trained:
        torch.nn.init.normal_(made.head.weight, std=0.5)
    return made


def inputs(seed: int = 0) -> Volumes:
    volumes = make_volumes(seed)
    return {role: volumes[role] for role in ("t1", "t2", "flair")}


def test_mapping_by_hand() -> None:
    z = np.array([[[0.0, 1.0, -5.0, 100.0, 0.0024, 1.0]]], dtype=np.float32)
    mask = np.array([[[True, True, True, True, True, False]]])
    levels = OutputMapping().apply(z, mask)
    assert levels.dtype == np.int16
    assert levels.ravel().tolist() == [1000, 1200, 1, 4095, 1000, 0]


def test_an_untrained_network_gives_t1_in_grey_levels() -> None:
    sources = inputs()
    volume = generate_volume(network(trained=False), CONFIG, sources)
    z = zscore(sources["t1"]).z
    brain = np.any([v != 0 for v in sources.values()], axis=0)
    expected = np.where(brain, np.clip(np.rint(1000 + 200 * z), 1, 4095), 0)
    np.testing.assert_array_equal(volume, expected)


def test_volume_is_deterministic_and_zero_outside_the_brain() -> None:
    made, sources = network(), inputs()
    volume = generate_volume(made, CONFIG, sources, seed=1)
    assert volume.shape == sources["t1"].shape
    assert volume.dtype == np.int16
    np.testing.assert_array_equal(volume, generate_volume(made, CONFIG, sources, seed=2))
    brain = sources["t1"] != 0
    assert (volume[brain] >= 1).all()
    assert (volume[~brain] == 0).all()
    assert not np.array_equal(volume, generate_volume(made, CONFIG, inputs(1), seed=1))


def test_gain_and_offset_of_the_scanner_do_not_matter() -> None:
    made, sources = network(), inputs()
    rescaled = {role: np.where(v != 0, 3 * v + 500, 0) for role, v in sources.items()}
    before = generate_volume(made, CONFIG, sources).astype(int)
    assert np.abs(before - generate_volume(made, CONFIG, rescaled)).max() <= 1


def test_slices_do_not_depend_on_their_batch() -> None:
    made, sources = network(), inputs()
    mask = np.ones(sources["t1"].shape, dtype=bool)
    z = {role: zscore(v).z for role, v in sources.items()}
    whole = predict(made, CONFIG, z, mask)
    stack = torch.from_numpy(np.stack([z[role][1:4] for role in CONFIG.inputs]))
    with torch.inference_mode():
        alone = made(stack.reshape(1, 9, *mask.shape[1:]))[0, 0].numpy()
    np.testing.assert_allclose(whole[2], alone, atol=1e-5)


def test_prediction_leaves_the_network_in_its_mode() -> None:
    made = network().train()
    generate_volume(made, CONFIG, inputs())
    assert made.training


def test_missing_or_unequal_inputs_are_refused() -> None:
    sources = inputs()
    del sources["t2"]
    with pytest.raises(ValueError, match="needs t1, t2, flair; t2 is missing"):
        generate_volume(network(), CONFIG, sources)
    sources["t2"] = sources["t1"][1:]
    with pytest.raises(ValueError, match="one shape"):
        generate_volume(network(), CONFIG, sources)
    with pytest.raises(DataError, match="zero everywhere"):
        generate_volume(network(), CONFIG, {r: np.zeros((2, 4, 4)) for r in CONFIG.inputs})


def test_generator_comes_back_from_safetensors_and_json(finished: TrainingResult) -> None:
    generator = load_generator(finished.run_dir)
    assert generator.weights_sha256 == finished.weights_sha256
    assert generator.preset == "unet2d-t1c"
    assert generator.config.width == 4
    assert not generator.network.training
    alone = load_generator(finished.run_dir / "weights.safetensors")
    sources = inputs(5)
    np.testing.assert_array_equal(generator.volume(sources, seed=0), alone.volume(sources, seed=0))


def test_generator_knows_the_images_of_its_run(finished: TrainingResult, cohort: Path) -> None:
    generator = load_generator(finished.run_dir)
    split = json.loads((finished.run_dir / "split.json").read_text())
    parts = {s["name"]: s["part"] for s in split["subjects"]}
    for files in find_subjects(cohort, ("t1", "t2", "flair")).subjects:
        subject = load_subject(files, inputs=("t1",))
        for values in subject.raw.values():
            assert generator.seen[content_sha256(values)] == parts[files.name]


def test_a_weights_file_that_is_not_ours_is_refused(
    finished: TrainingResult, tmp_path: Path
) -> None:
    path = tmp_path / "weights.safetensors"
    save_weights(path, {"w": torch.zeros(1)}, {})
    with pytest.raises(CheckpointError, match="not written by this program"):
        load_generator(path)
    facts = {"format": "readerstudy-weights/1", "preset": "unet2d-t1c", "network": {}}
    save_weights(path, {"w": torch.zeros(1)}, facts)
    with pytest.raises(CheckpointError, match="does not fit this version"):
        load_generator(path)
    save_weights(path, {"w": torch.zeros(1)}, {**facts, "preset": "unknown"})
    with pytest.raises(CheckpointError, match="Known presets"):
        load_generator(path)
    with pytest.raises(CheckpointError, match=r"not finished\. Resume it"):
        load_generator(tmp_path.parent)


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(1)}, tmp_path / "weights.safetensors")
    with pytest.raises(CheckpointError, match="is a pickle"):
        load_generator(tmp_path)


def test_files_lie_on_the_grid_of_the_source_and_are_marked(
    finished: TrainingResult, cohort: Path, tmp_path: Path
) -> None:
    calls: list[tuple[int, int, str, dict[str, float]]] = []
    result = generate(
        finished.run_dir,
        cohort,
        tmp_path,
        subjects=["case-1"],
        on_progress=lambda *call: calls.append(call),
    )
    assert result.finished
    ((uuid, path),) = result.files.items()
    assert path == tmp_path / "case-1" / "t1c_synthetic.nii.gz"
    image, source = nib.load(path), nib.load(cohort / "case-1" / "t1n.nii.gz")
    np.testing.assert_allclose(image.affine, source.affine)
    assert image.shape == source.shape
    assert image.get_data_dtype() == np.int16
    assert b"SYNTHETIC" in image.header["descrip"].item()
    stored = json.loads((tmp_path / "generation.json").read_text())
    assert stored == result.record.to_dict()
    pixels = np.asarray(image.dataobj).transpose(2, 1, 0)
    assert result.record.image(uuid).pixel_sha256 == content_sha256(np.ascontiguousarray(pixels))
    assert [call[:2] for call in calls] == [(0, 1), (1, 1)]


def test_an_oblique_source_keeps_its_place(finished: TrainingResult, tmp_path: Path) -> None:
    volumes = inputs(4)
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    affine = turn @ np.diag([1.0, 1.0, 2.0, 1.0])
    affine[:3, 3] = (4.0, 5.0, 6.0)
    for role, zyx in volumes.items():
        write_nifti(tmp_path / "data" / "case" / f"{NAMES[role]}.nii.gz", zyx, affine)
    result = generate(finished.run_dir, tmp_path / "data", tmp_path / "out")
    (path,) = result.files.values()
    np.testing.assert_allclose(nib.load(path).affine, affine, atol=1e-5)


def test_target_is_not_needed_and_generation_can_be_stopped(
    finished: TrainingResult, tmp_path: Path
) -> None:
    for name in ("a", "b", "c"):
        write_subject(tmp_path / "data" / name, inputs(ord(name)))
    asked = iter([False, True])
    result = generate(
        finished.run_dir, tmp_path / "data", tmp_path / "out", should_stop=lambda: next(asked)
    )
    assert not result.finished
    assert len(result.files) == len(result.record.images) == 1
    assert [image.sources_seen_as for image in result.record.images] == ["unseen"]


def test_an_unknown_subject_is_refused(
    finished: TrainingResult, cohort: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"case-9.*case-0, case-1, case-2"):
        generate(finished.run_dir, cohort, tmp_path, subjects=["case-9"])


def test_equal_volumes_give_equal_bytes() -> None:
    pixels = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    assert nifti_bytes(pixels, np.eye(4)) == nifti_bytes(pixels.copy(), np.eye(4))
