"""The visual Turing test on one sequence, after Han et al., ISBI 2018."""

from __future__ import annotations

from readerstudy.imaging.sequences import LABELS
from readerstudy.studies.templates.base import (
    ORIGIN_TRUTH,
    PRESETS,
    READING_TOOLS,
    OptionTemplate,
    QuestionTemplate,
    StudyTemplate,
)
from readerstudy.studies.viewing import Slot, Viewing

VISUAL_TURING_TEST = StudyTemplate(
    key="visual-turing-test",
    name="Visual Turing test",
    description=(
        "Readers say of each case whether it is real or synthetic, how sure they are and what "
        "decided it. After Han et al., ISBI 2018: no training stage, random order."
    ),
    reader_title="Brain MR reading",
    instructions=(
        "You will see brain MR images one case at a time. Some were acquired on a scanner, "
        "others were made by a computer program. The share of each is not told.\n\n"
        "For each case, say whether the image is real or synthetic, how sure you are, and, if "
        "you wish, what decided it. Scroll through the slices and set the window as you would "
        "in your daily work.\n\n"
        "There is no feedback during the reading. You can stop after any case and go on later "
        "at the same place; nothing is lost. Please do not discuss the cases with other "
        "readers before the study is closed."
    ),
    viewing=Viewing(slots=(Slot("t1c", LABELS["t1c"]),), tools=READING_TOOLS, presets=PRESETS),
    margin=0.1,
    questions=(
        QuestionTemplate(
            code="origin",
            text="Is this image real or synthetic?",
            kind="single",
            options=(OptionTemplate("real", "Real"), OptionTemplate("synthetic", "Synthetic")),
            truth=ORIGIN_TRUTH,
            help="Real: acquired on a scanner. Synthetic: made by a computer program.",
        ),
        QuestionTemplate(
            code="confidence",
            text="How sure are you?",
            kind="ordinal",
            options=(
                OptionTemplate("1", "Guess"),
                OptionTemplate("2", "Low"),
                OptionTemplate("3", "Medium"),
                OptionTemplate("4", "High"),
                OptionTemplate("5", "Certain"),
            ),
        ),
        QuestionTemplate(
            code="cues",
            text="What decided it?",
            kind="multi",
            required=False,
            options=(
                OptionTemplate("vessels", "Vessels"),
                OptionTemplate("sulci", "Sulci and gyri"),
                OptionTemplate("grey_white", "Grey–white edge"),
                OptionTemplate("lesion", "Lesion"),
                OptionTemplate("texture", "Noise, texture"),
                OptionTemplate("sharpness", "Sharpness"),
                OptionTemplate("symmetry", "Symmetry"),
                OptionTemplate("other", "Other"),
            ),
        ),
    ),
)
