"""Files full of identifiers: every planted value is different, and can be searched for."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from PIL import Image, PngImagePlugin
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import generate_uid

from tests.imaging.factories import SeriesOptions, brain_like, save, slice_dataset, write_enhanced

BRAIN = brain_like((6, 40, 36))
# Attributes of PS3.15 table E.1-1 (Basic Application Level Confidentiality Profile), and some that
# older files have.
KEYWORDS = (Path(__file__).parent / "identifying_attributes.txt").read_text().split()


class Planter:
    """Makes values of which no two are alike, and remembers them."""

    def __init__(self) -> None:
        self.planted: list[str] = []

    def word(self, start: str = "Qx") -> str:
        """A made-up name of ten letters and digits."""
        return self._keep(f"{start}{zlib.crc32(b'%d' % len(self.planted)):08X}"[:10])

    def uid(self) -> str:
        return self._keep(f"1.2.826.0.1.3680043.99.{len(self.planted)}.{7_310_583 + self._odd()}")

    def value(self, kind: str) -> Any:
        """A value of one value representation; None where no text fits."""
        makers = {
            "DA": lambda: self._keep(f"18{10 + len(self.planted) % 90}{self._month()}"),
            "TM": lambda: self._keep(f"0{len(self.planted) % 10}1733.{self._odd():06d}"),
            "DT": lambda: self._keep(f"18610203041733.{self._odd():06d}"),
            "UI": self.uid,
            "AS": lambda: self._keep(f"{self._odd() % 900 + 99:03d}Y"),
            "DS": lambda: self._keep(f"61.{self._odd():06d}"),
            "IS": lambda: self._keep(f"7{self._odd():08d}"),
            "PN": lambda: f"{self.word()}^{self.word('Jane')}",
            "CS": lambda: self.word("QX").upper(),
            "SQ": lambda: Sequence([self.item()]),
            "OB": lambda: self.word().encode() * 3 + b"  ",
            "UN": lambda: self.word().encode(),
        }
        for text in ("LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE"):
            makers[text] = self.word
        return makers[kind]() if kind in makers else None

    def item(self) -> Dataset:
        """An item as deep in a sequence as real ones are."""
        inner = Dataset()
        inner.PersonName = self.value("PN")
        inner.TextValue = self.word()
        item = Dataset()
        item.PatientID = self.word()
        item.InstitutionName = self.word()
        item.ContentSequence = Sequence([inner])
        return item

    def _keep(self, value: str) -> str:
        assert value not in self.planted, value
        self.planted.append(value)
        return value

    def _odd(self) -> int:
        return (len(self.planted) * 7919 + 104_729) % 999_983

    def _month(self) -> str:
        return f"{1 + len(self.planted) // 90 % 12:02d}{1 + len(self.planted) % 28:02d}"


def plant_everywhere(planter: Planter, dataset: Dataset) -> None:
    """Fill a DICOM dataset with identifiers, wherever the standard has a place for them."""
    for keyword in KEYWORDS:
        value = planter.value(dictionary_VR(keyword))
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.SeriesInstanceUID = "1.2.3"  # the files must still be one series
    for name in ("ReferencedStudySequence", "OriginalAttributesSequence", "ContentSequence"):
        setattr(dataset, name, Sequence([planter.item()]))
    _plant_private(planter, dataset)
    _plant_overlays(planter, dataset)
    icon = Dataset()
    icon.Rows, icon.Columns, icon.BitsAllocated = 4, 8, 8
    icon.PixelData = planter.value("OB")
    dataset.IconImageSequence = Sequence([icon])
    dataset.add_new(0x04000510, "UI", planter.uid())  # encrypted content
    dataset.add_new(0xFFFCFFFC, "OB", planter.value("OB"))  # trailing padding


def _plant_private(planter: Planter, dataset: Dataset) -> None:
    for group in (0x0009, 0x0019, 0x0029, 0x7FE1):
        block = dataset.private_block(group, planter.word(), create=True)
        for element, kind in enumerate(("LO", "OB", "SQ", "UN", "PN"), start=1):
            block.add_new(element, kind, planter.value(kind))


def _plant_overlays(planter: Planter, dataset: Dataset) -> None:
    for tag, kind in (
        (0x60000022, "LO"),
        (0x60001500, "LO"),
        (0x60003000, "OB"),
        (0x60004000, "LT"),
        (0x50000022, "LO"),
        (0x50002600, "SH"),
        (0x50003000, "OB"),
        (0x50002500, "LO"),
    ):
        dataset.add_new(tag, kind, planter.value(kind))


def write_dicom_series(planter: Planter, folder: Path) -> None:
    """A classic series of which each file has identifiers in every place, preamble to end."""
    folder.mkdir(parents=True)
    for k in range(len(BRAIN)):
        dataset = slice_dataset(BRAIN, k, SeriesOptions(slope=2.0, intercept=-5.0), "1.2.3")
        plant_everywhere(planter, dataset)
        path = folder / f"{planter.word()}.dcm"
        save(dataset, path)
        _plant_around(planter, path)


def write_enhanced_file(planter: Planter, path: Path) -> None:
    """An enhanced multi-frame file, with identifiers in its functional groups too."""
    import pydicom

    path.parent.mkdir(parents=True)
    write_enhanced(path, BRAIN)
    dataset = pydicom.dcmread(path)
    plant_everywhere(planter, dataset)
    for group in dataset.PerFrameFunctionalGroupsSequence:
        group.FrameContentSequence = Sequence([Dataset()])
        group.FrameContentSequence[0].FrameComments = planter.word()
        group.FrameContentSequence[0].FrameAcquisitionDateTime = planter.value("DT")
    dataset.save_as(path)
    _plant_around(planter, path)


def _plant_around(planter: Planter, path: Path) -> None:
    """In the preamble, in the file meta information and behind the dataset."""
    import pydicom

    dataset = pydicom.dcmread(path)
    meta = dataset.file_meta
    meta.SourceApplicationEntityTitle = planter.word()
    meta.SendingApplicationEntityTitle = planter.word()
    meta.ReceivingApplicationEntityTitle = planter.word()
    meta.ImplementationVersionName = planter.word()
    meta.MediaStorageSOPInstanceUID = planter.uid()
    meta.PrivateInformationCreatorUID = planter.uid()
    meta.PrivateInformation = planter.value("OB")
    dataset.preamble = (planter.word() + planter.word()).encode().ljust(128, b" ")
    dataset.save_as(path)


def write_burned_in(folder: Path) -> None:
    """A series of which one slice says that text is burned into its pixels."""
    folder.mkdir(parents=True)
    for k in range(len(BRAIN)):
        dataset = slice_dataset(BRAIN, k, SeriesOptions(), generate_uid(entropy_srcs=["burned"]))
        dataset.BurnedInAnnotation = "YES" if k == 2 else "NO"
        save(dataset, folder / f"{k}.dcm")


def write_nifti_file(planter: Planter, path: Path, version: type) -> None:
    """A NIfTI file with identifiers in every text of its header, its extensions and its packing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = version(BRAIN.T + np.int16(1), np.eye(4))
    header = image.header
    for field in ("descrip", "aux_file", "intent_name"):
        header[field] = planter.word()
    if version is nib.Nifti1Image:
        header["db_name"], header["data_type"] = planter.word(), planter.word()
    within = Dataset()
    within.PatientName, within.PatientID = planter.value("PN"), planter.word()
    for code in ("comment", "afni", "xcede", "jimdiminfo"):
        header.extensions.append(nib.nifti1.Nifti1Extension(code, planter.word().encode()))
    header.extensions.append(nib.nifti1.Nifti1DicomExtension(2, within))
    plain = image.to_bytes() + planter.word().encode()
    if path.suffix == ".gz":
        path.write_bytes(_packed(planter, plain))
    else:
        path.write_bytes(plain)


