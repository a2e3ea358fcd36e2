"""Reading files of unknown origin in a process of its own, with bounds on what it may cost.

    with Guard() as guard:
        for found in guard.find_series(folder):
            volume = guard.load(found)

The two methods give what `readerstudy.imaging.volumes` gives and raise the same errors. One
process serves a whole import. If it is killed, hangs or needs too much, that is one `ImageError`
about the file that was being read, and the next file gets a fresh process.
"""

import contextlib
import json
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from readerstudy.imaging.errors import ASK_FOR_COPY, ImageError, StoppedError
from readerstudy.imaging.geometry import Volume
from readerstudy.imaging.guarded_wire import (
    ARRAY_FILE,
    Json,
    Marker,
    error_from_json,
    error_to_json,
    found_from_json,
    found_to_json,
    volume_from_json,
)
from readerstudy.imaging.reading_limits import MIB, Allowance, ReadingLimits
from readerstudy.imaging.volumes import FoundSeries

log = logging.getLogger(__name__)

DEFAULT_LIMITS = ReadingLimits()
Patience = Callable[[str], float]
START_S = 60.0
MOST_BAD_FILES = 50
MOST_ANSWER_BYTES = 256 * 2**20
GROWN_BYTES = 64 * 2**20
FOLDER_PREFIX = "readerstudy-reading-"
_ROOT = Path(__file__).resolve().parents[2]
_TICK_S = 0.25


class Guard:
    """Reads images through a child process with limits; not to be shared between threads.

    Parameters
    ----------
    limits : ReadingLimits, optional
    folder : str or PathLike, optional
        Where the private folder for decoded images is made: a disk, with room for the largest
        image. The system's folder for temporary files otherwise.

    Attributes
    ----------
    peak_bytes : int
        Most memory that the reading process reported so far, its own 65 MiB included.
    starts : int
        How many reading processes were started.
    stopped : int
        How many of them were stopped or died while reading.
    unexpected : list of str
        Names of exceptions that the readers should have explained and did not.
    """

    def __init__(
        self,
        limits: ReadingLimits = DEFAULT_LIMITS,
        folder: str | PathLike[str] | None = None,
    ) -> None:
        self.limits = limits
        self.peak_bytes = 0
        self.starts = 0
        self.stopped = 0
        self.unexpected: list[str] = []
        self._parent = folder
        self._folder: Path | None = None
        self._child: _Child | None = None

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX, dir=self._parent))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_child()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def find_series(self, folder: str | PathLike[str]) -> list[FoundSeries]:
        """List the series below a folder, see `readerstudy.imaging.discovery.find_series`.

        A file whose header cannot be read within the limits is listed with the reason.

        Raises
        ------
        ImageError
            The folder cannot be read, or has too many files that bring the reader down.
        """
        path = os.path.abspath(folder)  # noqa: PTH100  # keeps links, which are not followed
        allowed = self.limits.for_find(*_measure(path))
        refused: dict[str, ImageError] = {}
        while True:
            try:
                request = {
                    "path": path,
                    "refused": {name: error_to_json(error) for name, error in refused.items()},
                    "file_cpu_s": self.limits.cpu_s,
                    "cpu_s_per_byte": self.limits.cpu_s_per_mb / MIB,
                }
                answer = self._ask("find", Path(path), request, allowed)
                return [found_from_json(told) for told in answer["found"]]
            except _StoppedAt as stop:
                if not stop.file or stop.file in refused or len(refused) >= MOST_BAD_FILES:
                    raise stop.error from None
                refused[stop.file] = stop.error

    def load(self, found: FoundSeries) -> Volume:
        """Read a series, see `readerstudy.imaging.discovery.load`.

        The array is mapped from a file that vanishes with it; it may be written to, as a copy.

        Raises
        ------
        ImageError
            As without the guard; `StoppedError` or `TooLargeError` where a limit was met.
        """
        allowed = self.limits.for_load(_size(found.paths), len(found.paths))
        name = found.paths[0].parent if len(found.paths) > 1 else found.paths[0]
        try:
            answer = self._ask("load", name, {"found": found_to_json(found)}, allowed)
        except _StoppedAt as stop:
            raise stop.error from None
        try:
            return volume_from_json(answer["volume"], self._own_folder())
        finally:
            (self._own_folder() / ARRAY_FILE).unlink(missing_ok=True)

    def _ask(self, verb: str, name: Path, request: Json, allowed: Allowance) -> Json:
        child = self._ready_child()
        asked = {"verb": verb, "name": name.name, **asdict(allowed), **request}
        try:
            answer = child.ask(asked, allowed.wall_s, self._patience if verb == "find" else None)
        except _Gone as gone:
            self.stopped += 1
            file = child.marker.path
            self._end_child()
            raise _StoppedAt(file, _explain(gone, Path(file or name), allowed)) from None
        except BaseException:
            self._end_child()
            raise
        self._note(answer)
        if "error" in answer:
            raise error_from_json(answer["error"])
        return answer

    def _patience(self, file: str) -> float:
        """Seconds that the header of one file may take while a folder is searched."""
        paths = (Path(file),) if file else ()
        return self.limits.for_load(_size(paths), 1).wall_s

    def _note(self, answer: Json) -> None:
        self.peak_bytes = max(self.peak_bytes, int(answer["peak"]))
        if "unexpected" in answer:
            self.unexpected.append(answer["unexpected"])
            log.error("the reading process met an unexpected %s", answer["unexpected"])
        if answer.get("grown", 0) > GROWN_BYTES:
            self._end_child()

    def _ready_child(self) -> "_Child":
        if self._child is None:
            self._child = _Child(self._own_folder())
            self.starts += 1
        return self._child

    def _own_folder(self) -> Path:
        if self._folder is None:
            raise RuntimeError("Use the guard in a with statement.")
        return self._folder

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None


