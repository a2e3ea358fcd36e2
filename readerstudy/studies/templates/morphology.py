"""Morphology of tumours, after Park et al., Sci Rep 2021 (methods and table 1).

Two neuroradiologists read 200 sets: 162 patients and 38 synthetic tumours, as single slices of
contrast-enhanced T1 and FLAIR, real and synthetic shuffled. Agreement by Cohen's kappa on the
first answers; discordant answers resolved by consensus before groups were compared.
"""

from __future__ import annotations

from readerstudy.studies.analysis_plan import PlannedAnalysis
from readerstudy.studies.templates.base import (
    NOBODY_KNOWS,
    PAIR_HANGING,
    PAIR_TOOLS,
    PRESETS,
    Numbers,
    OptionTemplate,
    QuestionTemplate,
    StudyTemplate,
    options,
)
from readerstudy.studies.viewing import Slot, Viewing

FAMILY = "morphology"
REPRODUCIBLE = 0.5
"""Features with a lower kappa were not analysed further."""


def _feature(code: str, text: str, help: str, *levels: OptionTemplate) -> QuestionTemplate:
    return QuestionTemplate(
        code=code, text=text, kind="single", may_be_not_evaluable=True, help=help, options=levels
    )


QUESTIONS = (
    _feature(
        "location",
        "Tumour location",
        "Where the epicentre of the tumour lies.",
        *options(
            ("frontal_insula", "Frontal or insula"),
            ("thalamus_brainstem", "Thalamus or brainstem"),
            ("other", "Other"),
        ),
    ),
    _feature(
        "enhancement",
        "Enhancement category",
        "The main pattern of contrast enhancement.",
        *options(
            ("rim", "Rim enhancing", "a rim around central necrosis"),
            ("thick_nodular", "Thick nodular", "solid, or a thick nodular wall"),
            ("patch", "Patch enhancing", "partial and patchy, no rim"),
        ),
    ),
    _feature(
        "necrosis",
        "Necrosis",
        "Non-enhancing necrosis within the enhancing tumour.",
        *options(("yes", "Yes"), ("no", "No")),
    ),
    _feature(
        "surrounding",
        "Surrounding high signal intensity",
        "What the non-enhancing high signal on FLAIR mostly is.",
        *options(
            ("tumour", "Tumour dominant", "mass effect, cortex involved"),
            ("oedema", "Oedema dominant", "white matter, spares cortex"),
        ),
    ),
    _feature(
        "margin",
        "Margin of non-enhancing lesion",
        "The border of the high signal on FLAIR towards normal brain.",
        *options(
            ("clear", "Clear", "can be traced around most of it"),
            ("indistinct", "Indistinct", "fades into normal brain"),
        ),
    ),
)


def _agreement(question: QuestionTemplate) -> PlannedAnalysis:
    return PlannedAnalysis(
        code=f"agreement_{question.code}",
        title=f"Agreement: {question.text.lower()}",
        question=question.code,
        endpoint="agreement",
        unit="subject",
        primary=True,
        methods=("percent_agreement", "cohen_kappa", "gwet_ac"),
        threshold=REPRODUCIBLE,
    )


def _comparison(question: QuestionTemplate) -> PlannedAnalysis:
    return PlannedAnalysis(
        code=f"comparison_{question.code}",
        title=f"Real against synthetic: {question.text.lower()}",
        question=question.code,
        endpoint="comparison",
        unit="subject",
        methods=("chi_square", "fisher_exact", "cramers_v"),
        family=FAMILY,
        adjustment="holm",
        consensus=True,
    )


MORPHOLOGY = StudyTemplate(
    key="park2021-morphology",
    name="Tumour morphology",
    description=(
        "Two readers name location, enhancement, necrosis, surrounding high signal and margin on "
        "single pairs of contrast-enhanced T1 and FLAIR. Agreement on the first answers; "
        "discordant answers are resolved by consensus. After Park et al., Sci Rep 2021."
    ),
    reader_title="Brain tumour morphology",
    instructions=(
        "You will see pairs of brain MR images of tumours, one slice each: T1 after contrast "
        "and FLAIR of the same level. Nothing is told about the diagnosis.\n\n"
        "For each pair, answer five questions on what the images show. The key H shows what is "
        "meant by the active question. If a feature cannot be judged on this pair, choose “Not "
        "evaluable”; it is counted apart.\n\n"
        f"{NOBODY_KNOWS}"
    ),
    viewing=Viewing(
        slots=(Slot("t1c", "T1 after contrast"), Slot("flair", "FLAIR")),
        tools=PAIR_TOOLS,
        presets=PRESETS,
        **PAIR_HANGING,
    ),
    questions=QUESTIONS,
    analysis=(*map(_agreement, QUESTIONS), *map(_comparison, QUESTIONS)),
    numbers=Numbers(real=162, synthetic=38, readers=2),
)
