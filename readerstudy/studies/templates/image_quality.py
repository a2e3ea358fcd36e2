"""General image quality and artefacts of brain MR.

Five-level scales for what neuroradiologists score (contrast, resolution, noise, distortion,
susceptibility), the overall rating of experts used with MRIQC (exclude, poor, acceptable,
excellent) and its list of artefacts.
"""

from __future__ import annotations

from readerstudy.imaging.sequences import LABELS
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
)
from readerstudy.studies.viewing import Slot, Viewing

FAMILY = "quality"
FIVE = ("Very poor", "Poor", "Fair", "Good", "Excellent")


def _scale(code: str, text: str, *anchors: str) -> QuestionTemplate:
    return QuestionTemplate(
        code=code,
        text=text,
        kind="ordinal",
        may_be_not_evaluable=True,
        options=options(*zip("12345", FIVE, anchors, strict=True)),
    )


SCALES = (
    _scale(
        "contrast",
        "Contrast of grey and white matter",
        "cannot be told apart",
        "only in large structures",
        "in cortex, not in deep grey matter",
        "also in deep grey matter",
        "as in the best daily images",
    ),
    _scale(
        "resolution",
        "Sharpness",
        "anatomy cannot be recognised",
        "small structures lost",
        "small structures blurred",
        "slightly soft",
        "small vessels and nerves sharp",
    ),
    _scale(
        "noise",
        "Noise",
        "hides anatomy",
        "disturbs the diagnosis",
        "seen, does not disturb",
        "hardly seen",
        "none to be seen",
    ),
    _scale(
        "distortion",
        "Distortion of shape",
        "anatomy displaced beyond use",
        "disturbs the diagnosis",
        "seen, does not disturb",
        "hardly seen",
        "none to be seen",
    ),
    _scale(
        "susceptibility",
        "Susceptibility artefact",
        "hides the region of interest",
        "disturbs the diagnosis",
        "seen, does not disturb",
        "hardly seen",
        "none to be seen",
    ),
)
OVERALL = QuestionTemplate(
    code="overall",
    text="Overall quality",
    kind="ordinal",
    options=options(
        ("1", "Exclude", "no use for diagnosis"),
        ("2", "Poor", "usable with reservations"),
        ("3", "Acceptable", "usable for most questions"),
        ("4", "Excellent", "usable without reservation"),
    ),
)
ARTEFACTS = QuestionTemplate(
    code="artefacts",
    text="Artefacts",
    kind="multi",
    required=False,
    options=options(
        ("motion", "Motion"),
        ("ghosts", "Ghosts"),
        ("wrap", "Wrap-around"),
        ("coil", "Coil failure"),
        ("noise", "Noise"),
        ("interference", "Interference"),
        ("inhomogeneity", "Uneven signal"),
        ("field_of_view", "Cut off"),
        ("processing", "Processing"),
        ("other", "Other"),
    ),
    help="Interference: lines or points from electromagnetic sources. Cut off: parts of the "
    "head outside the image. Processing: left by software, such as masks or smoothing.",
)
WORST = QuestionTemplate(
    code="worst_artefact",
    text="Where is the worst one?",
    kind="region",
    required=False,
    region={"kind": "point", "role": None},
    show_if={"all": [{"question": "artefacts", "answered": True}]},
    help="Mark it on the slice where it disturbs most.",
)


def _score(question: QuestionTemplate) -> PlannedAnalysis:
    return PlannedAnalysis(
        code=f"score_{question.code}",
        title=f"Score of real and synthetic: {question.text.lower()}",
        question=question.code,
        endpoint="score",
        unit="subject",
        primary=question is OVERALL,
        methods=("mann_whitney", "adjust_pvalues"),
        family=FAMILY,
        adjustment="holm",
    )


def _agreement(question: QuestionTemplate) -> PlannedAnalysis:
    return PlannedAnalysis(
        code=f"agreement_{question.code}",
        title=f"Agreement: {question.text.lower()}",
        question=question.code,
        endpoint="agreement",
        unit="subject",
        methods=("percent_agreement", "gwet_ac", "icc", "kendall_w"),
    )


RATED = (OVERALL, *SCALES)

IMAGE_QUALITY = StudyTemplate(
    key="image-quality",
    name="Image quality and artefacts",
    description=(
        "Contrast, sharpness, noise, distortion and susceptibility from 1 to 5, overall quality "
        "from exclude to excellent, a list of artefacts and where the worst one lies. For real, "
        "synthetic or mixed sets; some cases are shown twice for intra-reader agreement."
    ),
    reader_title="Brain MR image quality",
    instructions=(
        "You will see brain MR images one case at a time. Please judge the quality of each, "
        "not the disease.\n\n"
        "Five scales go from 1, very poor, to 5, excellent; the words beside each level say "
        "what is meant. Then give the overall quality, name artefacts if you see any, and mark "
        "the worst one. If a scale does not apply, choose “Not evaluable”.\n\n"
        f"{NOBODY_KNOWS}"
    ),
    viewing=Viewing(slots=(Slot("t1c", LABELS["t1c"]),), tools=READING_TOOLS, presets=PRESETS),
    questions=(*SCALES, OVERALL, ARTEFACTS, WORST),
    design=ReadingDesign(repeats=10, lag=20),
    analysis=(*map(_score, RATED), *map(_agreement, RATED)),
    numbers=Numbers(real=50, synthetic=50, readers=3),
)
