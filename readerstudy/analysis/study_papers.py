"""From rows to papers: what the report of a study says beside its numbers, and its audit log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from readerstudy.analysis.models import ExploratoryAnalysis
from readerstudy.analysis.writing.papers import Departure, Papers
from readerstudy.core.audit_pages import Line
from readerstudy.core.cells import safe_cell
from readerstudy.reading.models import Allocation, ReadingSession
from readerstudy.reading.scheduling import certificate
from readerstudy.reading.study_audit import records_of
from readerstudy.studies import analysis_plan
from readerstudy.studies.deviations import deviations_of
from readerstudy.studies.models import Study

PHASES = ("locked", "running", "closed", "unblinded")
# What looking and computing leave behind: it changes nothing that the results rest on.
WITHOUT_EFFECT = ("truth.look", "analysis.")
AUDIT_COLUMNS = (
    "sequence",
    "at_utc",
    "who",
    "action",
    "concerns",
    "reason",
    "previous_hash",
    "hash",
)


def papers_of(study: Study) -> Papers:
    """Return the papers of an unblinded study."""
    later = list(ExploratoryAnalysis.objects.filter(study=study))
    plan = analysis_plan.parse([row.entry for row in later])
    return Papers(
        protocol=study.protocol_in_force,
        amendments=tuple(_amendment(one) for one in study.amendments.order_by("version")),
        departures=tuple(_departure(one) for one in deviations_of(study)),
        certificate=certificate(study) if Allocation.objects.filter(study=study).exists() else {},
        dates={phase: at.isoformat() for phase in PHASES if (at := getattr(study, f"{phase}_at"))},
        exploratory=tuple((e.title, row.reason) for e, row in zip(plan, later, strict=True)),
        later=plan,
        display=_display(study),
    )


def _amendment(row: Any) -> dict[str, Any]:
    return {
        "version": row.version,
        "at_utc": row.at.isoformat(),
        "reason": row.reason,
        "changes": row.changes,
        "protocol_hash": row.protocol_hash,
    }


def _departure(entry: Any) -> Departure:
    return Departure(entry.at.isoformat(), entry.kind, entry.reader, entry.text, entry.reason)


def _display(study: Study) -> str:
    """Return on how many sittings a passed check of the display was in force."""
    sittings = ReadingSession.objects.filter(
        enrolment__in=study.readers, submissions__isnull=False
    ).distinct()
    total = sittings.count()
    if not total:
        return ""
    passed = sittings.filter(display_check__outcome="passed").count()
    return (
        f"Readers checked their displays with test patterns: {passed} of {total} sittings with "
        "answers were on a display whose check was passed."
    )


def audit_rows(study: Study) -> Iterable[dict[str, Any]]:
    """Yield the records of a study, oldest first; readers by their code, others as staff."""
    codes = dict(study.enrolments.values_list("reader", "code"))
    for record in records_of(study).order_by("sequence"):
        if record.action.startswith(WITHOUT_EFFECT):
            continue
        line = Line.of(record)
        yield {
            "sequence": record.sequence,
            "at_utc": record.at.isoformat(),
            "who": _who(record.actor_id, codes),
            "action": line.action,
            "concerns": line.target or "hidden",
            "reason": safe_cell(record.reason),
            "previous_hash": record.previous_hash,
            "hash": record.hash,
        }


def _who(actor: Any, codes: dict[Any, str]) -> str:
    if actor is None:
        return "the server"
    return codes.get(actor, "staff")