class _Gone(Exception):
    """The reading process ended by a signal, or was ended because it took too long."""

    def __init__(self, code: int, *, too_long: bool = False) -> None:
        super().__init__(code)
        self.too_long = too_long or code == -signal.SIGXCPU
        self.killed = code == -signal.SIGKILL


class _StoppedAt(Exception):
    """The file that was read when the process went, and the error to raise about it."""

    def __init__(self, file: str, error: ImageError) -> None:
        super().__init__(file)
        self.file = file
        self.error = error


def _explain(gone: _Gone, path: Path, allowed: Allowance) -> ImageError:
    if gone.too_long:
        reason = f"reading it took longer than {allowed.cpu_s:.0f} s"
        return StoppedError(path, reason, "Check the file, or crop or down-sample the image.")
    if gone.killed:
        reason = "the system stopped the reading, most likely for want of memory"
        return StoppedError(path, reason, "Import it again when less is running.")
    return StoppedError(path, "it brings the reading program down", ASK_FOR_COPY)


class _Child:
    """One reading process and the two pipes to it."""

    def __init__(self, folder: Path) -> None:
        self.marker = Marker(folder)
        self.marker.put("")
        self._buffer = bytearray()
        command = [sys.executable, "-s", "-P", "-m", "readerstudy.imaging.guarded_child"]
        self._process = subprocess.Popen(  # noqa: S603  # our own module, no shell
            [*command, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=_environment(),
            start_new_session=True,
        )
        self._requests = cast(IO[bytes], self._process.stdin)
        self._answers = cast(IO[bytes], self._process.stdout)
        try:
            self._answer(START_S)
        except _Gone as gone:
            self.end()
            raise RuntimeError("The process that reads images cannot be started.") from gone

    def ask(self, request: Json, wall_s: float, patience: Patience | None) -> Json:
        """Send a request and wait for its answer, also for each file if there is a patience.

        Raises
        ------
        _Gone
            The process died, or needed more time than allowed.
        """
        with contextlib.suppress(BrokenPipeError):  # it died; waiting for the answer tells why
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        return self._answer(wall_s, patience)

    def _answer(self, wall_s: float, patience: Patience | None = None) -> Json:
        last = time.monotonic() + wall_s
        seen, file_last = -1, last
        while (answer := self._line()) is None:
            now = time.monotonic()
            if patience and self.marker.count != seen:
                seen, file_last = self.marker.count, now + patience(self.marker.path)
            if now > min(last, file_last) or len(self._buffer) > MOST_ANSWER_BYTES:
                self._process.kill()
                raise _Gone(self._process.wait(), too_long=True)
        return answer

    def _line(self) -> Json | None:
        """Return the answer once it is whole."""
        stream = self._answers.fileno()
        if select.select([stream], [], [], _TICK_S)[0]:
            block = os.read(stream, 2**20)
            if not block:
                raise _Gone(self._process.wait())
            self._buffer += block
        if not self._buffer.endswith(b"\n"):
            return None
        line, self._buffer = self._buffer, bytearray()
        answer: Json = json.loads(line)
        return answer

    def end(self) -> None:
        """End the process and close its pipes."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._answers):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _environment() -> dict[str, str]:
    """Nothing of the parent's environment: it holds passwords."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": str(_ROOT),
        "PYTHONUTF8": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }


def _measure(folder: str) -> tuple[int, int]:
    """Bytes and number of the files below a folder, or of one file."""
    paths = tuple(Path(parent, name) for parent, _, names in os.walk(folder) for name in names) or (
        Path(folder),
    )
    return _size(paths), len(paths)


def _size(paths: tuple[Path, ...]) -> int:
    total = 0
    for path in paths:
        with contextlib.suppress(OSError):  # the reader says what is wrong with it
            total += path.lstat().st_size
    return total
