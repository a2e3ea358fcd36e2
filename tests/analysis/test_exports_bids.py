"""BIDS files of any images: names, maps that BIDS has no suffix for, and the real validator."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import nibabel
import numpy as np
import pytest

from readerstudy.analysis.exports.bids import Labels, ShownImage, bids_files, nifti_of
from tests.analysis import making

AFFINE = np.array([[0.9, 0, 0.1, -3], [0, 1.1, 0, 4], [-0.1, 0, 2, 5], [0, 0, 0, 1.0]])


def images():
    cases = (("0412", "S-1", "real", ""), ("0583", "S1", "synthetic", "gan-7"))
    for case, subject, origin, generator in cases:
        for role in ("t1", "t1c", "cbv"):
            unit = "mL/100 g" if role == "cbv" else ""
            array = np.arange(4 * 5 * 6, dtype="<i2").reshape(4, 5, 6)
            yield ShownImage(case, subject, role, origin, generator, array, AFFINE, unit=unit)


@pytest.fixture
def folder(tmp_path) -> Path:
    data = making.dataset([], [])
    for name, content in bids_files(data, images(), software="readerstudy 0.1.0"):
        path = tmp_path / "bids" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "bids"


def test_the_bids_validator_finds_no_error(folder):
    program = os.environ.get("READERSTUDY_BIDS_VALIDATOR") or shutil.which("bids-validator-deno")
    if not program:
        pytest.skip("bids-validator-deno is not installed (or READERSTUDY_BIDS_VALIDATOR names it)")
    told = subprocess.run(
        [program, "--json", str(folder)], capture_output=True, text=True, timeout=120, check=False
    )
    found = json.loads(told.stdout)
    errors = [one for one in found["issues"]["issues"] if one["severity"] == "error"]
    assert errors == []
    assert found["summary"]["totalFiles"] > 8


def test_names_sidecars_and_maps(folder):
    names = {str(path.relative_to(folder)) for path in folder.rglob("*.nii.gz")}
    assert names == {
        "sub-S1/ses-0412/anat/sub-S1_ses-0412_desc-real_T1w.nii.gz",
        "sub-S1/ses-0412/anat/sub-S1_ses-0412_ce-gadolinium_desc-real_T1w.nii.gz",
        "sub-S1/ses-0412/maps/sub-S1_ses-0412_desc-real_cbv.nii.gz",
        "sub-S1n2/ses-0583/anat/sub-S1n2_ses-0583_desc-synthetic_T1w.nii.gz",
        "sub-S1n2/ses-0583/anat/sub-S1n2_ses-0583_ce-gadolinium_desc-synthetic_T1w.nii.gz",
        "sub-S1n2/ses-0583/maps/sub-S1n2_ses-0583_desc-synthetic_cbv.nii.gz",
    }
    sidecar = json.loads(next(folder.rglob("*synthetic_cbv.json")).read_text())
    assert (sidecar["Synthetic"], sidecar["Generator"]) == (True, "gan-7")
    assert sidecar["Units"] == "mL/100 g"
    real = json.loads(next(folder.rglob("*real_cbv.json")).read_text())
    assert real["Synthetic"] is False
    assert "Generator" not in real
    people = (folder / "participants.tsv").read_text().splitlines()
    assert people[1:] == ["sub-S1\t1\t1\t0", "sub-S1n2\t1\t0\t1"]


def test_the_same_image_makes_the_same_bytes_and_nibabel_reads_it():
    (image, *_) = images()
    content = nifti_of(image)
    assert content == nifti_of(image)
    read = nibabel.Nifti1Image.from_bytes(gzip.decompress(content))
    assert np.array_equal(np.asarray(read.dataobj), image.array.transpose(2, 1, 0))
    assert read.affine == pytest.approx(np.diag([-1, -1, 1, 1]) @ AFFINE)
    assert read.header.get_data_dtype() == np.int16


def test_labels_are_plain_and_stay_apart():
    labels = Labels()
    assert [labels.of(one) for one in ("S-1", "S1", "S-1", "--", "é")] == [
        "S1", "S1n2", "S1", "x", "xn2",
    ]  # fmt: skip
