"""Applying a manifest: what is written, that a row is whole or not there, that twice is once."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from readerstudy.cases.labelling import tags_of
from readerstudy.cases.models import Case, Series, Subject
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.intake.manifest import apply
from readerstudy.truth.models import Origin, ReferenceStandard
from tests.cases.folders import image
from tests.factories import CoordinatorFactory
from tests.intake.manifests import manifest
from tests.intake.test_manifest_plan import blind

pytestmark = pytest.mark.django_db
T1 = {"path": "A/t1.nii.gz", "case": "A", "sequence": "t1"}


@pytest.fixture
def actor():
    return CoordinatorFactory()


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "source"
    for name in ("A", "B"):
        image(folder / name, "t1.nii.gz", seed=ord(name))
    return folder


@pytest.fixture
def run(folder, actor):
    def make(*rows, reason=""):
        return [
            one.outcome
            for one in apply(manifest(folder, *rows), folder, actor=actor, reason=reason)
        ]

    return make


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Case, Series, Origin, ReferenceStandard))


def test_a_row_writes_images_labels_origin_and_reference(run, folder, actor):
    (outcome,) = run(
        {
            **T1,
            "path": "A/t1.nii.gz",
            "case": "baseline",
            "subject": "P1",
            "sequence": "cbv",
            "stratum": "grade 4",
            "day": "56",
            "tags": "idh; motion",
            "unit": "mL/100 g",
            "origin": "synthetic",
            "generator": "gan",
            "run": "7",
            "ref:who_grade": "4",
            "ref:who_grade:method": "histopathology",
        }
    )
    assert (outcome.status, outcome.series) == ("ok", "cbv")
    case = Case.objects.get(code=outcome.case)
    assert (case.stratum, case.day, tags_of(case)) == ("grade 4", 56, ["idh", "motion"])
    series = case.series.get()
    assert (series.role, series.unit) == ("cbv", "mL/100 g")
    source = np.asarray(nibabel.load(folder / "A" / "t1.nii.gz").dataobj)
    assert sorted(series.shape) == sorted(source.shape)
    origin = Origin.objects.get(case=case)
    assert (origin.generator, origin.external_run, origin.declared_by) == ("gan", "7", actor)
    reference = ReferenceStandard.objects.get(case=case)
    assert (reference.endpoint, reference.value) == ("who_grade", "4")
    assert (reference.method, reference.recorded_by) == ("histopathology", actor)
    actions = set(AuditRecord.objects.values_list("action", flat=True))
    assert actions == {
        "case.import",
        "case.set_day",
        "case.set_stratum",
        "case.tag",
        "case.set_unit",
        "truth.declare_synthetic",
        "truth.record_reference",
    }


def test_applying_again_changes_nothing(run):
    rows = (
        {**T1, "stratum": "x", "tags": "a", "unit": "ms", "origin": "real", "ref:grade": "4"},
        {"path": "B/t1.nii.gz", "case": "B", "sequence": "t1", "origin": "real"},
    )
    first = run(*rows)
    before = counts(), AuditRecord.objects.count(), len(list(storage_files()))
    second = run(*rows)
    assert (counts(), AuditRecord.objects.count(), len(list(storage_files()))) == before
    assert [one.case for one in first] == [one.case for one in second]
    assert {one.reason for one in second} == {"already imported"}


def storage_files():
    from django.conf import settings

    return (path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file())


def test_cases_of_one_subject_belong_together(run):
    run(
        {"path": "A/t1.nii.gz", "case": "first", "subject": "P1", "sequence": "t1"},
        {"path": "B/t1.nii.gz", "case": "second", "subject": "P1", "sequence": "t1"},
    )
    assert (Subject.objects.count(), Case.objects.count()) == (1, 2)


def test_each_row_fails_alone_and_leaves_nothing_behind(run, folder, monkeypatch):
    run({**T1, "origin": "real"})
    (folder / "B" / "t2.nii.gz").write_bytes((folder / "B" / "t1.nii.gz").read_bytes()[:-100])
    outcomes = run(
        {**T1, "case": "A", "origin": "synthetic", "generator": "g", "stratum": "x"},
        {"path": "missing.nii", "case": "M"},
        {"path": "B/t2.nii.gz", "case": "B", "sequence": "t2"},
        {"path": "B/t1.nii.gz", "case": "B", "sequence": "t1", "stratum": "y"},
    )
    assert [one.status for one in outcomes] == ["error", "error", "error", "ok"]
    assert "on record as real already" in outcomes[0].reason
    assert "no such images" in outcomes[1].reason
    assert Case.objects.get(code=outcomes[0].case or Case.objects.earliest("created_at").code)
    assert sorted(Case.objects.values_list("stratum", flat=True)) == ["", "y"]


def test_a_new_series_goes_with_its_labels_or_not_at_all(run, monkeypatch):
    from readerstudy.intake import manifest_apply

    def refuse(**_):
        raise ReaderStudyError("The reference standard is refused.")

    monkeypatch.setattr(manifest_apply, "record_reference", refuse)
    (outcome,) = run({**T1, "stratum": "x", "origin": "real", "ref:grade": "4"})
    assert (outcome.status, outcome.reason) == ("error", "The reference standard is refused.")
    assert counts() == (0, 0, 0, 0)
    assert not AuditRecord.objects.exists()


def test_a_correction_needs_a_reason_before_anything_is_written(run):
    run({**T1, "ref:grade": "3"})
    before = AuditRecord.objects.count()
    with pytest.raises(ReaderStudyError, match="State the reason"):
        run({**T1, "ref:grade": "4", "stratum": "x"})
    assert AuditRecord.objects.count() == before
    run({**T1, "ref:grade": "4", "stratum": "x"}, reason="Second sample")
    row = ReferenceStandard.objects.current().get()
    assert (row.value, row.reason, row.supersedes.value) == ("4", "Second sample", "3")


def test_labels_alone_are_written_by_name_and_by_code(run, tmp_path, actor):
    (outcome,) = run(T1)
    empty = tmp_path / "empty"
    empty.mkdir()
    by_name = manifest(empty, {"case": "A", "stratum": "x"})
    by_code = manifest(empty, {"case_code": outcome.case, "ref:grade": "4"})
    for one in (by_name, by_code):
        (result,) = apply(one, empty, actor=actor)
        assert (result.outcome.status, result.outcome.case) == ("ok", outcome.case)
    assert Case.objects.get().stratum == "x"
    assert ReferenceStandard.objects.get().value == "4"


def test_a_blinded_case_takes_a_reference_but_tells_nothing(run):
    run({**T1, "origin": "real", "ref:grade": "3"})
    blind(Case.objects.get())
    guesses = [
        {"origin": "real", "ref:grade": "3"},
        {"origin": "synthetic", "generator": "g", "ref:grade": "4"},
    ]
    answers = []
    for guess in guesses:
        with pytest.raises(ReaderStudyError, match="State the reason"):
            run({**T1, **guess})
        answers.append(run({**T1, **guess}, reason="Central pathology"))
    assert answers[0] == answers[1]
    assert Origin.objects.get().kind == "real"
    assert ReferenceStandard.objects.current().get().value == "4"
    assert answers[0][0].case is None


def test_progress_names_no_source(folder, actor):
    told = []
    apply(
        manifest(folder, T1),
        folder,
        actor=actor,
        progress=lambda step, of, message: told.append((step, of, message)),
    )
    assert told == [(1, 1, "1 of 1 rows")]
