"""Brain masks: computed on heads with a known brain, given, or found by another program."""

from __future__ import annotations

import stat
import sys
import time
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from readerstudy.imaging.preparation import external
from readerstudy.imaging.preparation.brain_mask import (
    UNCERTAIN,
    brain_mask,
    compute_brain_mask,
    find_brain_mask,
    given_brain_mask,
)
from readerstudy.imaging.preparation.faces import brain_only, shows_head
from readerstudy.imaging.preparation.records import PreparationError
from tests.imaging.preparation.heads import as_volume, dice, make_head, rotation, smaller


@pytest.mark.parametrize(
    ("contrast", "settings"),
    [
        ("t1", {"turn": (15, 6, -9), "noise": 0.05, "bias": 0.3, "scale": 0.92}),
        ("t2", {"turn": (-12, 4, 8), "noise": 0.05, "scale": 0.96}),
        ("flair", {"turn": (6, -8, 12), "bias": 0.3, "scale": 0.9, "seed": 3}),
    ],
)
def test_the_brain_is_found_in_tilted_noisy_uneven_heads(contrast, settings):
    head = make_head(contrast, **settings)
    found = compute_brain_mask(head.volume)
    assert dice(found.mask, head.brain) > 0.93
    assert found.certain, found.warnings
    voxel_ml = float(np.prod(head.volume.spacing_mm)) / 1e3
    assert found.figures["volume_ml"] == pytest.approx(head.brain.sum() * voxel_ml, rel=0.1)


def test_no_eye_and_no_skin_is_left():
    head = make_head("t1", scale=0.93)
    done = brain_mask(head.volume)
    away = ndimage.distance_transform_edt(~head.brain, sampling=head.volume.spacing_mm)
    assert not done.volume.array[away > 12].any()
    assert not shows_head(done.volume)
    inside = done.mask
    assert (done.volume.array[inside] == head.volume.array[inside]).all()


def test_a_slab_is_masked_but_in_doubt():
    head = smaller(make_head("t1", scale=0.93), (slice(46, 70), slice(None), slice(None)))
    found = compute_brain_mask(head.volume)
    assert found.warnings[0] == UNCERTAIN
    assert any("are in the image" in text for text in found.warnings)
    assert dice(found.mask, head.brain) > 0.85


def test_noise_is_no_brain():
    noise = np.random.default_rng(0).random((60, 90, 80)).astype(np.float32) * 100
    found = compute_brain_mask(as_volume(noise, np.diag([2.0, 2.0, 2.0, 1.0])))
    assert not found.certain


def test_a_brain_that_was_cut_out_keeps_its_foreground():
    head = make_head("t1")
    alone = brain_only(head.volume, head.brain)
    found = compute_brain_mask(alone)
    assert found.method == "cut out"
    assert found.certain
    assert dice(found.mask, head.brain) > 0.995


def test_the_computed_mask_repeats_to_the_bit():
    head = make_head("t1", turn=(5, 0, 0), scale=0.93)
    once, again = (compute_brain_mask(head.volume) for _ in range(2))
    assert (once.mask == again.mask).all()
    assert once.figures == again.figures


@pytest.fixture
def small():
    """A small image and a mask of a brain's volume in it."""
    array = np.random.default_rng(2).random((20, 24, 22)).astype(np.float32)
    mask = np.zeros(array.shape, np.uint8)
    mask[4:16, 5:19, 5:17] = 1
    affine = np.diag([8.0, 8.0, 10.0, 1.0])
    return as_volume(array, affine), as_volume(mask, affine)


def test_a_given_mask_is_brought_onto_the_grid(small):
    volume, mask = small
    fine = replace(
        mask,
        array=np.repeat(mask.array, 2, axis=0),
        affine_lps=mask.affine_lps @ np.diag([1.0, 1.0, 0.5, 1.0]),
    )
    fine.affine_lps[2, 3] -= 2.5
    found = given_brain_mask(volume, fine)
    assert (found.mask == (mask.array > 0)).all()
    assert found.certain


