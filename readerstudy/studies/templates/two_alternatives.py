"""Two-alternative forced choice: which of two images beside each other is synthetic?"""

from __future__ import annotations

from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.reading_design import ReadingDesign
from readerstudy.studies.templates.base import (
    CUES,
    NOBODY_KNOWS,
    PAIR_HANGING,
    PAIR_TOOLS,
    PRESETS,
    Numbers,
    QuestionTemplate,
    StudyTemplate,
    confidence_in,
)
from readerstudy.studies.viewing import Slot, Viewing

MARGIN = 0.1

TWO_ALTERNATIVES = StudyTemplate(
    key="two-alternatives",
    name="Two-alternative forced choice",
    description=(
        "A real and a synthetic image beside each other, of different patients paired by lot, "
        "sides by lot: which one is synthetic, and how sure is the reader? Half of the calls "
        "are right by guessing, whatever the reader's bias."
    ),
    reader_title="Brain MR comparison",
    instructions=(
        "You will see two brain MR images beside each other, of different people. One of them "
        "was acquired on a scanner, the other was made by a computer program.\n\n"
        "For each pair, choose the image that you believe to be synthetic, say how sure you "
        "are, and, if you wish, what decided it. If you cannot tell, guess, and say that you "
        "guessed. The sides are drawn by lot.\n\n"
        f"{NOBODY_KNOWS}"
    ),
    viewing=Viewing(
        slots=(Slot("t1c", "Left"), Slot("t1c", "Right", place=1)),
        tools=PAIR_TOOLS,
        presets=PRESETS,
        **PAIR_HANGING,
    ),
    margin=MARGIN,
    questions=(
        QuestionTemplate(
            code="which",
            text="Which image is synthetic?",
            kind="place",
            help="Synthetic: made by a computer program.",
            truth={"source": "origin", "place": "synthetic"},
        ),
        confidence_in("which"),
        CUES,
    ),
    design=ReadingDesign(pairing="random"),
    analysis=(
        PlannedAnalysis(
            code="choice_accuracy",
            title="Right choices between real and synthetic",
            question="which",
            endpoint="turing",
            unit="subject",
            primary=True,
            methods=(
                "proportion",
                "binomial_against",
                "clustered_against",
                "equivalence_to_chance",
            ),
            margin=MARGIN,
        ),
        PlannedAnalysis(
            code="choice_agreement",
            title="Agreement on the choice",
            question="which",
            endpoint="agreement",
            unit="subject",
            methods=("percent_agreement", "cohen_kappa", "fleiss_kappa"),
        ),
    ),
    numbers=Numbers(real=50, synthetic=50, readers=2, choice="pairs"),
)
