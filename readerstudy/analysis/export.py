"""Exports of a study: raw reads in long and wide form with a codebook, and the results."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from readerstudy.adjudication.table import COLUMN_TEXTS as CONSENSUS_TEXTS
from readerstudy.adjudication.table import consensus_csv, is_adjudicated
from readerstudy.analysis import display_checks, reading_log
from readerstudy.analysis.answers import QuestionAnswers, answers_of
from readerstudy.analysis.document import Document
from readerstudy.analysis.endpoints import after_consensus
from readerstudy.analysis.exports.dicom_sr import dicom_sr_files
from readerstudy.analysis.exports.for_others import files_for_others
from readerstudy.analysis.facts import Dataset, Read
from readerstudy.analysis.frames import frames_of
from readerstudy.analysis.software import software
from readerstudy.core.cells import safe_cell
from readerstudy.reading.clocks import seconds_of
from readerstudy.reading.scheduling import certificate
from readerstudy.stats.results import json_safe
from readerstudy.studies.deviations import deviations_of
from readerstudy.studies.models import Question

MEASURED_KINDS = (Question.Kind.REGION, Question.Kind.PLACE, Question.Kind.RANKING)
DEVIATION_COLUMNS = ("at_utc", "kind", "reader", "what", "reason", "recorded_by")
LONG_COLUMNS = (
    "study",
    "reader",
    "arm",
    "period",
    "position",
    "stage",
    "repeat",
    "item",
    "case",
    "subject",
    "origin",
    "generator",
    "question",
    "question_kind",
    "value",
    "points_mm",
    "points_lps_mm",
    "measured",
    "not_evaluable",
    "received_at_utc",
    "load_seconds",
    "look_seconds",
    "idle_seconds",
    "away_seconds",
    "time_rule",
    "corrections",
    "case_withdrawn",
    "reader_withdrawn",
    "blind_broken",
    "blind_broken_at_utc",
)
ANSWER_COLUMNS = (
    "question",
    "kind",
    "arm",
    "reader",
    "level",
    "count",
    "n",
    "not_evaluable",
    "mean",
    "sd",
    "median",
)
COLUMN_TEXTS = {
    "study": "Identifier of the study",
    "reader": "Code of the reader in this study",
    "arm": "Code of the arm in which the case was read; main where there is one",
    "period": "Period of a crossover, from 1",
    "position": "Place of the case in this reader's order within the period, from 1",
    "stage": "Of a sequential reading: 1 for the first, sealed answer",
    "repeat": "1 if the reader was shown the case a second time, else 0",
    "item": "Code of what was shown: the case, or the first of several beside each other",
    "case": "Code of the case; a real and a synthetic version have different codes",
    "subject": "Pseudonym of the person; cases of one subject are not independent",
    "origin": "Truth: real or synthetic",
    "generator": "Generator of a synthetic case; empty for real cases",
    "question": "Code of the question",
    "question_kind": "single, ordinal, multi, confidence, number, text, region (drawn on the "
    "image), place (one of several images) or ranking",
    "value": "Code of the answer, number or text; several codes are separated by a vertical bar. "
    "Of a region: what was drawn (point, length, ellipse), series and plane. Of a place or "
    "ranking: the members of the item, counted from 0 in the order of the protocol, or equal",
    "points_mm": "Points of a region in the case frame, mm to the left, back and top: x y z, "
    "points separated by a vertical bar; of an ellipse two corners of its box",
    "points_lps_mm": "The same points in patient coordinates (DICOM LPS), mm",
    "measured": "What the page measured, as name=number, separated by a vertical bar: length_mm; "
    "or mean, sd, area_mm2, n; or level. In the unit of the map, else in display levels. Of a "
    "place or ranking: place=, where the members stood, from 0",
    "not_evaluable": "1 if the reader chose “not evaluable”, else 0",
    "received_at_utc": "When the server received the answer, ISO 8601, UTC",
    "load_seconds": "Time until the image was on screen; this and the next three with corrections",
    "look_seconds": "Time with the page visible and in use",
    "idle_seconds": "Time visible without input beyond 60 s",
    "away_seconds": "Time with the page hidden or another window in front",
    "time_rule": "Name of the rule that divided the times; see docs/how-to/reading-times.md",
    "corrections": "How often the reader corrected this reading within the grace time",
    "case_withdrawn": "1 if the case was withdrawn after this reading, else 0",
    "reader_withdrawn": "1 if the reader was withdrawn from the study later, else 0; the answer "
    "counts",
    "blind_broken": "1 if this case, or one beside it, was unblinded on its own before the study "
    "was, else 0",
    "blind_broken_at_utc": "When that happened first, ISO 8601, UTC; compare with received_at_utc",
}


def long_rows(data: Dataset) -> Iterable[dict[str, Any]]:
    """Yield one row per reading and question answered."""
    for read in data.reads:
        common = _common(data, read)
        for question in data.protocol.questions:
            value = read.answers.get(question.code)
            skipped = question.code in read.not_evaluable
            if value is not None or skipped:
                yield {
                    **common,
                    "question": question.code,
                    "question_kind": question.kind,
                    "value": _text_of(value),
                    **_region_cells(value),
                    "not_evaluable": int(skipped),
                }


def wide_rows(data: Dataset) -> Iterable[dict[str, Any]]:
    """Yield one row per reading, a column per question."""
    for read in data.reads:
        row = _common(data, read)
        for question in data.protocol.questions:
            value = read.answers.get(question.code)
            row[f"answer_{question.code}"] = _text_of(value)
            if question.kind in MEASURED_KINDS:
                row |= {f"{name}_{question.code}": v for name, v in _region_cells(value).items()}
        yield row


def _text_of(value: Any) -> str:
    if isinstance(value, dict) and "members" in value:
        return "|".join(map(str, value["members"])) or "equal"
    if isinstance(value, dict):
        return f"{value['kind']} {value['role']} {value['plane']}"
    if isinstance(value, list):
        return "|".join(value)
    if isinstance(value, str):
        return safe_cell(value)
    return "" if value is None else str(value)


def _region_cells(value: Any) -> dict[str, str]:
    """Return the cells of what was measured or where it stood; empty for every other answer."""
    region = value if isinstance(value, dict) else {}
    measured = region.get("measured", {})
    parts = [f"{name}={measured[name]!r}" for name in sorted(measured)]
    parts += [f"place={place}" for place in region.get("shown", [])]
    return {
        "points_mm": _points(region.get("points_mm")),
        "points_lps_mm": _points(region.get("points_lps_mm")),
        "measured": "|".join(parts),
    }


def _points(points: list[list[float]] | None) -> str:
    return "|".join(" ".join(repr(number) for number in point) for point in points or [])


def _common(data: Dataset, read: Read) -> dict[str, Any]:
    times = seconds_of(read.clocks).items()
    rules = [str(clock.get("rule", "")) for clock in read.clocks]
    return {
        "study": str(data.study.pk),
        "reader": read.reader,
        "arm": read.arm,
        "period": read.period,
        "position": read.position,
        "stage": read.stage,
        "repeat": read.repeat,
        "item": read.item,
        "case": read.case,
        "subject": read.subject,
        "origin": read.origin,
        "generator": read.generator,
        "received_at_utc": read.received_at.isoformat(),
        "corrections": read.corrections,
        "case_withdrawn": int(read.withdrawn),
        "reader_withdrawn": int(read.reader_withdrawn),
        "blind_broken": int(read.blind_broken_at is not None),
        "blind_broken_at_utc": read.blind_broken_at.isoformat() if read.blind_broken_at else "",
        **{f"{part}_seconds": "" if time is None else time for part, time in times},
        "time_rule": safe_cell("|".join(dict.fromkeys(rules))),
    }


def codebook_rows(data: Dataset) -> Iterable[dict[str, str]]:
    """Yield what each column and each code means."""
    for column in LONG_COLUMNS:
        yield {"kind": "column", "name": column, "code": "", "text": COLUMN_TEXTS[column]}
    for column, text in display_checks.COLUMN_TEXTS.items():
        yield {"kind": "column of display_checks", "name": column, "code": "", "text": text}
    for name, texts in (("events", reading_log.EVENT_TEXTS), ("views", reading_log.VIEW_TEXTS)):
        for column, text in texts.items():
            yield {"kind": f"column of {name}", "name": column, "code": "", "text": text}
    if is_adjudicated(data.study):
        for column, text in CONSENSUS_TEXTS.items():
            yield {"kind": "column of consensus", "name": column, "code": "", "text": text}
        for column, text in after_consensus.ROW_TEXTS.items():
            yield {"kind": "column of after_consensus", "name": column, "code": "", "text": text}
    for question in data.protocol.questions:
        yield {"kind": "question", "name": question.code, "code": "", "text": question.text}
        for option in question.options:
            text = f"{option.label}: {option.anchor}" if option.anchor else option.label
            yield {"kind": "answer", "name": question.code, "code": option.code, "text": text}


def to_csv(rows: Iterable[dict[str, Any]], columns: Iterable[str] | None = None) -> str:
    """Return rows as CSV text; floats keep full precision."""
    rows = list(rows)
    names = list(columns or (rows[0] if rows else ()))
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def data_sha256(data: Dataset) -> str:
    """Return the digest of ``reads_long.csv``: what the results rest on."""
    return hashlib.sha256(to_csv(long_rows(data), LONG_COLUMNS).encode()).hexdigest()


def results_document(data: Dataset, found: Document) -> dict[str, Any]:
    """Return the results with what they rest on: study, protocol, data and software."""
    return {
        "format": "readerstudy-results-2",
        "study": str(data.study.pk),
        "name": data.study.name,
        "protocol_hash": data.study.protocol_hash,
        "data_sha256": data_sha256(data),
        "software": software(),
        "results": {
            **found.to_dict(),
            "answers": [question.to_dict() for question in answers_of(data)],
            "after_consensus": [one.to_dict() for one in after_consensus.after_consensus(data)],
        },
    }


def files(data: Dataset, found: Document) -> dict[str, bytes]:
    """Return every file of the export by name."""
    texts = {
        "reads_long.csv": to_csv(long_rows(data), LONG_COLUMNS),
        "reads_wide.csv": to_csv(wide_rows(data)),
        "display_checks.csv": to_csv(
            display_checks.session_rows(data.study), display_checks.COLUMN_TEXTS
        ),
        "reading_events.csv": to_csv(reading_log.event_rows(data), reading_log.EVENT_COLUMNS),
        "reading_views.csv": to_csv(reading_log.view_rows(data), reading_log.VIEW_COLUMNS),
        "codebook.csv": to_csv(codebook_rows(data)),
        "answers.csv": to_csv(map(_without_nan, answer_rows(answers_of(data))), ANSWER_COLUMNS),
        "results.json": _json(results_document(data, found)),
        "protocol.json": _json(data.study.protocol),
        **_amendment_files(data),
        "deviations.csv": to_csv(deviation_rows(data), DEVIATION_COLUMNS),
        "allocation_certificate.json": _json(certificate(data.study)),
    }
    if is_adjudicated(data.study):
        settled = after_consensus.rows(after_consensus.after_consensus(data))
        texts["consensus.csv"] = consensus_csv(data.study)
        texts["after_consensus.csv"] = to_csv(map(_without_nan, settled), after_consensus.ROW_TEXTS)
    content = {name: text.encode() for name, text in texts.items()}
    content |= files_for_others(data)
    content |= dicom_sr_files(data, frames_of(data.study), study=str(data.study.pk))
    sums = "".join(
        f"{hashlib.sha256(blob).hexdigest()}  {name}\n" for name, blob in sorted(content.items())
    )
    return {**content, "SHA256SUMS": sums.encode()}


def deviation_rows(data: Dataset) -> Iterable[dict[str, Any]]:
    """Yield every deviation from the protocol, oldest first; people by their part, not by name."""
    for entry in deviations_of(data.study):
        yield {
            "at_utc": entry.at.isoformat(),
            "kind": entry.kind,
            "reader": entry.reader,
            "what": entry.text,
            "reason": entry.reason,
            "recorded_by": "staff" if entry.by else "system",
        }


def _amendment_files(data: Dataset) -> dict[str, str]:
    """Return each later version of the protocol with its reason and what it changed."""
    return {
        f"protocol_version_{one.version}.json": _json(
            {
                "version": one.version,
                "at_utc": one.at.isoformat(),
                "reason": one.reason,
                "changes": one.changes,
                "protocol_hash": one.protocol_hash,
                "protocol": one.protocol,
            }
        )
        for one in data.study.amendments.all()
    }


def answer_rows(answers: Iterable[QuestionAnswers]) -> Iterable[dict[str, Any]]:
    """Yield each level of each question by arm and reader; of numbers their middle."""
    for question in answers:
        for row in question.rows:
            common = {
                "question": question.code,
                "kind": question.kind,
                "arm": row.arm,
                "reader": row.reader,
                "n": row.n,
                "not_evaluable": row.not_evaluable,
            }
            if not question.levels:
                yield {**common, "mean": row.mean, "sd": row.sd, "median": row.median}
            for (code, _), count in zip(question.levels, row.counts, strict=True):
                yield {**common, "level": code, "count": count}


def _without_nan(row: dict[str, Any]) -> dict[str, Any]:
    """Write an undefined number as an empty cell; its reason stands in results.json."""
    return {key: "" if json_safe(value) is None else value for key, value in row.items()}


def _json(document: Any) -> str:
    return json.dumps(json_safe(document), indent=1, ensure_ascii=False) + "\n"


def write_folder(content: dict[str, bytes], folder: Path) -> None:
    """Write all files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, blob in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(blob)
