"""What a manifest would change is told row by row, and nothing is changed by looking."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from readerstudy.cases.models import Case
from readerstudy.core.models import AuditRecord
from readerstudy.intake.manifest import Plan, apply, plan
from readerstudy.studies.models import Study, StudyCase
from readerstudy.truth.models import Origin
from tests.cases.folders import image, series
from tests.factories import CoordinatorFactory, StudyFactory
from tests.intake.manifests import manifest

pytestmark = pytest.mark.django_db
T1 = {"path": "A/t1.nii.gz", "case": "A", "sequence": "t1"}


@pytest.fixture
def actor():
    return CoordinatorFactory()


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "source"
    image(folder / "A", "t1.nii.gz", seed=1)
    return folder


@pytest.fixture
def planned(folder, actor):
    def make(*rows, person=actor) -> Plan:
        return plan(manifest(folder, *rows), folder, actor=person)

    return make


@pytest.fixture
def applied(folder, actor):
    def make(*rows, reason="") -> None:
        results = apply(manifest(folder, *rows), folder, actor=actor, reason=reason)
        assert {one.outcome.status for one in results} == {"ok"}

    return make


def kinds(found: Plan) -> list[tuple[int, str, str]]:
    return [(one.row, one.kind, one.column) for one in found.changes]


def blind(case: Case) -> Study:
    """Make the case part of a running study."""
    study = StudyFactory()
    StudyCase.objects.create(study=study, case=case)
    Study.objects.filter(pk=study.pk).update(state=Study.State.RUNNING)
    return study


def test_a_new_case_is_told_with_all_that_comes_with_it(planned):
    row = {**T1, "stratum": "grade 4", "tags": "idh", "origin": "real", "ref:who_grade": "4"}
    before = AuditRecord.objects.count()
    found = planned(row)
    assert kinds(found) == [
        (2, "new case", ""),
        (2, "label", "stratum"),
        (2, "label", "tags"),
        (2, "label", "origin"),
        (2, "new reference", "ref:who_grade"),
    ]
    assert not found.has_faults
    assert not found.needs_reason
    assert not Case.objects.exists()
    assert AuditRecord.objects.count() == before
    assert json.loads(json.dumps(found.to_dict()))["counts"]["label"] == 3


def test_what_is_there_already_is_told_by_its_checksum(planned, applied):
    row = {**T1, "stratum": "grade 4", "origin": "real", "ref:who_grade": "4"}
    applied(row)
    assert kinds(planned(row)) == [(2, "already there", "")]
    assert planned(row).changes[0].code == Case.objects.get().code


def test_changes_are_told_with_old_and_new(planned, applied):
    applied({**T1, "stratum": "grade 3", "ref:who_grade": "3", "ref:who_grade:method": "biopsy"})
    found = planned(
        {**T1, "stratum": "grade 4", "ref:who_grade": "4", "ref:who_grade:method": "resection"}
    )
    _, stratum, reference = found.changes
    assert (stratum.kind, stratum.old, stratum.new) == ("label", "grade 3", "grade 4")
    assert (reference.kind, reference.old, reference.new) == (
        "correction",
        "3 (biopsy)",
        "4 (resection)",
    )
    assert found.needs_reason


def test_a_second_series_of_a_case_is_new_and_another_file_for_a_role_a_conflict(
    folder, planned, applied
):
    applied(T1)
    image(folder / "A", "t2.nii.gz", seed=2)
    image(folder / "B", "t1.nii.gz", seed=3)
    found = planned(
        T1,
        {"path": "A/t2.nii.gz", "case": "A", "sequence": "t2"},
        {"path": "B/t1.nii.gz", "case": "A", "sequence": "flair"},
    )
    assert [one.kind for one in found.changes] == ["already there", "new series", "new series"]
    image(folder / "A", "t1.nii.gz", seed=9)
    found = planned(T1)
    assert [(one.kind, one.column) for one in found.changes[:1]] == [("conflict", "sequence")]
    assert found.has_faults


def test_missing_and_unnamed_images_are_told(folder, planned):
    image(folder / "B", "t2.nii.gz", seed=2)
    (folder / "B" / "letter.txt").write_text("Dear colleague")
    found = planned(T1, {"path": "C/t1.nii.gz", "case": "C", "sequence": ""})
    assert kinds(found) == [(2, "new case", ""), (3, "missing", "path"), (0, "not named", "")]
    assert found.changes[-1].path == "B/t2.nii.gz"


def test_dicom_is_named_by_folder_or_series_uid(folder, planned):
    series(folder / "D" / "one", seed=4)
    (header,) = {path.parent for path in (folder / "D").rglob("*") if path.is_file()}
    import pydicom

    uid = pydicom.dcmread(next(header.iterdir()), stop_before_pixels=True).SeriesInstanceUID
    by_folder = {"path": "D/one", "series_uid": "", "case": "D", "sequence": "t1"}
    by_uid = {"path": "", "series_uid": str(uid), "case": "D", "sequence": "t1"}
    for row in (by_folder, by_uid):
        assert (2, "new case", "") in kinds(planned({**T1, "series_uid": ""} | row))
    by_file = {**by_folder, "path": f"D/one/{next(header.iterdir()).name}"}
    assert kinds(planned(by_file))[0] == (2, "new case", "")


def test_a_folder_with_two_series_asks_which(folder, planned):
    image(folder / "A", "t2.nii.gz", seed=2)
    ((_, kind, _), *_) = kinds(planned({"path": "A", "case": "A", "sequence": ""}))
    assert kind == "missing"
    assert "A/t1.nii.gz, A/t2.nii.gz" in planned({"path": "A", "case": "A"}).changes[0].says


def test_two_rows_for_the_same_images_are_a_conflict(folder, planned):
    series(folder / "D", seed=4)
    first = next(path for path in sorted((folder / "D").iterdir()))
    rows = ({"path": "D", "case": "D"}, {"path": f"D/{first.name}", "case": "E"})
    assert (3, "conflict", "path") in kinds(planned(*rows))


def test_labels_alone_need_a_stored_case(planned, applied):
    assert kinds(planned({"case": "A", "stratum": "x"}))[0] == (2, "conflict", "case")
    assert kinds(planned({"case_code": "0000", "stratum": "x"}))[0] == (2, "conflict", "case")
    applied(T1)
    code = Case.objects.get().code
    for row in ({"case": "a", "stratum": "x"}, {"case_code": code, "stratum": "x"}):
        assert (2, "label", "stratum") in kinds(planned(row))


def test_an_origin_is_never_changed(planned, applied):
    applied({**T1, "origin": "real"})
    row = {**T1, "origin": "synthetic", "generator": "gan"}
    change = planned(row).changes[-1]
    assert (change.kind, change.column) == ("conflict", "origin")
    assert (change.old, change.new) == ("real", "synthetic, by gan")


GUESSES = (
    {"origin": "real", "ref:who_grade": "4"},
    {"origin": "synthetic", "generator": "g", "ref:who_grade": "2"},
)


@pytest.mark.parametrize("guess", GUESSES)
def test_guesses_about_a_blinded_case_all_look_the_same(planned, applied, guess):
    applied({**T1, "origin": "real", "ref:who_grade": "4"})
    case = Case.objects.get()
    blind(case)
    for person in (None, CoordinatorFactory()):
        found = planned({**T1, **guess}, person=person)
        assert kinds(found) == [
            (2, "already there", ""),
            (2, "hidden", "origin"),
            (2, "hidden", "ref:who_grade"),
        ]
        assert found.needs_reason
        assert all(one.code == "" and one.old == "" for one in found.changes)
        assert case.code not in json.dumps(found.to_dict())


def test_strata_and_units_of_a_blinded_case_stand_still(planned, applied):
    applied(T1)
    blind(Case.objects.get())
    found = planned({**T1, "stratum": "x", "unit": "ms"})
    assert kinds(found)[1:] == [(2, "conflict", "stratum"), (2, "conflict", "unit")]
    assert not Origin.objects.exists()
