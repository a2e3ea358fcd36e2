"""Where the images of a study lie in the patient: for regions that readers drew on them."""

from __future__ import annotations

from typing import Any

from readerstudy.reading.models import EncodedSeries
from readerstudy.studies.models import Study


def frames_of(study: Study) -> dict[tuple[str, str], Any]:
    """Return case and slot to the 4 x 4 from the case's frame to patient LPS, mm.

    Images that were encoded before frames were kept are left out, and so are images beside each
    other, whose sides differ from reading to reading.
    """
    if study.display.places > 1:
        return {}
    rows = EncodedSeries.objects.filter(study=study, frame_to_lps__isnull=False)
    by_role = {
        (case, role): frame
        for case, role, frame in rows.values_list("case__code", "role", "frame_to_lps")
    }
    return {
        (case, slot.code): frame
        for slot in study.display.slots
        for (case, role), frame in by_role.items()
        if role == slot.role
    }
