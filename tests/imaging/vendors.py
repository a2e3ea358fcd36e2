"""Made-up series with the habits of scanners: attributes, private elements, ways of packing."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

AXIAL = (1.0, 0, 0, 0, 1, 0)
CORONAL = (1.0, 0, 0, 0, 0, -1)
SAGITTAL = (0.0, 1, 0, 0, 0, -1)
LEGACY_CONVERTED_MR = "1.2.840.10008.5.1.4.1.1.4.4"
PIXELS = (14, 18)


def turned(*angles: float) -> tuple[float, ...]:
    """Direction cosines of an axial plane turned about x, then y, then z, in radians."""
    x, y, z = angles
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    matrix = about_z @ about_y @ about_x
    return tuple(float(value) for value in np.round(matrix[:, :2].T.ravel(), 12))


DOUBLE_OBLIQUE = turned(0.31, -0.22, 0.11)


@dataclass
class Slice:
    """One plane: what belongs to it alone."""

    position: np.ndarray
    orientation: tuple[float, ...]
    pixels: np.ndarray
    values: dict[str, Any] = field(default_factory=dict)
    private: dict[int, tuple[str, Any]] = field(default_factory=dict)
    slope: float | None = None
    intercept: float = 0.0
    temporal: int | None = None
    stack: str | None = None


def slices(
    count: int = 5,
    *,
    seed: int = 1,
    orientation: tuple[float, ...] = AXIAL,
    step: float = 4.0,
    origin: tuple[float, float, float] = (-31.5, 12.25, -8.0),
    shape: tuple[int, int] = PIXELS,
    **rest: Any,
) -> list[Slice]:
    """Random planes at even distances along the slice normal."""
    random = np.random.default_rng(seed)
    normal = np.cross(orientation[:3], orientation[3:])
    return [
        Slice(
            position=np.array(origin) + normal * step * k,
            orientation=orientation,
            pixels=random.integers(0, 4000, shape).astype(np.uint16),
            **{
                key: dict(value) if isinstance(value, dict) else value
                for key, value in rest.items()
            },
        )
        for k in range(count)
    ]


def header(sop_class: str, pixels: np.ndarray, **values: Any) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.4", "1.2.3.4.5"
    dataset.Modality, dataset.PatientID = "MR", "P1"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "NONE"]
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    size = pixels.dtype.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = size, size, size - 1
    if pixels.dtype.kind != "f":
        dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def write_classic(
    folder: Path, planes: list[Slice], *, syntax: str = ExplicitVRLittleEndian, **values: Any
) -> list[Path]:
    """One file per plane, in an order that is not that of the slices."""
    folder.mkdir(parents=True, exist_ok=True)
    first = len(list(folder.iterdir()))
    names = np.random.default_rng(4).permutation(len(planes))
    paths = []
    for number, (plane, name) in enumerate(zip(planes, names, strict=True)):
        dataset = header(MRImageStorage, plane.pixels, InstanceNumber=number + 1)
        dataset.ImagePositionPatient = [float(f"{value:.9g}") for value in plane.position]
        dataset.ImageOrientationPatient = list(plane.orientation)
        dataset.PixelSpacing, dataset.SliceThickness = [0.75, 1.25], "3.5"
        if plane.slope is not None:
            dataset.RescaleSlope, dataset.RescaleIntercept = str(plane.slope), str(plane.intercept)
        for keyword, value in {**values, **plane.values}.items():
            setattr(dataset, keyword, value)
        for tag, (vr, value) in plane.private.items():
            dataset.add_new(tag, vr, value)
        put_pixels(dataset, plane.pixels, syntax)
        paths.append(save(dataset, folder / f"{first + name:04d}.dcm", syntax))
    return paths


def put_pixels(dataset: Dataset, pixels: np.ndarray, syntax: str) -> None:
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    raw = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    if pixels.dtype.kind == "f":
        keyword = "FloatPixelData" if pixels.dtype.itemsize == 4 else "DoubleFloatPixelData"
        setattr(dataset, keyword, raw)
        return
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"


def save(dataset: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    dataset.file_meta = meta
    dataset.save_as(path, enforce_file_format=True)
    return path


def encapsulated(dataset: Dataset, frames: list[bytes], syntax: str, path: Path) -> Path:
    """Write a data set with frames that are compressed already."""
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return save(dataset, path, syntax)


_HOMES = {
    "EffectiveEchoTime": "MREchoSequence",
    "DiffusionBValue": "MRDiffusionSequence",
    "DiffusionDirectionality": "MRDiffusionSequence",
    "FrameType": "MRImageFrameTypeSequence",
    "ComplexImageComponent": "MRImageFrameTypeSequence",
    "InversionTimes": "MRModifierSequence",
    "FlipAngle": "MRTimingAndRelatedParametersSequence",
    "NominalCardiacTriggerDelayTime": "CardiacSynchronizationSequence",
    "EchoTime": "UnassignedPerFrameConvertedAttributesSequence",
    "FrameAcquisitionNumber": "FrameContentSequence",
    "FrameAcquisitionDateTime": "FrameContentSequence",
}


def enhanced(planes: list[Slice], *, shared: bool = True, **values: Any) -> Dataset:
    """An enhanced multi-frame object; orientation and measures shared or in every frame."""
    stacked = np.stack([plane.pixels for plane in planes])
    dataset = header(EnhancedMRImageStorage, stacked, **values)
    dataset.NumberOfFrames = len(planes)
    common = Dataset()
    groups = [_group(plane, shared) for plane in planes]
    if shared:
        common.PlaneOrientationSequence = one(ImageOrientationPatient=list(planes[0].orientation))
        common.PixelMeasuresSequence = one(PixelSpacing=[0.75, 1.25], SliceThickness=3.5)
    dataset.SharedFunctionalGroupsSequence = Sequence([common])
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    put_pixels(dataset, stacked, ExplicitVRLittleEndian)
    return dataset


def _group(plane: Slice, shared: bool) -> Dataset:
    group = Dataset()
    group.PlanePositionSequence = one(ImagePositionPatient=list(plane.position))
    if not shared:
        group.PlaneOrientationSequence = one(ImageOrientationPatient=list(plane.orientation))
        group.PixelMeasuresSequence = one(PixelSpacing=[0.75, 1.25], SliceThickness=3.5)
    content = Dataset()
    if plane.stack is not None:
        content.StackID = plane.stack
    if plane.temporal is not None:
        content.TemporalPositionIndex = plane.temporal
    group.FrameContentSequence = Sequence([content])
    if plane.slope is not None:
        group.PixelValueTransformationSequence = one(
            RescaleSlope=plane.slope, RescaleIntercept=plane.intercept, RescaleType="US"
        )
    for keyword, value in plane.values.items():
        _put(group, keyword, value)
    return group


def _put(group: Dataset, keyword: str, value: Any) -> None:
    if keyword == "DiffusionGradientOrientation":
        home = group.MRDiffusionSequence[0]
        home.DiffusionGradientDirectionSequence = one(DiffusionGradientOrientation=value)
        return
    name = _HOMES[keyword]
    if name not in group:
        setattr(group, name, Sequence([Dataset()]))
    setattr(getattr(group, name)[0], keyword, value)


def one(**values: Any) -> Sequence:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return Sequence([item])


def shuffled(planes: list[Slice], seed: int = 9) -> list[Slice]:
    """The same planes in another order."""
    return [planes[index] for index in np.random.default_rng(seed).permutation(len(planes))]
