"""Damaged files by the thousand, read as an import reads them: through the guard.

Every one gives a volume or one error in words. None may stop the reading process, need 512 MB of
memory, or come near its ten seconds. ``READERSTUDY_MUTANTS`` sets the dose of each kind.
"""

import os

import numpy as np
import pytest

from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.guarded import Guard
from readerstudy.imaging.reading_limits import MIB, ReadingLimits

from .mutants import dicom_mutants, nifti_mutants

MUTANTS = int(os.environ.get("READERSTUDY_MUTANTS", "4000"))
LEAST_READ = 0.05  # were all refused, nothing would be tried


@pytest.fixture
def guard(tmp_path):
    with Guard(ReadingLimits(), folder=tmp_path) as guard:
        yield guard


def try_to_read(guard: Guard, path) -> bool:
    """Import a file; tell whether it gave a volume."""
    volumes, errors = [], []
    try:
        for one in guard.find_series(path):
            if one.status == "ok":
                volumes.append(guard.load(one))
            assert one.reason or one.status == "ok"
    except ImageError as error:
        errors.append(error)
    for error in errors:
        assert error.reason
        assert error.advice
        assert str(path.parent) not in str(error)
    for volume in volumes:
        assert volume.array.ndim == 3
        assert np.isfinite(volume.array).all()
        assert np.isfinite(volume.affine_lps).all()
    return bool(volumes)


def check(guard: Guard, read: int) -> None:
    assert guard.unexpected == [], "the readers let an exception through"
    assert guard.stopped == 0, "a file was stopped by a limit or brought the process down"
    assert guard.peak_bytes < 512 * MIB
    assert read > LEAST_READ * MUTANTS


@pytest.mark.slow
def test_damaged_dicom(tmp_path, guard):
    folder = tmp_path / "given"
    folder.mkdir()
    path = folder / "mutant.dcm"
    read = 0
    for data in dicom_mutants(tmp_path, MUTANTS, seed=1):
        path.write_bytes(data)
        read += try_to_read(guard, path)
    check(guard, read)


@pytest.mark.slow
def test_damaged_nifti(tmp_path, guard):
    folder = tmp_path / "given"
    folder.mkdir()
    read = 0
    for name, data in nifti_mutants(tmp_path, MUTANTS, seed=2):
        path = folder / name
        path.write_bytes(data)
        read += try_to_read(guard, path)
        path.unlink()
    check(guard, read)
