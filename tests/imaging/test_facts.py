import pytest
from pydicom.dataset import Dataset

from readerstudy.imaging.facts import (
    BURNED_IN,
    FACT_NAMES,
    facts_from_dicom,
    has_contrast_agent,
    quality_flags_from_dicom,
)

from .factories import IDENTIFIERS, SeriesOptions, brain_like, one, slice_dataset


def test_allowed_facts_only():
    dataset = slice_dataset(brain_like(), 3, SeriesOptions(contrast="Gadovist 7.5 ml"), "1.2.3")
    dataset.ScanningSequence = ["GR", "IR", "JANE DOE"]
    dataset.MRAcquisitionType = "3D JANE DOE"
    dataset.ManufacturerModelName = "Scanner of General Hospital"
    dataset.Manufacturer = "SIEMENS Healthineers, room of Dr. Brown"
    dataset.PatientPosition = "HFS"
    facts = facts_from_dicom(dataset)
    assert facts == {
        "field_strength_t": 3.0,
        "echo_time_ms": 2.5,
        "repetition_time_ms": 1900.0,
        "slice_thickness_mm": 3.0,
        "scanning_sequence": "GR IR",
        "contrast_agent": True,
        "manufacturer": "Siemens",
        "modality": "MR",
        "patient_position": "HFS",
    }
    assert set(facts) <= FACT_NAMES
    assert not [word for word in (*IDENTIFIERS, "Gadovist", "JANE") if word in repr(facts)]


def test_values_out_of_range_are_left_out():
    dataset = Dataset()
    dataset.MagneticFieldStrength = "15000"
    dataset.FlipAngle = "-3"
    assert facts_from_dicom(dataset) == {}


def test_enhanced_groups_are_searched():
    shared = Dataset()
    shared.MRTimingAndRelatedParametersSequence = one(RepetitionTime=1800.0, FlipAngle=9.0)
    shared.MRModifierSequence = one(InversionTimes=[900.0, 1000.0])
    dataset = Dataset()
    dataset.SharedFunctionalGroupsSequence = [shared]
    assert facts_from_dicom(dataset) == {
        "repetition_time_ms": 1800.0,
        "flip_angle_deg": 9.0,
        "inversion_time_ms": 900.0,
    }


def test_contrast_agent_words():
    dataset = Dataset()
    for agent, expected in (("", False), ("NONE", False), ("no", False), ("Dotarem", True)):
        dataset.ContrastBolusAgent = agent
        assert has_contrast_agent(dataset) is expected


def test_a_maker_is_one_of_a_list():
    dataset = Dataset()
    makers = {
        "GE MEDICAL SYSTEMS": "GE",
        "Philips Medical Systems": "Philips",
        "UIH": "United Imaging",
        "Geneva General Hospital": None,
        "Doe Instruments": None,
        "": None,
    }
    for written, expected in makers.items():
        dataset.Manufacturer = written
        assert facts_from_dicom(dataset).get("manufacturer") == expected


def test_numbers_of_enhanced_groups_beyond_timing():
    shared = Dataset()
    shared.MRAveragesSequence = one(NumberOfAverages=2)
    shared.MRImagingModifierSequence = one(PixelBandwidth=240.0)
    shared.MRDiffusionSequence = one(DiffusionBValue=1000.0)
    dataset = Dataset()
    dataset.SharedFunctionalGroupsSequence = [shared]
    assert facts_from_dicom(dataset) == {
        "averages": 2.0,
        "bandwidth_hz_per_pixel": 240.0,
        "b_value_s_per_mm2": 1000.0,
    }


@pytest.mark.parametrize(
    ("said", "conversion", "image_type", "expected"),
    [
        ("YES", None, None, (BURNED_IN,)),
        ("yes ", None, None, (BURNED_IN,)),
        ("perhaps", None, None, (BURNED_IN,)),
        ("NO", None, None, ()),
        ("", None, None, ()),
        (None, None, None, ()),
        (None, "WSD", None, (BURNED_IN,)),
        (None, "SI", None, (BURNED_IN,)),
        ("NO", "WSD", None, ()),
        (None, "SYN", None, ()),
        (None, None, ["DERIVED", "SECONDARY", "SCREEN SAVE"], (BURNED_IN,)),
        (None, None, ["ORIGINAL", "PRIMARY", "M"], ()),
    ],
)
def test_text_in_the_pixels_is_flagged(said, conversion, image_type, expected):
    dataset = Dataset()
    for keyword, value in (
        ("BurnedInAnnotation", said),
        ("ConversionType", conversion),
        ("ImageType", image_type),
    ):
        if value is not None:
            setattr(dataset, keyword, value)
    assert quality_flags_from_dicom(dataset) == expected
