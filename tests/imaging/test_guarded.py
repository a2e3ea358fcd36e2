"""The bounded reading process: same results, same errors, and nothing that a file can break."""

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from readerstudy.imaging import guarded, volumes
from readerstudy.imaging.discovery import FoundSeries
from readerstudy.imaging.errors import ImageError, StoppedError, TooLargeError
from readerstudy.imaging.guarded import Guard
from readerstudy.imaging.guarded_wire import error_from_json, error_to_json, volume_from_json
from readerstudy.imaging.reading_limits import MIB, ReadingLimits

from .factories import SeriesOptions, brain_like, write_nifti, write_series

BRAIN = brain_like()
SMALL = ReadingLimits(memory_mb=64, cpu_s=1, memory_mb_per_mb=0, cpu_s_per_mb=0)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    return folder


@pytest.fixture
def guard(tmp_path):
    with Guard(folder=tmp_path) as guard:
        yield guard


def fill(folder: Path) -> None:
    """A folder with sound images and with what is none."""
    (folder / "p1").mkdir()
    write_nifti(folder / "p1/t1.nii.gz", BRAIN.T)
    write_nifti(folder / "p1/flair.nii", BRAIN.T.astype("float32"), slope=0.5, intercept=3)
    write_series(folder / "p2/T2", BRAIN, SeriesOptions(slope=2.0, intercept=-7.0))
    write_series(folder / "p2/gap", BRAIN, SeriesOptions(missing=(4,)))
    (folder / "p2/letter.dcm").write_text("no image")
    (folder / "p2/t1.nii.gz").write_bytes((folder / "p1/t1.nii.gz").read_bytes()[:-90])
    (folder / "p2/link.nii").symlink_to("/etc/passwd")


def outcome(load, found: FoundSeries):
    try:
        return load(found)
    except ImageError as error:
        return type(error), str(error)


def test_the_guard_gives_what_reading_without_it_gives(folder, guard):
    fill(folder)
    found = guard.find_series(folder)
    assert found == volumes.find_series(folder)
    for one in found:
        expected, got = outcome(volumes.load, one), outcome(guard.load, one)
        if isinstance(expected, tuple):
            assert got == expected
            continue
        assert got.array.dtype == expected.array.dtype
        np.testing.assert_array_equal(got.array, expected.array)
        np.testing.assert_array_equal(got.affine_lps, expected.affine_lps)
        assert type(got.array) is np.ndarray
        assert {n: v for n, v in vars(got).items() if n not in ("array", "affine_lps")} == {
            n: v for n, v in vars(expected).items() if n not in ("array", "affine_lps")
        }
    assert (guard.starts, guard.stopped, guard.unexpected) == (1, 0, [])


def test_a_folder_that_is_missing_is_the_same_error(folder, guard):
    assert outcome(guard.find_series, folder / "no") == outcome(volumes.find_series, folder / "no")


def test_arrays_outlive_the_guard_and_leave_no_file(folder, tmp_path):
    write_nifti(folder / "t1.nii", BRAIN.T)
    with Guard(folder=tmp_path) as guard:
        first, second = (guard.load(guard.find_series(folder)[0]) for _ in range(2))
        assert list(tmp_path.glob(f"{guarded.FOLDER_PREFIX}*/array")) == []
    assert list(tmp_path.iterdir()) == [folder]
    first.array[:] = 0
    np.testing.assert_array_equal(second.array, BRAIN)


def test_the_reading_process_knows_no_django_and_no_secret(folder, guard, monkeypatch):
    monkeypatch.setenv("READERSTUDY_SECRET_KEY", "hush")
    write_nifti(folder / "t1.nii", BRAIN.T)
    guard.load(guard.find_series(folder)[0])
    child = guard._child._process.pid
    assert b"hush" not in Path(f"/proc/{child}/environ").read_bytes()
    code = "import sys, readerstudy.imaging.guarded_child; print('django' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


