"""Strata and tags: what is stored, what is refused, what goes on record."""

from __future__ import annotations

import pytest

from readerstudy.cases.labelling import add_tags, remove_tags, set_stratum, set_unit, tags_of
from readerstudy.cases.models import Case, Tag
from readerstudy.core.errors import Conflict, ReaderStudyError
from readerstudy.core.models import AuditRecord
from tests.factories import CaseFactory, CoordinatorFactory, SeriesFactory, locked_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def case():
    return CaseFactory(roles=())


@pytest.fixture
def other():
    return CaseFactory(roles=(), stratum="grade 4")


@pytest.fixture
def actor():
    return CoordinatorFactory()


def test_a_stratum_is_stored_and_audited_once_per_changed_case(case, other, actor):
    changed = set_stratum(
        cases=[case, other], stratum="  grade   4 ", actor=actor, reason="Second look"
    )
    assert changed == 1
    assert set(Case.objects.values_list("stratum", flat=True)) == {"grade 4"}
    record = AuditRecord.objects.get()
    assert (record.action, record.target) == ("case.set_stratum", f"case {case.pk}")
    assert (record.old, record.new) == ({"stratum": ""}, {"stratum": "grade 4"})
    assert (record.actor, record.reason) == (actor, "Second look")


def test_an_empty_stratum_takes_a_case_out(other, actor):
    assert set_stratum(cases=[other], stratum="", actor=actor) == 1
    other.refresh_from_db()
    assert other.stratum == ""


def test_strata_stand_still_while_a_study_is_blinded(other, actor):
    study = locked_study()
    blinded = study.cases.first()
    with pytest.raises(Conflict, match=blinded.code):
        set_stratum(cases=[other, blinded], stratum="grade 2", actor=actor)
    other.refresh_from_db()
    assert other.stratum == "grade 4"
    assert set_stratum(cases=[blinded], stratum=blinded.stratum, actor=actor) == 0


def test_too_long_a_stratum_is_refused(case, actor):
    with pytest.raises(ReaderStudyError, match="at most 60 characters; this one has 61"):
        set_stratum(cases=[case], stratum="x" * 61, actor=actor)


def test_tags_are_lower_case_and_put_on_once(case, other, actor):
    assert add_tags(cases=[case, other], tags=["  Motion  Artefact", "IDH"], actor=actor) == 2
    assert add_tags(cases=[case, other], tags=["idh"], actor=actor) == 0
    assert add_tags(cases=[case], tags=["idh", "follow-up"], actor=actor) == 1
    assert tags_of(case) == ["follow-up", "idh", "motion artefact"]
    assert tags_of(other) == ["idh", "motion artefact"]
    record = AuditRecord.objects.latest("sequence")
    assert record.action == "case.tag"
    assert record.old == {"tags": ["idh", "motion artefact"]}
    assert record.new == {"tags": ["follow-up", "idh", "motion artefact"]}
    assert AuditRecord.objects.count() == 3


def test_removed_tags_disappear_with_their_last_case(case, other, actor):
    add_tags(cases=[case, other], tags=["one", "two"], actor=actor)
    assert remove_tags(cases=[case], tags=["One", "three"], actor=actor) == 1
    assert (tags_of(case), tags_of(other)) == (["two"], ["one", "two"])
    assert remove_tags(cases=[case, other], tags=["one", "two"], actor=actor) == 2
    assert not Tag.objects.exists()


def test_tags_may_change_while_a_study_is_blinded(actor):
    case = locked_study().cases.first()
    assert add_tags(cases=[case], tags=["look again"], actor=actor) == 1


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ([], "at least one tag"),
        (["  "], "at least one tag"),
        (["x" * 41], "at most 40 characters"),
        (["a,b"], "neither comma nor semicolon"),
        ([str(n) for n in range(21)], "at most 20 tags"),
    ],
)
def test_tags_that_cannot_be_stored_are_refused(case, actor, tags, said):
    with pytest.raises(ReaderStudyError, match=said):
        add_tags(cases=[case], tags=tags, actor=actor)
    assert not Tag.objects.exists()


def test_no_case_and_a_missing_case_are_refused(case, actor):
    with pytest.raises(ReaderStudyError, match="at least one case"):
        set_stratum(cases=[], stratum="a", actor=actor)
    gone = Case(subject=case.subject, code="none")
    with pytest.raises(ReaderStudyError, match="1 of the chosen cases"):
        add_tags(cases=[case, gone], tags=["a"], actor=actor)


def test_a_unit_is_stated_once_and_stands_still_while_blinded(actor):
    series = SeriesFactory(role="cbv")
    assert set_unit(series=series, unit=" mL/100  g ", actor=actor)
    assert not set_unit(series=series, unit="mL/100 g", actor=actor)
    series.refresh_from_db()
    assert series.unit == "mL/100 g"
    assert AuditRecord.objects.get().new == {"role": "cbv", "unit": "mL/100 g"}
    with pytest.raises(ReaderStudyError, match="at most 24"):
        set_unit(series=series, unit="x" * 25, actor=actor)
    blinded = locked_study().cases.first().series.first()
    with pytest.raises(Conflict, match="readers measure in it"):
        set_unit(series=blinded, unit="mm", actor=actor)
