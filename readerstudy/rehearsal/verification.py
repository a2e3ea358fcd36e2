"""Compare what the simulated readers sent and had acknowledged with what the export holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from readerstudy.analysis import export
from readerstudy.analysis.datasets import Dataset
from readerstudy.reading.models import Submission
from readerstudy.reading.training import TRAINING_PERIOD
from readerstudy.rehearsal.reading_client import Entry, Ledger
from readerstudy.studies.answers import NOT_EVALUABLE
from readerstudy.studies.models import Study

Cell = tuple[str, int, int, str]  # reader, period, position, question


@dataclass(frozen=True)
class Verification:
    """What arrived.

    Attributes
    ----------
    acknowledged : int
        Readings with a receipt, training included.
    values : int
        Values that were to stand in the export.
    lost, doubled, changed, invented : int
        Values that are missing, stand there twice, differ from what was sent, or were never sent.
    accepted : int
        Accepted answers on record that no correction replaced.
    examples : tuple of str
        The first values at fault.
    """

    acknowledged: int
    accepted: int
    values: int
    lost: int
    doubled: int
    changed: int
    invented: int
    examples: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Is everything there, once and as it was sent?"""
        faults = self.lost + self.doubled + self.changed + self.invented
        return faults == 0 and self.acknowledged == self.accepted

    def document(self) -> dict[str, Any]:
        """Return the outcome as JSON."""
        return {**asdict(self), "is_whole": self.is_whole}


def verify(clone: Study, data: Dataset, ledgers: Sequence[Ledger]) -> Verification:
    """Compare the ledgers of all readers with the long table of the export."""
    expected = {
        (ledger.reader, entry.period, entry.position, code): value
        for ledger in ledgers
        for entry in ledger.entries.values()
        if entry.period != TRAINING_PERIOD
        for code, value in entry.answers.items()
    }
    found: dict[Cell, list[Mapping[str, Any]]] = {}
    for row in export.long_rows(data):
        cell = (row["reader"], row["period"], row["position"], row["question"])
        found.setdefault(cell, []).append(row)
    changed = [c for c in expected if c in found and not _same(found[c][0], expected[c])]
    lost, invented = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    doubled = [cell for cell, rows in found.items() if len(rows) > 1]
    return Verification(
        acknowledged=sum(len(ledger.entries) for ledger in ledgers),
        accepted=_accepted(clone, ledgers),
        values=len(expected),
        lost=len(lost),
        doubled=len(doubled),
        changed=len(changed),
        invented=len(invented),
        examples=tuple(map(_named, [*lost, *doubled, *changed, *invented][:5])),
    )


def _accepted(clone: Study, ledgers: Sequence[Ledger]) -> int:
    """Count accepted answers that stand under the very keys that were acknowledged."""
    entries: Iterable[Entry] = (e for ledger in ledgers for e in ledger.entries.values())
    receipts = {entry.key: entry.receipt for entry in entries}
    standing = Submission.objects.filter(
        reading__enrolment__study=clone,
        outcome=Submission.Outcome.ACCEPTED,
        superseded_by__isnull=True,
    )
    return sum(receipts.get(str(one.key)) == str(one.pk) for one in standing)


def _same(row: Mapping[str, Any], sent: Any) -> bool:
    """Does a row of the export say what was sent?"""
    if sent == NOT_EVALUABLE:
        return row["not_evaluable"] == 1 and row["value"] == ""
    told = SAID.get(row["question_kind"], _plain)(sent)
    return row["not_evaluable"] == 0 and all(row[name] == text for name, text in told.items())


def _plain(sent: Any) -> dict[str, str]:
    return {"value": sent if isinstance(sent, str) else str(float(sent))}


def _several(sent: list[str]) -> dict[str, str]:
    return {"value": "|".join(sent)}


def _region(sent: dict[str, Any]) -> dict[str, str]:
    points = sent["region"]["points_mm"]
    return {"points_mm": "|".join(" ".join(map(repr, point)) for point in points)}


def _places(sent: Any) -> dict[str, str]:
    """Return where the chosen images stood; an answer of "equal" names none."""
    if sent == "equal":
        return {"value": "equal", "measured": ""}
    places = sent if isinstance(sent, list) else [sent]
    return {"measured": "|".join(f"place={place}" for place in places)}


SAID: dict[str, Callable[[Any], dict[str, str]]] = {
    "multi": _several,
    "region": _region,
    "place": _places,
    "ranking": _places,
}


def _named(cell: Cell) -> str:
    reader, period, position, question = cell
    return f"{reader}, period {period}, case {position}, {question}"