# Each of these stands in for a decoder with a fault, met when a file called bad is opened.
FAULTS = {
    "dies": "os.kill(os.getpid(), signal.SIGSEGV)",
    "spins": "exec('while True: pass')",
    "hangs": "time.sleep(60)",
    "grows": "bytearray(200 * 2**20)",
    "prints": "print('x' * 100000)",
    "forks": "subprocess.run(['true'])",
    "calls": "socket.create_connection(('127.0.0.1', 9))",
    "leaves": "sys.exit(3)",
}
SHIM = """
import os, signal, socket, subprocess, sys, time
from readerstudy.imaging import guarded_child
real = guarded_child.Watch._opened
def opened(self, name):
    real(self, name)
    if {where} and os.path.basename(os.fsdecode(name)).startswith("bad"):
        {fault}
guarded_child.Watch._opened = opened
guarded_child.main()
"""


@pytest.fixture
def faulty(monkeypatch):
    """Start reading processes with a fault that files called bad bring about."""
    popen = subprocess.Popen

    def start(fault: str, where: str = "self._files") -> None:
        code = SHIM.format(fault=FAULTS[fault], where=where)

        def with_shim(command, **kwargs):
            at = command.index("-m")
            return popen([*command[:at], "-c", code, *command[at + 2 :]], **kwargs)

        monkeypatch.setattr(guarded.subprocess, "Popen", with_shim)

    return start


@pytest.mark.parametrize(
    ("fault", "error", "reason", "stopped"),
    [
        ("dies", StoppedError, "brings the reading program down", 1),
        ("leaves", StoppedError, "brings the reading program down", 1),
        ("spins", StoppedError, "took longer than 1 s", 1),
        ("hangs", StoppedError, "took longer than 1 s", 1),
        ("grows", TooLargeError, "needs more than 64 MB of memory", 0),
        ("forks", ImageError, "reading it is not permitted|cannot be read", 0),
        ("calls", ImageError, "reading it is not permitted|cannot be read", 0),
    ],
)
def test_one_bad_file_is_one_error_and_the_next_is_read(
    folder, tmp_path, faulty, fault, error, reason, stopped
):
    faulty(fault)
    write_nifti(folder / "bad.nii", BRAIN.T)
    write_nifti(folder / "good.nii", BRAIN.T)
    with Guard(replace(SMALL, wall_factor=2), folder=tmp_path) as guard:
        bad, good = guard.find_series(folder)
        with pytest.raises(error, match=reason) as raised:
            guard.load(bad)
        assert raised.value.path == "bad.nii"
        assert raised.value.advice
        np.testing.assert_array_equal(guard.load(good).array, BRAIN)
        assert (guard.stopped, guard.starts) == (stopped, 1 + stopped)


def test_what_a_library_prints_does_not_reach_the_answers(folder, tmp_path, faulty):
    faulty("prints")
    write_nifti(folder / "bad.nii", BRAIN.T)
    with Guard(folder=tmp_path) as guard:
        np.testing.assert_array_equal(guard.load(guard.find_series(folder)[0]).array, BRAIN)


def test_headers_that_bring_the_process_down_are_listed_and_the_others_are_found(
    folder, tmp_path, faulty
):
    faulty("dies", "self._folder")
    write_series(folder / "T1", BRAIN)
    for name in ("bad1.dcm", "bad2.dcm"):
        (folder / name).write_bytes(next((folder / "T1").iterdir()).read_bytes())
    with Guard(folder=tmp_path) as guard:
        found = guard.find_series(folder)
    assert {(one.name, one.status) for one in found} == {
        ("T1", "ok"),
        ("bad1.dcm", "error"),
        ("bad2.dcm", "error"),
    }
    assert {one.reason for one in found} == {"", "it brings the reading program down"}
    assert guard.stopped == 2


