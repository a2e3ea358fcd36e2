"""Search a DICOMweb server (QIDO-RS) and retrieve series from it (WADO-RS).

What is searched for and found are names of persons: it is neither stored nor logged.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from django.conf import settings

from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.intake import limits
from readerstudy.intake.dicomweb_http import Answer, Connection, DicomwebError, Patience, TryAgain
from readerstudy.intake.dicomweb_multipart import save_instance
from readerstudy.intake.dicomweb_servers import Server

JSON = "application/dicom+json"
INSTANCE = 'multipart/related; type="application/dicom"; transfer-syntax=*'
UID = re.compile(r"[0-9]+(\.[0-9]+)*")
DATE = re.compile(r"[0-9]{8}")
STUDY_FIELDS = ("00081030", "00080061", "00201206")
PLAIN = "*?:@!$'()/"  # may stand in a query as they are (RFC 3986, 3.4), and wildcards must
MAX_STUDIES = 50
PAGE = 500
MAX_INSTANCES = 20_000
MAX_TERM = 64
T = TypeVar("T")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Terms:
    """What to search for. Dates are ISO dates; an empty term does not narrow."""

    patient_id: str = ""
    accession: str = ""
    description: str = ""
    date_from: str = ""
    date_to: str = ""


@dataclass(frozen=True)
class StudyEntry:
    """One exam that a server knows."""

    uid: str
    patient_id: str
    date: str
    accession: str
    description: str
    modalities: tuple[str, ...]
    series: int | None


@dataclass(frozen=True)
class SeriesEntry:
    """One series of an exam."""

    uid: str
    study_uid: str
    patient_id: str
    number: int | None
    modality: str
    description: str
    instances: int | None


def servers() -> dict[str, Server]:
    """Return the servers that this installation knows."""
    found: dict[str, Server] = settings.DICOMWEB_SERVERS
    return found


def server_called(name: str) -> Server:
    """Return a server by name."""
    if name not in servers():
        known = ", ".join(servers()) or "none is configured"
        raise NotFound(f"There is no DICOMweb server of this name ({known}).")
    return servers()[name]


class Client:
    """Asks one server. Every answer is bounded; what breaks off is asked for again."""

    def __init__(self, server: Server, patience: Patience | None = None) -> None:
        self.patience = patience or Patience()
        self.connection = Connection(server, self.patience)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def search_studies(self, terms: Terms) -> list[StudyEntry]:
        """Return the exams that match, newest first, at most 50.

        Raises
        ------
        ReaderStudyError
            If no term was given, or one cannot be used.
        """
        query = _query(terms)
        entries = self._studies(query)
        masked = [(name, _masked(value)) for name, value in query]
        if not entries and masked != query:
            # Some servers (Orthanc 1.10 as Debian builds it) do not undo %-escapes in a query.
            found = self._studies(masked)
            entries = [entry for entry in found if _matches(entry, dict(query))]
        return sorted(entries, key=lambda entry: entry.date, reverse=True)[:MAX_STUDIES]

    def _studies(self, query: list[tuple[str, str]]) -> list[StudyEntry]:
        more = [*(("includefield", tag) for tag in STUDY_FIELDS), ("limit", str(MAX_STUDIES))]
        found = [_study(item) for item in self._json("studies", [*query, *more])]
        return [entry for entry in found if UID.fullmatch(entry.uid)]

    def study(self, study_uid: str) -> StudyEntry | None:
        """Return one exam, if the server knows it."""
        found = self._studies([("StudyInstanceUID", _checked(study_uid))])
        return next((one for one in found if one.uid == study_uid), None)

    def search_series(self, study_uid: str) -> list[SeriesEntry]:
        """Return the series of an exam, by number."""
        fields = [("includefield", "0008103E"), ("includefield", "00201209")]
        path = f"studies/{_checked(study_uid)}/series"
        found = [_series(item, study_uid) for item in self._json(path, fields)]
        entries = [entry for entry in found if UID.fullmatch(entry.uid)]
        return sorted(entries, key=lambda entry: (entry.number or 0, entry.uid))

    def instances(self, study_uid: str, series_uid: str) -> list[str]:
        """Return the SOPInstanceUIDs of a series.

        Raises
        ------
        DicomwebError
            If there are none, or too many.
        """
        path = f"studies/{_checked(study_uid)}/series/{_checked(series_uid)}/instances"
        known: dict[str, None] = {}
        while True:
            before = len(known)
            page = self._json(path, [("limit", str(PAGE)), ("offset", str(before))])
            known.update(dict.fromkeys(_text(item, "00080018") for item in page))
            if len(known) > MAX_INSTANCES:
                raise DicomwebError(f"The series has more than {MAX_INSTANCES:,} instances.")
            if len(page) < PAGE or len(known) == before:
                break
        uids = [uid for uid in known if UID.fullmatch(uid)]
        if not uids:
            raise DicomwebError("The server has no instances of this series.")
        return uids

    def retrieve(
        self, entry: SeriesEntry, folder: Path, *, progress: Progress | None = None
    ) -> list[Path]:
        """Bring a series into a folder; instances that are there already are not asked for again.

        Raises
        ------
        DicomwebError
            If an instance does not come after several tries. What came stays for the next time.
        """
        folder.mkdir(parents=True, exist_ok=True)
        uids = self.instances(entry.study_uid, entry.uid)
        paths = [folder / f"{uid}.dcm" for uid in uids]
        room = settings.INTAKE_MAX_TOTAL_BYTES
        for number, (uid, path) in enumerate(zip(uids, paths, strict=True), start=1):
            if not path.exists():
                self._retrieve_one(entry, uid, path)
            room -= path.stat().st_size
            if room < 0:
                raise limits.TooMuch(
                    "The series is larger than an import may be. "
                    f"At most {limits.size_text(settings.INTAKE_MAX_TOTAL_BYTES)} are taken."
                )
            if progress:
                progress(number, len(uids))
        return paths

    def _retrieve_one(self, entry: SeriesEntry, uid: str, path: Path) -> None:
        limits.check_disk(0)
        address = (
            f"studies/{_checked(entry.study_uid)}/series/{_checked(entry.uid)}/instances/{uid}"
        )
        limit = settings.INTAKE_MAX_FILE_BYTES
        self._tried(address, INSTANCE, lambda answer: save_instance(answer, path, limit=limit))

    def _json(self, path: str, query: list[tuple[str, str]]) -> list[dict[str, Any]]:
        address = f"{path}?{urlencode(query, safe=PLAIN, quote_via=quote)}" if query else path
        items = self._tried(address, JSON, Answer.json)
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise DicomwebError("The DICOMweb server's answer is no list of DICOM JSON objects.")
        return items

    def _tried(self, address: str, accept: str, use: Callable[[Answer], T]) -> T:
        """Ask and use the answer; where that breaks off, wait and try again."""
        for attempt in range(1, self.patience.tries + 1):
            try:
                return use(self.connection.get(address, accept=accept))
            except DicomwebError as error:
                self.connection.close()
                if not isinstance(error, TryAgain) or attempt == self.patience.tries:
                    raise
            time.sleep(self.patience.pause * attempt)
        raise AssertionError("unreachable")


def _checked(uid: str) -> str:
    if not UID.fullmatch(uid) or len(uid) > MAX_TERM:
        raise ReaderStudyError("A UID is digits and points, at most 64 characters.")
    return uid


def _query(terms: Terms) -> list[tuple[str, str]]:
    narrowing = [
        ("PatientID", terms.patient_id.strip()),
        ("AccessionNumber", terms.accession.strip()),
        ("StudyDescription", _anywhere(terms.description.strip())),
        ("StudyDate", _dates(terms)),
    ]
    query = [(name, value) for name, value in narrowing if value]
    if not query:
        raise ReaderStudyError("Give at least one term to search for.")
    if any(len(value) > MAX_TERM + 2 or re.search(r"[\x00-\x1f\\]", value) for _, value in query):
        raise ReaderStudyError(f"A term has at most {MAX_TERM} characters and no backslash.")
    if any(re.fullmatch(r"[*?]*", value) for _, value in query):
        raise ReaderStudyError("A term cannot be a wildcard alone.")
    return query


def _anywhere(text: str) -> str:
    return f"*{text}*" if text and not set("*?") & set(text) else text


def _masked(text: str) -> str:
    """Return a term with wildcards for the characters that a query must escape.

    A character outside ASCII may be several bytes to the server, so it becomes ``*``.
    """
    return "".join(
        char if quote(char, safe=PLAIN) == char else "?" if char.isascii() else "*" for char in text
    )


def _matches(entry: StudyEntry, query: dict[str, str]) -> bool:
    """Does an exam match the terms as they were meant?"""
    have = {
        "PatientID": entry.patient_id,
        "AccessionNumber": entry.accession,
        "StudyDescription": entry.description,
    }
    return all(_is_like(value, query[name]) for name, value in have.items() if name in query)


def _is_like(text: str, term: str) -> bool:
    pattern = "".join({"*": ".*", "?": "."}.get(char) or re.escape(char) for char in term)
    return re.fullmatch(pattern, text, re.IGNORECASE | re.DOTALL) is not None


def _dates(terms: Terms) -> str:
    first, last = (text.replace("-", "") for text in (terms.date_from, terms.date_to))
    if any(text and not DATE.fullmatch(text) for text in (first, last)):
        raise ReaderStudyError("Write dates as year-month-day.")
    if first and last and first > last:
        raise ReaderStudyError("The first date lies after the last.")
    if first == last:
        return first
    return f"{first}-{last}"


def _study(item: dict[str, Any]) -> StudyEntry:
    return StudyEntry(
        uid=_text(item, "0020000D"),
        patient_id=_text(item, "00100020"),
        date=_iso(_text(item, "00080020")),
        accession=_text(item, "00080050"),
        description=_text(item, "00081030"),
        modalities=tuple(str(value)[:16] for value in _values(item, "00080061")[:10]),
        series=_number(item, "00201206"),
    )


def _series(item: dict[str, Any], study_uid: str) -> SeriesEntry:
    return SeriesEntry(
        uid=_text(item, "0020000E"),
        study_uid=study_uid,
        patient_id=_text(item, "00100020"),
        number=_number(item, "00200011"),
        modality=_text(item, "00080060"),
        description=_text(item, "0008103E"),
        instances=_number(item, "00201209"),
    )


def _values(item: dict[str, Any], tag: str) -> list[Any]:
    field = item.get(tag)
    values = field.get("Value") if isinstance(field, dict) else None
    return [value for value in values if value is not None] if isinstance(values, list) else []


def _text(item: dict[str, Any], tag: str) -> str:
    value = next(iter(_values(item, tag)), "")
    return str(value).strip()[:200] if isinstance(value, str | int | float) else ""


def _number(item: dict[str, Any], tag: str) -> int | None:
    try:
        return int(_text(item, tag))
    except ValueError:
        return None


def _iso(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if DATE.fullmatch(text) else text
