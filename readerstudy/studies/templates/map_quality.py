"""Quality of synthetic perfusion maps beside the measured ones, after Wang et al., Radiology 2023.

Two neuroradiologists scored each synthetic CBV map against the reference map from 0 (very poor)
to 3 (very good) by three criteria. First scores were kept; differing ones led to a consensus.
"""

from __future__ import annotations

from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.reading_design import ReadingDesign
from readerstudy.studies.templates.base import (
    NOBODY_KNOWS,
    PAIR_HANGING,
    READING_TOOLS,
    Numbers,
    QuestionTemplate,
    StudyTemplate,
    options,
)
from readerstudy.studies.viewing import Slot, Viewing

UNIT = "mL/100 g"
RANGE = (0.0, 15.0)
COLOUR = "inferno"


def _criterion(code: str, text: str, help: str, *anchors: str) -> QuestionTemplate:
    words = ("Very poor", "Poor", "Good", "Very good")
    levels = zip("0123", words, anchors, strict=True)
    return QuestionTemplate(
        code=code,
        text=text,
        kind="ordinal",
        may_be_not_evaluable=True,
        help=help,
        options=options(*levels),
    )


QUESTIONS = (
    _criterion(
        "distribution",
        "Distribution of perfusion",
        "Where perfusion of the lesion is high and low, beside the reference map.",
        "unrelated to the reference",
        "main areas missing or misplaced",
        "main areas right, details off",
        "as in the reference",
    ),
    _criterion(
        "degree",
        "Degree of perfusion",
        "How high perfusion of the lesion is, beside the reference map.",
        "high where it should be low",
        "clearly too high or too low",
        "slightly too high or too low",
        "as in the reference",
    ),
    _criterion(
        "border",
        "Border and shape",
        "Border and shape of the lesion, beside the reference map.",
        "no border to be seen",
        "broken, or of another shape",
        "right shape, border blurred",
        "sharp and of the same shape",
    ),
)


def _score(question: QuestionTemplate) -> PlannedAnalysis:
    return PlannedAnalysis(
        code=f"score_{question.code}",
        title=f"Mean score: {question.text.lower()}",
        question=question.code,
        endpoint="score",
        unit="subject",
        primary=True,
        methods=("clustered_proportion",),
        consensus=True,
    )


def _agreement(question: QuestionTemplate) -> PlannedAnalysis:
    return PlannedAnalysis(
        code=f"agreement_{question.code}",
        title=f"Agreement: {question.text.lower()}",
        question=question.code,
        endpoint="agreement",
        unit="subject",
        methods=("rwg", "cohen_kappa", "icc", "gwet_ac"),
    )


MAP_QUALITY = StudyTemplate(
    key="wang2023-quality",
    name="Quality of synthetic maps",
    description=(
        "Two readers score each synthetic CBV map beside the measured one from 0 to 3: "
        "distribution, degree, border and shape. The first scores are kept; where they differ "
        "a consensus follows. After Wang et al., Radiology 2023."
    ),
    reader_title="CBV map reading",
    instructions=(
        "You will see two maps of cerebral blood volume of the same patient beside each other: "
        "on the left the measured map, the reference, and on the right a map computed by a "
        "program. Both have the same colours and the same range.\n\n"
        "Score the map on the right against the reference by three criteria, from 0, very "
        "poor, to 3, very good. The words beside each level say what is meant. Judge the "
        "lesion, not the whole brain. If a criterion cannot be judged, choose “Not "
        "evaluable”.\n\n"
        f"{NOBODY_KNOWS}"
    ),
    viewing=Viewing(
        slots=(
            Slot("cbv", "Reference CBV", unit=UNIT, range=RANGE, colour=COLOUR),
            Slot("cbv", "Synthetic CBV", unit=UNIT, range=RANGE, colour=COLOUR, place=1),
        ),
        tools=(*READING_TOOLS[:5], "colour", "link", "full"),
        **PAIR_HANGING,
    ),
    questions=QUESTIONS,
    design=ReadingDesign(pairing="subject", sides_drawn=False),
    analysis=(*map(_score, QUESTIONS), *map(_agreement, QUESTIONS)),
    numbers=Numbers(real=756, synthetic=756, readers=2, choice="pairs"),
)
