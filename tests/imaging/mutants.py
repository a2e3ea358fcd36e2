"""Damaged and deceitful copies of sound image files, the same for the same seed."""

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    MRImageStorage,
    RLELossless,
)

from .factories import (
    SeriesOptions,
    base_dataset,
    brain_like,
    save,
    slice_dataset,
    write_enhanced,
    write_nifti,
)

BRAIN = brain_like((3, 36, 34))
# Files of other makers, which pydicom brings along: every encoding, big endian, nested private.
SAMPLES = (
    "MR_small.dcm",
    "MR_small_implicit.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_expb.dcm",
    "MR_small_RLE.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "JPGExtended.dcm",
    "JPEG2000.dcm",
    "image_dfl.dcm",
    "liver_expb_1frame.dcm",
    "nested_priv_SQ.dcm",
    "priv_SQ.dcm",
    "UN_sequence.dcm",
    "rtdose_rle_1frame.dcm",
    "SC_rgb_small_odd_jpeg.dcm",
    "ExplVR_BigEnd.dcm",
    "no_meta.dcm",
)
EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
# Rows, Columns, NumberOfFrames, BitsAllocated, SamplesPerPixel, PixelData, functional groups, …
TARGETS = tuple(
    struct.pack("<HH", group, element)
    for group, element in (
        (0x0028, 0x0010),
        (0x0028, 0x0011),
        (0x0028, 0x0008),
        (0x0028, 0x0100),
        (0x0028, 0x0002),
        (0x0020, 0x0032),
        (0x0020, 0x0037),
        (0x0028, 0x0030),
        (0x7FE0, 0x0010),
        (0x5200, 0x9229),
        (0x5200, 0x9230),
        (0xFFFE, 0xE000),
        (0xFFFE, 0xE00D),
        (0xFFFE, 0xE0DD),
        (0x0002, 0x0000),
        (0x0002, 0x0010),
    )
)


def dicom_seeds(folder: Path) -> list[bytes]:
    """Sound DICOM files of every kind that is read, and of some kinds that are not."""
    seeds = [Path(get_testdata_file(name, download=False)).read_bytes() for name in SAMPLES]
    options = SeriesOptions(slope=2.0, intercept=-3.0, contrast="Gadovist")
    seeds.append(write_enhanced(folder / "enhanced.dcm", BRAIN, options).read_bytes())
    for syntax in (RLELossless, JPEG2000Lossless, DeflatedExplicitVRLittleEndian):
        save(slice_dataset(BRAIN, 1, options, "1.2.3"), folder / "one.dcm", syntax)
        seeds.append((folder / "one.dcm").read_bytes())
    save(_nested(options), folder / "nested.dcm", ImplicitVRLittleEndian)
    seeds.append((folder / "nested.dcm").read_bytes())
    return seeds


def _nested(options: SeriesOptions) -> Dataset:
    dataset = slice_dataset(BRAIN, 1, options, "1.2.3")
    inner = base_dataset(BRAIN[0], options, "1.2.3", MRImageStorage)
    for depth in range(20):
        outer = Dataset()
        outer.ReferencedImageSequence = Sequence([inner])
        block = outer.private_block(0x0019, f"DEPTH {depth}", create=True)
        block.add_new(0x01, "OB", bytes(depth))
        inner = outer
    dataset.ReferencedImageSequence = Sequence([inner])
    return dataset


def nifti_seeds(folder: Path) -> list[bytes]:
    """Sound NIfTI-1 and NIfTI-2 files: integers, floats, scaled, with extensions, big endian."""
    kinds = [("<i2", None), ("<f4", None), ("|u1", 2.0), (">i2", None), ("<f8", None)]
    seeds = []
    for version in (nib.Nifti1Image, nib.Nifti2Image):
        for dtype, slope in kinds:
            array = BRAIN.T.clip(0, 255).astype(dtype)
            path = folder / "seed.nii"
            write_nifti(path, array, slope=slope, version=version)
            seeds.append(path.read_bytes())
        image = version(BRAIN.T, np.eye(4))
        image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"of Jane Doe"))
        image.header.extensions.append(nib.nifti1.Nifti1Extension("afni", b"<AFNI/>" * 9))
        image.to_filename(folder / "extended.nii")
        seeds.append((folder / "extended.nii").read_bytes())
    return seeds


