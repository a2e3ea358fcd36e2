"""Images in: from folders as they come, twice without harm, with every fault named."""

from __future__ import annotations

import os
import re
import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import zstandard
from django.db import connection

from readerstudy.cases import canonical, ingest, storage
from readerstudy.cases.ingest import Source, import_folder
from readerstudy.cases.models import Case, Series, Subject
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.models import AuditRecord
from readerstudy.imaging import volumes
from readerstudy.imaging.volumes import FoundSeries
from tests.cases.folders import FAULTS, beside, image, objects, rows, series
from tests.imaging.factories import IDENTIFIERS, brain_like, write_nifti

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(tmp_path) -> Path:
    """The folder to import: beside the media folder, not around it."""
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def by_path(folder: Path) -> dict[str, ingest.Outcome]:
    return {outcome.path: outcome for outcome in import_folder(folder)}


def roles() -> list[list[str]]:
    """The roles of each case, sorted."""
    return sorted([one.role for one in case.series.all()] for case in Case.objects.all())


def test_a_folder_of_nifti_files_and_dicom_series_becomes_cases(source):
    for name in ("t1n.nii.gz", "t1c.nii.gz", "t2w.nii", "t2f.nii.gz", "seg.nii.gz"):
        image(source / "case-1", name, seed=len(name))
    series(source / "case-2" / "T1")
    series(source / "case-2" / "FLAIR", seed=8)
    image(source / "site" / "deep" / "case-3", "scan-adc.nii")
    found = by_path(source)
    assert {outcome.status for outcome in found.values()} == {"ok"}
    assert roles() == [["adc"], ["flair", "mask", "t1", "t1c", "t2"], ["flair", "t1"]]
    assert found["case-2/T1"].case == found["case-2/FLAIR"].case
    assert found["case-2/T1"].case != found["case-1/t2w.nii"].case
    assert Subject.objects.count() == 3


def test_a_single_file_can_be_given(source):
    path = image(source / "case-1", "flair.nii.gz")
    (outcome,) = import_folder(path)
    assert (outcome.status, outcome.series) == ("ok", "flair")


def test_what_was_imported_is_told_and_stored(source):
    array = brain_like((5, 14, 12))  # (z, y, x) in RAS: x grows to the right, y to anterior
    (source / "a").mkdir()
    write_nifti(source / "a" / "t1.nii.gz", array.T, np.diag([1.0, 1.5, 4.0, 1.0]))
    (outcome,) = import_folder(source)
    stored = Series.objects.get()
    assert (outcome.case, outcome.series) == (stored.case.code, "t1")
    assert outcome.shape == stored.shape == [5, 14, 12]
    assert outcome.spacing_mm == stored.spacing_mm == [4.0, 1.5, 1.0]
    assert outcome.orientation == stored.source_orientation == "RAS"
    assert outcome.sha256 == stored.sha256
    lps = array[:, ::-1, ::-1]
    np.testing.assert_array_equal(canonical.load_array(stored), lps)
    # The last voxel of a RAS grid is the first of an LPS grid, and lies where it lay.
    nifti = nib.load(source / "a" / "t1.nii.gz")
    ras = nib.affines.apply_affine(nifti.affine, [11, 13, 0])
    np.testing.assert_allclose(
        canonical.load_volume(stored).position_mm(0, 0, 0), ras * [-1, -1, 1]
    )


def test_scaled_values_are_stored_as_the_file_means_them(source):
    (source / "a").mkdir()
    array = brain_like((5, 14, 12))
    write_nifti(source / "a" / "adc.nii.gz", array.T, slope=0.5, intercept=3.0)
    import_folder(source)
    stored = canonical.load_array(Series.objects.get())
    assert stored.dtype == np.dtype("<f4")
    np.testing.assert_array_equal(stored, (array * 0.5 + 3.0)[:, ::-1, ::-1])


def test_importing_again_changes_nothing(source):
    image(source / "case-1", "t1.nii.gz")
    series(source / "case-2" / "T2")
    beside(source)
    first = by_path(source)
    before = (rows(), objects(), list(Series.objects.order_by("pk").values()))
    second = by_path(source)
    assert (rows(), objects(), list(Series.objects.order_by("pk").values())) == before
    for path in ("case-1/t1.nii.gz", "case-2/T2"):
        assert (second[path].status, second[path].reason) == ("ok", "already imported")
        said = {**second[path].to_dict(), "reason": ""}
        assert said == first[path].to_dict()


