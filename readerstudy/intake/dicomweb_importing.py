"""Bring series of a DICOMweb server in: begin an import, fetch its files, name its cases.

Which exams were chosen stands in the import's own folder, never in the database.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from django.utils.text import slugify

from readerstudy.cases.ingest import Progress
from readerstudy.core import audit, jobs
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.intake import folders
from readerstudy.intake.dicomweb import Client, SeriesEntry, server_called
from readerstudy.intake.dicomweb_servers import Server
from readerstudy.intake.models import Import
from readerstudy.intake.options import UNKNOWN, Options

KIND, TITLE = "import_dicomweb", "Retrieve and import series"
MAX_SERIES = 200


@dataclass(frozen=True)
class Pick:
    """One series that was chosen, and the role that it is to have (empty: as its header tells)."""

    series: SeriesEntry
    role: str = ""


def open_dicomweb(
    *, server: Server, picks: Sequence[Pick], options: Options, actor: Any = None
) -> Import:
    """Begin an import of chosen series; nothing is asked of the server yet."""
    if not picks:
        raise ReaderStudyError("Choose at least one series.")
    if len(picks) > MAX_SERIES:
        raise ReaderStudyError(f"At most {MAX_SERIES} series can be imported at once.")
    _check_roles(picks)
    batch = Import(
        kind=Import.Kind.DICOMWEB,
        options=options.to_dict(),
        created_by=actor if getattr(actor, "pk", None) else None,
    )
    place = folders.place_of(batch)
    place.make()
    chosen = [{"role": one.role, **asdict(one.series)} for one in picks]
    folders.write_json(place.source, {"server": server.name, "series": chosen})
    with write_transaction():
        batch.save(force_insert=True)
        audit.record(
            actor=actor,
            action="intake.open",
            target=f"import {batch.pk}",
            new={"kind": batch.kind, "server": server.name, "series": len(picks), **batch.options},
        )
    return batch


def _check_roles(picks: Sequence[Pick]) -> None:
    said = [(one.series.study_uid, one.role) for one in picks if one.role]
    if twice := sorted({role for key in set(said) if said.count(key) > 1 for role in key[1:]}):
        raise ReaderStudyError(
            f"Two series of the exam are to be {', '.join(twice)}. Give each its own sequence."
        )


def start(*, batch: Import, actor: Any = None) -> Job:
    """Hand a begun import to a worker."""
    with write_transaction():
        arguments = {"batch": str(batch.pk)}
        key = f"{KIND} {batch.pk}"
        job = jobs.enqueue(KIND, title=TITLE, arguments=arguments, actor=actor, key=key)
        Import.objects.filter(pk=batch.pk).update(state=Import.State.QUEUED, job=job)
    batch.refresh_from_db()
    return job


def record_search(*, server: Server, actor: Any) -> None:
    """Record that a server was searched; not for whom."""
    with write_transaction():
        audit.record(actor=actor, action="intake.search", target=f"server {server.name}")


def retrieve(batch: Import, *, progress: Progress | None = None) -> None:
    """Fetch what an import lacks, and write the manifest that names its cases.

    Raises
    ------
    ReaderStudyError
        If the server does not give it. What came stays for the next attempt.
    """
    place = folders.place_of(batch)
    server, picks = _selection(place.source)
    names = [_folder_name(number, one) for number, one in enumerate(picks, start=1)]
    with Client(server) as client:
        for number, (one, name) in enumerate(zip(picks, names, strict=True), start=1):

            def tell(done: int, of: int, number: int = number) -> None:
                if progress:
                    message = f"Retrieving series {number} of {len(picks)}: {done} of {of} images"
                    progress(number, len(picks) + 1, message)

            client.retrieve(one.series, place.files / name, progress=tell)
    _write_manifest(place.root / "manifest.csv", picks, names, Options.of(batch.options))


def _selection(path: Path) -> tuple[Server, list[Pick]]:
    if not path.exists():
        raise ReaderStudyError("The names of this import were removed. Begin a new one.")
    stored = json.loads(path.read_text())
    picks = []
    for line in stored["series"]:
        role = line.pop("role")
        picks.append(Pick(SeriesEntry(**line), role))
    return server_called(stored["server"]), picks


def _folder_name(number: int, one: Pick) -> str:
    """Return a folder's name that tells a coordinator which series it is."""
    return f"{number:03d}-{slugify(one.series.description)[:60] or 'series'}"


def _write_manifest(path: Path, picks: list[Pick], names: list[str], options: Options) -> None:
    """Name case and subject of each series: the exam, and the person it is of."""
    said = {} if options.origin == UNKNOWN else {"origin": options.origin}
    columns = ("path", "case", "subject", "sequence", "origin", "generator")
    temporary = path.with_name("new-manifest.csv")
    with temporary.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, columns, restval="")
        writer.writeheader()
        for one, name in zip(picks, names, strict=True):
            writer.writerow(
                {
                    "path": name,
                    "case": one.series.study_uid,
                    "subject": _subject(one),
                    "sequence": one.role,
                    "generator": options.generator,
                    **said,
                }
            )
    temporary.replace(path)


def _subject(one: Pick) -> str:
    """Return the person of an exam as a manifest may hold it; the exam where none is named."""
    text = " ".join(one.series.patient_id.split())
    return one.series.study_uid if not text or text[0] in "=@" else text


def series_of(client: Client, study_uid: str) -> list[SeriesEntry]:
    """Return the series of an exam, each with the person that the exam names.

    Raises
    ------
    ReaderStudyError
        If the server does not know the exam.
    """
    exam = client.study(study_uid)
    found = client.search_series(study_uid)
    if exam is None or not found:
        raise ReaderStudyError(f"{client.connection.server.name} does not know this exam.")
    return [replace(one, patient_id=one.patient_id or exam.patient_id) for one in found]
