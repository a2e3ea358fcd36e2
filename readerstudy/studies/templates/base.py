"""What a study template is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from readerstudy.studies.reading_design import ReadingDesign
from readerstudy.studies.viewing import Preset, Viewing

PRESETS = (Preset("Whole", 0.1, 99.9), Preset("Tissue", 2, 98), Preset("Narrow", 10, 90))
READING_TOOLS = ("window", "zoom", "pan", "length", "ellipse", "invert", "full")
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
    "synthetic": code}, or {"source": "reference", "endpoint": slug, "values": {value: code}}.
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

    @property
    def slots(self) -> list[str]:
        """Names of the series shown, in order."""
        return [slot.label for slot in self.viewing.slots]
