"""The visual Turing test, after Han et al., ISBI 2018, section 3.3 and table 1.

For each generator and sequence an expert called 50 real and 50 synthetic slices in random order,
without a training stage. Images that concatenate the sequences were read among real T1, T1c, T2
and FLAIR images in equal parts.
"""

from __future__ import annotations

from dataclasses import replace

from readerstudy.imaging.sequences import LABELS
from readerstudy.studies.templates.base import (
    CUES,
    NOBODY_KNOWS,
    PRESETS,
    TURING_TOOLS,
    Numbers,
    StudyTemplate,
    confidence_in,
    origin_question,
    turing_analyses,
)
from readerstudy.studies.viewing import Slot, Viewing

MARGIN = 0.1
MIXED_ROLE = "mixed"
SEQUENCES = ("T1", "T1c", "T2", "FLAIR")

VISUAL_TURING_TEST = StudyTemplate(
    key="visual-turing-test",
    name="Visual Turing test",
    description=(
        "Readers say of each case whether it is real or synthetic, how sure they are and what "
        "decided it. After Han et al., ISBI 2018: one study for each generator and sequence, "
        "50 real and 50 synthetic cases, no training stage, random order."
    ),
    reader_title="Brain MR reading",
    instructions=(
        "You will see brain MR images one case at a time. Some were acquired on a scanner, "
        "others were made by a computer program. The share of each is not told.\n\n"
        "For each case, say whether the image is real or synthetic, how sure you are, and, if "
        "you wish, what decided it. Scroll through the slices and set the window as you would "
        "in your daily work. With the key M you can mark the spot that decided it.\n\n"
        f"{NOBODY_KNOWS}"
    ),
    viewing=Viewing(slots=(Slot("t1c", LABELS["t1c"]),), tools=TURING_TOOLS, presets=PRESETS),
    margin=MARGIN,
    questions=(origin_question(), confidence_in("origin"), CUES),
    analysis=turing_analyses(MARGIN),
    numbers=Numbers(real=50, synthetic=50, readers=1),
)

MIXED_SEQUENCES = replace(
    VISUAL_TURING_TEST,
    key="visual-turing-test-mixed",
    name="Visual Turing test, mixed sequences",
    description=(
        "As the visual Turing test, for generators of concatenated sequences: synthetic images "
        "among real T1, T1c, T2 and FLAIR images in equal parts. After Han et al., ISBI 2018. "
        f"Import every image under the role “{MIXED_ROLE}” and give each real case its sequence "
        f"as stratum: {', '.join(SEQUENCES)}."
    ),
    viewing=Viewing(slots=(Slot(MIXED_ROLE, "Brain MR"),), tools=TURING_TOOLS, presets=PRESETS),
    numbers=Numbers(real=50, synthetic=50, readers=1, equal_strata=True),
)
