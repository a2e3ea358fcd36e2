"""Series as the scanners of many makers write them: each part exact, or refused in one sentence."""

import numpy as np
import pydicom
import pytest
from pydicom.uid import LegacyConvertedEnhancedMRImageStorage

from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.orientation import is_oblique, plane_of, to_lps
from readerstudy.imaging.volumes import find_series, load

from .reference import agrees, dicom_voxels
from .vendors import (
    AXIAL,
    CORONAL,
    DOUBLE_OBLIQUE,
    SAGITTAL,
    enhanced,
    header,
    save,
    shuffled,
    slices,
    turned,
    write_classic,
)


def labels(found, name):
    return {one.name.removeprefix(name).strip(" ()"): one.role for one in found}


def all_exact(folder, name="s"):
    """Every series below the folder reads as pydicom does; labels and roles by part."""
    found = find_series(folder)
    assert {one.status for one in found} == {"ok"}, [one.reason for one in found]
    for one in found:
        agrees(load(one), dicom_voxels(list(one.paths), one.frames))
    assert len({load(one).source_sha256 for one in found}) == len(found)
    return labels(found, name)


def together(*groups):
    return [plane for group in groups for plane in group]


ORIENTATIONS = {
    "axial": AXIAL,
    "coronal": CORONAL,
    "sagittal": SAGITTAL,
    "axial, feet first": (-1.0, 0, 0, 0, 1, 0),
    "tilted": turned(0.4, 0, 0),
    "double oblique": DOUBLE_OBLIQUE,
    "steep": turned(0.9, 0.5, -0.7),
}


OBLIQUE = [ORIENTATIONS[name] for name in ("tilted", "double oblique", "steep")]


@pytest.mark.parametrize("orientation", ORIENTATIONS.values(), ids=ORIENTATIONS)
@pytest.mark.parametrize("step", [4.0, -4.0], ids=["rising", "falling"])
@pytest.mark.parametrize("multiframe", [False, True], ids=["classic", "enhanced"])
def test_orientations(tmp_path, orientation, step, multiframe):
    planes = slices(orientation=orientation, step=step)
    if multiframe:
        save(enhanced(shuffled(planes)), tmp_path / "e.dcm")
    else:
        write_classic(tmp_path, planes)
    (found,) = find_series(tmp_path)
    volume = load(found)
    voxels = list(dicom_voxels(list(found.paths)))
    agrees(volume, iter(voxels))
    agrees(to_lps(volume), iter(voxels))
    assert np.linalg.det(volume.affine_lps[:3, :3]) > 0
    assert is_oblique(volume) == (
        orientation in (turned(0.4, 0, 0), DOUBLE_OBLIQUE, ORIENTATIONS["steep"])
    )


def test_planes_are_named_as_they_were_taken(tmp_path):
    for name, orientation in (("Axial", AXIAL), ("Coronal", CORONAL), ("Sagittal", SAGITTAL)):
        write_classic(tmp_path / name, slices(orientation=orientation))
        assert plane_of(load(find_series(tmp_path / name)[0])) == name


def test_siemens_xa_keeps_everything_in_each_frame(tmp_path):
    planes = slices(orientation=DOUBLE_OBLIQUE, stack="1", temporal=1, slope=1.0, intercept=0.0)
    dataset = enhanced(
        shuffled(planes),
        shared=False,
        Manufacturer="Siemens Healthineers",
        ProtocolName="t1_mprage",
    )
    save(dataset, tmp_path / "s.dcm")
    assert list(all_exact(tmp_path).values()) == ["t1"]


def test_siemens_xa_writes_one_enhanced_file_per_slice(tmp_path):
    for number, plane in enumerate(slices(orientation=SAGITTAL)):
        save(enhanced([plane], shared=False), tmp_path / f"{number}.dcm")
    (found,) = find_series(tmp_path)
    assert len(found.paths) == 5
    agrees(load(found), dicom_voxels(list(found.paths)))