def test_a_given_mask_elsewhere_or_everywhere_is_refused(small):
    volume, mask = small
    far = mask.affine_lps.copy()
    far[:3, 3] = 5000
    with pytest.raises(PreparationError, match="outside the image"):
        given_brain_mask(volume, replace(mask, affine_lps=far))
    with pytest.raises(PreparationError, match="whole image"):
        given_brain_mask(volume, replace(mask, array=np.ones_like(mask.array)))


def test_a_mask_that_is_turned_with_its_image_gives_the_same_voxels(small):
    volume, mask = small
    turn = np.eye(4)
    turn[:3, :3] = rotation(10, 20, 30)
    both = [replace(one, affine_lps=turn @ one.affine_lps) for one in (volume, mask)]
    assert (given_brain_mask(*both).mask == (mask.array > 0)).all()


def test_a_margin_keeps_the_voxels_beside_the_mask(small):
    volume, mask = small
    done = brain_mask(volume, method="given", given=mask, margin_mm=8.0)
    assert done.volume.array[10, 4, 10] == volume.array[10, 4, 10]
    assert done.volume.array[10, 3, 10] == 0
    kept = brain_mask(volume, method="given", given=mask, apply=False)
    assert (kept.volume.array == volume.array).all()


SCRIPT = """#!{python}
import sys, time
import nibabel as nib
import numpy as np
source, target, how = sys.argv[1:4]
image = nib.load(source)
array = np.asarray(image.dataobj)
if how == "fails":
    print("no licence for this program")
    sys.exit(3)
if how == "hangs":
    time.sleep(60)
if how == "silent":
    sys.exit(0)
mask = np.zeros(array.shape, np.uint8)
if how != "empty":
    mask[5:17, 5:19, 4:16] = 1
if how == "shape":
    mask = mask[:-2]
if how == "junk":
    open(target, "wb").write(b"not an image")
else:
    nib.save(nib.Nifti1Image(mask, image.affine), target)
"""


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "my brain finder"
    path.write_text(SCRIPT.replace("{python}", sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return lambda how: f'"{path}" {{input}} {{output}} {how}'


def test_another_program_finds_the_brain(small, program):
    volume, mask = small
    found = find_brain_mask(volume, method="command", command=program("well"))
    assert (found.mask == (mask.array > 0)).all()
    assert found.method == "command"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("fails", "code 3: no licence"),
        ("silent", "wrote no file"),
        ("shape", "another grid"),
        ("empty", "empty"),
        ("junk", "of no use"),
    ],
)
def test_what_another_program_does_wrong_is_told(small, program, how, reason):
    with pytest.raises(PreparationError, match=reason):
        find_brain_mask(small[0], method="command", command=program(how))


def test_a_program_that_hangs_is_stopped_with_its_children(small, program):
    start = time.monotonic()
    with pytest.raises(PreparationError, match="stopped after 2 s"):
        find_brain_mask(small[0], method="command", command=program("hangs"), timeout_s=2)
    assert time.monotonic() - start < 30
    assert not _running("my brain finder")


def _running(name: str) -> bool:
    lines = (path / "cmdline" for path in Path("/proc").iterdir() if path.name.isdigit())
    return any(name.encode() in line.read_bytes() for line in lines if line.exists())


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("", "is configured"),
        ("hd-bet -i {input}", "lacks"),
        ('hd-bet "-i {input} -o {output}', "split"),
        ("no-such-program-here {input} {output}", "not found"),
    ],
)
def test_a_command_that_cannot_run_is_refused(small, command, reason):
    with pytest.raises(PreparationError, match=reason):
        find_brain_mask(small[0], method="command", command=command)


def test_a_command_is_no_shell(small, program, tmp_path):
    trap = tmp_path / "trap"
    command = program("well") + f" ; touch {trap}"
    find_brain_mask(small[0], method="command", command=command)
    assert not trap.exists()


def test_what_goes_out_is_pixels_and_geometry_alone(small, tmp_path):
    volume, _ = small
    path = external.write_nifti(volume, tmp_path / "out.nii.gz")
    image = nib.load(path)
    assert not bytes(image.header["descrip"]).strip(b"\0")
    assert not image.header.extensions
    assert pytest.approx(volume.array) == np.asarray(image.dataobj).T
    flipped = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.affine_lps
    assert image.affine == pytest.approx(flipped)