def _packed(planter: Planter, plain: bytes) -> bytes:
    """Gzip with a file name, a comment and an extra field."""
    body = gzip.compress(plain)[10:]
    extra = planter.word().encode()
    fields = struct.pack("<H", len(extra) + 4) + b"AP" + struct.pack("<H", len(extra)) + extra
    named = planter.word().encode() + b".nii\0" + planter.word().encode() + b"\0"
    return b"\x1f\x8b\x08\x1c" + struct.pack("<LBB", 0, 0, 3) + fields + named + body


def write_png_set(planter: Planter, folder: Path) -> None:
    """Slices as PNG with text chunks and EXIF."""
    folder.mkdir(parents=True)
    for k, plane in enumerate(BRAIN):
        words = PngImagePlugin.PngInfo()
        words.add_text("Author", planter.word())
        words.add_text("Comment", planter.word(), zip=True)
        words.add_itxt("Description", planter.word())
        exif = Image.Exif()
        exif[0x010E], exif[0x013B] = planter.word(), planter.word()
        picture = Image.fromarray((plane // 2).astype(np.uint8))
        picture.save(folder / f"slice{k:02d}.png", pnginfo=words, exif=exif)


def write_mgh(planter: Planter, path: Path) -> None:
    """A FreeSurfer file with the commands and names that its tail keeps."""
    path.parent.mkdir(parents=True)
    stream = io.BytesIO()
    image = nib.MGHImage((BRAIN.T + np.int16(2)), np.eye(4))
    image.file_map["image"].fileobj = stream
    image.to_file_map()
    command = f"recon-all -s {planter.word()}".encode()
    path.write_bytes(
        gzip.compress(stream.getvalue() + struct.pack(">lq", 3, len(command)) + command)
    )


def write_sidecars(planter: Planter, folder: Path) -> None:
    """What lies beside images in archives: JSON, tables, letters."""
    names = ("PatientName", "InstitutionName", "AcquisitionDateTime", "DeviceSerialNumber")
    (folder / "t1.json").write_text(json.dumps({name: planter.word() for name in names}))
    (folder / "participants.tsv").write_text(f"participant_id\tname\n1\t{planter.word()}\n")
    (folder / "letter.txt").write_text(planter.word())


def plant(folder: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Write files of every kind; return what was planted, and the values by kind of file."""
    planter = Planter()
    by_kind: dict[str, list[str]] = {}
    for kind, write in _kinds(planter, folder):
        before = len(planter.planted)
        write()
        by_kind[kind] = planter.planted[before:]
    return planter.planted, by_kind


def _kinds(planter: Planter, folder: Path) -> Iterator[tuple[str, Any]]:
    def home(role: str) -> Path:
        return folder / planter.word() / f"{planter.word()}_{role}"

    yield "dicom", lambda: write_dicom_series(planter, home("t1"))
    yield "enhanced", lambda: write_enhanced_file(planter, home("flair") / f"{planter.word()}.dcm")
    for version in (nib.Nifti1Image, nib.Nifti2Image):
        for suffix in (".nii", ".nii.gz"):
            yield (
                f"{version.__name__} {suffix}",
                lambda v=version, s=suffix: write_nifti_file(
                    planter, folder / planter.word() / f"{planter.word()}_t1{s}", v
                ),
            )
    yield "png", lambda: write_png_set(planter, home("t2"))
    yield "mgh", lambda: write_mgh(planter, home("t1") / f"{planter.word()}.mgz")
    yield "sidecars", lambda: write_sidecars(planter, next(folder.iterdir()))
