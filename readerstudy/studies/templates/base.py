"""What a study template is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.reading_design import ReadingDesign
from readerstudy.studies.viewing import Preset, Viewing

PRESETS = (Preset("Whole", 0.1, 99.9), Preset("Tissue", 2, 98), Preset("Narrow", 10, 90))
READING_TOOLS = ("window", "zoom", "pan", "length", "ellipse", "invert", "full")
TURING_TOOLS = (*READING_TOOLS[:5], "mark", *READING_TOOLS[5:])
PAIR_TOOLS = (*READING_TOOLS, "link")
PAIR_HANGING = {"initial": "1x2", "allowed": ("1x2",)}
ORIGIN_TRUTH = {"source": "origin", "real": "real", "synthetic": "synthetic"}


@dataclass(frozen=True)
class OptionTemplate:
    code: str
    label: str
    anchor: str = ""


@dataclass(frozen=True)
class QuestionTemplate:
    """A question; the fields are those of studies.models.Question.

    ``truth`` says how the right answer follows: {"source": "origin", "real": code,
    "synthetic": code}, {"source": "origin", "place": "real" or "synthetic"} for the image beside
    the other one, or {"source": "reference", "endpoint": slug, "values": {value: code}}.
    """

    code: str
    text: str
    kind: str
    options: tuple[OptionTemplate, ...] = ()
    required: bool = True
    may_be_not_evaluable: bool = False
    help: str = ""
    region: dict[str, Any] | None = None
    bound_to: str = ""
    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False
    unit: str = ""
    equal: bool = False
    show_if: dict[str, Any] = field(default_factory=dict)
    arms: tuple[str, ...] = ()
    truth: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ArmTemplate:
    """A condition: which slots are shown (none named: all)."""

    code: str
    name: str
    slots: tuple[str, ...] = ()


@dataclass(frozen=True)
class Numbers:
    """How many cases and readers the published study had; the forms start with them.

    Attributes
    ----------
    real, synthetic : int
        Cases of each class. With ``versions`` or ``pairs`` the two are equal in number.
    readers : int
    choice : {"counts", "pairs", "versions"}
        How cases are chosen: each for itself, as items beside each other, or as the real and the
        synthetic version of each patient.
    equal_strata : bool
        Each class is drawn in equal parts from the strata of its cases.
    """

    real: int
    synthetic: int
    readers: int
    choice: str = "counts"
    equal_strata: bool = False


@dataclass(frozen=True)
class StudyTemplate:
    """A complete protocol to start from."""

    key: str
    name: str
    description: str
    reader_title: str
    instructions: str
    viewing: Viewing
    questions: tuple[QuestionTemplate, ...]
    design: ReadingDesign = field(default_factory=ReadingDesign)
    arms: tuple[ArmTemplate, ...] = ()
    margin: float = 0.1
    analysis: tuple[PlannedAnalysis, ...] = ()
    numbers: Numbers = field(default_factory=lambda: Numbers(50, 50, 2))
    is_session: bool = False

    @property
    def slots(self) -> list[str]:
        """Names of the series shown, in order."""
        return [slot.label for slot in self.viewing.slots]


def options(*pairs: tuple[str, str] | tuple[str, str, str]) -> tuple[OptionTemplate, ...]:
    """Return choices or levels from (code, label) or (code, label, anchor); lowest level first."""
    return tuple(OptionTemplate(*pair) for pair in pairs)


CONFIDENCE_LEVELS = options(
    ("1", "Guess"), ("2", "Low"), ("3", "Medium"), ("4", "High"), ("5", "Certain")
)


def confidence_in(question: str, *, code: str = "confidence") -> QuestionTemplate:
    """Return the question of how sure a reader is of another answer, on five levels."""
    return QuestionTemplate(
        code=code,
        text="How sure are you?",
        kind="confidence",
        bound_to=question,
        options=CONFIDENCE_LEVELS,
        help="Guess: you could as well toss a coin. Certain: you would stake your report on it.",
    )


CUES = QuestionTemplate(
    code="cues",
    text="What decided it?",
    kind="multi",
    required=False,
    options=options(
        ("vessels", "Vessels"),
        ("sulci", "Sulci and gyri"),
        ("grey_white", "Grey–white edge"),
        ("lesion", "Lesion"),
        ("texture", "Noise, texture"),
        ("sharpness", "Sharpness"),
        ("symmetry", "Symmetry"),
        ("other", "Other"),
    ),
)


def origin_question(
    *, text: str = "Is this image real or synthetic?", synthetic: str = "Synthetic"
) -> QuestionTemplate:
    """Return the question of every visual Turing test; ``synthetic`` is the word for readers."""
    return QuestionTemplate(
        code="origin",
        text=text,
        kind="single",
        options=options(("real", "Real"), ("synthetic", synthetic)),
        truth=ORIGIN_TRUTH,
        help=f"Real: acquired on a scanner. {synthetic}: made by a computer program.",
    )


def turing_analyses(margin: float, *, stop_below: float | None = None) -> tuple[Any, ...]:
    """Return the planned analysis of a question for real or synthetic."""
    return (
        PlannedAnalysis(
            code="turing_accuracy",
            title="Right calls of real and synthetic",
            question="origin",
            endpoint="turing",
            unit="subject",
            primary=True,
            methods=(
                "proportion",
                "binomial_against",
                "clustered_against",
                "equivalence_to_chance",
                "dprime",
            ),
            margin=margin,
            stop_below=stop_below,
        ),
        PlannedAnalysis(
            code="turing_agreement",
            title="Agreement on real and synthetic",
            question="origin",
            endpoint="agreement",
            unit="subject",
            methods=("percent_agreement", "cohen_kappa", "fleiss_kappa", "gwet_ac"),
        ),
    )


NOBODY_KNOWS = (
    "There is no feedback during the reading. You can stop after any case and go on later "
    "at the same place; nothing is lost. Please do not discuss the cases with other "
    "readers before the study is closed."
)
