"""Truth is shown to coordinators alone, never while it could unblind, and each look is kept."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from readerstudy.core.errors import NotAllowed
from readerstudy.core.models import AuditRecord
from readerstudy.studies import design
from readerstudy.studies.models import Study
from readerstudy.truth.recording_reference import record_reference
from readerstudy.truth.visibility import look_at, may_see_truth, why_hidden
from tests.factories import (
    CoordinatorFactory,
    ReaderFactory,
    StudyFactory,
    locked_study,
    real_case,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def coordinator():
    return CoordinatorFactory()


@pytest.fixture
def case():
    return real_case(roles=["t1c"])


def test_a_coordinator_sees_the_truth_of_a_case_in_no_study(case, coordinator):
    assert may_see_truth(coordinator, case)
    record_reference(case=case, endpoint="who_grade", value="3", method="", actor=None)
    record_reference(
        case=case, endpoint="who_grade", value="4", method="", actor=None, reason="Again"
    )
    truth = look_at(case=case, actor=coordinator)
    assert truth.origin.kind == "real"
    assert [row.value for row in truth.references] == ["4"]
    record = AuditRecord.objects.latest("sequence")
    assert (record.action, record.target, record.actor) == (
        "truth.look",
        f"case {case.pk}",
        coordinator,
    )


def test_neither_readers_nor_strangers_see_it(case):
    reader = ReaderFactory()
    assert not may_see_truth(reader, case)
    assert not may_see_truth(AnonymousUser(), case)
    before = AuditRecord.objects.count()
    with pytest.raises(NotAllowed, match="Only coordinators"):
        look_at(case=case, actor=reader)
    assert AuditRecord.objects.count() == before


@pytest.mark.parametrize(
    ("state", "seen"),
    [
        ("draft", True),
        ("locked", False),
        ("running", False),
        ("closed", False),
        ("unblinded", True),
    ],
)
def test_the_phase_of_a_study_with_the_case_decides(coordinator, state, seen):
    study = locked_study()
    Study.objects.filter(pk=study.pk).update(state=state)
    for person in (coordinator, study.created_by):
        assert may_see_truth(person, study.cases.first()) is seen


def test_one_blinded_study_is_enough(coordinator):
    blinded = locked_study()
    case = blinded.cases.first()
    over = StudyFactory()
    design.set_cases(study=over, cases=[case], actor=over.created_by)
    Study.objects.filter(pk=over.pk).update(state=Study.State.UNBLINDED)
    assert not may_see_truth(coordinator, case)


@pytest.mark.parametrize(
    ("state", "seen"), [("draft", False), ("running", False), ("unblinded", True)]
)
def test_a_coordinator_who_reads_sees_no_truth_before_unblinding(case, coordinator, state, seen):
    study = StudyFactory()
    design.enrol(study=study, reader=coordinator, actor=study.created_by)
    Study.objects.filter(pk=study.pk).update(state=state)
    assert may_see_truth(coordinator, case) is seen
    assert bool(why_hidden(coordinator, case)) is not seen
