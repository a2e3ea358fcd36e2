"""Files against files: two, or two folders; what does not fit is refused, nothing is left out."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from django.core.management import CommandError, call_command

SHAPE = (6, 7, 8)


def write(path: Path, values: np.ndarray, spacing: float = 1.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    nib.save(nib.Nifti1Image(values.astype(np.float32), affine), path)
    return path


@pytest.fixture
def images() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    truth = rng.uniform(10, 100, SHAPE)
    truth[:2] = 0
    return truth + rng.normal(0, 3, SHAPE), truth


def run(*arguments: object) -> str:
    out = io.StringIO()
    call_command("score", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_two_files_are_scored_without_a_database(tmp_path, images):
    made, truth = images
    paths = write(tmp_path / "made.nii.gz", made), write(tmp_path / "true.nii.gz", truth)
    found = json.loads(run(*paths, "--preset", "plain", "--json"))
    scores = {row["metric"]: row["value"] for row in found["scores"]}
    inside = truth != 0
    off = (made - truth)[inside]
    assert scores["mae"] == pytest.approx(np.abs(off).mean(), rel=1e-5)
    assert scores["rmse"] == pytest.approx(np.sqrt((off**2).mean()), rel=1e-5)
    assert {row["voxels"] for row in found["scores"]} == {int(inside.sum())}


def test_folders_are_joined_by_name_and_written_as_csv(tmp_path, images):
    made, truth = images
    for number in range(3):
        write(tmp_path / f"made/case-{number}/t1c.nii.gz", made + number)
        write(tmp_path / f"true/case-{number}/t1c.nii.gz", truth)
    table = tmp_path / "scores.csv"
    folders = tmp_path / "made", tmp_path / "true"
    said = run(*folders, "--preset", "plain", "--csv", table)
    assert "n = 3" in said
    rows = list(csv.DictReader(io.StringIO(table.read_text(encoding="utf-8"))))
    mae = [float(row["value"]) for row in rows if row["metric"] == "mae"]
    inside = truth != 0
    wanted = [np.abs((made + number - truth)[inside]).mean() for number in range(3)]
    assert mae == pytest.approx(wanted, rel=1e-5)
    assert {row["image"] for row in rows} == {f"case-{number}/t1c.nii.gz" for number in range(3)}


def test_a_mask_and_label_maps_say_where(tmp_path, images):
    made, truth = images
    paths = write(tmp_path / "made.nii.gz", made), write(tmp_path / "true.nii.gz", truth)
    mask, labels = np.zeros(SHAPE), np.zeros(SHAPE)
    mask[3:] = 1
    labels[3, 2:4, 2:4] = 4
    where = (
        *("--mask", write(tmp_path / "mask.nii.gz", mask)),
        *("--label-maps", write(tmp_path / "labels.nii.gz", labels)),
    )
    regions = ("--regions", "brain", "enhancing", "core")
    found = json.loads(run(*paths, "--preset", "plain", *where, *regions, "--json"))
    mae = {r["region"]: r["value"] for r in found["scores"] if r["metric"] == "mae"}
    assert mae["brain"] == pytest.approx(np.abs(made - truth)[mask > 0].mean(), rel=1e-5)
    assert mae["enhancing"] == pytest.approx(np.abs(made - truth)[labels == 4].mean(), rel=1e-5)
    assert mae["core"] == mae["enhancing"]


def test_images_of_two_scales_are_brought_to_one(tmp_path, images):
    _, truth = images
    paths = write(tmp_path / "made.nii.gz", 3 * truth + 50), write(tmp_path / "true.nii.gz", truth)
    found = json.loads(run(*paths, "--preset", "plain", "--zscores", "--json"))
    (mae,) = (row["value"] for row in found["scores"] if row["metric"] == "mae")
    assert mae == pytest.approx(0, abs=1e-5)


def test_what_does_not_fit_is_refused_in_words(tmp_path, images):
    made, truth = images
    true = write(tmp_path / "true/a.nii.gz", truth)
    coarse = write(tmp_path / "other/a.nii.gz", made, spacing=2.0)
    write(tmp_path / "more/a.nii.gz", made)
    write(tmp_path / "more/b.nii.gz", made)
    with pytest.raises(CommandError, match="another grid"):
        run(coarse, true)
    with pytest.raises(CommandError, match=r"same names: b\.nii\.gz"):
        run(tmp_path / "more", tmp_path / "true")
    with pytest.raises(CommandError, match="two files or two folders"):
        run(tmp_path / "more", true)
    with pytest.raises(CommandError, match="name --label-maps"):
        run(tmp_path / "more/a.nii.gz", true, "--regions", "core")
    with pytest.raises(CommandError, match="There is no file or folder"):
        run(tmp_path / "nothing", true)