def test_too_many_bad_headers_stop_the_search(folder, tmp_path, faulty, monkeypatch):
    faulty("dies", "self._folder")
    monkeypatch.setattr(guarded, "MOST_BAD_FILES", 1)
    for name in ("bad1.dcm", "bad2.dcm"):
        (folder / name).write_bytes(bytes(200))
    with (
        Guard(folder=tmp_path) as guard,
        pytest.raises(StoppedError, match=r"bad2\.dcm: it brings"),
    ):
        guard.find_series(folder)


def test_a_reading_process_that_was_killed_meanwhile_is_replaced(folder, guard):
    write_nifti(folder / "t1.nii", BRAIN.T)
    found = guard.find_series(folder)[0]
    guard._child._process.kill()
    guard._child._process.wait()
    with pytest.raises(StoppedError, match="want of memory"):
        guard.load(found)
    np.testing.assert_array_equal(guard.load(found).array, BRAIN)


def test_the_reading_process_ends_with_its_parent(folder, tmp_path):
    write_nifti(folder / "t1.nii", BRAIN.T)
    code = (
        "import os, sys, signal\nfrom readerstudy.imaging.guarded import Guard\n"
        "with Guard(folder=sys.argv[2]) as guard:\n"
        "    guard.find_series(sys.argv[1])\n"
        "    print(guard._child._process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", code, folder, tmp_path]
    told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
    for _ in range(200):
        if not Path(f"/proc/{int(told)}/cmdline").exists():
            return
        if not Path(f"/proc/{int(told)}/cmdline").read_bytes():  # a zombie without a parent
            return
        time.sleep(0.05)
    pytest.fail("the reading process outlived its parent")


def test_a_large_sound_series_is_accepted(folder, tmp_path):
    array = np.zeros((256, 256, 400), np.float32)
    array[50:150, 50:150] = np.arange(400)
    write_nifti(folder / "t1.nii", array)
    with Guard(folder=tmp_path) as guard:
        loaded = guard.load(guard.find_series(folder)[0])
        np.testing.assert_array_equal(loaded.array, array.T)
    assert guard.stopped == 0


def test_limits_follow_the_bytes_on_disk():
    limits = ReadingLimits()
    small, large = limits.for_load(MIB, 1), limits.for_load(400 * MIB, 400)
    assert (small.memory_bytes, small.cpu_s) == (360 * MIB, 11)
    assert (large.memory_bytes, large.cpu_s) == (3072 * MIB, pytest.approx(429.95))
    assert limits.for_load(10**12, 1).cpu_s == limits.most_cpu_s
    assert limits.for_find(MIB, 1000).cpu_s == 111


@pytest.mark.parametrize("wrong", [{"memory_mb": 0}, {"cpu_s": -1}, {"cpu_s_per_mb": -0.1}])
def test_limits_must_be_positive(wrong):
    with pytest.raises(ValueError, match="positive"):
        ReadingLimits(**wrong)


def test_an_answer_that_does_not_fit_its_numbers_is_refused(tmp_path):
    (tmp_path / "array").write_bytes(bytes(8))
    told = {
        "affine_lps": np.eye(4).tolist(),
        "kind": "nifti",
        "facts": {},
        "source_sha256": "",
        "dtype": "<i2",
        "shape": [1, 1, 4],
    }
    assert volume_from_json(told, tmp_path).array.shape == (1, 1, 4)
    for wrong in ({"shape": [1, 1, 5]}, {"dtype": "<i4"}, {"dtype": "|V2"}, {"shape": [4]}):
        (tmp_path / "array").write_bytes(bytes(8))
        with pytest.raises(ValueError, match="do not fit"):
            volume_from_json({**told, **wrong}, tmp_path)


def test_errors_keep_their_class_on_the_way():
    error = TooLargeError("a/b.nii", "it is large", "Crop it.")
    back = error_from_json(error_to_json(error))
    assert (type(back), str(back)) == (TooLargeError, str(error))
    strange = {**error_to_json(error), "kind": "explained"}
    assert isinstance(error_from_json(strange), ImageError)


def test_a_guard_outside_a_with_statement_says_so(folder):
    with pytest.raises(RuntimeError, match="with statement"):
        Guard().find_series(folder)
