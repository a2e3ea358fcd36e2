"""Who reads which cases, in which arms, periods and order: the settings of a design.

Part of the protocol. `parse` turns the document into a frozen object and refuses, in words, what
contradicts itself; what only the cases and readers can contradict is refused by the draw
(reading/allocation.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from readerstudy.core.errors import ReaderStudyError

PLANS = {
    "crossed": "Every reader reads every case",
    "one_version": "Every reader reads one version of each patient",
    "split_plot": "Readers and cases are divided into plots",
    "partial": "Each case is read by some of the readers",
}
SCHEDULES = {
    "single": "One reading of each case",
    "crossover": "Every arm in a period of its own, with a washout between",
    "sequential": "The arms of a case one after another; the first answer is sealed",
}
COUNTERBALANCES = {
    "readers": "Readers follow different sequences of arms",
    "items": "In each period half of the cases are in each arm",
}
PAIRINGS = {
    "single": "One case at a time",
    "subject": "The versions of a patient beside each other",
    "random": "A real and a synthetic case beside each other, paired by lot",
}


@dataclass(frozen=True)
class ReadingDesign:
    """The settings of a design.

    Attributes
    ----------
    plan, schedule, counterbalance : str
        Keys of PLANS, SCHEDULES, COUNTERBALANCES; see reading/allocation_design.py.
    pairing : str
        Key of PAIRINGS: what an item is made of.
    sides_drawn : bool
        Images beside each other change sides by lot; False: the first case stays on the left.
    plots, readers_per_item : int
    repeats, lag : int
        Cases that each reader is shown twice in a period, and the least distance.
    gap : int or None
        Least distance between cases of one patient; None: ten, or as far as a small set allows.
    max_run : int
        Most cases of one class in a row; 0: no limit.
    blocks : int
        Parts of a period with strata and classes in equal proportion.
    washout_days : int
        Between the periods of a crossover, enforced for each reader.
    qualification : float or None
        Share of right answers in the training block that a reader needs to go on.
    training_subjects : bool
        Patients whose images trained a generator may be shown in a study of its images.
    """

    plan: str = "crossed"
    schedule: str = "single"
    counterbalance: str = "readers"
    pairing: str = "single"
    sides_drawn: bool = True
    plots: int = 2
    readers_per_item: int = 2
    repeats: int = 0
    lag: int = 20
    gap: int | None = None
    max_run: int = 0
    blocks: int = 1
    washout_days: int = 28
    qualification: float | None = None
    training_subjects: bool = False


def default_document() -> dict[str, Any]:
    """Return the settings of a plain fully crossed study."""
    return document_of(ReadingDesign())


def document_of(design: ReadingDesign) -> dict[str, Any]:
    """Return a design as JSON; `parse` gives it back."""
    return asdict(design)


def parse(document: Any) -> ReadingDesign:
    """Return the design that a document describes.

    Raises
    ------
    ReaderStudyError
        ``design`` with the first fault, in words.
    """
    if not isinstance(document, Mapping):
        raise _fault("The design must be an object.")
    if unknown := set(document) - {field.name for field in fields(ReadingDesign)}:
        raise _fault(f"The design has an unknown entry, {min(unknown)}.")
    try:
        design = ReadingDesign(**document)
    except TypeError as error:
        raise _fault(str(error)) from error
    _check(design)
    return design


def _check(design: ReadingDesign) -> None:
    for name, known in (
        ("plan", PLANS),
        ("schedule", SCHEDULES),
        ("counterbalance", COUNTERBALANCES),
        ("pairing", PAIRINGS),
    ):
        if getattr(design, name) not in known:
            raise _fault(f"There is no {name} called {getattr(design, name)!r}.")
    for name, least in LEAST.items():
        _check_whole(name, getattr(design, name), least)
    if design.gap is not None:
        _check_whole("gap", design.gap, 1)
    if not isinstance(design.training_subjects, bool):
        raise _fault("Whether training subjects may be shown must be true or false.")
    passing = design.qualification
    if passing is not None and not (isinstance(passing, int | float) and 0 < passing <= 1):
        raise _fault("The share of right answers to qualify must lie between 0 and 1.")
    if design.pairing != "single" and design.schedule == "sequential":
        raise _fault("Cases beside each other cannot be read in stages. Choose another schedule.")
    if design.pairing != "single" and design.plan == "one_version":
        raise _fault("Versions beside each other and one version per reader exclude each other.")


LEAST = {
    "plots": 2,
    "readers_per_item": 1,
    "repeats": 0,
    "lag": 1,
    "max_run": 0,
    "blocks": 1,
    "washout_days": 0,
}


def _check_whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        words = name.replace("_", " ")
        raise _fault(f"{words.capitalize()} must be a whole number of at least {least}.")


def _fault(message: str) -> ReaderStudyError:
    return ReaderStudyError(message, code="design")