def dicom_mutants(folder: Path, count: int, seed: int = 0) -> Iterator[bytes]:
    """Copies of the DICOM seeds with one to five changes each, some aimed at known elements."""
    random = np.random.default_rng(seed)
    seeds = dicom_seeds(folder)
    for number in range(count):
        data = bytearray(seeds[number % len(seeds)])
        for _ in range(int(random.integers(1, 6))):
            if random.random() < 0.3:
                _aim(data, random)
            else:
                _change(data, _place(data, 1600, random), random)
        yield bytes(data)


def nifti_mutants(folder: Path, count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Names and contents: changed files, plain and packed, and files changed once packed."""
    random = np.random.default_rng(seed)
    seeds = nifti_seeds(folder)
    for number in range(count):
        data = bytearray(seeds[number % len(seeds)])
        how = number % 4
        if how != 3:
            for _ in range(int(random.integers(1, 6))):
                if random.random() < 0.4:
                    _set_field(data, random)
                else:
                    _change(data, _place(data, 560, random), random)
        packed = bytearray(gzip.compress(bytes(data), 1)) if how >= 2 else data
        if how == 3:
            _change(packed, _place(packed, 60, random), random)
        yield ("mutant.nii.gz" if number % 8 else "mutant.nii"), bytes(packed)


def _place(data: bytearray, header: int, random: np.random.Generator) -> int:
    """A place to change, more often in the header than behind it."""
    area = header if random.random() < 0.7 else len(data)
    return int(random.integers(max(1, min(area, len(data)))))


def _change(data: bytearray, at: int, random: np.random.Generator) -> None:
    kind = int(random.integers(6))
    if kind == 0 and data:
        data[at] ^= 1 << int(random.integers(8))
    elif kind == 1:
        data[at : at + 4] = random.bytes(4)
    elif kind == 2:
        del data[max(at, len(data) // 4) :]
    elif kind == 3:
        data[at:at] = data[at : at + int(random.integers(1, 64))]
    elif kind == 4:
        del data[at : at + int(random.integers(1, 9))]
    else:
        data[at : at + 4] = struct.pack("<L", EXTREMES[int(random.integers(len(EXTREMES)))])


def _aim(data: bytearray, random: np.random.Generator) -> None:
    """Overwrite the type, length or value of an element that sizes depend on."""
    tag = TARGETS[int(random.integers(len(TARGETS)))]
    places = [at for at in (data.find(tag), data.rfind(tag)) if at >= 0]
    if not places:
        return
    at = places[int(random.integers(len(places)))] + int(random.choice([4, 6, 8, 12]))
    data[at : at + 4] = struct.pack("<L", EXTREMES[int(random.integers(len(EXTREMES)))])


def _set_field(data: bytearray, random: np.random.Generator) -> None:
    """Put an extreme value into a field of a NIfTI-1 header (or the middle of a NIfTI-2 one)."""
    floats = (np.nan, np.inf, -np.inf, 0.0, -1.0, 1e30, 1e-30, 1e38)
    fields = {  # offsets of the standard, nifti1.h
        "<h": (40, 42, 44, 46, 48, 68, 70, 72, 252, 254),
        "<f": (76, 80, 84, 88, 108, 112, 116, 256, 260, 264, 268, 280, 292, 300, 320, 324),
        "<l": (348, 352, 356),
    }
    form = str(random.choice(list(fields)))
    at = int(random.choice(fields[form]))
    if form == "<f":
        value = struct.pack(form, float(random.choice(floats)))
    else:
        whole = int(random.choice(EXTREMES))
        value = struct.pack(form.upper(), whole & (0xFFFF if form == "<h" else 0xFFFFFFFF))
    data[at : at + len(value)] = value
