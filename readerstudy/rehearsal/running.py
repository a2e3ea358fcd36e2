"""Carry out a dry run: copy, lock, read through HTTP, close, unblind, export, compare."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from django.utils import timezone

from readerstudy.analysis import datasets
from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.reading.models import Reading
from readerstudy.reading.parts import reading_seconds
from readerstudy.rehearsal import archive, assumptions, cloning, discarding, recovery, serving
from readerstudy.rehearsal import crib as cribs
from readerstudy.rehearsal.http_session import HttpSession
from readerstudy.rehearsal.models import Rehearsal
from readerstudy.rehearsal.reading_client import Ledger, ReadingFailed, SimulatedReader
from readerstudy.rehearsal.time_travel import pass_washout
from readerstudy.rehearsal.verification import verify
from readerstudy.rehearsal.virtual_readers import VirtualReader
from readerstudy.studies import lifecycle
from readerstudy.studies.models import Enrolment, Study
from readerstudy.truth.unblinding import unblind

AT_ONCE = 4
TELL_SECONDS = 0.2
REASON = "End of a dry run with simulated readers"
BACKEND = "django.contrib.auth.backends.ModelBackend"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Outcome:
    """What a dry run left behind."""

    rehearsal: Rehearsal
    ledgers: tuple[Ledger, ...]
    data: datasets.Dataset


def run(
    *, rehearsal: Rehearsal, actor: Any = None, url: str | None = None, progress: Progress
) -> Outcome:
    """Read a copy of the study to its end with simulated readers and store what came out.

    Safe to run again: what an interrupted attempt left is discarded first.

    Parameters
    ----------
    rehearsal : Rehearsal
    actor : User, optional
        Who asked for it; the study's own coordinator by default.
    url : str, optional
        A running server of this installation; without it one is started for the time.
    progress : callable
        Told (step, of, words).

    Raises
    ------
    ReaderStudyError
        If the study cannot be locked, or the server refuses what a reader may do.
    """
    if rehearsal.discarded_at or rehearsal.result:
        raise ReaderStudyError("This dry run is over. Start another one.")
    actor = actor or rehearsal.created_by or rehearsal.study.created_by
    started = time.monotonic()
    if rehearsal.clone is not None:
        discarding.delete_clone(rehearsal=rehearsal)
    clone = cloning.clone_for_rehearsal(rehearsal=rehearsal, actor=actor)
    clone = cloning.open_reading(clone=clone, actor=actor, seed=rehearsal.seed, progress=progress)
    crib = cribs.crib_of(clone, seed=rehearsal.seed)
    stated = assumptions.parse(rehearsal.assumptions)
    virtual = {one.code: VirtualReader(one.code, rehearsal.seed, stated) for one in clone.readers}
    total = Reading.objects.filter(enrolment__study=clone).count()
    with serving.served(url) as address:
        readers = _readers(rehearsal, clone, crib, virtual, address)
        ledgers = _read(readers, lambda done: progress(done, total + 1, _so_far(done, total)))
    clone = lifecycle.close(study=clone, actor=actor, reason=REASON)
    unblind(study=clone, actor=actor, reason=REASON, typed_name=clone.name)
    clone.refresh_from_db()
    data = datasets.load(clone, actor=actor)
    material = recovery.Material(data, crib, stated, list(virtual.values()))
    result = _result(clone, material, ledgers, seconds=time.monotonic() - started)
    _store(rehearsal, data, result, actor)
    return Outcome(rehearsal, tuple(ledgers), data)


def _so_far(done: int, total: int) -> str:
    return f"{done} of {total} readings"


def _readers(
    rehearsal: Rehearsal,
    clone: Study,
    crib: cribs.Crib,
    virtual: Mapping[str, VirtualReader],
    address: str,
) -> list[SimulatedReader]:
    """Return the simulated readers, each signed in."""
    return [
        SimulatedReader(
            virtual=virtual[one.code],
            session=HttpSession(address, _sign_in(one), serving.public_headers()),
            enrolment=one.token,
            shown=crib.shown,
            fetch_images=rehearsal.images,
            wait=partial(pass_washout, enrolment=one),
        )
        for one in clone.readers.select_related("reader", "study")
    ]


def _read(readers: Sequence[SimulatedReader], progress: Callable[[int], None]) -> list[Ledger]:
    """Let all readers read, several at once, and tell how far they are."""
    counter = _Counter()

    def read(reader: SimulatedReader) -> Ledger:
        try:
            return reader.read_all()
        except BaseException:
            counter.stop.set()
            raise
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for reader in readers:
            reader.told = counter.add
        futures = [pool.submit(read, reader) for reader in readers]
        try:
            while wait(futures, timeout=TELL_SECONDS).not_done:
                progress(counter.count)
            return [future.result() for future in futures]
        except ReadingFailed as error:
            raise ReaderStudyError(f"The dry run stopped. {error}") from error
        finally:
            counter.stop.set()
            _sign_out([reader.session.cookies for reader in readers])


class _Stopped(Exception):
    """Another reader failed, or the work was taken over; this one ends too."""


class _Counter:
    """Counts readings across threads, and ends them all."""

    def __init__(self) -> None:
        self.count = 0
        self.stop = threading.Event()
        self._lock = threading.Lock()

    def add(self) -> None:
        """Count one, or end the thread that counts if all are to stop."""
        with self._lock:
            self.count += 1
        if self.stop.is_set():
            raise _Stopped


def _sessions() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


def _sign_in(enrolment: Enrolment) -> dict[str, str]:
    """Open a session for a simulated reader, who has no password; return its cookie."""
    cloning.require_rehearsal(enrolment.study)
    user = enrolment.reader
    session = _sessions()()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return {settings.SESSION_COOKIE_NAME: session.session_key}


def _sign_out(cookies: Sequence[Mapping[str, str]]) -> None:
    for cookie in cookies:
        _sessions()(cookie[settings.SESSION_COOKIE_NAME]).delete()


def _result(
    clone: Study, material: recovery.Material, ledgers: Sequence[Ledger], *, seconds: float
) -> dict[str, Any]:
    readers = [_reader_document(clone, ledger, material) for ledger in ledgers]
    hours = [reader["hours"] for reader in readers]
    return {
        "simulated": True,
        "readers": readers,
        "median_hours": statistics.median(hours),
        "longest_hours": max(hours),
        "periods": _periods(clone),
        "endpoints": [row.document() for row in recovery.recover(material)],
        "drawn_truth": sorted(material.crib.drawn),
        "verification": verify(clone, material.data, ledgers).document(),
        "seconds": seconds,
        "requests": sum(ledger.requests for ledger in ledgers),
    }


def _reader_document(clone: Study, ledger: Ledger, material: recovery.Material) -> dict[str, Any]:
    times = reading_seconds(clone.readers.get(code=ledger.reader))
    rest = 60 * material.stated.break_minutes * ledger.pauses
    return {
        "code": ledger.reader,
        "readings": len(ledger.entries),
        "hours": (sum(times) + rest) / 3600,
        "median_seconds": statistics.median(times) if times else None,
        "days_waited": ledger.days_waited,
        "pauses": ledger.pauses,
        "drafts": ledger.drafts,
        "sent_twice": ledger.sent_twice,
        "taken_back": ledger.taken_back,
        "images": ledger.images,
        "stopped": ledger.stopped,
    }


def _periods(clone: Study) -> list[dict[str, Any]]:
    """Return how many readings each reader has in each period; 0 is the training."""
    counts: dict[int, dict[str, int]] = {}
    readings = Reading.objects.filter(enrolment__in=clone.readers)
    for period, code in readings.values_list("period", "enrolment__code"):
        readers = counts.setdefault(period, {})
        readers[code] = readers.get(code, 0) + 1
    return [
        {
            "period": period,
            "fewest": min(counts[period].values()),
            "most": max(counts[period].values()),
        }
        for period in sorted(counts)
    ]


def _store(
    rehearsal: Rehearsal, data: datasets.Dataset, result: dict[str, Any], actor: Any
) -> None:
    stored = archive.store(rehearsal, data, result)
    with write_transaction():
        rehearsal.result, rehearsal.archive = result, stored
        rehearsal.finished_at = timezone.now()
        rehearsal.save(update_fields=("result", "archive", "finished_at"))
        audit.record(
            actor=actor,
            action="rehearsal.finish",
            target=f"study {rehearsal.study_id}",
            new={"dry_run": rehearsal.number, "archive": stored},
        )