def test_a_copy_of_the_folder_is_recognised(source, tmp_path):
    image(source / "case-1")
    import_folder(source)
    copy = shutil.copytree(source, tmp_path / "moved" / "elsewhere")
    (outcome,) = import_folder(copy)
    assert outcome.reason == "already imported"
    assert Case.objects.count() == 1


def test_a_sequence_that_comes_later_joins_its_case(source):
    image(source / "case-1", "t1.nii.gz")
    import_folder(source)
    image(source / "case-1", "flair.nii.gz", seed=8)
    import_folder(source)
    assert roles() == [["flair", "t1"]]


def test_another_image_for_the_same_sequence_is_refused_and_leaves_nothing(source):
    image(source / "case-1", "t1.nii.gz", seed=1)
    (first,) = import_folder(source)
    before = (rows(), objects())
    image(source / "case-1", "t1.nii.gz", seed=2)
    (second,) = import_folder(source)
    assert second.status == "error"
    assert second.reason == (
        f"case {first.case} has another t1 series already. Put this file into a folder of its own."
    )
    assert (rows(), objects()) == before
    assert Series.objects.get().sha256 == first.sha256


def test_two_images_of_one_sequence_in_one_folder_are_not_mixed_up(source):
    image(source / "case-1", "t1-early.nii.gz", seed=1)
    image(source / "case-1", "t1-late.nii.gz", seed=2)
    found = by_path(source)
    assert found["case-1/t1-early.nii.gz"].status == "ok"
    assert "another t1 series already" in found["case-1/t1-late.nii.gz"].reason
    assert len(objects()) == Series.objects.count() == 1


def test_images_without_a_known_sequence_are_numbered(source):
    for seed, name in enumerate(("one.nii.gz", "two.nii.gz", "three.nii.gz")):
        image(source / "case-1", name, seed=seed)
    first = {path: outcome.series for path, outcome in by_path(source).items()}
    assert sorted(first.values()) == ["other", "other-2", "other-3"]
    again = {path: outcome.series for path, outcome in by_path(source).items()}
    assert again == first
    assert roles() == [["other", "other-2", "other-3"]]


def test_an_empty_mask_is_an_image(source):
    (source / "case-1").mkdir()
    write_nifti(source / "case-1" / "seg.nii.gz", np.zeros((12, 14, 5), "uint8"))
    (outcome,) = import_folder(source)
    assert (outcome.status, outcome.series) == ("ok", "mask")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_and_the_other_cases_come_in(source, fault):
    write, path, words = FAULTS[fault]
    image(source / "a-good")
    write(source / "bad")
    image(source / "z-good", seed=8)
    found = by_path(source)
    assert {p: outcome.status for p, outcome in found.items()} == {
        "a-good/t1.nii.gz": "ok",
        path: "error",
        "z-good/t1.nii.gz": "ok",
    }
    refused = found[path]
    assert any(word in refused.reason for word in words.split("|")), refused.reason
    assert re.search(r"[.] [A-Z].*[.]$", refused.reason), "it ends with what to do"
    assert {refused.case, refused.series, refused.shape, refused.sha256} == {None}
    assert rows() == {"Subject": 2, "Case": 2, "Series": 2, "Origin": 0, "AuditRecord": 2}
    assert set(objects()) == set(Series.objects.values_list("object_name", flat=True))


def test_two_series_in_one_folder_are_told_apart(source):
    series(source / "case-1", seed=1, description="Ax T1")
    series(source / "case-1", seed=2, description="Ax T2 FLAIR")
    assert {outcome.status for outcome in import_folder(source)} == {"ok"}
    assert roles() == [["flair", "t1"]]


def test_two_series_of_one_sequence_in_one_folder_are_not_mixed_up(source):
    series(source / "case-1", seed=1, description="Ax T1")
    series(source / "case-1", seed=2, description="Ax T1")
    found = by_path(source)
    assert sorted(found) == ["case-1#1", "case-1#2"]
    assert {path: outcome.series for path, outcome in found.items()} == {
        "case-1#1": "t1",
        "case-1#2": "other",
    }
    assert roles() == [["other", "t1"]]


