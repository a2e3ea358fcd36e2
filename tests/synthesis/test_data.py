"""Subjects, splits and crops."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from synthesis.data.hashing import canonical_json, content_sha256, file_sha256
from synthesis.data.layout import bounding_box, padded_to_multiple, slice_channels
from synthesis.data.sampling import HeldSubject, SliceSampler, hold
from synthesis.data.splits import Split, SplitEntry, draw_parts
from synthesis.data.subjects import (
    DataError,
    content_hashes,
    find_subjects,
    load_subject,
    load_volume,
    zscore,
)

from .conftest import make_volumes, write_nifti, write_subject

ROLES = ("t1", "t2", "flair", "t1c")
INPUTS = ROLES[:3]


def test_finds_complete_subjects_and_says_why_others_are_left_out(tmp_path: Path) -> None:
    volumes = make_volumes(0)
    write_subject(tmp_path / "b", volumes)
    write_subject(tmp_path / "a", {role: volumes[role] for role in ("t1", "flair")})
    found = find_subjects(tmp_path, ROLES)
    assert [files.name for files in found.subjects] == ["b"]
    assert found.skipped == {"a": "no t2, t1c"}


def test_common_names_of_sequences_are_understood(tmp_path: Path) -> None:
    for name in ("t1.nii.gz", "x-t1ce.nii.gz", "T2w.nii.gz", "flair.nii.gz", "seg.nii.gz"):
        write_nifti(tmp_path / "case" / name, make_volumes(0)["t1"])
    (files,) = find_subjects(tmp_path, ROLES).subjects
    assert {role: path.name for role, path in files.paths.items()} == {
        "t1": "t1.nii.gz",
        "t1c": "x-t1ce.nii.gz",
        "t2": "T2w.nii.gz",
        "flair": "flair.nii.gz",
    }


def test_two_files_for_one_sequence_are_refused(tmp_path: Path) -> None:
    write_subject(tmp_path / "case", make_volumes(0))
    write_nifti(tmp_path / "case" / "t1.nii.gz", make_volumes(0)["t1"])
    with pytest.raises(DataError, match="case has two files for t1"):
        find_subjects(tmp_path, ROLES)


def test_a_folder_without_complete_subjects_is_refused(tmp_path: Path) -> None:
    write_nifti(tmp_path / "case" / "t1n.nii.gz", make_volumes(0)["t1"])
    with pytest.raises(DataError, match="case: no t2, flair, t1c"):
        find_subjects(tmp_path, ROLES)
    with pytest.raises(DataError, match="no folder 'nowhere'"):
        find_subjects(tmp_path / "nowhere", ROLES)


@pytest.mark.parametrize("code", ["RAS", "LPS", "LAS", "PIR", "ASL"])
def test_any_orientation_on_disk_becomes_ras(tmp_path: Path, code: str) -> None:
    xyz = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = (-7.0, 11.0, 13.0)
    ras = nib.Nifti1Image(xyz, affine)
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(tuple(code))
    )
    nib.save(ras.as_reoriented(turn), tmp_path / "t1.nii.gz")
    loaded = load_volume(tmp_path / "t1.nii.gz")
    np.testing.assert_array_equal(loaded.values, xyz.transpose(2, 1, 0))
    np.testing.assert_allclose(loaded.affine, affine, atol=1e-5)
    assert loaded.file_sha256 == file_sha256(tmp_path / "t1.nii.gz")


def test_brain_mask_comes_from_the_inputs_only(cohort: Path) -> None:
    files = find_subjects(cohort, ROLES).subjects[0]
    subject = load_subject(files, inputs=("t1", "t2"))
    expected = (subject.raw["t1"] != 0) | (subject.raw["t2"] != 0)
    np.testing.assert_array_equal(subject.mask, expected)
    assert subject.spacing_mm == (2.0, 1.0, 1.0)


def test_different_grids_are_refused(tmp_path: Path) -> None:
    volumes = make_volumes(0)
    write_subject(tmp_path / "case", volumes)
    write_nifti(tmp_path / "case" / "t2w.nii.gz", volumes["t2"], np.diag([1.0, 1.0, 2.5, 1.0]))
    (files,) = find_subjects(tmp_path, ROLES).subjects
    with pytest.raises(DataError, match="Subject case: t2 and t1 are on different grids"):
        load_subject(files, inputs=INPUTS)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    write_subject(tmp_path / "case", make_volumes(0))
    path = tmp_path / "case" / "t2w.nii.gz"
    path.write_bytes(path.read_bytes()[:200])
    (files,) = find_subjects(tmp_path, ROLES).subjects
    with pytest.raises(DataError, match=r"Subject case: t2w\.nii\.gz"):
        load_subject(files, inputs=INPUTS)


def test_zscore_uses_non_zero_voxels_and_keeps_zeros() -> None:
    values = np.array([0, 2, 4, 6, 8, 0], dtype=np.int16).reshape(1, 2, 3)
    normalised = zscore(values)
    assert normalised.mean == 5.0
    assert normalised.sd == pytest.approx(np.sqrt(5.0))
    expected = np.array([0, -3, -1, 1, 3, 0]) / np.sqrt(5.0)
    np.testing.assert_allclose(normalised.z.ravel(), expected, rtol=1e-6)
    back = normalised.z * normalised.sd + normalised.mean
    np.testing.assert_allclose(back[values != 0], values[values != 0], rtol=1e-6)


@pytest.mark.parametrize("values", [np.zeros((2, 2, 2)), np.full((2, 2, 2), 3.0)])
def test_zscore_of_a_constant_is_refused(values: np.ndarray) -> None:
    with pytest.raises(DataError, match="x has no variation"):
        zscore(values, name="x")


def test_content_hash_is_of_values_shape_and_type() -> None:
    values = np.arange(6, dtype="<i2").reshape(2, 3)
    assert content_sha256(values) == content_sha256(values.astype(">i2"))
    assert content_sha256(values) == content_sha256(np.asfortranarray(values))
    assert content_sha256(values) != content_sha256(values.reshape(3, 2))
    assert content_sha256(values) != content_sha256(values.astype("<i4"))


def test_canonical_json_has_one_spelling() -> None:
    assert canonical_json({"b": 1, "a": [1.5, "é"]}) == '{"a":[1.5,"é"],"b":1}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": float("nan")})


def test_split_holds_out_the_asked_share_of_subjects() -> None:
    names = [f"s{i}" for i in range(10)]
    parts = draw_parts(names, validation_fraction=0.2, seed=3)
    assert sorted(parts) == names
    assert sum(part == "validation" for part in parts.values()) == 2
    assert parts == draw_parts(names[::-1], validation_fraction=0.2, seed=3)
    assert any(parts != draw_parts(names, validation_fraction=0.2, seed=s) for s in range(4, 8))


def test_split_always_trains_on_some_and_holds_out_one() -> None:
    for fraction in (0.01, 0.99):
        parts = draw_parts(["a", "b"], validation_fraction=fraction, seed=0)
        assert sorted(parts.values()) == ["train", "validation"]
    with pytest.raises(DataError, match="at least two"):
        draw_parts(["a"], validation_fraction=0.2, seed=0)
    with pytest.raises(DataError, match="between 0 and 1"):
        draw_parts(["a", "b"], validation_fraction=1.0, seed=0)


def split() -> Split:
    entry = SplitEntry("a", "train", {"t1": "f0"}, {"t1": "c0"})
    return Split(0, 0.2, (entry, SplitEntry("b", "validation", {"t1": "f1"}, {"t1": "c1"})))


def test_split_survives_json_and_refuses_a_change() -> None:
    stored = split().to_dict()
    assert Split.from_dict(stored) == split()
    assert split().names("validation") == ["b"]
    stored["subjects"][1]["part"] = "train"
    with pytest.raises(DataError, match="has been changed"):
        Split.from_dict(stored)
    with pytest.raises(DataError, match="schema"):
        Split.from_dict({})


def coordinates(shape: tuple[int, int, int] = (5, 20, 18)) -> HeldSubject:
    """A subject whose three inputs are its own z, y and x indices."""
    z, y, x = np.indices(shape).astype(np.float16)
    mask = np.ones(shape, dtype=bool)
    brain = np.argwhere(mask).astype(np.int16)
    return HeldSubject(np.stack([z, y, x]), z * 2, mask, brain, np.array([[2, 9, 7]], np.int16))


def sampler(subject: HeldSubject, **changes: object) -> SliceSampler:
    settings: dict[str, object] = {
        "batch": 16,
        "crop": (8, 6),
        "neighbours": 0,
        "focus": 0.0,
        "mirror": False,
        "seed": 5,
    }
    return SliceSampler([subject], **{**settings, **changes})  # type: ignore[arg-type]


def test_crops_are_contiguous_pieces_with_their_own_truth() -> None:
    batch = sampler(coordinates()).draw(0)
    assert batch.inputs.shape == (16, 3, 8, 6)
    assert batch.truth.shape == batch.mask.shape == (16, 1, 8, 6)
    np.testing.assert_array_equal(batch.truth[:, 0], 2 * batch.inputs[:, 0])
    np.testing.assert_array_equal(np.diff(batch.inputs[:, 1], axis=1), 1)
    np.testing.assert_array_equal(np.diff(batch.inputs[:, 2], axis=2), 1)
    assert len(np.unique(batch.inputs[:, 0])) > 2


def test_batch_depends_on_seed_and_step_only() -> None:
    first = sampler(coordinates())
    first.draw(0)
    np.testing.assert_array_equal(first.draw(7).inputs, sampler(coordinates()).draw(7).inputs)
    assert not np.array_equal(first.draw(7).inputs, first.draw(8).inputs)
    other = sampler(coordinates(), seed=6)
    assert not np.array_equal(first.draw(7).inputs, other.draw(7).inputs)


def test_mirror_turns_some_crops_round() -> None:
    batch = sampler(coordinates(), mirror=True).draw(0)
    steps = np.diff(batch.inputs[:, 2], axis=2)[:, 0, 0]
    assert set(steps) == {-1.0, 1.0}


def test_focus_centres_crops_on_bright_voxels() -> None:
    batch = sampler(coordinates(), focus=1.0).draw(0)
    assert (batch.inputs[:, 0] == 2).all()
    seen = (batch.inputs[:, 1] == 9) & (batch.inputs[:, 2] == 7)
    assert seen.any(axis=(1, 2)).all()


def test_what_lies_beyond_a_small_brain_is_zero() -> None:
    batch = sampler(coordinates((5, 6, 18)), crop=(8, 8)).draw(0)
    assert (batch.mask.sum(axis=2) == 6).all()
    assert (batch.inputs[:, 2][batch.mask[:, 0] == 0] == 0).all()


def test_neighbours_lie_together_and_stop_at_the_ends() -> None:
    volumes = np.stack([np.arange(4), 10 + np.arange(4)])[:, :, None, None]
    assert slice_channels(volumes, 2, 1).ravel().tolist() == [1, 2, 3, 11, 12, 13]
    assert slice_channels(volumes, 0, 1).ravel().tolist() == [0, 0, 1, 10, 10, 11]
    assert slice_channels(volumes, 3, 0).ravel().tolist() == [3, 13]


def test_holding_crops_to_the_brain_and_finds_contrast(cohort: Path) -> None:
    files = find_subjects(cohort, ROLES).subjects[0]
    subject = load_subject(files, inputs=INPUTS)
    held = hold(subject, inputs=INPUTS, target="t1c", reference="t1", focus_threshold=1.0)
    box = bounding_box(subject.mask)
    assert held.inputs.shape == (3, *subject.mask[box].shape)
    np.testing.assert_allclose(held.inputs[2], subject.normalised("flair").z[box], atol=2e-3)
    brighter = subject.normalised("t1c").z[box] - subject.normalised("t1").z[box] > 1.0
    assert brighter[tuple(held.focus.T)].all()
    assert len(held.focus) == (brighter & subject.mask[box]).sum()


def test_box_and_padding() -> None:
    mask = np.zeros((4, 5, 6), dtype=bool)
    mask[1, 2:4, 3] = True
    mask[2, 2, 5] = True
    assert bounding_box(mask) == (slice(1, 3), slice(2, 4), slice(3, 6))
    with pytest.raises(ValueError, match="empty"):
        bounding_box(np.zeros((2, 2), dtype=bool))
    padded = padded_to_multiple(np.ones((2, 5, 8)), 4)
    assert padded.shape == (2, 8, 8)
    assert padded.sum() == 80


def test_fingerprints_of_a_subject_tell_sequences_apart(cohort: Path) -> None:
    files = find_subjects(cohort, ROLES).subjects[0]
    subject = load_subject(files, inputs=INPUTS)
    contents = content_hashes(subject)
    assert len(set(contents.values())) == len(set(subject.file_sha256.values())) == 4
    assert contents["t2"] == content_sha256(subject.raw["t2"])
