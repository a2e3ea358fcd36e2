"""Files made to deceive: bombs, lying sizes, endless nesting, indexes that point elsewhere."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from readerstudy.imaging.errors import ImageError
from readerstudy.imaging.guarded import Guard
from readerstudy.imaging.reading_limits import MIB

from .factories import SeriesOptions, brain_like, save, slice_dataset, write_nifti

BRAIN = brain_like((3, 36, 34))
SECRET = b"secret of another folder"


@pytest.fixture(scope="module")
def shared_guard():
    with Guard() as guard:
        yield guard


@pytest.fixture
def guard(shared_guard):
    """One reading process for all tests; what one file did to it is not held against the next."""
    shared_guard.peak_bytes = shared_guard.stopped = 0
    shared_guard.unexpected.clear()
    return shared_guard


def outcomes(guard: Guard, folder: Path) -> list[object]:
    """What became of each file: a volume, or the words of the error."""
    results: list[object] = []
    for one in guard.find_series(folder):
        try:
            results.append(guard.load(one))
        except ImageError as error:
            results.append(str(error))
    return results


def one_slice() -> Dataset:
    return slice_dataset(BRAIN, 1, SeriesOptions(), "1.2.3")


def save_as(path: Path, dataset: Dataset, syntax: str, pixels: bytes = b"") -> None:
    """Write the dataset with pixel data that claim to be of a compressed kind."""
    save(dataset, path)
    if pixels:
        whole = pydicom.dcmread(path)
        whole.PixelData = pixels
        whole["PixelData"].is_undefined_length = True
        whole.file_meta.TransferSyntaxUID = syntax
        whole.save_as(path)


def encoded(content: bytes) -> bytes:
    return encapsulate([content])


def gzip_of_zeros(megabytes: int, start: bytes = b"") -> bytes:
    """A stream of many gzip members: two thousand MB of zeros need two MB and no time."""
    block = gzip.compress(bytes(16 * MIB), 9)
    return gzip.compress(start) + block * (megabytes // 16)


def nifti_header(**fields: object) -> bytes:
    data = bytearray(348)
    values = {
        "sizeof_hdr": ("<i", 0, 348),
        "dim": ("<8h", 40, (3, 34, 36, 3, 1, 1, 1, 1)),
        "datatype": ("<h", 70, 4),
        "bitpix": ("<h", 72, 16),
        "pixdim": ("<8f", 76, (1.0,) * 8),
        "vox_offset": ("<f", 108, 352.0),
        "sform_code": ("<h", 254, 1),
        "srow": ("<12f", 280, (1.0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)),
        "magic": ("<4s", 344, b"n+1\0"),
    }
    for name, (form, at, usual) in values.items():
        value = fields.get(name, usual)
        struct.pack_into(form, data, at, *(value if isinstance(value, tuple) else (value,)))
    return bytes(data) + bytes(4)


VOXELS = BRAIN.tobytes()


def huge(**fields: object) -> bytes:
    return nifti_header(**fields) + VOXELS


NIFTI = {
    "gzip bomb behind a small image": lambda: gzip_of_zeros(2048, huge()),
    "gzip bomb that is the image": lambda: gzip_of_zeros(
        1024, nifti_header(dim=(3, 1000, 1000, 500, 1, 1, 1, 1))
    ),
    "gzip bomb as the header": lambda: gzip_of_zeros(2048),
    "gzip bomb as an extension": lambda: gzip_of_zeros(1024, nifti_header(vox_offset=1e9)),
    "gzip in gzip in gzip": lambda: gzip.compress(gzip.compress(gzip_of_zeros(1024))),
    "largest dimensions": lambda: huge(dim=(7, *[32767] * 7)),
    "largest volume": lambda: huge(dim=(3, 32767, 32767, 32767, 1, 1, 1, 1)),
    "negative dimensions": lambda: huge(dim=(3, -1, -1, -1, 1, 1, 1, 1)),
    "product wraps round": lambda: huge(dim=(7, 256, 256, 256, 256, 256, 256, 256)),
    "200 dimensions": lambda: huge(dim=(200, 4, 4, 4, 1, 1, 1, 1)),
    "as many volumes as fit": lambda: huge(dim=(4, 1, 1, 1, 32767, 1, 1, 1)),
    "offset not a number": lambda: huge(vox_offset=float("nan")),
    "offset without end": lambda: huge(vox_offset=float("inf")),
    "offset before the file": lambda: huge(vox_offset=-5.0),
    "offset in the header": lambda: huge(vox_offset=10.0),
    "offset behind the file": lambda: huge(vox_offset=1e12),
    "matrix not a number": lambda: huge(srow=(float("nan"),) * 12),
    "matrix without end": lambda: huge(srow=(float("inf"),) * 12),
    "matrix of zeros": lambda: huge(srow=(0.0,) * 12),
    "matrix too large": lambda: huge(srow=(1e38,) * 12),
    "type unknown": lambda: huge(datatype=31000),
    "128-bit numbers": lambda: huge(datatype=1536, bitpix=128),
    "complex numbers": lambda: huge(datatype=32, bitpix=64),
    "bits differ from type": lambda: huge(bitpix=-8),
    "extension longer than the file": lambda: (
        nifti_header(vox_offset=368.0)[:-4] + struct.pack("<4Bii", 1, 0, 0, 0, 2**31 - 16, 6)
    ),
    "extension of negative length": lambda: (
        nifti_header(vox_offset=368.0)[:-4] + struct.pack("<4Bii", 1, 0, 0, 0, -16, 6) + VOXELS
    ),
    "only a header": nifti_header,
    "empty": lambda: b"",
    "one byte": lambda: b"\x5c",
    "gzip magic alone": lambda: b"\x1f\x8b",
    "gzip with an endless name": lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 10**7,
    "gzip with much comment": lambda: b"\x1f\x8b\x08\x10" + bytes(6) + b"c" * 10**7,
}


@pytest.mark.parametrize("name", NIFTI)
@pytest.mark.parametrize("suffix", [".nii.gz", ".nii"])
def test_nifti_made_to_deceive(tmp_path, guard, name, suffix):
    (tmp_path / f"t1{suffix}").write_bytes(NIFTI[name]())
    results = outcomes(guard, tmp_path)
    assert results
    for result in results:
        if isinstance(result, str):
            assert len(result) < 600
        else:
            np.testing.assert_array_equal(result.array, BRAIN)
    assert_unharmed(guard)


def deflated_bomb(path: Path) -> None:
    """Two hundred MB of an unknown element, packed to 200 kB."""
    dataset = one_slice()
    dataset.add_new(0x00091001, "OB", bytes(200 * MIB))
    save(dataset, path, DeflatedExplicitVRLittleEndian)


def _parts(path: Path) -> tuple[bytes, bytes]:
    content = path.read_bytes()
    length = struct.unpack_from("<L", content, 140)[0]
    return content[: 144 + length], content[144 + length :]


def endless_deflate(path: Path) -> None:
    """A deflated dataset that unpacks to two thousand MB."""
    save(one_slice(), path, DeflatedExplicitVRLittleEndian)
    meta, _ = _parts(path)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = packer.compress(bytes(16 * MIB)) + packer.flush(zlib.Z_FULL_FLUSH)
    path.write_bytes(meta + zeros * 128 + packer.flush())


def largest_size(path: Path) -> None:
    dataset = one_slice()
    dataset.Rows = dataset.Columns = 65535
    dataset.NumberOfFrames = 2**31 - 1
    save(dataset, path)


def many_frames(path: Path) -> None:
    dataset = one_slice()
    dataset.NumberOfFrames = 10**9
    save(dataset, path)


def negative_frames(path: Path) -> None:
    dataset = one_slice()
    dataset.NumberOfFrames = -3
    save(dataset, path)


def wide_bits(path: Path) -> None:
    dataset = one_slice()
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 65535, 65535, 65534
    save(dataset, path)


def deep_nesting(path: Path) -> None:
    """Ten thousand sequences in one another, of undefined length."""
    save(one_slice(), path)
    meta, body = _parts(path)
    opening = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    path.write_bytes(meta + opening * 10_000 + body)


def element_of_4_gb(path: Path) -> None:
    save(one_slice(), path)
    content = bytearray(path.read_bytes())
    at = content.find(b"\xe0\x7f\x10\x00")
    struct.pack_into("<L", content, at + 8, 0xFFFFFFFE)
    path.write_bytes(content)


def endless_pixels(path: Path) -> None:
    save(one_slice(), path)
    content = bytearray(path.read_bytes())
    at = content.find(b"\xe0\x7f\x10\x00")
    struct.pack_into("<L", content, at + 8, 0xFFFFFFFF)
    path.write_bytes(content)


def endless_elements(path: Path) -> None:
    """Two MB of empty private elements."""
    save(one_slice(), path)
    meta, body = _parts(path)
    tags = b"".join(
        struct.pack("<HH2sH", 9, 0x1000 + n % 0xE000, b"LO", 0) for n in range(2 * 10**5)
    )
    path.write_bytes(meta + tags + body)


def million_items(path: Path) -> None:
    save(one_slice(), path)
    meta, body = _parts(path)
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * 10**6
    path.write_bytes(
        meta + b"\x08\x00\x40\x11SQ\0\0" + struct.pack("<L", len(items)) + items + body
    )


def long_numbers(path: Path) -> None:
    """A million decimal numbers where one is expected, and a number of a million digits."""
    save(one_slice(), path)
    meta, body = _parts(path)
    many = b"\\".join([b"1"] * 10**6) + b" "
    digits = b"9" * 10**6
    elements = b"".join(
        struct.pack("<HH2sHL", 0x0020, element, b"UN", 0, len(value)) + value
        for element, value in ((0x0032, many), (0x0013, digits))
    )
    path.write_bytes(meta + elements + body)


def endless_meta(path: Path) -> None:
    save(one_slice(), path)
    content = bytearray(path.read_bytes())
    struct.pack_into("<L", content, 140, 0xFFFFFFF0)
    path.write_bytes(content)


def lying_jpeg2000(path: Path) -> None:
    """A codestream of two thousand million columns."""
    size = struct.pack(
        ">4sHHLLLLLLLLHBBB",
        b"\xff\x4f\xff\x51",
        41,
        0,
        *[2**31 - 1] * 2,
        0,
        0,
        *[2**31 - 1] * 2,
        0,
        0,
        1,
        15,
        1,
        1,
    )
    save_as(path, one_slice(), JPEG2000Lossless, encoded(size + bytes(50)))


def tiny_tiles(path: Path) -> None:
    """The right size in as many tiles as there are pixels."""
    size = struct.pack(
        ">4sHHLLLLLLLLHBBB", b"\xff\x4f\xff\x51", 41, 0, 34, 36, 0, 0, 1, 1, 0, 0, 1, 15, 1, 1
    )
    save_as(path, one_slice(), JPEG2000Lossless, encoded(size + bytes(50)))


def _jpeg_start(marker: int) -> bytes:
    return b"\xff\xd8" + struct.pack(">BBHBHHBBBB", 0xFF, marker, 11, 8, 65535, 65535, 1, 1, 17, 0)


def lying_jpeg(path: Path) -> None:
    save_as(path, one_slice(), JPEGBaseline8Bit, encoded(_jpeg_start(0xC0) + bytes(60)))


def lying_lossless_jpeg(path: Path) -> None:
    save_as(path, one_slice(), JPEGLosslessSV1, encoded(_jpeg_start(0xC3) + bytes(60)))


def lying_jpeg_ls(path: Path) -> None:
    save_as(path, one_slice(), JPEGLSLossless, encoded(_jpeg_start(0xF7) + bytes(60)))


def jpeg_size_behind_padding(path: Path) -> None:
    """Fill bytes before the marker hide the size from a reader that does not skip them."""
    start = _jpeg_start(0xC3)
    content = start[:2] + b"\xff" * 7 + start[2:]
    save_as(path, one_slice(), JPEGLosslessSV1, encoded(content + bytes(60)))


def rle_bomb(path: Path) -> None:
    """Runs that repeat one byte for ever: 128 for each two."""
    header = struct.pack("<16L", 2, 64, 128, *[0] * 13)
    save_as(path, one_slice(), RLELossless, encoded(header + b"\x81\x00" * 5 * 10**6))


def rle_segments_everywhere(path: Path) -> None:
    header = struct.pack("<16L", 2**32 - 1, *[2**32 - 16] * 15)
    save_as(path, one_slice(), RLELossless, encoded(header + bytes(100)))


def basic_offsets_elsewhere(path: Path) -> None:
    frame = bytes(64)
    table = struct.pack("<HHL3L", 0xFFFE, 0xE000, 12, 2**32 - 2, 2**31, 7)
    save_as(path, one_slice(), RLELossless, table + encapsulate([frame], has_bot=False))


def many_fragments(path: Path) -> None:
    save_as(path, one_slice(), JPEG2000Lossless, encapsulate([b"\0\0"] * 10**5, has_bot=False))


def functional_groups_in_thousands(path: Path) -> None:
    dataset = one_slice()
    dataset.NumberOfFrames = 5_000
    dataset.PerFrameFunctionalGroupsSequence = Sequence([Dataset() for _ in range(5_000)])
    save(dataset, path)


DICOM = [
    deflated_bomb,
    endless_deflate,
    largest_size,
    many_frames,
    negative_frames,
    wide_bits,
    deep_nesting,
    element_of_4_gb,
    endless_pixels,
    endless_elements,
    million_items,
    long_numbers,
    endless_meta,
    lying_jpeg2000,
    tiny_tiles,
    lying_jpeg,
    lying_lossless_jpeg,
    lying_jpeg_ls,
    jpeg_size_behind_padding,
    rle_bomb,
    rle_segments_everywhere,
    basic_offsets_elsewhere,
    many_fragments,
    functional_groups_in_thousands,
]


@pytest.mark.parametrize("write", DICOM, ids=lambda write: write.__name__)
def test_dicom_made_to_deceive(tmp_path, guard, write):
    write(tmp_path / "a.dcm")
    for result in outcomes(guard, tmp_path):
        if not isinstance(result, str):  # what surrounds a sound picture does no harm
            np.testing.assert_array_equal(result.array[0], BRAIN[1])
    assert_unharmed(guard)


def index_of(folder: Path, *names: str) -> Path:
    """A DICOMDIR whose records point to these files."""
    records = []
    for name in names:
        record = Dataset()
        record.OffsetOfTheNextDirectoryRecord = 0xFFFFFFFF
        record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
        record.RecordInUseFlag = 0xFFFF
        record.DirectoryRecordType = "IMAGE"
        record.ReferencedFileID = name.split("/")
        record.ReferencedSOPInstanceUIDInFile = generate_uid()
        records.append(record)
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.1.3.10"
    dataset.SOPInstanceUID = generate_uid()
    dataset.FileSetID = "..\\..\\ETC"
    dataset.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 400
    dataset.DirectoryRecordSequence = Sequence(records)
    save(dataset, folder / "index", ExplicitVRLittleEndian)
    return folder / "index"


@pytest.mark.parametrize("name", ["DICOMDIR", "dicomdir", "DICOMDIR.dcm", "index.dcm", "IM0001"])
def test_an_index_leads_nowhere(tmp_path, guard, name):
    outside = tmp_path / "outside"
    outside.mkdir()
    save(one_slice(), outside / "secret.dcm")
    inside = tmp_path / "given"
    inside.mkdir()
    index_of(inside, "../outside/secret.dcm", "../../etc/passwd", "/etc/passwd", "IM1").rename(
        inside / name
    )
    found = guard.find_series(inside)
    assert [(one.status, one.paths) for one in found] == [("skipped", (inside / name,))]
    assert "secret" not in repr(found)
    assert_unharmed(guard)


def test_links_lead_nowhere(tmp_path, guard):
    outside = tmp_path / "outside"
    outside.mkdir()
    write_nifti(outside / "t1.nii", BRAIN.T)
    inside = tmp_path / "given"
    inside.mkdir()
    (inside / "folder").symlink_to(outside)
    (inside / "t1.nii").symlink_to(outside / "t1.nii")
    (inside / "loop").symlink_to(inside)
    (inside / "gone.nii").symlink_to(inside / "nowhere")
    assert {one.status for one in guard.find_series(inside)} == {"skipped"}
    assert_unharmed(guard)


def assert_unharmed(guard: Guard) -> None:
    """No limit was met, and no more memory taken than any small file may take."""
    assert guard.unexpected == []
    assert guard.stopped == 0
    assert guard.peak_bytes < 512 * MIB
