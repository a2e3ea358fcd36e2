import os
import shutil

import numpy as np
import pytest

from readerstudy.imaging.errors import ImageError, UnreadableError
from readerstudy.imaging.volumes import find_series, load

from .factories import (
    IDENTIFIERS,
    SeriesOptions,
    brain_like,
    write_nifti,
    write_series,
    write_structured_report,
)

BRAIN = brain_like()


def by_name(found):
    return {one.name: one for one in found}


def test_nifti_files_are_found_in_all_folders(tmp_path):
    for name in ("case-1/t1c.nii.gz", "case-1/seg.nii", "deep/er/case-2/scan-flair.nii.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_nifti(tmp_path / name, BRAIN.T)
    found = by_name(find_series(tmp_path))
    assert {name: (one.case, one.role) for name, one in found.items()} == {
        "case-1/t1c.nii.gz": ("case-1", "t1c"),
        "case-1/seg.nii": ("case-1", "mask"),
        "deep/er/case-2/scan-flair.nii.gz": ("case-2", "flair"),
    }
    np.testing.assert_array_equal(load(found["case-1/t1c.nii.gz"]).array, BRAIN)


def test_series_mixed_in_one_folder_are_separated(tmp_path):
    write_series(tmp_path / "p", BRAIN, SeriesOptions(description="Ax T1"))
    write_series(tmp_path / "p", BRAIN + 5, SeriesOptions(description="Ax T2 FLAIR"))
    found = find_series(tmp_path)
    assert sorted((one.name, one.role, len(one.paths)) for one in found) in (
        [("p#1", "t1", 12), ("p#2", "flair", 12)],
        [("p#1", "flair", 12), ("p#2", "t1", 12)],
    )
    flair = next(one for one in found if one.role == "flair")
    np.testing.assert_array_equal(load(flair).array, BRAIN + 5)


def test_series_spread_over_folders_is_one(tmp_path):
    for number, path in enumerate(write_series(tmp_path / "p", BRAIN)):
        part = tmp_path / "p" / f"part-{number // 5}"
        part.mkdir(exist_ok=True)
        path.rename(part / path.name)
    (found,) = find_series(tmp_path)
    assert (found.name, len(found.paths)) == ("p", 12)
    np.testing.assert_array_equal(load(found).array, BRAIN)


def test_copy_of_a_series_in_another_folder_is_another_series(tmp_path):
    write_series(tmp_path / "p", BRAIN)
    shutil.copytree(tmp_path / "p", tmp_path / "q")
    assert [(one.name, len(one.paths)) for one in find_series(tmp_path)] == [("p", 12), ("q", 12)]


def test_folder_named_after_a_sequence_belongs_to_the_case_above(tmp_path):
    write_series(tmp_path / "patient-7" / "T1_post", BRAIN)
    write_series(tmp_path / "patient-7" / "FLAIR", BRAIN)
    found = by_name(find_series(tmp_path))
    assert found["patient-7/T1_post"].case == found["patient-7/FLAIR"].case == "patient-7"
    assert found["patient-7/T1_post"].role == "t1c"
    alone = find_series(tmp_path / "patient-7" / "FLAIR")
    assert [(one.name, one.case) for one in alone] == [("FLAIR", "FLAIR")]


def test_contrast_agent_makes_t1_a_t1_after_contrast(tmp_path):
    write_series(tmp_path / "x", BRAIN, SeriesOptions(contrast="Gadovist"))
    assert find_series(tmp_path)[0].role == "t1c"


def test_unknown_sequence_is_none(tmp_path):
    write_series(tmp_path / "x", BRAIN, SeriesOptions(description="ep2d_Asc"))
    assert find_series(tmp_path)[0].role is None


def test_dicom_without_suffix_is_found(tmp_path):
    for path in write_series(tmp_path / "x", BRAIN):
        path.rename(path.with_suffix(""))
    assert [(one.kind, len(one.paths)) for one in find_series(tmp_path)] == [("dicom", 12)]


def test_other_files_are_listed_with_a_reason(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "DICOMDIR").write_bytes(bytes(128) + b"DICM" + bytes(50))
    (tmp_path / "a.nrrd").write_bytes(b"NRRD0004")
    write_structured_report(tmp_path / "report.dcm")
    (tmp_path / "broken.dcm").write_bytes(b"garbage")
    (tmp_path / "link.nii").symlink_to(tmp_path / "notes.txt")
    found = by_name(find_series(tmp_path))
    assert {name: one.status for name, one in found.items()} == {
        "DICOMDIR": "skipped",
        "a.nrrd": "skipped",
        "broken.dcm": "error",
        "link.nii": "skipped",
        "notes.txt": "skipped",
        "report.dcm": "skipped",
    }
    assert "index of DICOM files" in found["DICOMDIR"].reason
    assert "convert it to .nii.gz" in found["a.nrrd"].reason
    assert "not a DICOM file" in found["broken.dcm"].reason
    assert "links are not followed" in found["link.nii"].reason
    assert "Basic Text SR" in found["report.dcm"].reason
    with pytest.raises(ImageError, match="not a NIfTI or DICOM image"):
        load(found["notes.txt"])


def test_mosaic_is_listed_as_an_error(tmp_path):
    options = SeriesOptions(image_type=("ORIGINAL", "PRIMARY", "MOSAIC"))
    write_series(tmp_path / "m", BRAIN[:1], options)
    one = find_series(tmp_path)[0]
    assert one.status == "error"
    assert "mosaic" in one.reason
    assert "dcm2niix" in one.advice


def test_one_damaged_file_leaves_the_rest_as_an_incomplete_series(tmp_path):
    paths = write_series(tmp_path / "x", BRAIN)
    paths[5].write_bytes(paths[5].read_bytes()[:140])
    found = find_series(tmp_path)
    assert {one.status for one in found} >= {"ok"}
    with pytest.raises(ImageError, match="missing"):
        load(next(one for one in found if one.status == "ok"))


def test_a_single_file_can_be_given(tmp_path):
    path = write_nifti(tmp_path / "t2.nii.gz", BRAIN.T)
    found = find_series(path)
    assert [(one.name, one.role) for one in found] == [("t2.nii.gz", "t2")]


def test_empty_mask_may_be_loaded(tmp_path):
    write_nifti(tmp_path / "mask.nii.gz", np.zeros((3, 3, 3), "uint8"))
    assert load(find_series(tmp_path)[0]).array.max() == 0


def test_folder_that_does_not_exist(tmp_path):
    with pytest.raises(UnreadableError, match="does not exist"):
        find_series(tmp_path / "none")


def test_folder_that_may_not_be_read(tmp_path, monkeypatch):
    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", forbidden)
    with pytest.raises(UnreadableError, match="not permitted") as caught:
        find_series(tmp_path)
    assert str(tmp_path.parent) not in str(caught.value)


def test_no_identifier_of_a_header_appears(tmp_path):
    write_series(tmp_path / "x", BRAIN, SeriesOptions(description="T1 of Doe^Jane"))
    found = find_series(tmp_path)[0]
    shown = repr((found, load(found).facts))
    assert not [word for word in IDENTIFIERS if word in shown]


def test_folder_below_that_may_not_be_read_is_listed_and_the_others_are_found(
    tmp_path, monkeypatch
):
    for name in ("a", "shut", "z"):
        (tmp_path / name).mkdir()
        write_nifti(tmp_path / name / "t1.nii.gz", BRAIN.T)
    scan = os.scandir

    def guarded(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    found = find_series(tmp_path)
    assert [(one.name, one.status) for one in found] == [
        ("a/t1.nii.gz", "ok"),
        ("shut", "error"),
        ("z/t1.nii.gz", "ok"),
    ]
    assert "not permitted" in found[1].reason
