"""Running an operator's own program on an image, without a shell and not for ever."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np

from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.geometry import Array, Volume
from readerstudy.imaging.nifti import load_nifti
from readerstudy.imaging.orientation import to_lps
from readerstudy.imaging.preparation.records import PreparationError
from readerstudy.imaging.preparation.resample import grid_of

TIMEOUT_S = 900.0
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_KEPT_WORDS = 300
_SETTINGS = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")


def write_nifti(volume: Volume, path: Path) -> Path:
    """Write values and geometry, and nothing else, as NIfTI-1."""
    image = nib.Nifti1Image(_storable(volume.array).T, _LPS_TO_RAS @ volume.affine_lps)
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


def _storable(array: Array) -> Array:
    """Without 64-bit integers and truth values, which NIfTI readers often refuse."""
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if array.dtype.kind in "iu" and array.dtype.itemsize > 4:
        return array.astype(np.float32)
    return array.astype(array.dtype.newbyteorder("="))


def arguments_of(command: str, source: Path, target: Path) -> list[str]:
    """Split a command line into words and put in the two file names.

    Raises
    ------
    PreparationError
        {input} or {output} is missing, quotes do not match, or the program is not installed.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        advice = "Check its quotation marks."
        raise PreparationError("the command cannot be split into words", advice) from error
    if not any("{input}" in word for word in words) or not any("{output}" in w for w in words):
        advice = "Write it like hd-bet -i {input} -o {output}."
        raise PreparationError("the command lacks {input} or {output}", advice)
    if shutil.which(words[0]) is None:
        advice = "Install it, or give its whole path."
        raise PreparationError(f"the program {Path(words[0]).name} was not found", advice)
    names = {"{input}": str(source), "{output}": str(target)}
    for mark, name in names.items():
        words = [word.replace(mark, name) for word in words]
    return words


def run(command: str, volume: Volume, *, timeout_s: float = TIMEOUT_S) -> Volume:
    """Run a command on an image and read the image that it wrote.

    Parameters
    ----------
    command : str
        With {input} and {output}; no shell interprets it.
    volume : Volume
        LPS order.
    timeout_s : float
        The command and its children are killed after this time.

    Returns
    -------
    Volume
        On the grid of `volume`.

    Raises
    ------
    PreparationError
        It is not installed, fails, takes too long, writes nothing, or writes another grid.
    """
    with tempfile.TemporaryDirectory(prefix="readerstudy-") as name:
        folder = Path(name)
        source = write_nifti(volume, folder / "input.nii.gz")
        target = folder / "output.nii.gz"
        words = arguments_of(command, source, target)
        _execute(words, folder, timeout_s)
        return _result(target, volume, Path(words[0]).name)


def run_on_folder(
    command: str, images: Path, *, like: Volume, timeout_s: float = TIMEOUT_S
) -> Volume:
    """Run a command on a folder of images of one grid, and read the image that it wrote.

    Parameters
    ----------
    command : str
        With {input}, the folder, and {output}, a file; no shell interprets it.
    images : Path
    like : Volume
        One of the images, LPS order.
    timeout_s : float

    Raises
    ------
    PreparationError
        As `run`.
    """
    with tempfile.TemporaryDirectory(prefix="readerstudy-") as name:
        target = Path(name) / "output.nii.gz"
        words = arguments_of(command, images, target)
        _execute(words, Path(name), timeout_s)
        return _result(target, like, Path(words[0]).name)


def _execute(words: list[str], folder: Path, timeout_s: float) -> None:
    program = Path(words[0]).name
    settings = {key: os.environ[key] for key in _SETTINGS if key in os.environ}
    with (folder / "said.txt").open("w+b") as said:
        process = subprocess.Popen(  # noqa: S603 - the operator's command, split without a shell
            words,
            cwd=folder,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            advice = "Give it more time, a faster machine, or use the computed mask."
            reason = f"{program} was stopped after {timeout_s:g} s"
            raise PreparationError(reason, advice) from error
        finally:
            _end(process)
        if code:
            said.seek(0)
            words_said = said.read().decode(errors="replace").replace(str(folder), "").strip()
            last = words_said[-_KEPT_WORDS:] or "it said nothing"
            advice = "Run it by hand on one image to see more."
            raise PreparationError(f"{program} failed with code {code}: {last}", advice)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and its children, which share its session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _result(target: Path, volume: Volume, program: str) -> Volume:
    if not target.is_file():
        advice = "Check that it writes to the name given by {output}."
        raise PreparationError(f"{program} wrote no file", advice)
    try:
        found = to_lps(load_nifti(target, allow_constant=True))
    except ImageError as error:
        raise PreparationError(
            f"{program} wrote a file of no use: {error.reason}", error.advice
        ) from error
    if not grid_of(volume).is_of(found):
        size = " × ".join(str(length) for length in found.shape[::-1])
        advice = "Let it write an image on the grid of its input."
        raise PreparationError(f"{program} wrote an image on another grid ({size})", advice)
    return replace(found, affine_lps=volume.affine_lps)
