"""Truth is shown to coordinators alone, never while it could unblind, and each look is kept."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from readerstudy.core.errors import NotAllowed
from readerstudy.core.models import AuditRecord
from readerstudy.studies import design
from readerstudy.studies.deviations import deviations_of
from readerstudy.studies.models import Study
from readerstudy.truth.recording_reference import record_reference
from readerstudy.truth.unblinding import origins_of, unblind
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


@pytest.fixture
def shared():
    """A study that is unblinded, and a blinded one with the same cases."""
    blinded = locked_study()
    open_one = StudyFactory()
    cases = list(blinded.cases.all())
    design.set_cases(study=open_one, cases=cases, actor=open_one.created_by)
    Study.objects.filter(pk=open_one.pk).update(state=Study.State.CLOSED)
    open_one.refresh_from_db()
    unblind(study=open_one, actor=open_one.created_by, reason="All read", typed_name=open_one.name)
    open_one.refresh_from_db()
    return blinded, open_one


def test_a_reader_of_a_blinded_study_learns_nothing_from_another_with_its_cases(shared):
    blinded, open_one = shared
    reader = blinded.readers.first().reader
    before = AuditRecord.objects.count()
    with pytest.raises(NotAllowed, match="blind part in another study"):
        origins_of(open_one, actor=reader)
    assert AuditRecord.objects.count() == before
    assert origins_of(open_one, actor=open_one.created_by)
    Study.objects.filter(pk=blinded.pk).update(state=Study.State.UNBLINDED)
    assert origins_of(open_one, actor=reader)


def test_a_blinded_study_lists_that_its_cases_were_unblinded_elsewhere(shared):
    blinded, open_one = shared
    (entry,) = [one for one in deviations_of(blinded) if one.kind == "unblinded elsewhere"]
    assert entry.text.startswith(f"{blinded.cases.count()} cases were unblinded")
    assert open_one.name not in entry.text
    assert not [one for one in deviations_of(open_one) if one.kind == "unblinded elsewhere"]