def test_philips_enhanced_with_several_echoes_and_slopes(tmp_path):
    groups = [
        slices(
            seed=echo, values={"EffectiveEchoTime": 20.0 * echo}, slope=0.7 * echo, intercept=echo
        )
        for echo in (1, 2, 3)
    ]
    save(enhanced(shuffled(together(*groups)), SeriesDescription="T2 map"), tmp_path / "s.dcm")
    assert set(all_exact(tmp_path, tmp_path.name)) == {"TE 20 ms", "TE 40 ms", "TE 60 ms"}


def test_philips_enhanced_magnitude_phase_real_imaginary(tmp_path):
    kinds = ("MAGNITUDE", "PHASE", "REAL", "IMAGINARY")
    groups = [
        slices(
            seed=number,
            values={"FrameType": ["ORIGINAL", "PRIMARY"], "ComplexImageComponent": kind},
        )
        for number, kind in enumerate(kinds)
    ]
    save(enhanced(together(*groups), SeriesDescription="sT1W_3D_TFE"), tmp_path / "s.dcm")
    assert all_exact(tmp_path, tmp_path.name) == {
        "magnitude": "t1",
        "phase": None,
        "real": None,
        "imaginary": None,
    }


def test_philips_enhanced_survey_with_three_stacks(tmp_path):
    groups = [
        slices(3, seed=number, orientation=orientation, stack=str(number))
        for number, orientation in enumerate((AXIAL, CORONAL, SAGITTAL), start=1)
    ]
    dataset = enhanced(together(*groups), shared=False, SeriesDescription="Survey")
    save(dataset, tmp_path / "s.dcm")
    expected = {"axial": None, "coronal": None, "sagittal": None}
    assert all_exact(tmp_path, tmp_path.name) == expected


def test_ge_enhanced_dynamic(tmp_path):
    groups = [slices(seed=point, temporal=point) for point in range(1, 6)]
    save(enhanced(shuffled(together(*groups))), tmp_path / "s.dcm")
    assert set(all_exact(tmp_path, tmp_path.name)) == {f"time {point}" for point in range(1, 6)}


def test_canon_enhanced_diffusion(tmp_path):
    groups = [
        slices(seed=1, values={"DiffusionBValue": 0.0, "DiffusionDirectionality": "NONE"}),
        slices(seed=2, values={"DiffusionBValue": 1000.0, "DiffusionDirectionality": "ISOTROPIC"}),
    ]
    save(enhanced(shuffled(together(*groups)), SeriesDescription="DWI b1000"), tmp_path / "s.dcm")
    assert all_exact(tmp_path, tmp_path.name) == {"b 0": None, "b 1000": "dwi"}


def test_enhanced_directions(tmp_path):
    groups = [slices(seed=9, values={"DiffusionBValue": 0.0})] + [
        slices(
            seed=number,
            values={
                "DiffusionBValue": 800.0,
                "DiffusionGradientOrientation": list(np.eye(3)[number]),
            },
        )
        for number in range(3)
    ]
    save(enhanced(together(*groups), SeriesDescription="DTI"), tmp_path / "s.dcm")
    found = all_exact(tmp_path, tmp_path.name)
    assert len(found) == 4
    assert sum(name.startswith("b 800, direction") for name in found) == 3


def test_parallel_stacks_in_one_file(tmp_path):
    groups = [
        slices(4, seed=1, stack="A"),
        slices(4, seed=2, stack="B", origin=(-31.5, 12.25, 92.0)),
    ]
    save(enhanced(together(*groups)), tmp_path / "s.dcm")
    assert set(all_exact(tmp_path, tmp_path.name)) == {"stack 1", "stack 2"}


def test_legacy_converted_enhanced(tmp_path):
    groups = [slices(seed=echo, values={"EchoTime": 30.0 * echo}) for echo in (1, 3)]
    dataset = enhanced(
        together(*groups),
        SOPClassUID=LegacyConvertedEnhancedMRImageStorage,
        SeriesDescription="PD/T2 TSE",
    )
    save(dataset, tmp_path / "s.dcm")
    assert all_exact(tmp_path, tmp_path.name) == {"TE 30 ms": "pd", "TE 90 ms": "t2"}


