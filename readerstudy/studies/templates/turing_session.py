"""A visual Turing test while a generator is trained, after Park et al., Sci Rep 2021.

Two neuroradiologists judged 50 synthetic images a session among as many real ones (45 and 38 of
100 calls were wrong at the fifth session); training went on until fewer than 60 % were right.
"""

from __future__ import annotations

from readerstudy.studies.templates.base import (
    CUES,
    NOBODY_KNOWS,
    PAIR_HANGING,
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
STOP_BELOW = 0.6

TURING_SESSION = StudyTemplate(
    key="park2021-turing-session",
    name="Turing session during training",
    description=(
        "One session for each checkpoint of a generator: two readers, 50 synthetic and 50 real "
        "pairs of contrast-enhanced T1 and FLAIR. Training may end once fewer than 60 % of the "
        "calls are right. Clone the study for the next checkpoint; the history of the programme "
        "shows all sessions. After Park et al., Sci Rep 2021."
    ),
    reader_title="Brain MR reading session",
    instructions=(
        "You will see pairs of brain MR images: T1 after contrast, and FLAIR of the same "
        "level. Some pairs were acquired on a scanner, others were made by a computer program. "
        "The share of each is not told.\n\n"
        "For each pair, say whether it is real or synthetic, how sure you are, and, if you "
        "wish, what decided it. With the key M you can mark the spot.\n\n"
        "Sessions like this one may be repeated. Please answer each on its own.\n\n"
        f"{NOBODY_KNOWS}"
    ),
    viewing=Viewing(
        slots=(Slot("t1c", "T1 after contrast"), Slot("flair", "FLAIR")),
        tools=(*TURING_TOOLS, "link"),
        presets=PRESETS,
        **PAIR_HANGING,
    ),
    margin=MARGIN,
    questions=(
        origin_question(text="Are these images real or synthetic?"),
        confidence_in("origin"),
        CUES,
    ),
    analysis=turing_analyses(MARGIN, stop_below=STOP_BELOW),
    numbers=Numbers(real=50, synthetic=50, readers=2),
    is_session=True,
)
