import json

import pydicom
import pytest

from readerstudy.imaging.volumes import find_series, load

from .factories import brain_like, write_nifti
from .vendors import slices, write_classic

BRAIN = brain_like((4, 9, 8)).T


def nifti(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_nifti(root / name, BRAIN)


def cases(root, subjects=False):
    found = [one for one in find_series(root) if one.status == "ok"]
    if subjects:
        return {one.name: (one.case, one.subject, one.role) for one in found}
    return {one.name: (one.case, one.role) for one in found}


def test_bids(tmp_path):
    (tmp_path / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.8.0"}')
    nifti(
        tmp_path,
        "sub-01/ses-02/anat/sub-01_ses-02_T1w.nii.gz",
        "sub-01/ses-02/anat/sub-01_ses-02_ce-gadolinium_run-1_T1w.nii.gz",
        "sub-01/ses-02/anat/sub-01_ses-02_FLAIR.nii.gz",
        "sub-01/ses-02/dwi/sub-01_ses-02_ADC.nii.gz",
        "sub-02/anat/sub-02_T2w.nii.gz",
        "sub-02/anat/sub-02_part-phase_T2w.nii.gz",
        "sub-02/perf/sub-02_cbv.nii.gz",
        "sub-02/perf/sub-02_asl.nii.gz",
        "sub-02/perf/sub-02_m0scan.nii.gz",
        "sub-02/dwi/sub-02_FA.nii.gz",
        "sub-02/dwi/sub-02_model-tensor_param-MD_dwimap.nii.gz",
        "sub-02/dwi/sub-02_model-tensor_param-RD_dwimap.nii.gz",
        "derivatives/fs/sub-02/anat/sub-02_T1w.nii.gz",
        "sourcedata/sub-02/anat/sub-02_T1w.nii.gz",
    )
    assert cases(tmp_path, subjects=True) == {
        "sub-01/ses-02/anat/sub-01_ses-02_T1w.nii.gz": ("sub-01/ses-02", "sub-01", "t1"),
        "sub-01/ses-02/anat/sub-01_ses-02_ce-gadolinium_run-1_T1w.nii.gz": (
            "sub-01/ses-02",
            "sub-01",
            "t1c",
        ),
        "sub-01/ses-02/anat/sub-01_ses-02_FLAIR.nii.gz": ("sub-01/ses-02", "sub-01", "flair"),
        "sub-01/ses-02/dwi/sub-01_ses-02_ADC.nii.gz": ("sub-01/ses-02", "sub-01", "adc"),
        "sub-02/anat/sub-02_T2w.nii.gz": ("sub-02", "sub-02", "t2"),
        "sub-02/anat/sub-02_part-phase_T2w.nii.gz": ("sub-02", "sub-02", None),
        "sub-02/perf/sub-02_cbv.nii.gz": ("sub-02", "sub-02", "cbv"),
        "sub-02/perf/sub-02_asl.nii.gz": ("sub-02", "sub-02", "asl"),
        "sub-02/perf/sub-02_m0scan.nii.gz": ("sub-02", "sub-02", None),
        "sub-02/dwi/sub-02_FA.nii.gz": ("sub-02", "sub-02", "fa"),
        "sub-02/dwi/sub-02_model-tensor_param-MD_dwimap.nii.gz": ("sub-02", "sub-02", "md"),
        "sub-02/dwi/sub-02_model-tensor_param-RD_dwimap.nii.gz": ("sub-02", "sub-02", None),
    }
    left_out = {one.name: one.reason for one in find_series(tmp_path) if one.status == "skipped"}
    assert "derived images" in left_out["derivatives"]
    assert "source files" in left_out["sourcedata"]
    assert list(cases(tmp_path / "derivatives")) == ["fs/sub-02/anat/sub-02_T1w.nii.gz"]


def test_facts_beside_an_image(tmp_path):
    nifti(tmp_path, "sub-1/anat/sub-1_T1w.nii.gz")
    notes = {"EchoTime": 0.0025, "MagneticFieldStrength": 3, "PatientName": "Doe^Jane", "x": [1]}
    (tmp_path / "sub-1/anat/sub-1_T1w.json").write_text(json.dumps(notes))
    facts = load(next(one for one in find_series(tmp_path) if one.status == "ok")).facts
    assert facts == {"echo_time_ms": pytest.approx(2.5), "field_strength_t": 3.0}


@pytest.mark.parametrize("notes", ["[]", "{", '{"EchoTime": "Doe^Jane"}', "[" * 100_000])
def test_notes_that_make_no_sense_are_left(tmp_path, notes):
    nifti(tmp_path, "t1.nii.gz")
    (tmp_path / "t1.json").write_text(notes)
    assert load(find_series(tmp_path / "t1.nii.gz")[0]).facts == {}


def test_maps_of_diffusion_and_perfusion_in_one_folder(tmp_path):
    names = ("A-01_ADC", "A-01_ASL", "A-01_DTI_eddy_FA", "A-01_DTI_eddy_MD", "A-02_ADC", "A-02_FA")
    nifti(tmp_path, *(f"{name}.nii.gz" for name in names))
    assert cases(tmp_path) == {
        "A-01_ADC.nii.gz": ("A-01", "adc"),
        "A-01_ASL.nii.gz": ("A-01", "asl"),
        "A-01_DTI_eddy_FA.nii.gz": ("A-01", "fa"),
        "A-01_DTI_eddy_MD.nii.gz": ("A-01", "md"),
        "A-02_ADC.nii.gz": ("A-02", "adc"),
        "A-02_FA.nii.gz": ("A-02", "fa"),
    }


def test_initials_of_a_case_are_not_taken_for_a_map(tmp_path):
    nifti(tmp_path, "md-01_t1.nii.gz", "md-01_flair.nii.gz", "md-02_t1.nii.gz", "fa-03_t1.nii.gz")
    assert set(cases(tmp_path).values()) == {
        ("md-01", "t1"), ("md-01", "flair"), ("md-02", "t1"), ("fa-03", None),
    }  # fmt: skip


def test_flat_folder_of_several_cases(tmp_path):
    nifti(
        tmp_path,
        "BraTS-GLI-00001-000-t1c.nii.gz",
        "BraTS-GLI-00001-000-t2f.nii.gz",
        "BraTS-GLI-00002-000-t1c.nii.gz",
        "BraTS-GLI-00002-000-seg.nii.gz",
    )
    assert cases(tmp_path) == {
        "BraTS-GLI-00001-000-t1c.nii.gz": ("BraTS-GLI-00001-000", "t1c"),
        "BraTS-GLI-00001-000-t2f.nii.gz": ("BraTS-GLI-00001-000", "flair"),
        "BraTS-GLI-00002-000-t1c.nii.gz": ("BraTS-GLI-00002-000", "t1c"),
        "BraTS-GLI-00002-000-seg.nii.gz": ("BraTS-GLI-00002-000", "mask"),
    }


def test_visits_in_file_and_folder_names(tmp_path):
    nifti(tmp_path, "a/study1_t1.nii.gz", "a/study2_t1.nii.gz", "b/visit1/t1.nii.gz")
    nifti(tmp_path, "c/visit1/anat/t1.nii.gz")
    assert cases(tmp_path, subjects=True) == {
        "a/study1_t1.nii.gz": ("a/study1", "a", "t1"),
        "a/study2_t1.nii.gz": ("a/study2", "a", "t1"),
        "b/visit1/t1.nii.gz": ("b/visit1", "b", "t1"),
        "c/visit1/anat/t1.nii.gz": ("c/visit1", "c", "t1"),
    }


def test_folders_of_a_sequence_with_files_named_by_case(tmp_path):
    nifti(tmp_path, "T1/p001.nii.gz", "T1/p002.nii.gz", "FLAIR/p001.nii.gz")
    assert cases(tmp_path) == {
        "T1/p001.nii.gz": ("p001", "t1"),
        "T1/p002.nii.gz": ("p002", "t1"),
        "FLAIR/p001.nii.gz": ("p001", "flair"),
    }


def test_one_sequence_twice_in_a_case_stays_in_the_case(tmp_path):
    nifti(tmp_path, "x/t1-early.nii.gz", "x/t1-late.nii.gz")
    assert {case for case, _ in cases(tmp_path).values()} == {"x"}


def test_two_places_of_one_name_are_not_merged(tmp_path):
    nifti(tmp_path, "siteA/p1/t1.nii.gz", "siteB/P1/t1.nii.gz", "siteB/p2/t1.nii.gz")
    found = {one.name: one for one in find_series(tmp_path)}
    for name in ("siteA/p1/t1.nii.gz", "siteB/P1/t1.nii.gz"):
        assert found[name].status == "error"
        assert "siteA/p1 and siteB/P1" in found[name].reason
        assert "source label" in found[name].advice
    assert found["siteB/p2/t1.nii.gz"].status == "ok"


def exam(folder, uid, patient, study, description="T1", seed=1):
    values = {"SeriesInstanceUID": uid, "PatientID": patient, "StudyInstanceUID": study}
    return write_classic(folder, slices(3, seed=seed), SeriesDescription=description, **values)


def test_disc_of_a_picture_archive(tmp_path):
    exam(tmp_path / "DICOM/PA0/ST0/SE0", "1.1", "A", "1", "T1")
    exam(tmp_path / "DICOM/PA0/ST0/SE1", "1.2", "A", "1", "T2")
    exam(tmp_path / "DICOM/PA0/ST1/SE0", "1.3", "A", "2", "T1")
    exam(tmp_path / "DICOM/PA1/ST0/SE0", "1.4", "B", "3", "FLAIR")
    assert cases(tmp_path, subjects=True) == {
        "DICOM/PA0/ST0/SE0": ("PA0/ST0", "PA0", "t1"),
        "DICOM/PA0/ST0/SE1": ("PA0/ST0", "PA0", "t2"),
        "DICOM/PA0/ST1/SE0": ("PA0/ST1", "PA0", "t1"),
        "DICOM/PA1/ST0/SE0": ("PA1/ST0", "PA1", "flair"),
    }


def test_folders_of_series_belong_to_the_case_that_holds_the_examination(tmp_path):
    exam(tmp_path / "case-7" / "5_Ax_T2_FSE", "1.1", "A", "1", "Ax T2 FSE")
    exam(tmp_path / "case-7" / "6_something_else", "1.2", "A", "1", "T1")
    exam(tmp_path / "case-8" / "3_t1_mprage_sag", "1.3", "B", "2", "t1_mprage_sag")
    assert {name: case for name, (case, _) in cases(tmp_path).items()} == {
        "case-7/5_Ax_T2_FSE": "case-7",
        "case-7/6_something_else": "case-7",
        "case-8/3_t1_mprage_sag": "case-8",
    }


def test_folders_that_name_case_and_sequence_stay_cases(tmp_path):
    exam(tmp_path / "001_T1", "1.1", "A", "1")
    exam(tmp_path / "002_T1", "1.2", "B", "2")
    assert {case for case, _ in cases(tmp_path).values()} == {"001_T1", "002_T1"}


def test_two_patients_in_one_folder_are_two_cases(tmp_path):
    exam(tmp_path / "inbox", "1.1", "A", "1", "T1")
    exam(tmp_path / "inbox", "1.2", "A", "1", "T2")
    exam(tmp_path / "inbox", "1.3", "B", "2", "T1")
    found = find_series(tmp_path)
    groups = {}
    for one in found:
        patient = pydicom.dcmread(one.paths[0]).PatientID
        groups.setdefault(one.case, set()).add(patient)
    assert sorted(map(sorted, groups.values())) == [["A"], ["B"]]
    assert all(case.startswith("inbox~") for case in groups)


def test_of_several_series_of_one_sequence_the_longest_has_the_role(tmp_path):
    exam(tmp_path / "case-7" / "4", "1.1", "A", "1", "t1 sag")
    values = {"SeriesInstanceUID": "1.2", "PatientID": "A", "StudyInstanceUID": "1"}
    write_classic(tmp_path / "case-7" / "5", slices(9), SeriesDescription="t1 mprage", **values)
    assert cases(tmp_path) == {"case-7/4": ("case-7", None), "case-7/5": ("case-7", "t1")}
