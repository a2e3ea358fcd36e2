"""Start the engine in several processes and listen to them: one for each GPU."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread
from typing import IO

from readerstudy.core.errors import ReaderStudyError

Tell = Callable[[int, int, str], None]
_CODE = Path(__file__).resolve().parent.parent
_WAIT_SECONDS = 0.5
STOP_FILE = "stop"


def train_together(
    arguments: Sequence[str],
    run: Path,
    *,
    processes: int,
    tell: Tell,
    should_stop: Callable[[], bool],
) -> None:
    """Train by torchrun and wait for the end.

    Parameters
    ----------
    arguments : sequence of str
        Of ``python -m synthesis.training``.
    run : Path
        Folder of the run; a file ``stop`` in it asks the processes to save and end.
    tell : callable
        Called with (step, of, message).
    should_stop : callable
        Asked twice a second.

    Raises
    ------
    ReaderStudyError
        What the engine refused, or the last words of a process that died.
    """
    (run / STOP_FILE).unlink(missing_ok=True)
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [sys.executable, *launcher, "-m", "synthesis.training", *arguments]
    with subprocess.Popen(  # noqa: S603 - no shell; each argument is one word
        command, cwd=_CODE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as engine:
        refused: list[str] = []
        died: list[str] = []
        listeners = [
            Thread(target=_listen, args=(engine.stdout, tell, refused), daemon=True),
            Thread(target=_keep_last, args=(engine.stderr, died), daemon=True),
        ]
        for listener in listeners:
            listener.start()
        try:
            _wait(engine, run, should_stop)
        finally:
            engine.terminate()
        for listener in listeners:
            listener.join()
    (run / STOP_FILE).unlink(missing_ok=True)
    if engine.returncode != 0:
        raise ReaderStudyError((refused or died or ["The training processes ended."])[-1])


def _wait(engine: subprocess.Popen[str], run: Path, should_stop: Callable[[], bool]) -> None:
    while True:
        try:
            engine.wait(_WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            if should_stop() and run.is_dir():
                (run / STOP_FILE).touch()
        else:
            return


def _listen(stream: IO[str], tell: Tell, refused: list[str]) -> None:
    for text in stream:
        try:
            line = json.loads(text)
        except ValueError:
            continue  # not ours: a notice of a library
        if "error" in line:
            refused.append(line["error"])
        else:
            tell(line["step"], line["of"], line["message"])


def _keep_last(stream: IO[str], died: list[str]) -> None:
    for text in stream:
        if text.strip():
            died[:] = [text.strip()]