CLASSIC = {
    "GE b-values in a private element": (
        [
            {"private": {0x00430010: ("LO", "GEMS_PARM_01"), 0x00431039: ("IS", b)}}
            for b in ([0, 8, 0, 0], [1_000_000_500, 8, 0, 0], [1_000_001_000, 8, 0, 0])
        ],
        "DWI",
        {"b 0": None, "b 500": None, "b 1000": "dwi"},
    ),
    "Siemens b-values in a private element": (
        [
            {"private": {0x00190010: ("LO", "SIEMENS MR HEADER"), 0x0019100C: ("IS", b)}}
            for b in ("0", "1000")
        ],
        "ep2d_diff",
        {"b 0": None, "b 1000": "dwi"},
    ),
    "Philips b-values in a private element": (
        [
            {"private": {0x20010010: ("LO", "Philips Imaging DD 001"), 0x20011003: ("FL", b)}}
            for b in (0.0, 800.0)
        ],
        "DWI",
        {"b 0": None, "b 800": "dwi"},
    ),
    "United Imaging b-values in a private element": (
        [
            {"private": {0x00650010: ("LO", "Image Private Header"), 0x00651009: ("FD", b)}}
            for b in (0.0, 1000.0)
        ],
        "epi_dwi",
        {"b 0": None, "b 1000": "dwi"},
    ),
    "Canon b-values in the standard element": (
        [{"values": {"DiffusionBValue": b}} for b in (0.0, 1500.0)],
        "DWI",
        {"b 0": None, "b 1500": "dwi"},
    ),
    "dual echo": (
        [{"values": {"EchoTime": te, "EchoNumbers": n}} for n, te in ((1, "14"), (2, "98"))],
        "Ax PD/T2",
        {"TE 14 ms": "pd", "TE 98 ms": "t2"},
    ),
    "magnitude and phase": (
        [{"values": {"ImageType": ["ORIGINAL", "PRIMARY", kind, "ND"]}} for kind in "MP"],
        "t1_swi",
        {"magnitude": "swi", "phase": None},
    ),
    "GE kinds in a private element": (
        [
            {"private": {0x00430010: ("LO", "GEMS_PARM_01"), 0x0043102F: ("SS", kind)}}
            for kind in (0, 1, 2, 3)
        ],
        "Ax T1 FSPGR",
        {"magnitude": "t1", "phase": None, "real": None, "imaginary": None},
    ),
    "Dixon": (
        [
            {"values": {"ImageType": ["DERIVED", "PRIMARY", "M", kind]}}
            for kind in ("W", "F", "IN_PHASE", "OPP_PHASE")
        ],
        "t1_vibe_dixon",
        {"water": None, "fat": None, "in phase": None, "opposed phase": None},
    ),
    "trace, ADC and FA in one series": (
        [
            {"values": {"ImageType": ["DERIVED", "PRIMARY", "DIFFUSION", kind]}}
            for kind in ("TRACEW", "ADC", "FA")
        ],
        "diffusion",
        {"trace": "dwi", "ADC": "adc", "FA": "fa"},
    ),
    "inversion times": (
        [{"values": {"InversionTime": str(ti)}} for ti in (300, 900)],
        "IR",
        {"TI 300 ms": None, "TI 900 ms": None},
    ),
    "flip angles": (
        [{"values": {"FlipAngle": str(angle)}} for angle in (5, 26)],
        "DESPOT",
        {"flip 5°": None, "flip 26°": None},
    ),
    "temporal positions": (
        [{"values": {"TemporalPositionIdentifier": n}} for n in (1, 2, 3)],
        "T1 dyn",
        {"time 1": None, "time 2": None, "time 3": None},
    ),
    "acquisition numbers": (
        [{"values": {"AcquisitionNumber": n}} for n in (1, 2)],
        "T1 dyn",
        {"acquisition 1": None, "acquisition 2": None},
    ),
    "only the time of acquisition": (
        [{"values": {"AcquisitionTime": t}} for t in ("101500.5", "101620.25")],
        "T1 dyn",
        {"time 1": None, "time 2": None},
    ),
}


