"""Points of the checklist where the design and the display have to agree."""

from __future__ import annotations

from collections.abc import Iterable

from readerstudy.studies.checklist import BLOCKS, Check, adds_checks
from readerstudy.studies.models import Study


@adds_checks
def pairing_checks(study: Study) -> Iterable[Check]:
    pairing, places = study.plan.pairing, study.display.places
    if pairing == "single" and places > 1:
        yield Check(
            "Protocol",
            "The display has two places, the design shows one case at a time",
            "Choose in the design what is shown at once, or show one case",
            BLOCKS,
        )
    if pairing != "single" and places == 1:
        yield Check(
            "Protocol",
            "The design shows cases beside each other, the display has one place",
            "Show one case at a time, or a display with two places",
            BLOCKS,
        )
