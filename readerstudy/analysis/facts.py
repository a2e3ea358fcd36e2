"""What an analysis knows of a study, as plain facts: no rows of a database, no framework.

`readerstudy.analysis.datasets` makes a `Dataset` of a study that was read here; ratings that were
collected elsewhere make the same object. Everything that computes works on it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from readerstudy.studies.analysis_plan import Plan
from readerstudy.studies.reading_design import ReadingDesign

REAL, SYNTHETIC, UNKNOWN = "real", "synthetic", "unknown"
ORIGINS = (REAL, SYNTHETIC)
SINGLE_ARM = "main"
EQUAL = "equal"


@dataclass(frozen=True)
class OptionFacts:
    """One choice or level of a question."""

    code: str
    label: str
    anchor: str = ""


@dataclass(frozen=True)
class QuestionFacts:
    """One question of the protocol; the fields are those of studies.models.Question."""

    code: str
    text: str
    kind: str
    options: tuple[OptionFacts, ...] = ()
    unit: str = ""
    bound_to: str = ""
    arms: tuple[str, ...] = ()
    truth: Mapping[str, Any] = field(default_factory=dict)
    equal: bool = False
    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False
    required: bool = True
    may_be_not_evaluable: bool = False
    help: str = ""
    show_if: Mapping[str, Any] = field(default_factory=dict)
    region: Mapping[str, Any] = field(default_factory=dict)

    @property
    def levels(self) -> tuple[str, ...]:
        """Codes of the options in the order of the protocol: the declared categories."""
        return tuple(option.code for option in self.options)

    @property
    def scores(self) -> dict[str, float]:
        """What each level counts: its code if all are whole numbers, else its place from 0."""
        if all(code.isdigit() for code in self.levels):
            return {code: float(code) for code in self.levels}
        return {code: float(place) for place, code in enumerate(self.levels)}

    def label_of(self, code: str) -> str:
        """Return the words of a level."""
        return next((one.label for one in self.options if one.code == code), code)


@dataclass(frozen=True)
class Item:
    """What is shown as one unit: a case, or several beside each other.

    Attributes
    ----------
    code : str
        Code of the case shown first; equals ``Read.item``.
    cases : tuple of str
        Codes of the cases in their order in the protocol.
    subject : str
        Pseudonym of the person; items of one subject are not independent.
    stratum : str
    origins : tuple of str
        "real", "synthetic" or "unknown" of each case.
    generators : tuple of str
        Of each case; empty for a real one.
    references : mapping
        Endpoint of the reference standard to its value, of the first case. Ages, times and
        events of a survival analysis and other covariates stand here too.
    right : mapping
        Question to its right answer; questions without a known answer are left out. Of images
        beside each other ``{"member": number}``.
    head_scale : float or None
        What makes the head of the first case as large as the median head of the study; None
        where its size is not known.
    """

    code: str
    cases: tuple[str, ...]
    subject: str
    stratum: str = ""
    origins: tuple[str, ...] = ()
    generators: tuple[str, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)
    right: Mapping[str, Any] = field(default_factory=dict)
    head_scale: float | None = None

    @property
    def origin(self) -> str:
        """Origin of the first case."""
        return self.origins[0] if self.origins else UNKNOWN

    @property
    def generator(self) -> str:
        """Generator of the first case that has one."""
        return next((name for name in self.generators if name), "")


@dataclass(frozen=True)
class Settled:
    """What holds for one question about one item after adjudication.

    ``value`` is None where nothing holds; "not evaluable" is a value that can hold. ``how`` is a
    key of `readerstudy.adjudication.settling.HOW`.
    """

    item: str
    arm: str
    given: tuple[Any, ...]
    value: Any
    how: str


@dataclass(frozen=True)
class Protocol:
    """What was planned and locked."""

    name: str
    questions: tuple[QuestionFacts, ...]
    arms: tuple[tuple[str, str], ...] = ()
    plan: Plan = ()
    design: ReadingDesign = field(default_factory=ReadingDesign)
    margin: float = 0.1
    places: int = 1
    template: str = ""
    hash: str = ""
    version: int = 1
    locked_at: str = ""
    unblinded_at: str = ""

    @property
    def arm_codes(self) -> tuple[str, ...]:
        """Codes of the arms in order; a study without arms has one, ``main``."""
        return tuple(code for code, _ in self.arms) or (SINGLE_ARM,)

    def arm_name(self, code: str) -> str:
        """Return an arm in words."""
        return dict(self.arms).get(code, "all reads" if code == SINGLE_ARM else code)

    def question(self, code: str) -> QuestionFacts:
        """Return a question by its code.

        Raises
        ------
        ValueError
            If the protocol has no such question.
        """
        found = next((one for one in self.questions if one.code == code), None)
        if found is None:
            raise ValueError(f"the protocol asks no question {code!r}")
        return found


@dataclass(frozen=True)
class Read:
    """One accepted reading with its answers and the truth of its case."""

    reader: str
    period: int
    position: int
    arm: str
    stage: int
    repeat: int
    item: str
    case: str
    subject: str
    origin: str
    generator: str
    answers: dict[str, Any]
    not_evaluable: frozenset[str]
    received_at: Any
    clocks: tuple[dict[str, Any], ...]  # of the first answer, then of each correction
    withdrawn: bool = False  # the case was withdrawn after this reading
    reader_withdrawn: bool = False  # the reader was withdrawn later; the answer stands
    blind_broken_at: Any = None  # when this case, or one beside it, was unblinded on its own
    viewer: dict[str, Any] = field(default_factory=dict)

    @property
    def corrections(self) -> int:
        """How many answers the one that stands replaced."""
        return len(self.clocks) - 1


@dataclass(frozen=True)
class ReaderFacts:
    """What tables may say of a reader: code and experience, never the name."""

    code: str
    years: int | None
    subspecialty: str
    planned: int
    withdrawn: bool = False  # reads no more; what was read counts
    replaces: str = ""  # code of the withdrawn reader whose cases were taken over


@dataclass(frozen=True)
class Dataset:
    """All reads of a study with what did not become a read.

    ``study`` is the row of a study that was read here, for exports that need more of it; None for
    ratings that were collected elsewhere. What computes uses ``protocol`` and ``items``.
    """

    study: Any
    readers: list[ReaderFacts]
    reads: list[Read]
    n_real: int
    n_synthetic: int
    late: int
    duplicates: int
    missing: int = 0
    withdrawn: int = 0  # readings left out because their case was withdrawn
    protocol: Protocol = field(default_factory=lambda: Protocol("", ()))
    items: Mapping[str, Item] = field(default_factory=dict)
    settled: Mapping[str, Sequence[Settled]] = field(default_factory=dict)  # by question

    @property
    def first_reads(self) -> list[Read]:
        """Reads without those of hidden repeats, which say how readers agree with themselves."""
        return [read for read in self.reads if read.repeat == 0]

    def of(self, reader: str) -> list[Read]:
        """Return the reads of one reader."""
        return [read for read in self.reads if read.reader == reader]

    @property
    def reader_codes(self) -> list[str]:
        """Codes of the readers in their order."""
        return [facts.code for facts in self.readers]
