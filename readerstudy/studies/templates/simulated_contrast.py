"""Simulated contrast enhancement, after Calabrese et al., Radiol Artif Intell 2021.

Four neuroradiologists were shown post-contrast T1 volumes of gliomas, each patient either real or
simulated: was it real or simulated, was abnormal enhancement present, and which grade was most
likely. Here the findings are asked first, so that a suspicion does not colour them.
"""

from __future__ import annotations

from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.reading_design import ReadingDesign
from readerstudy.studies.templates.base import (
    NOBODY_KNOWS,
    PRESETS,
    READING_TOOLS,
    Numbers,
    QuestionTemplate,
    StudyTemplate,
    options,
    origin_question,
    turing_analyses,
)
from readerstudy.studies.viewing import Slot, Viewing

MARGIN = 0.1

ENHANCEMENT = QuestionTemplate(
    code="enhancement",
    text="Is abnormal enhancement present?",
    kind="single",
    options=options(("yes", "Present"), ("no", "Absent")),
    help="Within the region of the tumour. Vessels and dura do not count.",
    truth={
        "source": "reference",
        "endpoint": "enhancement",
        "values": {"yes": "yes", "present": "yes", "no": "no", "absent": "no"},
    },
)
GRADE = QuestionTemplate(
    code="grade",
    text="Which tumour grade is most likely?",
    kind="single",
    options=options(
        ("lower", "Lower grade", "WHO grade 2 or 3"), ("high", "High grade", "WHO grade 4")
    ),
    truth={
        "source": "reference",
        "endpoint": "who_grade",
        "values": {
            "2": "lower",
            "II": "lower",
            "3": "lower",
            "III": "lower",
            "4": "high",
            "IV": "high",
        },
    },
)
FINDINGS = (GRADE, ENHANCEMENT)


POSITIVE = {ENHANCEMENT.code: "yes", GRADE.code: "high"}


def _accuracy(question: QuestionTemplate, title: str) -> PlannedAnalysis:
    return PlannedAnalysis(
        code=f"accuracy_{question.code}",
        title=f"{title}: real against simulated",
        question=question.code,
        endpoint="reference",
        unit="subject",
        primary=question is GRADE,
        positive=POSITIVE[question.code],
        methods=("confusion", "clustered_proportion", "two_proportions", "non_inferiority"),
        margin=0.1,
    )


def _agreement(question: QuestionTemplate, title: str) -> PlannedAnalysis:
    return PlannedAnalysis(
        code=f"agreement_{question.code}",
        title=f"Agreement: {title.lower()}",
        question=question.code,
        endpoint="agreement",
        unit="subject",
        methods=("percent_agreement", "cohen_kappa", "gwet_ac"),
    )


TITLES = {GRADE.code: "Tumour grade", ENHANCEMENT.code: "Abnormal enhancement"}

SIMULATED_CONTRAST = StudyTemplate(
    key="calabrese2021",
    name="Simulated contrast enhancement",
    description=(
        "Each patient is shown either real or simulated, one version to each reader: abnormal "
        "enhancement, tumour grade, real or simulated. 80 patients in both versions over four "
        "readers. After Calabrese et al., Radiol Artif Intell 2021."
    ),
    reader_title="Brain tumour MR reading",
    instructions=(
        "You will see T1 images after contrast of brain tumours, one examination at a time. "
        "Some were acquired on a scanner, others were computed. The share of each is not "
        "told.\n\n"
        "For each case, say whether abnormal enhancement is present in the region of the "
        "tumour, which grade is most likely, and whether you believe that the image is real or "
        "simulated. Please answer the first two questions as in your daily work, whatever you "
        "believe of the image.\n\n"
        f"{NOBODY_KNOWS}"
    ),
    viewing=Viewing(
        slots=(Slot("t1c", "T1 after contrast"),),
        initial="planes",
        allowed=("planes", "1x1"),
        tools=(*READING_TOOLS, "hanging", "planes", "link"),
        presets=PRESETS,
    ),
    margin=MARGIN,
    questions=(
        ENHANCEMENT,
        GRADE,
        origin_question(text="Is this image real or simulated?", synthetic="Simulated"),
    ),
    design=ReadingDesign(plan="one_version"),
    analysis=(
        *(_accuracy(question, TITLES[question.code]) for question in FINDINGS),
        *(_agreement(question, TITLES[question.code]) for question in FINDINGS),
        *turing_analyses(MARGIN),
    ),
    numbers=Numbers(real=80, synthetic=80, readers=4, choice="versions"),
)
