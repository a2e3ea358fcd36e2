"""What a design can show and what it costs readers, in a few figures, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from readerstudy.stats import proportion
from readerstudy.studies.asking import arms_of, questions_in, shown_question
from readerstudy.studies.fitting import seconds_of
from readerstudy.studies.models import Study, StudyCase


@dataclass(frozen=True)
class Prospect:
    """What one study asks of readers and how close its estimates come.

    ``alone`` and ``together`` are half widths of 95 % intervals in points, around a share of one
    half: of one reader, and of all readers if they err independently of each other.
    """

    items: int
    training: int
    readers: int
    periods: int
    readings_per_reader: int
    seconds: int
    alone: float | None
    together: float | None

    @property
    def minutes_per_reader(self) -> int:
        return ceil(self.readings_per_reader * self.seconds / 60)

    @property
    def hours_in_all(self) -> float:
        return self.readers * self.readings_per_reader * self.seconds / 3600


def prospect_of(study: Study) -> Prospect:
    """Return the figures of a study as it stands."""
    plan, arms = study.plan, arms_of(study)
    items = _items(study, StudyCase.Phase.MAIN)
    training = _items(study, StudyCase.Phase.TRAINING)
    readers = study.readers.count()
    each = _items_per_reader(study, items, readers)
    periods = len(arms) if plan.schedule == "crossover" else 1
    stages = len(arms) if plan.schedule == "sequential" else 1
    main = (each + plan.repeats) * periods * stages
    seconds = max(
        seconds_of([shown_question(one) for one in questions_in(study, arm)]) for arm in arms
    )
    return Prospect(
        items=items,
        training=training,
        readers=readers,
        periods=periods,
        readings_per_reader=main + training if main else 0,
        seconds=seconds,
        alone=half_width(each),
        together=half_width(each * readers),
    )


def _items(study: Study, phase: str) -> int:
    return study.study_cases.filter(phase=phase).values("item").distinct().count()


def _items_per_reader(study: Study, items: int, readers: int) -> int:
    plan = study.plan
    if plan.plan == "one_version":
        main = study.study_cases.filter(phase=StudyCase.Phase.MAIN)
        return main.values("case__subject").distinct().count()
    if plan.plan == "split_plot":
        return ceil(items / plan.plots)
    if plan.plan == "partial" and readers:
        return ceil(items * plan.readers_per_item / readers)
    return items


def half_width(count: int) -> float | None:
    """Return half of Wilson's 95 % interval of a share of one half, in points."""
    if count < 2:
        return None
    found = proportion(count // 2, count)
    return 50 * (found.high - found.low)
