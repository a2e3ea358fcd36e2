"""Added value of a synthetic map for diagnosis, after Wang et al., Radiology 2023.

The same cases are read with standard MRI (T1, T2, T1 after contrast, FLAIR, ADC) and with
standard MRI and the synthetic CBV map, for grading, prognosis, and recurrence against response to
treatment. Graded confidence makes ROC curves; the paper compared areas, NRI and IDI and
corrected for the number of comparisons after Bonferroni.
"""

from __future__ import annotations

from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.reading_design import ReadingDesign
from readerstudy.studies.templates.base import (
    NOBODY_KNOWS,
    READING_TOOLS,
    ArmTemplate,
    Numbers,
    QuestionTemplate,
    StudyTemplate,
    confidence_in,
    options,
)
from readerstudy.studies.templates.map_quality import COLOUR, RANGE, UNIT
from readerstudy.studies.viewing import Slot, Viewing

STANDARD, WITH_MAP = "standard", "standard_cbv"
STANDARD_SLOTS = ("t1", "t2", "t1c", "flair", "adc")
FAMILY = "scenarios"

GRADE = QuestionTemplate(
    code="grade",
    text="Grade of the glioma",
    kind="single",
    may_be_not_evaluable=True,
    options=options(("low", "Low", "WHO grade 2"), ("high", "High", "WHO grade 3 or 4")),
    help="Not evaluable where the case is no untreated glioma.",
    truth={
        "source": "reference",
        "endpoint": "who_grade",
        "values": {"2": "low", "II": "low", "3": "high", "III": "high", "4": "high", "IV": "high"},
    },
)
PROGNOSIS = QuestionTemplate(
    code="prognosis",
    text="Prognosis",
    kind="single",
    may_be_not_evaluable=True,
    options=options(
        ("short", "Shorter", "death within a year"), ("long", "Longer", "alive after a year")
    ),
    help="Overall survival from the diagnosis. Not evaluable where the case is no untreated "
    "glioma.",
    truth={
        "source": "reference",
        "endpoint": "survival_1y",
        "values": {"dead": "short", "alive": "long"},
    },
)
PROGRESSION = QuestionTemplate(
    code="progression",
    text="Recurrence or response to treatment",
    kind="single",
    may_be_not_evaluable=True,
    options=options(
        ("response", "Response", "treatment effect, no active tumour"),
        ("recurrence", "Recurrence", "active tumour"),
    ),
    help="Not evaluable where the tumour was not treated before.",
    truth={
        "source": "reference",
        "endpoint": "progression",
        "values": {"response": "response", "recurrence": "recurrence"},
    },
)
SCENARIOS = (GRADE, PROGNOSIS, PROGRESSION)


def _sureness(question: QuestionTemplate) -> str:
    return f"{question.code}_confidence"


def _difference(question: QuestionTemplate) -> PlannedAnalysis:
    return PlannedAnalysis(
        code=f"difference_{question.code}",
        title=f"Area under the ROC curve: {question.text.lower()}",
        question=question.code,
        confidence=_sureness(question),
        endpoint="mrmc-difference",
        unit="subject",
        primary=True,
        arms=(STANDARD, WITH_MAP),
        methods=(
            "obuchowski_rockette",
            "dorfman_berbaum_metz",
            "delong_test",
            "nri_continuous",
            "idi",
            "adjust_pvalues",
        ),
        family=FAMILY,
        adjustment="bonferroni",
    )


def _agreement(question: QuestionTemplate) -> PlannedAnalysis:
    return PlannedAnalysis(
        code=f"agreement_{question.code}",
        title=f"Agreement: {question.text.lower()}",
        question=question.code,
        endpoint="agreement",
        unit="subject",
        methods=("percent_agreement", "cohen_kappa", "gwet_ac"),
    )


ADDED_VALUE = StudyTemplate(
    key="wang2023-added-value",
    name="Added value of a synthetic map",
    description=(
        "The same cases are read with standard MRI and, after a washout of four weeks, with "
        "standard MRI and the synthetic CBV map, half of the readers in the other order. Three "
        "scenarios, each with graded confidence: grade, prognosis, recurrence or response. "
        "Delete the questions of scenarios that your cases do not serve. After Wang et al., "
        "Radiology 2023."
    ),
    reader_title="Brain tumour reading",
    instructions=(
        "You will read brain MR examinations of tumours in two rounds, with at least four "
        "weeks between them. The images that are offered may differ between the rounds. Map "
        "values are in real units, with one range for all cases.\n\n"
        "For each case, give your reading and how sure you are. If a question does not apply to "
        "the case, choose “Not evaluable”. Please read each round on its own and take no notes "
        "from one to the other.\n\n"
        f"{NOBODY_KNOWS}"
    ),
    viewing=Viewing(
        slots=(
            Slot("t1", "T1"),
            Slot("t2", "T2"),
            Slot("t1c", "T1 after contrast"),
            Slot("flair", "FLAIR"),
            Slot("adc", "ADC"),
            Slot("cbv", "CBV", unit=UNIT, range=RANGE, colour=COLOUR),
        ),
        initial="2x3",
        allowed=("2x3", "2x2", "1x1"),
        tools=(*READING_TOOLS, "colour", "hanging", "link"),
    ),
    questions=tuple(
        question
        for scenario in SCENARIOS
        for question in (scenario, confidence_in(scenario.code, code=_sureness(scenario)))
    ),
    design=ReadingDesign(schedule="crossover", counterbalance="readers", washout_days=28),
    arms=(
        ArmTemplate(STANDARD, "Standard MRI", STANDARD_SLOTS),
        ArmTemplate(WITH_MAP, "Standard MRI and synthetic CBV", (*STANDARD_SLOTS, "cbv")),
    ),
    analysis=(*map(_difference, SCENARIOS), *map(_agreement, SCENARIOS)),
    numbers=Numbers(real=0, synthetic=100, readers=4),
)