@pytest.mark.parametrize("case", CLASSIC, ids=CLASSIC)
def test_several_volumes_in_one_classic_series(tmp_path, case):
    options, description, expected = CLASSIC[case]
    groups = [slices(seed=seed, **option) for seed, option in enumerate(options)]
    write_classic(tmp_path / "s", shuffled(together(*groups)), SeriesDescription=description)
    assert all_exact(tmp_path) == expected


def test_private_elements_without_their_names(tmp_path):
    """Implicit little endian leaves private elements as bytes where the reader has no table."""
    groups = [
        slices(seed=seed, private={0x00650010: ("LO", "X"), 0x00651009: ("FD", b)})
        for seed, b in ((1, 0.0), (2, 1000.0))
    ]
    write_classic(tmp_path / "s", together(*groups), syntax="1.2.840.10008.1.2")
    assert set(all_exact(tmp_path)) == {"b 0", "b 1000"}


def test_time_of_each_slice_does_not_tear_one_volume_apart(tmp_path):
    planes = slices(12)
    for number, plane in enumerate(planes):
        time = {"AcquisitionTime": f"1015{number:02d}", "TriggerTime": str(number * 80)}
        plane.values.update(time, AcquisitionNumber=number)
    write_classic(tmp_path / "s", planes)
    assert len(all_exact(tmp_path)) == 1


def test_order_in_the_file_tells_repeats_apart_at_last(tmp_path):
    write_classic(tmp_path / "s", together(slices(seed=1), slices(seed=2)))
    assert set(all_exact(tmp_path)) == {"time 1", "time 2"}


def test_localiser_of_three_orientations(tmp_path):
    groups = [slices(3, seed=n, orientation=o) for n, o in enumerate((AXIAL, CORONAL, SAGITTAL))]
    write_classic(tmp_path / "s", together(*groups), SeriesDescription="localizer T1")
    assert all_exact(tmp_path) == {"axial": None, "coronal": None, "sagittal": None}


def test_one_slice_for_each_orientation(tmp_path):
    groups = [slices(1, seed=n, orientation=o) for n, o in enumerate((AXIAL, turned(0.3, 0, 0)))]
    write_classic(tmp_path / "s", together(*groups))
    assert set(all_exact(tmp_path)) == {"axial 1", "axial 2"}


@pytest.mark.parametrize(
    "orientation", [(0.99999, 0.002, 0.004, -0.002, 0.99999, 0.0), DOUBLE_OBLIQUE]
)
def test_rounded_positions_and_overlapping_slices(tmp_path, orientation):
    """Some scanners write few digits; slices thicker than their distance overlap."""
    planes = slices(20, orientation=orientation, step=1.5)
    for plane in planes:
        plane.position = np.round(plane.position, 1)
    write_classic(tmp_path / "s", planes, SliceThickness="5", SpacingBetweenSlices="1.5")
    (found,) = find_series(tmp_path)
    agrees(load(found), dicom_voxels(list(found.paths)), within_mm=0.1)


def test_spacing_that_varies_by_less_than_one_per_cent(tmp_path):
    planes = slices(8, step=4.0)
    for number, plane in enumerate(planes):
        plane.position = plane.position + np.array([0, 0, 0.03 * (number % 2)])
    write_classic(tmp_path / "s", planes)
    (found,) = find_series(tmp_path)
    agrees(load(found), dicom_voxels(list(found.paths)), within_mm=0.04)


def refused(folder, *words):
    (found,) = [one for one in find_series(folder) if one.status != "skipped"]
    with pytest.raises(ImageError) as caught:
        load(found)
    for word in words:
        assert word in caught.value.reason
    assert caught.value.advice.endswith(".")


def test_gap_is_named_slice_by_slice(tmp_path):
    planes = slices(20, step=4.8)
    del planes[13]
    write_classic(tmp_path / "s", planes)
    refused(tmp_path, "slice 14 of 19 does not follow slice 13 (gap 9.6 mm, expected 4.8 mm)")


def test_gantry_tilt_is_refused(tmp_path):
    planes = slices()
    for number, plane in enumerate(planes):
        plane.position = plane.position + np.array([0, 0.6 * number, 0])
    write_classic(tmp_path / "s", planes)
    refused(tmp_path, "shifted sideways")


