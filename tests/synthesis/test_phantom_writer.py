"""Folders of made-up patients."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from synthesis.phantom import writer
from synthesis.phantom.subject import Subject

SHAPE = (4, 5, 6)


def tiny_subject(seed: int = 1) -> Subject:
    """Eight numbers that a patient needs, without growing one."""
    rng = np.random.default_rng(seed)
    brain = np.zeros(SHAPE, np.uint8)
    brain[1:3, 1:4, 1:5] = 1
    volumes = {
        name: (rng.integers(1, 900, SHAPE) * brain).astype(np.int16)
        for name in ("t1", "t1c", "t2", "flair")
    }
    masks = {
        name: np.zeros(SHAPE, np.uint8) for name in ("tumour", "enhancing", "necrosis", "oedema")
    }
    masks["oedema"][1, 1:4, 1:5] = 1
    masks["tumour"][1, 2, 1:4] = masks["enhancing"][1, 2, 1:4] = 1
    masks["enhancing"][1, 2, 2], masks["necrosis"][1, 2, 2] = 0, 1
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = (-10.0, -20.0, -30.0)
    return Subject(volumes, masks, brain, affine, {"seed": seed, "lesion": "glioma"})


@pytest.fixture
def no_growing(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Replace the patient by a tiny one and count how many were made."""
    made: list[int] = []

    def fake(seed: int, **_: object) -> Subject:
        made.append(seed)
        return tiny_subject(seed)

    monkeypatch.setattr(writer, "make_subject", fake)
    return made


def test_files_hold_arrays_geometry_and_nothing_else(tmp_path: Path) -> None:
    subject = tiny_subject()
    writer.write_subject(subject, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        "t1n.nii.gz", "t1c.nii.gz", "t2w.nii.gz", "t2f.nii.gz", "seg.nii.gz", "description.json",
    }  # fmt: skip
    image = nib.load(tmp_path / "t2f.nii.gz")
    assert image.get_data_dtype() == np.int16
    assert np.array_equal(np.asarray(image.dataobj).transpose(2, 1, 0), subject.sequences["flair"])
    np.testing.assert_allclose(image.affine, subject.affine)
    header = image.header
    assert header.get_xyzt_units()[0] == "mm"
    assert (int(header["qform_code"]), int(header["sform_code"])) == (1, 1)
    assert bytes(header["descrip"]).strip(b"\0") == b""
    assert len(header.extensions) == 0


def test_labels_follow_brats(tmp_path: Path) -> None:
    writer.write_subject(tiny_subject(), tmp_path)
    labels = np.asarray(nib.load(tmp_path / "seg.nii.gz").dataobj).transpose(2, 1, 0)
    assert labels[1, 2, 1] == 3
    assert labels[1, 2, 2] == 1
    assert labels[1, 1, 1] == 2
    assert labels[0].max() == 0


def test_truth_can_be_left_out(tmp_path: Path) -> None:
    writer.write_subject(tiny_subject(), tmp_path, include_masks=False)
    assert {p.name for p in tmp_path.iterdir()} == {
        f"{n}.nii.gz" for n in ("t1n", "t1c", "t2w", "t2f")
    }


def test_same_subject_gives_the_same_bytes(tmp_path: Path) -> None:
    writer.write_subject(tiny_subject(), tmp_path / "a")
    writer.write_subject(tiny_subject(), tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_cohort_names_folders_by_seed_and_reports(tmp_path: Path, no_growing: list[int]) -> None:
    seen: list[tuple[int, int, str]] = []
    folders = writer.write_cohort(
        tmp_path, [3, 12], workers=1, progress=lambda *told: seen.append(told)
    )
    assert [folder.name for folder in folders] == ["phantom-0003", "phantom-0012"]
    assert seen == [(1, 2, "phantom-0003"), (2, 2, "phantom-0012")]
    assert json.loads((folders[1] / "description.json").read_text())["seed"] == 12
    assert not list(tmp_path.glob(".*"))


def test_cohort_makes_only_what_is_missing(tmp_path: Path, no_growing: list[int]) -> None:
    writer.write_cohort(tmp_path, [1, 2], workers=1)
    writer.write_cohort(tmp_path, [1, 2, 3], workers=1)
    assert no_growing == [1, 2, 3]


def test_left_over_partial_folder_is_replaced(tmp_path: Path, no_growing: list[int]) -> None:
    partial = tmp_path / ".phantom-0001.partial"
    partial.mkdir()
    (partial / "t1n.nii.gz").write_bytes(b"half")
    folders = writer.write_cohort(tmp_path, [1], workers=1)
    assert nib.load(folders[0] / "t1n.nii.gz").shape == SHAPE[::-1]


def test_incomplete_folder_is_not_touched(tmp_path: Path, no_growing: list[int]) -> None:
    (tmp_path / "phantom-0001").mkdir()
    with pytest.raises(FileExistsError, match="move or delete it"):
        writer.write_cohort(tmp_path, [1], workers=1)
    assert no_growing == []


@pytest.mark.parametrize(("seeds", "workers"), [([1, 1], 1), ([1], 0)])
def test_wrong_order_is_refused(tmp_path: Path, seeds: list[int], workers: int) -> None:
    with pytest.raises(ValueError, match=r"twice|at least 1"):
        writer.write_cohort(tmp_path, seeds, workers=workers)
