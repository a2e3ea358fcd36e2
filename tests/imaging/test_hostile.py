"""Damaged copies of sound files: every one gives a volume or one ImageError, nothing else."""

import gzip
import os

import numpy as np
import pytest

from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.volumes import find_series, load, load_dicom_series, load_nifti

from .factories import (
    JPEG2000Lossless,
    RLELossless,
    SeriesOptions,
    brain_like,
    write_enhanced,
    write_nifti,
    write_series,
)

BRAIN = brain_like((3, 36, 34))
MUTANTS = int(os.environ.get("READERSTUDY_MUTANTS", "2000"))
COUNTS = [pytest.param(120, id="120"), pytest.param(MUTANTS, marks=pytest.mark.slow, id="many")]


def mutants(whole, count, header):
    """Flip, overwrite, cut, repeat or drop bytes, mostly in the header."""
    random = np.random.default_rng(count)
    for number in range(count):
        data = bytearray(whole)
        for _ in range(int(random.integers(1, 6))):
            area = header if random.random() < 0.7 else len(data)
            at = int(random.integers(max(1, min(area, len(data)))))
            change(data, at, number % 5, random)
        yield bytes(data)


def change(data, at, kind, random):
    if kind == 0 and data:
        data[at] ^= 1 << int(random.integers(8))
    elif kind == 1:
        data[at : at + 4] = random.bytes(4)
    elif kind == 2:
        del data[max(at, len(data) // 4) :]
    elif kind == 3:
        data[at:at] = data[at : at + 16]
    else:
        del data[at : at + int(random.integers(1, 9))]


def survives(path, read):
    volume, message = None, ""
    try:
        volume = read(path)
    except ImageError as error:
        message = str(error)
    assert str(path.parent) not in message
    if volume is not None:
        assert volume.array.ndim == 3
        assert np.isfinite(volume.array).all()
        assert np.isfinite(volume.affine_lps).all()


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("packed", [False, True])
def test_nifti(tmp_path, count, packed):
    whole = write_nifti(tmp_path / "a.nii", BRAIN.T).read_bytes()
    path = tmp_path / "b.nii.gz"
    for number, data in enumerate(mutants(whole, count, 352)):
        blob = gzip.compress(data) if packed and number % 2 else data
        if packed and not number % 2:
            blob = next(mutants(gzip.compress(whole), 1, 60))
        path.write_bytes(blob)
        survives(path, load_nifti)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", ["classic", "enhanced", "rle", "jpeg2000"])
def test_dicom(tmp_path, count, kind):
    path = tmp_path / "b.dcm"
    whole = sound_dicom(tmp_path, kind).read_bytes()
    for data in mutants(whole, count, 1200):
        path.write_bytes(data)
        survives(path, lambda file: load_dicom_series([file]))
        for one in find_series(path):
            try:
                load(one)
            except ImageError:
                continue


def sound_dicom(folder, kind):
    if kind == "enhanced":
        return write_enhanced(folder / "e.dcm", BRAIN)
    syntax = {"rle": RLELossless, "jpeg2000": JPEG2000Lossless}.get(kind)
    options = SeriesOptions(syntax=syntax) if syntax else SeriesOptions()
    return write_series(folder / "s", BRAIN, options)[0]
