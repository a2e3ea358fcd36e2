from pydicom.dataset import Dataset

from readerstudy.imaging.facts import FACT_NAMES, facts_from_dicom, has_contrast_agent

from .factories import IDENTIFIERS, SeriesOptions, brain_like, one, slice_dataset


def test_allowed_facts_only():
    dataset = slice_dataset(brain_like(), 3, SeriesOptions(contrast="Gadovist 7.5 ml"), "1.2.3")
    dataset.ScanningSequence = ["GR", "IR", "JANE DOE"]
    dataset.MRAcquisitionType = "3D JANE DOE"
    dataset.ManufacturerModelName = "Scanner of General Hospital"
    facts = facts_from_dicom(dataset)
    assert facts == {
        "field_strength_t": 3.0,
        "echo_time_ms": 2.5,
        "repetition_time_ms": 1900.0,
        "slice_thickness_mm": 3.0,
        "scanning_sequence": "GR IR",
        "contrast_agent": True,
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
