"""``readerstudy prepare``: files in; image, report and sheet out; errors in words."""

from __future__ import annotations

import json
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from readerstudy.cli import main
from tests.imaging.factories import brain_like, write_nifti

AFFINE = np.diag([-2.0, 2.0, 4.0, 1.0])


@pytest.fixture
def image(tmp_path):
    return write_nifti(tmp_path / "t1.nii.gz", brain_like().T, AFFINE)


def prepare(*words):
    return main(["prepare", *map(str, words)])


def test_a_single_step_writes_image_report_and_sheet(image, tmp_path, capsys):
    out = tmp_path / "made" / "fine.nii.gz"
    assert prepare("resample", "--in", image, "--out", out, "--spacing", 2, 2, 2) == 0
    made = nib.load(out)
    assert made.header.get_zooms() == (2.0, 2.0, 2.0)
    assert made.shape == (36, 40, 24)
    report = json.loads((tmp_path / "made" / "fine.json").read_text())
    assert report["series"]["image"][0]["step"] == "resample"
    assert "SimpleITK" in report["tools"]
    with Image.open(tmp_path / "made" / "fine-check.png") as sheet:
        assert sheet.width > 1000
    assert capsys.readouterr().out.startswith("resample: shape_before")


def test_the_grid_of_another_image_is_taken(image, tmp_path):
    other = write_nifti(tmp_path / "t2.nii.gz", brain_like((24, 20, 18)).T, np.diag([-4, 4, 2, 1]))
    out = tmp_path / "out.nii.gz"
    assert prepare("resample", "--in", image, "--to", other, "--out", out) == 0
    assert nib.load(out).shape == nib.load(other).shape
    spacing = [nib.load(path).header.get_zooms() for path in (out, other)]
    assert spacing[0] == spacing[1]


def test_a_given_mask_serves_normalisation_and_clearing(image, tmp_path):
    mask = np.zeros(brain_like().shape, np.uint8)
    mask[3:9, 10:30, 10:26] = 1
    given = write_nifti(tmp_path / "m.nii.gz", mask.T, AFFINE)
    out = tmp_path / "z.nii.gz"
    assert prepare("normalise", "--in", image, "--mask", given, "--out", out) == 2  # 38 mL
    array = np.asarray(nib.load(out).dataobj)
    inside = array[np.asarray(nib.load(given).dataobj) > 0]
    assert inside.mean() == pytest.approx(0, abs=1e-4)
    alone, kept = tmp_path / "b.nii.gz", tmp_path / "k.nii.gz"
    words = ("brain-mask", "--in", image, "--given-mask", given, "--margin-mm", 0)
    assert prepare(*words, "--out", alone, "--mask-out", kept) == 2
    assert (np.asarray(nib.load(kept).dataobj) == np.asarray(nib.load(given).dataobj)).all()
    assert not np.asarray(nib.load(alone).dataobj)[np.asarray(nib.load(given).dataobj) == 0].any()


def test_a_chain_runs_over_every_case_of_a_folder(tmp_path, capsys):
    for case in ("one", "two"):
        (tmp_path / "in" / case).mkdir(parents=True)
        for role in ("t1", "t2"):
            path = tmp_path / "in" / case / f"{role}.nii.gz"
            write_nifti(path, brain_like(seed=len(case + role)).T, AFFINE)
    chain = tmp_path / "chain.json"
    chain.write_text('[{"step": "reorient"}, {"step": "resample", "spacing_mm": 2}]')
    assert prepare(chain, tmp_path / "in", tmp_path / "out") == 0
    made = sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.nii*"))
    assert made == ["one/t1.nii.gz", "one/t2.nii.gz", "two/t1.nii.gz", "two/t2.nii.gz"]
    assert (tmp_path / "out" / "one" / "t1-check.png").is_file()
    record = json.loads((tmp_path / "out" / "two" / "preparation.json").read_text())
    assert set(record["series"]) == {"t1", "t2"}
    assert capsys.readouterr().out.count("prepared") == 2


def test_a_case_that_fails_leaves_the_others(tmp_path, capsys):
    for case, role in (("one", "t1"), ("two", "t2")):
        (tmp_path / "in" / case).mkdir(parents=True)
        write_nifti(tmp_path / "in" / case / f"{role}.nii.gz", brain_like().T, AFFINE)
    chain = tmp_path / "chain.toml"
    chain.write_text('[[steps]]\nstep = "resample"\nspacing_mm = 2\nroles = ["t1"]\n')
    assert prepare(chain, tmp_path / "in", tmp_path / "out") == 1
    assert (tmp_path / "out" / "one" / "t1.nii.gz").is_file()
    told = capsys.readouterr().err
    assert "two: not prepared" in told
    assert "there is no series t1" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("resample", "--in", "IMAGE", "--out", "OUT"), "needs spacing_mm or to"),
        (("resample", "--in", "no.nii.gz", "--out", "OUT", "--spacing", "1"), "does not exist"),
        (("bias", "--in", "IMAGE", "--out", "OUT", "--fwhm", "7"), "fwhm must lie between"),
        (("presets", "magic"), "no preset magic"),
        (("chain", "none.json", ".", "OUT"), "cannot be read"),
        (("brain-mask", "--in", "IMAGE", "--out", "OUT", "--mask-command", "x {input}"), "lacks"),
    ],
)
def test_wrong_use_is_told_in_words(image, tmp_path, capsys, words, told):
    named = {"IMAGE": str(image), "OUT": str(tmp_path / "out.nii.gz")}
    assert prepare(*[named.get(word, word) for word in words]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"readerstudy prepare {words[0]}: ")
    assert told in error


def test_presets_are_listed_and_printed(capsys):
    assert prepare("presets") == 0
    assert "brats-like" in capsys.readouterr().out
    assert prepare("presets", "brain-only") == 0
    assert json.loads(capsys.readouterr().out)["steps"][-1] == {"step": "brain_mask"}


def test_the_command_line_starts_without_the_imaging_libraries():
    code = (
        "import sys; from readerstudy.cli import build_parser; build_parser();"
        "print([m for m in ('SimpleITK', 'nibabel', 'PIL', 'django') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
