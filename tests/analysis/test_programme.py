"""Sessions of a programme: shares by reader once unblinded, and the stop rule of Park 2021."""

from __future__ import annotations

import pytest

from readerstudy.analysis.programme import history_of
from readerstudy.studies import design, lifecycle
from readerstudy.studies.models import Study
from readerstudy.truth.models import Origin
from readerstudy.truth.unblinding import unblind
from tests import scenario

pytestmark = pytest.mark.django_db


def session(wrong: dict[int, int]) -> scenario.Scenario:
    """Six cases read by two readers; each reader's first ``wrong`` calls are wrong."""
    made = scenario.draft()
    plan = [{**entry} for entry in made.study.analysis_plan]
    plan[0]["stop_below"] = 0.6
    Study.objects.filter(pk=made.study.pk).update(
        programme="StyleGAN2", checkpoint="step 40k", analysis_plan=plan
    )
    made.refresh()
    scenario.started(made)
    for number, count in wrong.items():
        left = [count]

        def answer(case, left=left):
            truth = Origin.objects.get(case=case).kind
            left[0] -= 1
            other = {"real": "synthetic", "synthetic": "real"}[truth]
            return scenario.body(other if left[0] >= 0 else truth)

        scenario.read_all(made.enrolment(number), answer)
    return made


def ended(made: scenario.Scenario) -> scenario.Scenario:
    lifecycle.close(study=made.refresh(), actor=made.coordinator, reason="Read")
    made.refresh()
    unblind(study=made.study, actor=made.coordinator, reason="Planned", typed_name=made.study.name)
    made.refresh()
    return made


def test_nothing_is_told_before_unblinding():
    made = session({0: 3, 1: 3})
    (only,) = history_of(made.study, actor=made.coordinator).sessions
    assert (only.shares, only.stops) == ({}, None)
    assert only.study.checkpoint == "step 40k"


@pytest.mark.parametrize(("wrong", "stops"), [({0: 3, 1: 4}, True), ({0: 3, 1: 2}, False)])
def test_the_stop_rule_asks_every_reader(wrong, stops):
    made = ended(session(wrong))
    (only,) = history_of(made.study, actor=made.coordinator).sessions
    shares = {reader: share.value for reader, share in only.shares.items()}
    assert shares == {"R1": (6 - wrong[0]) / 6, "R2": (6 - wrong[1]) / 6}
    assert only.stops is stops


def test_sessions_of_one_programme_are_listed_oldest_first_and_others_are_not():
    made = ended(session({0: 3, 1: 3}))
    for programme in ("StyleGAN2", "Other"):
        later = design.create_study(
            template="park2021-turing-session",
            name=f"Later {programme}",
            reader_title="Reading",
            actor=made.coordinator,
        )
        Study.objects.filter(pk=later.pk).update(programme=programme)
    names = [one.study.name for one in history_of(made.study, actor=made.coordinator).sessions]
    assert names == ["Turing, T1c", "Later StyleGAN2"]
