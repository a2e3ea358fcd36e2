"""What became of each series so far, so that an import that was stopped goes on cheaply."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from readerstudy.cases.ingest import OK, Outcome, Source
from readerstudy.cases.models import Series
from readerstudy.imaging.volumes import FoundSeries
from readerstudy.intake.folders import append_lines, read_lines


class Journal:
    """The outcomes of one import, by the names, sizes and dates of the files."""

    def __init__(self, path: Path, source: Source) -> None:
        self.path = path
        self.source = source
        self._outcomes = {line["files"]: line["outcome"] for line in read_lines(path)}

    def outcome_of(self, found: FoundSeries) -> Outcome | None:
        """Return what became of a series, if its files are unchanged and it is still stored."""
        stored = self._outcomes.get(self._key(found))
        if stored is None:
            return None
        outcome = Outcome(**stored)
        there = Series.objects.filter(
            case__code=outcome.case, role=outcome.series, sha256=outcome.sha256
        )
        return outcome if there.exists() else None

    def remember(self, found: FoundSeries, outcome: Outcome) -> None:
        """Keep the outcome of a series that came in; what failed is tried again."""
        if outcome.status == OK:
            line = {"files": self._key(found), "outcome": outcome.to_dict()}
            append_lines(self.path, [line])

    def _key(self, found: FoundSeries) -> str:
        files = [(str(path), *_facts(path)) for path in found.paths]
        named = (found.name, found.case, found.subject, found.role, found.frames)
        text = json.dumps([named, files, self.source.label, self.source.faces])
        return hashlib.sha256(text.encode()).hexdigest()


def _facts(path: Path) -> tuple[int, int]:
    facts = path.lstat()
    return facts.st_size, facts.st_mtime_ns