def test_a_folder_that_cannot_be_read_is_named_and_the_others_come_in(source, monkeypatch):
    for name in ("a-good", "locked", "z-good"):
        image(source / name, seed=len(name))
    scan = os.scandir

    def guarded(path):
        if not isinstance(path, int) and Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    # Root may read everything, so the refusal is played; in this process, where it can be.
    monkeypatch.setattr(ingest, "image_guard", lambda _: nullcontext(volumes))
    monkeypatch.setattr(os, "scandir", guarded)
    found = by_path(source)
    assert {path: outcome.status for path, outcome in found.items()} == {
        "a-good/t1.nii.gz": "ok",
        "locked": "error",
        "z-good/t1.nii.gz": "ok",
    }
    assert found["locked"].reason == (
        "reading it is not permitted. Give this program the right to read it."
    )


def test_the_folder_itself_must_be_readable_and_hold_files(source):
    with pytest.raises(ReaderStudyError, match="none: it does not exist"):
        import_folder(source / "none")
    with pytest.raises(ReaderStudyError, match="there are no files in this folder"):
        import_folder(source)


def test_what_is_no_image_is_passed_over_with_its_reason(source):
    image(source / "case-1")
    beside(source)
    found = by_path(source)
    assert {path: outcome.status for path, outcome in found.items()} == {
        "MANIFEST.json": "skipped",
        "README.md": "skipped",
        "case-1/t1.nii.gz": "ok",
        "report.dcm": "skipped",
    }
    assert found["README.md"].reason == "not a NIfTI or DICOM image"


def test_a_folder_name_in_another_character_set_is_no_obstacle(source):
    folder = Path(os.fsdecode(os.fsencode(source) + b"/M\xfcller"))
    image(folder)
    (first,) = import_folder(source)
    assert first.status == "ok"
    (again,) = import_folder(source)
    assert again.reason == "already imported"


def test_a_full_disk_leaves_nothing_half_written_and_can_be_tried_again(source, monkeypatch):
    image(source / "case-1")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space left"):
            import_folder(source)
    assert objects() == {}
    assert set(rows().values()) == {0}
    assert [outcome.status for outcome in import_folder(source)] == ["ok"]


def test_a_row_that_cannot_be_written_takes_its_case_with_it(source, monkeypatch):
    image(source / "case-1")

    def broken(**_):
        raise OSError("the log is away")

    with monkeypatch.context() as patch:
        patch.setattr(ingest.audit, "record", broken)
        with pytest.raises(OSError, match="the log is away"):
            import_folder(source)
    assert set(rows().values()) == {0}


def test_progress_counts_and_names_nobody(source):
    told = []
    image(source / "Doe_Jane", seed=1)
    image(source / "Roe_Richard", seed=2)
    import_folder(source, progress=lambda *step: told.append(step))
    assert [step[:2] for step in told] == [(1, 2), (2, 2)]
    assert not [step for step in told if "Doe" in step[2] or "Roe" in step[2]]


def test_codes_say_nothing_of_the_order_or_the_name(source):
    for number in range(12):
        image(source / f"case-{number:02d}", seed=number)
    import_folder(source)
    codes = [case.code for case in Case.objects.order_by("created_at")]
    assert len(set(codes)) == 12
    assert all(len(code) == 4 and code.isdigit() for code in codes)
    assert codes not in (sorted(codes), sorted(codes, reverse=True))


@pytest.mark.django_db(transaction=True)
def test_no_name_of_a_source_is_stored_anywhere(source, settings):
    root = source / "Hospital_Zvezdara"
    image(root / "Planted_Jelena_19610203", "Planted_Jelena_T1.nii.gz")
    series(root / "Planted_Marko" / "T2", seed=3, description="T2 of Planted_Marko")
    image(root / "Planted_Broken", "t1.nii.gz").write_bytes(b"\x1f\x8bbroken")
    import_folder(root)
    assert Series.objects.count() == 2
    words = [b"Planted", b"Jelena", b"Zvezdara", b"Marko", b"19610203"]
    words += [word.encode() for word in IDENTIFIERS]
    database = Path(connection.settings_dict["NAME"])
    files = [*database.parent.glob(f"{database.name}*"), *Path(settings.MEDIA_ROOT).rglob("*")]
    assert len([file for file in files if file.is_file()]) >= 3
    for file in files:
        if file.is_file():
            content = str(file).encode() + file.read_bytes()
            assert [word for word in words if word in content] == [], file
    for one in Series.objects.all():
        content = zstandard.decompress(storage.read(one.object_name))
        assert [word for word in words if word in content] == []


