"""State the sample size of a draft; what was stated before stays on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import ReaderStudyError
from readerstudy.rehearsal.models import SampleSize
from readerstudy.stats.sample_size import SizePlan, plan
from readerstudy.studies.design import require_draft
from readerstudy.studies.models import Study


def planned(aim: str, inputs: Mapping[str, float]) -> SizePlan:
    """Return the plan for an aim.

    Raises
    ------
    ReaderStudyError
        In words, if an input is out of range.
    """
    try:
        return plan(aim, inputs)
    except ValueError as error:
        text = str(error)
        raise ReaderStudyError(f"{text[0].upper()}{text[1:]}.") from error


def state_size(
    *, study: Study, aim: str, inputs: Mapping[str, float], actor: Any, source: str = ""
) -> SampleSize:
    """Put a sample size on record for a draft, with where its inputs come from."""
    found = planned(aim, inputs)
    used = found.used() | ({"source": source} if source else {})
    if found.chosen.reason:
        raise ReaderStudyError("What cannot be reached cannot be stated. Change the inputs.")
    with write_transaction():
        study = Study.objects.select_for_update().get(pk=study.pk)
        require_draft(study)
        stated = SampleSize.objects.create(
            study=study, aim=aim, inputs=used, result=found.document(), actor=actor
        )
        audit.record(
            actor=actor,
            action="rehearsal.state_size",
            target=f"study {study.pk}",
            new={"aim": aim, "inputs": used, "sentence": found.sentence},
        )
    return stated
