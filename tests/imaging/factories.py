"""Made-up NIfTI and DICOM files, with the faults that real archives have."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    MRImageStorage,
    RLELossless,
    generate_uid,
)

IDENTIFIERS = ("Doe^Jane", "PID-4711", "19610203", "General Hospital", "Dr. Brown")


def brain_like(shape: tuple[int, int, int] = (12, 40, 36), seed: int = 7) -> np.ndarray:
    """Integers in a ball on a zero background, no two orientations of which look alike."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    inside = z**2 + y**2 + x**2 < 0.8
    noise = np.random.default_rng(seed).integers(1, 40, shape)
    return np.where(inside, 200 + 90 * z + 60 * y + 30 * x + noise, 0).astype(np.int16)


def write_nifti(
    path: Path,
    array_xyz: np.ndarray,
    affine: np.ndarray | None = None,
    *,
    slope: float | None = None,
    intercept: float = 0.0,
    codes: tuple[int, int] = (1, 1),
    version: type = nib.Nifti1Image,
) -> Path:
    """Write voxels (x, y, z) with a RAS affine; `codes` are the sform and qform codes."""
    affine = np.diag([1.0, 1.0, 1.0, 1.0]) if affine is None else affine
    image = version(array_xyz, affine)
    image.header.set_data_dtype(array_xyz.dtype)
    image.set_sform(affine, code=codes[0])
    image.set_qform(affine, code=codes[1])
    if slope is not None:
        image.header.set_slope_inter(slope, intercept)
    image.to_filename(path)
    return path


@dataclass(frozen=True)
class SeriesOptions:
    """What a made-up DICOM series looks like, and what is wrong with it."""

    orientation: tuple[float, ...] = (1, 0, 0, 0, 1, 0)
    origin: tuple[float, float, float] = (-10.0, -20.0, -30.0)
    pixel_spacing: tuple[float, float] = (0.9, 1.1)
    step: float = 3.0
    slope: float | None = None
    intercept: float = 0.0
    description: str = "Ax T1 FSE"
    contrast: str = ""
    image_type: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "M")
    missing: Collection[int] = ()
    duplicate: Collection[int] = ()
    tilted: Collection[int] = ()
    smaller: Collection[int] = ()
    sideways_mm: float = 0.0
    uneven_mm: float = 0.0
    position: bool = True
    samples: int = 1
    photometric: str = "MONOCHROME2"
    syntax: str = ExplicitVRLittleEndian
    uid: str = ""
    study: str = "1.2.826.0.1.3680043.10.1"


def write_series(
    folder: Path, array: np.ndarray, options: SeriesOptions = SeriesOptions()
) -> list[Path]:
    """Write a classic series, one file per slice of `array` (z, y, x), named in random order."""
    folder.mkdir(parents=True, exist_ok=True)
    uid = options.uid or generate_uid()
    slices = [k for k in range(len(array)) if k not in options.missing] + list(options.duplicate)
    names = np.random.default_rng(3).permutation(len(slices))
    paths = []
    for name, k in zip(names, slices, strict=True):
        dataset = slice_dataset(array, k, options, uid)
        path = folder / f"IM_{len(list(folder.iterdir())):02d}{name:03d}.dcm"
        save(dataset, path, options.syntax)
        paths.append(path)
    return paths


def slice_dataset(array: np.ndarray, k: int, options: SeriesOptions, uid: str) -> Dataset:
    pixels = array[k]
    if k in options.smaller:
        pixels = pixels[:-2, :-2]
    dataset = base_dataset(pixels, options, uid, MRImageStorage)
    dataset.InstanceNumber = len(array) - k
    if options.position:
        orientation = np.array(options.orientation, float)
        if k in options.tilted:
            orientation = np.array([0, 1, 0, 0, 0, -1.0])
        dataset.ImageOrientationPatient = list(orientation)
        dataset.ImagePositionPatient = list(slice_position(k, options))
        dataset.PixelSpacing = list(options.pixel_spacing)
    if options.slope is not None:
        dataset.RescaleSlope = str(options.slope)
        dataset.RescaleIntercept = str(options.intercept)
    dataset.PixelData = np.ascontiguousarray(pixels).astype("<i2").tobytes() * options.samples
    return dataset


def slice_position(k: int, options: SeriesOptions) -> np.ndarray:
    row, column = np.array(options.orientation[:3]), np.array(options.orientation[3:])
    normal = np.cross(row, column)
    along = options.step * k + options.uneven_mm * (k % 2)
    return np.array(options.origin) + normal * along + row * options.sideways_mm * k


def base_dataset(pixels: np.ndarray, options: SeriesOptions, uid: str, sop_class: str) -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = uid
    dataset.StudyInstanceUID = options.study
    dataset.Modality = "MR"
    name, identifier, birth, hospital, doctor = IDENTIFIERS
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = name, identifier, birth
    dataset.InstitutionName, dataset.ReferringPhysicianName = hospital, doctor
    dataset.SeriesDescription = options.description
    dataset.ContrastBolusAgent = options.contrast
    dataset.ImageType = list(options.image_type)
    dataset.MagneticFieldStrength, dataset.EchoTime, dataset.RepetitionTime = "3", "2.5", "1900"
    dataset.SliceThickness = str(options.step)
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 1
    dataset.SamplesPerPixel = options.samples
    dataset.PhotometricInterpretation = options.photometric
    if options.samples > 1:
        dataset.PlanarConfiguration = 0
    return dataset


def write_enhanced(
    path: Path, array: np.ndarray, options: SeriesOptions = SeriesOptions(), *, frames: int = 0
) -> Path:
    """Write one enhanced multi-frame file, frames in shuffled order; `frames` may lie."""
    dataset = base_dataset(array[0], options, generate_uid(), EnhancedMRImageStorage)
    del dataset.EchoTime
    order = np.random.default_rng(5).permutation(len(array))
    dataset.NumberOfFrames = frames or len(array)
    shared = Dataset()
    shared.PlaneOrientationSequence = one(ImageOrientationPatient=list(options.orientation))
    shared.PixelMeasuresSequence = one(
        PixelSpacing=list(options.pixel_spacing), SliceThickness=options.step
    )
    shared.MREchoSequence = one(EffectiveEchoTime=4.5)
    dataset.SharedFunctionalGroupsSequence = Sequence([shared])
    groups = []
    for k in order:
        group = Dataset()
        group.PlanePositionSequence = one(
            ImagePositionPatient=list(slice_position(int(k), options))
        )
        if options.slope is not None:
            group.PixelValueTransformationSequence = one(
                RescaleSlope=options.slope, RescaleIntercept=options.intercept
            )
        groups.append(group)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(groups)
    dataset.PixelData = np.ascontiguousarray(array[order]).astype("<i2").tobytes()
    save(dataset, path, options.syntax)
    return path


def one(**values: Any) -> Sequence:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return Sequence([item])


def save(dataset: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    compressed = syntax in (RLELossless, JPEG2000Lossless)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if compressed else syntax
    dataset.file_meta = meta
    if compressed:
        dataset.compress(syntax, generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)


def write_bare(path: Path, dataset: Dataset) -> Path:
    """Write an implicit little endian dataset without preamble and file meta information."""
    dataset.save_as(path, implicit_vr=True, little_endian=True)
    return path


def write_structured_report(path: Path) -> Path:
    """Write a DICOM object without pixels."""
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.11"
    dataset.SOPInstanceUID = generate_uid()
    dataset.SeriesInstanceUID = generate_uid()
    dataset.Modality = "SR"
    save(dataset, path, ImplicitVRLittleEndian)
    return path