def test_one_place_with_other_content_is_told(tmp_path):
    planes = slices(8)
    write_classic(tmp_path / "s", [*planes, *slices(1, seed=5, origin=tuple(planes[3].position))])
    refused(tmp_path, "1 slice repeats the position of another")


def test_too_many_volumes(tmp_path):
    groups = [slices(2, seed=n, temporal=n, shape=(4, 4)) for n in range(33)]
    save(enhanced(together(*groups)), tmp_path / "s.dcm")
    refused(tmp_path, "33 volumes", "more than the 32")


def test_multi_frame_without_positions_is_refused(tmp_path):
    dataset = enhanced(slices(), SOPClassUID="1.2.840.10008.5.1.4.1.1.7.3")
    del dataset.PerFrameFunctionalGroupsSequence, dataset.SharedFunctionalGroupsSequence
    save(dataset, tmp_path / "sc.dcm")
    refused(tmp_path, "5 frames but does not say where they lie")


def test_grey_secondary_capture_with_positions_comes_in(tmp_path):
    dataset = enhanced(slices(), SOPClassUID="1.2.840.10008.5.1.4.1.1.7.3")
    save(dataset, tmp_path / "sc.dcm")
    all_exact(tmp_path)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "palette"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4.2"}, "spectroscopy"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.481.2"}, "dose"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.7"}, "segmentation"),
    ],
)
def test_pictures_that_are_no_grey_images_are_skipped(tmp_path, values, word):
    write_classic(tmp_path / "s", slices(1), **values)
    (found,) = find_series(tmp_path)
    assert found.status == "skipped"
    assert word in found.reason


@pytest.mark.parametrize(
    "sop_class",
    [
        "1.2.840.10008.5.1.4.1.1.11.1",
        "1.2.840.10008.5.1.4.1.1.481.3",
        "1.2.840.10008.5.1.4.1.1.104.1",
        "1.2.840.10008.5.1.4.1.1.66",
        "1.3.12.2.1107.5.9.1",
    ],
)
def test_objects_without_pictures_are_skipped(tmp_path, sop_class):
    dataset = header(sop_class, slices(1)[0].pixels)
    del dataset.Rows, dataset.Columns
    save(dataset, tmp_path / "x.dcm")
    (found,) = find_series(tmp_path)
    assert (found.status, "holds no picture" in found.reason) == ("skipped", True)


def test_colour_key_beside_a_series_does_not_spoil_it(tmp_path):
    paths = write_classic(tmp_path / "s", [*slices(), *slices(1, seed=8)])
    last = next(p for p in paths if pydicom.dcmread(p).InstanceNumber == 6)
    dataset = pydicom.dcmread(last)
    dataset.PhotometricInterpretation = "PALETTE COLOR"
    dataset.save_as(last)
    assert sorted(one.status for one in find_series(tmp_path)) == ["ok", "skipped"]
    found = next(one for one in find_series(tmp_path) if one.status == "ok")
    agrees(load(found), dicom_voxels(list(found.paths)))


def test_copies_in_the_folder_are_read_once(tmp_path):
    paths = write_classic(tmp_path / "s", slices())
    for path in paths[:2]:
        (path.parent / f"copy of {path.name}").write_bytes(path.read_bytes())
    found = find_series(tmp_path)
    copies = [one for one in found if one.status == "skipped"]
    assert [one.reason.startswith("a copy of ") for one in copies] == [True, True]
    (series,) = [one for one in found if one.status == "ok"]
    assert len(series.paths) == 5
    agrees(load(series), dicom_voxels(list(series.paths)))


@pytest.mark.parametrize("missing", ["SeriesInstanceUID", "SOPInstanceUID", "StudyInstanceUID"])
def test_missing_identifiers(tmp_path, missing):
    for path in write_classic(tmp_path / "s", slices()):
        dataset = pydicom.dcmread(path)
        delattr(dataset, missing)
        dataset.save_as(path)
    found = find_series(tmp_path)
    assert [(one.status, len(one.paths)) for one in found] == [("ok", 5)]
    agrees(load(found[0]), dicom_voxels(list(found[0].paths)))
