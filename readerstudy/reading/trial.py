"""A trial draw of a draft: would its rules leave an order, and what would each reader be shown?

Everything that a lock writes is written and taken back; nothing stays.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db import transaction

from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.reading import allocation, scheduling
from readerstudy.studies import locking
from readerstudy.studies.models import Study
from readerstudy.studies.showing import prospect_of
from readerstudy.studies.templates.registry import TEMPLATES

SEED = "trial"


@dataclass(frozen=True)
class Share:
    """What one reader is shown in one period; period 0 is the training block."""

    reader: str
    period: int
    readings: int
    minutes: int


@dataclass(frozen=True)
class Trial:
    """The outcome: shares of readers, or why nothing can be drawn."""

    shares: list[Share]
    conflict: str
    invented: bool  # no readers are invited yet; as many as the template names were assumed


def try_draw(study: Study) -> Trial:
    """Draw the allocation of a draft as it stands and throw it away."""
    readers = list(study.readers.values_list("code", flat=True))
    assumed = readers or [f"R{number + 1}" for number in range(_usual_readers(study))]
    try:
        rows = _draw(study, assumed)
    except (allocation.ImpossibleDesign, ReaderStudyError) as error:
        return Trial([], str(error), not readers)
    seconds = prospect_of(study).seconds
    counts = Counter((row.reader, row.period) for row in rows)
    shares = [
        Share(reader, period, count, -(-count * seconds // 60))
        for (reader, period), count in sorted(counts.items())
    ]
    return Trial(shares, "", not readers)


def _draw(study: Study, readers: list[str]) -> list[allocation.Row]:
    with write_transaction():
        locking.prepare(study)
        design = scheduling.design_of(study, readers)
        transaction.set_rollback(True)
    return allocation.draw(design, SEED)


def _usual_readers(study: Study) -> int:
    template = TEMPLATES.get(study.template)
    return template.numbers.readers if template else 2
