"""The stored scores of the images of a study, for the comparison with what readers said."""

from __future__ import annotations

import math
from typing import Any

from readerstudy.analysis import datasets
from readerstudy.analysis.document import Section
from readerstudy.analysis.endpoints.image_scores import CaseScore, SetScore, image_scores
from readerstudy.studies.models import Study
from readerstudy.truth.models import Origin
from synthesis.models import Score
from synthesis.score_tables import SYNTHETIC


def compared(study: Study, *, actor: Any) -> list[Section]:
    """Return the comparison for an unblinded study; the look at truth is recorded."""
    data = datasets.load(study, actor=actor)
    cases = study.cases.values("pk")
    origins = Origin.objects.filter(case__in=cases, generation_run__isnull=False)
    generators = dict(origins.values_list("generation_run", "generator"))
    scores = Score.objects.filter(run__in=generators, candidate=SYNTHETIC).order_by("pk")
    return image_scores(
        data,
        [_of_case(one) for one in scores.exclude(case_code="")],
        [_of_set(one, generators[one.run_id]) for one in scores.filter(case_code="")],
    )


def _of_case(score: Score) -> CaseScore:
    value = math.nan if score.value is None else score.value
    return CaseScore(score.case_code, score.preset, score.region, score.metric, value)


def _of_set(score: Score, generator: str) -> SetScore:
    value, low, high = (
        math.nan if number is None else number for number in (score.value, score.low, score.high)
    )
    return SetScore(generator, score.preset, score.metric, value, low, high, score.reason)
