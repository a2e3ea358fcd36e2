"""Reference standards are only ever added: corrections supersede and say why."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.truth.models import ReferenceStandard
from readerstudy.truth.recording_reference import current_reference, record_reference
from tests.factories import CaseFactory, CoordinatorFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def case():
    return CaseFactory(roles=())


@pytest.fixture
def actor():
    return CoordinatorFactory()


@pytest.fixture
def say(case, actor):
    def record(value, method="", reason="", endpoint="who_grade"):
        return record_reference(
            case=case, endpoint=endpoint, value=value, method=method, actor=actor, reason=reason
        )

    return record


def test_a_value_is_stored_with_its_method_and_author(say, case, actor):
    row = say("  4 ", "Histopathology,  WHO 2021", endpoint=" WHO_Grade ")
    assert (row.endpoint, row.value, row.method) == ("who_grade", "4", "Histopathology, WHO 2021")
    assert (row.recorded_by, row.supersedes) == (actor, None)
    record = AuditRecord.objects.get()
    assert (record.action, record.target) == ("truth.record_reference", f"case {case.pk}")
    assert (record.old, record.new["value"]) == (None, "4")


def test_the_same_again_changes_nothing(say):
    first = say("4", "histopathology")
    assert say("4", "histopathology") == first
    assert say("4") == first
    assert (ReferenceStandard.objects.count(), AuditRecord.objects.count()) == (1, 1)


def test_a_correction_supersedes_and_keeps_the_old_row(say, case):
    first = say("3", "histopathology")
    second = say("4", "histopathology", reason="Second sample")
    third = say("4", "molecular", reason="TERT promoter")
    assert (second.supersedes, third.supersedes) == (first, second)
    assert list(ReferenceStandard.objects.current()) == [third]
    assert current_reference(case, "who_grade") == third
    assert ReferenceStandard.objects.count() == 3
    record = AuditRecord.objects.get(sequence=2)
    assert record.action == "truth.correct_reference"
    assert (record.old["value"], record.new["value"]) == ("3", "4")
    assert record.reason == "Second sample"


def test_a_correction_without_a_reason_is_refused_and_names_no_value(say, case):
    say("3")
    with pytest.raises(Conflict, match="needs a reason") as refused:
        say("4", reason="  ")
    assert "3" not in refused.value.message.replace(case.code, "")
    assert ReferenceStandard.objects.get().value == "3"


def test_endpoints_of_a_case_are_independent(say):
    say("4")
    say("yes", endpoint="progression")
    assert ReferenceStandard.objects.current().count() == 2


def test_the_database_itself_keeps_the_chain_single(say, case):
    first = say("3")
    say("4", reason="Second sample")
    for clash in ({"supersedes": None}, {"supersedes": first, "reason": "Fork"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ReferenceStandard.objects.create(case=case, endpoint="who_grade", value="2", **clash)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReferenceStandard.objects.create(
            case=case,
            endpoint="who_grade",
            value="2",
            supersedes=current_reference(case, "who_grade"),
        )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"endpoint": "WHO grade"}, "short name such as"),
        ({"endpoint": "4th"}, "a letter first"),
        ({"endpoint": "e" * 41}, "at most 40"),
        ({"value": "  "}, "needs a value"),
        ({"value": "x" * 121}, "at most 120 characters; this one has 121"),
        ({"value": "4", "method": "x" * 121}, "The method of who_grade"),
    ],
)
def test_what_cannot_be_stored_is_refused(say, given, said):
    with pytest.raises(ReaderStudyError, match=said):
        say(**{"value": "4", **given})
    assert not ReferenceStandard.objects.exists()
