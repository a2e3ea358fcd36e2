import pytest

from readerstudy.imaging.sequences import LABELS, names_only_a_role, role_of, role_of_series


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("t1n.nii.gz", "t1"),
        ("study1_t1w.nii", "t1"),
        ("BraTS20_Training_001_t1.nii.gz", "t1"),
        ("BraTS20_Training_001_t1ce.nii.gz", "t1c"),
        ("BraTS-GLI-00001-000-t1c.nii.gz", "t1c"),
        ("UCSF-PDGM-0004_T1gd.nii.gz", "t1c"),
        ("t1_post.nii.gz", "t1c"),
        ("Ax T1 FSE +C", "t1c"),
        ("AX T1 C+", "t1c"),
        ("t1_mprage_sag_KM", "t1c"),
        ("t1 without contrast", "t1"),
        ("T1 pre contrast", "t1"),
        ("T1 non-contrast", "t1"),
        ("Sag T1 FLAIR", "t1"),
        ("MPRAGE", "t1"),
        ("t2w.nii.gz", "t2"),
        ("t2_tse_tra", "t2"),
        ("t2f.nii.gz", "flair"),
        ("Ax T2 FLAIR", "flair"),
        ("3D-FLAIR", "flair"),
        ("ep2d_diff_b1000_ADC", "adc"),
        ("ep2d_diff_b1000", "dwi"),
        ("rCBV map", "cbv"),
        ("t1c_seg.nii.gz", "mask"),
        ("inpaint_mask.nii.gz", "mask"),
        ("tumour-segmentation", "mask"),
        ("FSE PD AXIAL OBL", "pd"),
        ("Ax T1 BRAVO +C", "t1c"),
        ("sT1W_3D_TFE +Gd", "t1c"),
        ("t1_se_tra ohne KM", "t1"),
        ("t1_gre_fsp_3d_sag+C", "t1c"),
        ("T1WI", "t1"),
        ("AXT1", "t1"),
        ("T1 MPRAGE NATIV", "t1"),
        ("t2_tirm_tra_dark-fluid", "flair"),
        ("t2_space_dark-fluid_sag", "flair"),
        ("Sag CUBE T2 FLAIR", "flair"),
        ("3D_Brain_VIEW_FLAIR_SHC", "flair"),
        ("AXIAL T2 FRFSE", "t2"),
        ("PROPELLER T2", "t2"),
        ("AX T2* GRE", None),
        ("t2_fl2d_tra_hemo", None),
        ("pd+t2_tse_tra", None),
        ("SWI_Images", "swi"),
        ("Ax SWAN", "swi"),
        ("mIP_Images(SW)", None),
        ("ep2d_diff_3scan_trace_p2_TRACEW", "dwi"),
        ("eADC", None),
        ("ColFA", None),
        ("UCSF-PDGM-0004_ASL.nii.gz", "asl"),
        ("UCSF-PDGM-0004_DTI_eddy_FA.nii.gz", "fa"),
        ("UCSF-PDGM-0004_DTI_eddy_MD.nii.gz", "md"),
        ("UCSF-PDGM-0004_DTI_eddy_L1.nii.gz", None),
        ("ep2d_diff_mddw_20_p2_FA", "fa"),
        ("ep2d_diff_mddw_20_p2_TENSOR", None),
        ("Fractional Aniso.", "fa"),
        ("Mean diffusivity", "md"),
        ("3D pCASL", "asl"),
        ("ASL CBF", "cbf"),
        ("ADC MD", "adc"),
        ("DTI colour FA", None),
        ("DTI_FA_MD", None),
        ("T1 FA 15", None),
        ("swi fa 20", None),
        ("MD_001_t1.nii.gz", "t1"),
        ("md_seg.nii.gz", "mask"),
        ("relCBF", "cbf"),
        ("ST1", None),
        ("image001", None),
        ("t10", None),
        ("", None),
    ],
)
def test_role_of(name, role):
    assert role_of(name) == role


def test_every_role_has_a_label():
    assert LABELS["t1c"] == "T1 after contrast"
    named = ["t1", "t1c", "t2", "flair", "pd", "adc", "dwi", "cbv", "cbf", "swi"]
    named += ["asl", "fa", "md", "mask"]
    assert list(LABELS) == named


@pytest.mark.parametrize(
    ("description", "image_type", "contrast", "role"),
    [
        ("t1_mpr_tra", "ORIGINAL PRIMARY M", True, "t1c"),
        ("t1_mpr_tra", "ORIGINAL PRIMARY M", False, "t1"),
        ("t2_tse", "ORIGINAL PRIMARY M", True, "t2"),
        ("ep2d_diff", "DERIVED PRIMARY DIFFUSION ADC", False, "adc"),
        ("localizer", "ORIGINAL PRIMARY M", True, None),
        ("DTI 64", "DERIVED PRIMARY DIFFUSION FA", False, "fa"),
        ("DTI 64 ColFA", "DERIVED PRIMARY DIFFUSION FA", False, None),
        ("ep2d_diff_mip", "DERIVED PRIMARY MIP FA", False, None),
        ("Perfusion", "ORIGINAL PRIMARY ASL", False, "asl"),
        ("CBF", "DERIVED PRIMARY ASL", False, "cbf"),
    ],
)
def test_role_of_series(description, image_type, contrast, role):
    assert role_of_series(description, image_type, contrast) == role


@pytest.mark.parametrize(
    ("name", "alone"),
    [
        ("T1", True),
        ("t1_gd", True),
        ("FLAIR", True),
        ("normal-01-t1", False),
        ("case-1", False),
        ("FA", True),
        ("dti_md", True),
        ("asl", True),
        ("md-01", False),
    ],
)
def test_names_only_a_role(name, alone):
    assert names_only_a_role(name) is alone