def test_every_image_that_came_in_is_on_the_log_without_a_name(source):
    image(source / "Doe_Jane")
    (outcome,) = import_folder(source)
    record = AuditRecord.objects.get()
    case = Case.objects.get()
    assert (record.action, record.target) == ("case.import", f"case {case.pk}")
    assert record.new == {"role": "t1", "sha256": outcome.sha256}


# Cases, subjects and sources


def visit(path: Path, case: str, subject: str = "") -> FoundSeries:
    return FoundSeries("nifti", (path,), path.name, case, "t1", subject=subject)


def test_two_visits_of_one_subject_are_two_cases_of_one_subject(source):
    first = visit(image(source / "a", seed=1), "ses-1", "sub-1")
    second = visit(image(source / "b", seed=2), "ses-2", "sub-1")
    other = visit(image(source / "c", seed=3), "ses-1", "sub-2")
    outcomes = [ingest.import_series(one, source=Source()) for one in (first, second, other)]
    assert [outcome.status for outcome in outcomes] == ["ok"] * 3
    assert len({outcome.case for outcome in outcomes}) == 3
    assert sorted(one.cases.count() for one in Subject.objects.all()) == [1, 2]
    again = ingest.import_series(first, source=Source())
    assert (again.case, again.reason) == (outcomes[0].case, "already imported")


def test_a_subject_keeps_the_key_of_its_name(source):
    ingest.import_series(visit(image(source / "a"), "ses-1", "sub-1"), source=Source())
    assert Subject.objects.get().source_key == ingest.source_key("sub-1")


def test_equal_names_of_two_sources_stay_apart(source):
    one = visit(image(source / "a", seed=1), "001")
    two = visit(image(source / "b", seed=2), "001")
    first = ingest.import_series(one, source=Source(label="Ljubljana"))
    second = ingest.import_series(two, source=Source(label="Split"))
    assert (first.status, second.status) == ("ok", "ok")
    assert Subject.objects.count() == Case.objects.count() == 2
    again = ingest.import_series(one, source=Source(label=" ljubljana "))
    assert (again.case, again.reason) == (first.case, "already imported")


def test_a_file_without_a_folder_is_found_again_by_its_checksum(source):
    path = image(source)
    first = ingest.import_series(visit(path, "upload-1"), source=Source(loose="upload-1"))
    again = ingest.import_series(visit(path, "upload-2"), source=Source(loose="upload-2"))
    assert (again.case, again.reason) == (first.case, "already imported")
    image(source, seed=8)
    other = ingest.import_series(visit(path, "upload-3"), source=Source(loose="upload-3"))
    assert (other.status, other.reason) == ("ok", "")
    assert other.case != first.case


def test_form_and_flags_of_the_source_are_kept(source):
    (source / "a").mkdir()
    write_nifti(source / "a" / "t1.nii.gz", brain_like((5, 14, 12)).T, np.diag([1, 1, 6.5, 1]))
    series(source / "b" / "T2")
    import_folder(source)
    kept = {one.role: (one.source_kind, one.flags) for one in Series.objects.all()}
    assert kept == {"t1": ("nifti", ["thick"]), "t2": ("dicom", [])}


def head(folder: Path) -> Path:
    """Tissue up to the border and noise around it: nothing was cut away."""
    folder.mkdir(parents=True, exist_ok=True)
    array = np.random.default_rng(5).integers(20, 60, (12, 40, 36)).astype("int16")
    array[2:-2, 6:-6, 6:-6] += 400
    return write_nifti(folder / "t1.nii.gz", array.T, np.diag([4.0, 4.0, 4.0, 1]))


def test_a_whole_head_is_flagged_and_keeping_it_is_a_choice_on_record(source):
    path = head(source / "a")
    found = visit(path, "a")
    ingest.import_series(found, source=Source())
    assert Series.objects.get().flags == ["face"]
    ingest.import_series(found, source=Source(faces="keep"))
    assert Series.objects.get().flags == ["face_kept"]
    record = AuditRecord.objects.get(action="case.keep_face")
    assert (record.old["flags"], record.new["flags"]) == (["face"], ["face_kept"])
    ingest.import_series(found, source=Source(faces="keep"))
    assert AuditRecord.objects.filter(action="case.keep_face").count() == 1


def test_a_mask_shows_no_face(source):
    found = replace(visit(head(source / "a"), "a"), role="mask")
    ingest.import_series(found, source=Source())
    assert Series.objects.get().flags == []
