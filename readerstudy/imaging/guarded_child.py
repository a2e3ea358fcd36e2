"""The reading process of `readerstudy.imaging.guarded`: answers one request after the other.

It is started with nothing of its parent's environment, knows neither Django nor the database,
and bounds its own memory, processor time and file size before each request.
"""

import gc
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import openjpeg  # noqa: F401  # decoders are loaded before memory is bounded
import pydicom.pixels.decoders  # noqa: F401
import pylibjpeg  # noqa: F401

from readerstudy.imaging.errors import ImageError, TooLargeError, UnreadableError
from readerstudy.imaging.guarded_wire import (
    Json,
    Marker,
    error_from_json,
    error_to_json,
    found_from_json,
    found_to_json,
    volume_to_json,
)
from readerstudy.imaging.volumes import find_series, load

_PAGE = os.sysconf("SC_PAGE_SIZE")
_FORBIDDEN = (
    "socket.connect",
    "socket.bind",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
)


class Watch:
    """Tells the parent which file is read, and gives each file of a folder its own time."""

    def __init__(self, marker: Marker) -> None:
        self._marker = marker
        self._folder = ""
        self._files: frozenset[str] = frozenset()
        self._refused: dict[str, ImageError] = {}
        self._file_cpu_s = (0.0, 0.0)
        self._last_cpu_s = 0.0

    def files(self, paths: list[str]) -> None:
        """Watch these files."""
        self._folder, self._files, self._refused = "", frozenset(paths), {}

    def folder(self, path: str, refused: dict[str, ImageError], request: Json) -> None:
        """Watch all files below a folder; opening a refused one raises its error."""
        self._folder, self._files, self._refused = path, frozenset(), refused
        self._file_cpu_s = (request["file_cpu_s"], request["cpu_s_per_byte"])
        self._last_cpu_s = time.process_time() + request["cpu_s"]

    def __call__(self, event: str, values: tuple[Any, ...]) -> None:
        """Audit hook of the interpreter."""
        if event == "open":
            self._opened(values[0])
        elif event in _FORBIDDEN:
            raise PermissionError(f"{event} is not for the reading process")

    def _opened(self, name: Any) -> None:
        if isinstance(name, int) or name is None:
            return
        path = os.fsdecode(name)
        if path in self._files:
            self._marker.put(path)
        elif self._folder and path.startswith(self._folder):
            self._marker.put(path)
            bound_cpu(min(time.process_time() + self._time_for(path), self._last_cpu_s))
            if path in self._refused:
                raise self._refused[path]

    def _time_for(self, path: str) -> float:
        flat, per_byte = self._file_cpu_s
        try:
            return flat + per_byte * Path(path).stat().st_size
        except OSError:  # it cannot be opened either, and the reader will say so
            return flat


def main() -> None:
    """Answer requests from standard input until it is closed."""
    folder = Path(sys.argv[1])
    requests, answers = _private_pipes()
    marker = Marker(folder)
    watch = Watch(marker)
    sys.addaudithook(watch)
    gc.collect()
    gc.freeze()
    idle = address_space()
    _tell(answers, {"ready": True, "peak": peak_memory()})
    for line in requests:
        answer = answer_to(json.loads(line), folder, watch, idle)
        marker.put("")
        gc.collect()
        _tell(answers, {**answer, "peak": peak_memory(), "grown": address_space() - idle})
        signal.setitimer(signal.ITIMER_REAL, 0)


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes; what a library prints goes nowhere."""
    requests, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    return os.fdopen(requests, "rb"), os.fdopen(answers, "wb")


def _tell(answers: BinaryIO, answer: Json) -> None:
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


def answer_to(request: Json, folder: Path, watch: Watch, idle: int) -> Json:
    """Do what a request asks; whatever goes wrong becomes one described error."""
    _bound(request, idle)
    verbs: dict[str, Callable[[Json, Path, Watch], Json]] = {"find": _find, "load": _load}
    try:
        return verbs[request["verb"]](request, folder, watch)
    except ImageError as error:
        return {"error": error_to_json(_with_number(error, request))}
    except MemoryError as error:
        return {"error": error_to_json(_too_big(request, error))}
    except Exception as error:  # noqa: BLE001  # the parent counts and logs it
        told = UnreadableError(request["name"], "it cannot be read", "Export the file again.")
        return {"error": error_to_json(told), "unexpected": type(error).__name__}


def _find(request: Json, _folder: Path, watch: Watch) -> Json:
    refused = {path: error_from_json(told) for path, told in request["refused"].items()}
    watch.folder(request["path"], refused, request)
    return {"found": [found_to_json(one) for one in find_series(request["path"])]}


def _load(request: Json, folder: Path, watch: Watch) -> Json:
    found = found_from_json(request["found"])
    watch.files(request["found"]["paths"])
    volume = load(found)
    try:
        return {"volume": volume_to_json(volume, folder)}
    except OSError as error:
        reason = "there is not enough room on the disk to read it"
        raise TooLargeError(request["name"], reason, "Free some space, then try again.") from error


def _with_number(error: ImageError, request: Json) -> ImageError:
    return _too_big(request, error) if isinstance(error.__cause__, MemoryError) else error


def _too_big(request: Json, error: Exception) -> ImageError:
    path = error.path if isinstance(error, ImageError) else request["name"]
    reason = f"reading it needs more than {request['memory_bytes'] // 2**20} MB of memory"
    return TooLargeError(path, reason, "Save it as 16-bit integers, crop it, or raise the limit.")


def _bound(request: Json, idle: int) -> None:
    _soft(resource.RLIMIT_CORE, 0)
    _soft(resource.RLIMIT_FSIZE, request["written_bytes"])
    _soft(resource.RLIMIT_AS, idle + request["memory_bytes"])
    bound_cpu(time.process_time() + request["cpu_s"])
    signal.setitimer(signal.ITIMER_REAL, request["wall_s"] + 5)  # should the parent be dead


def bound_cpu(until: float) -> None:
    """End this process when its processor time reaches a second."""
    _soft(resource.RLIMIT_CPU, int(until) + 1)


def _soft(which: int, value: int) -> None:
    resource.setrlimit(which, (value, resource.getrlimit(which)[1]))


def address_space() -> int:
    """Address space of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE


def peak_memory() -> int:
    """Most memory that this process ever held, in bytes."""
    status = Path("/proc/self/status").read_text()  # rusage would count the parent's memory too
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
