"""Zip archives of unknown origin: sound members come out, the others are named with the reason."""

import io
import os
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from readerstudy.imaging import archives
from readerstudy.imaging.archives import ArchiveLimits, archive_kind, unpack
from readerstudy.imaging.errors import TooLargeError, UnreadableError, UnsupportedImageError

from .zips import Entry, deflate, write_overlapping, write_quoting, write_zip

MIB = 2**20
REFUSED_NAMES = {
    b"../evil": "outside",
    b"../../../../etc/passwd": "outside",
    b"case/../../evil": "outside",
    b"case/..": "outside",
    b"..": "outside",
    b"..\\evil": "outside",
    b"case\\..\\..\\evil": "outside",
    b".. /evil": "outside",
    b"case/ ../evil": "outside",
    b"/etc/passwd": "fixed place",
    b"//server/share/evil": "fixed place",
    b"\\\\server\\share\\evil": "fixed place",
    b"\\evil": "fixed place",
    b"\\\\?\\C:\\evil": "fixed place",
    b"C:\\evil": "fixed place",
    b"c:evil": "fixed place",
    b"Z:/evil": "fixed place",
    b"t1.nii\x00.exe": "control characters",
    b"\x00": "control characters",
    b"a\nb": "control characters",
    b"a\rb": "control characters",
    b"a\x1b[31mb": "control characters",
    b"a\x7fb": "control characters",
    b"": "no name",
    b".": "no name",
    b"./.": "no name",
    b"a" * 201: "too long",
    b"/".join([b"b" * 190] * 6): "too long",
    b"d/" * 25 + b"t1.nii": "folders deep",
    b"__MACOSX/._t1.nii": "operating system",
    b"case/.DS_Store": "operating system",
    b"case/Thumbs.db": "operating system",
}
CLEANED_NAMES = {
    b"case/t1.nii": "case/t1.nii",
    b"./case//t1.nii": "case/t1.nii",
    b"case\\t1.nii": "case/t1.nii",
    b"CON": "_CON",
    b"nul.nii": "_nul.nii",
    b"case/com1.dcm": "case/_com1.dcm",
    b"lpt9/t1.nii": "_lpt9/t1.nii",
    b"t1.nii.": "t1.nii",
    b" t1.nii ": "t1.nii",
    b"...": "_",
    b"ab:c|d?.nii": "ab_c_d_.nii",
    b"t1.nii:stream": "t1.nii_stream",
    b"-rf": "-rf",
    b"$(reboot).nii": "$(reboot).nii",
    "\u202eiin.1t".encode(): "_iin.1t",
    "a\u200bb.nii".encode(): "a_b.nii",
    "\u0301 e\u0301.nii".encode(): "\u0301 \xe9.nii",
    "T₁ Köln.nii".encode(): "T₁ Köln.nii",
}


@pytest.fixture
def target(tmp_path):
    return tmp_path / "unpacked"


def files_below(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}


@pytest.mark.parametrize(("name", "reason"), REFUSED_NAMES.items())
def test_a_harmful_name_is_refused_and_its_neighbour_comes_out(tmp_path, target, name, reason):
    archive = write_zip(tmp_path / "a.zip", [Entry(name), Entry(b"good.nii", b"good")])
    before = files_below(tmp_path)
    result = unpack(archive, target)
    assert len(result.refused) == 1
    assert reason in result.refused[0].reason
    assert result.refused[0].name.isprintable() or result.refused[0].name == ""
    assert len(result.refused[0].name) <= 120
    assert files_below(tmp_path) - before == {"unpacked/good.nii"}
    assert (target / "good.nii").read_bytes() == b"good"


@pytest.mark.parametrize(("name", "expected"), CLEANED_NAMES.items())
def test_an_odd_name_is_cleaned(tmp_path, target, name, expected):
    result = unpack(write_zip(tmp_path / "a.zip", [Entry(name, b"good")]), target)
    assert [member.path for member in result.members] == [PurePosixPath(expected)]
    assert (target / expected).read_bytes() == b"good"
    assert files_below(target) == {expected}


def test_the_corpus_is_large_enough():
    assert len(REFUSED_NAMES) + len(CLEANED_NAMES) >= 40


@pytest.mark.parametrize(
    "names",
    [
        (b"t1.nii", b"t1.nii"),
        (b"t1.nii", b"T1.NII"),
        (b"a/t1.nii", b"A/T1.nii"),
        (b"t1.nii", b"./t1.nii"),
        (b"t1.nii", b"t1.nii/more.nii"),
        (b"t1.nii/more.nii", b"t1.nii"),
        ("stra\xdfe.nii".encode(), b"STRASSE.nii"),
        ("\xe9.nii".encode(), "e\u0301.nii".encode()),
        (b"con", b"_con"),
    ],
)
def test_the_second_of_two_equal_names_is_refused(tmp_path, target, names):
    entries = [Entry(names[0], b"first"), Entry(names[1], b"second")]
    result = unpack(write_zip(tmp_path / "a.zip", entries), target)
    assert [refused.reason for refused in result.refused] == ["another member has the same name"]
    assert [p.read_bytes() for p in target.rglob("*") if p.is_file()] == [b"first"]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (Entry(b"link", b"/etc/passwd", mode=0o120777), "link"),
        (Entry(b"pipe", b"", mode=0o010644), "plain file"),
        (Entry(b"device", b"", mode=0o060644), "plain file"),
        (Entry(b"socket", b"", mode=0o140644), "plain file"),
        (Entry(b"locked", flags=0x801), "encrypted"),
        (Entry(b"strong", flags=0x841), "encrypted"),
        (Entry(b"lzma", method=14, packed=b"xx"), "method"),
        (Entry(b"bzip2", method=12, packed=b"xx"), "method"),
        (Entry(b"deflate64", method=9, packed=b"xx"), "method"),
        (Entry(b"crc", crc=1), "damaged"),
        (Entry(b"noise", packed=b"\xff" * 40), "damaged"),
        (Entry(b"cut", bytes(1000), packed=deflate(os.urandom(1000))[:500]), "damaged"),
        (Entry(b"two names", local_name=b"other nam"), "damaged"),
        (Entry(b"more than said", bytes(5000), claimed_size=10), "damaged"),
        (Entry(b"less than said", b"few", claimed_size=5000), "size"),
        (Entry(b"nested.zip", b"PK\x03\x04" + bytes(30)), "archive inside"),
        (Entry(b"nested.nii", b"PK\x03\x04" + bytes(30)), "archive inside"),
        (Entry(b"nested.7z", b"7z\xbc\xaf\x27\x1c" + bytes(30)), "archive inside"),
    ],
    ids=lambda value: value.name.decode() if isinstance(value, Entry) else value,
)
def test_a_member_that_is_no_sound_file_is_refused(tmp_path, target, entry, reason):
    archive = write_zip(tmp_path / "a.zip", [entry, Entry(b"good.nii", b"good")])
    result = unpack(archive, target)
    assert [reason in refused.reason for refused in result.refused] == [True]
    assert files_below(target) == {"good.nii"}


def test_files_and_folders_are_for_this_program_only(tmp_path, target):
    unpack(write_zip(tmp_path / "a.zip", [Entry(b"a/b.nii", mode=0o104777)]), target)
    assert stat.S_IMODE((target / "a").stat().st_mode) == 0o700
    assert not (target / "a/b.nii").stat().st_mode & (stat.S_ISUID | stat.S_IXUSR)


def test_a_large_sound_archive_comes_out_as_the_zip_module_reads_it(tmp_path, target):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as writer:
        for number in range(5000):
            writer.writestr(f"case{number % 7}/T1/IM{number:04d}", b"%d" % number * 50)
    result = unpack(path, target)
    with zipfile.ZipFile(path) as reader:
        expected = {info.filename: reader.read(info) for info in reader.infolist()}
    assert {str(m.path): (target / m.path).read_bytes() for m in result.members} == expected
    assert result.refused == ()


def test_a_zip64_archive_comes_out(tmp_path, target, monkeypatch):
    path = tmp_path / "a.zip"
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 10)
    with zipfile.ZipFile(path, "w") as writer:
        with writer.open("t1.nii", "w", force_zip64=True) as member:
            member.write(b"voxels")
        for number in range(20):
            writer.writestr(f"{number}", b"more")
    assert path.read_bytes().count(b"PK\x06\x07") == 1
    result = unpack(path, target)
    assert (target / "t1.nii").read_bytes() == b"voxels"
    assert len(result.members) == 21
    with pytest.raises(TooLargeError, match="more than 20 files"):
        unpack(path, tmp_path / "again", ArchiveLimits(members=20))


def flat_bomb(path: Path) -> Path:
    return write_zip(path, [Entry(b"%d" % i, bytes(16 * MIB)) for i in range(20)])


def overlapping_bomb(path: Path) -> Path:
    return write_overlapping(path, 200, MIB)


def quoting_bomb(path: Path) -> Path:
    return write_quoting(path, 200, MIB)


def lying_bomb(path: Path) -> Path:
    return write_zip(path, [Entry(b"t1.nii", bytes(1000), claimed_size=0xFFFFFFF0)])


def many_members(path: Path) -> Path:
    return write_zip(path, [Entry(b"%d" % i, b"", method=0) for i in range(2001)])


@pytest.mark.parametrize(
    ("write", "error", "reason"),
    [
        (flat_bomb, TooLargeError, "times its size"),
        (overlapping_bomb, UnreadableError, "overlap"),
        (quoting_bomb, UnreadableError, "overlap"),
        (lying_bomb, TooLargeError, "times its size"),
        (many_members, TooLargeError, "more than 2000 files"),
    ],
)
def test_a_bomb_is_refused_before_anything_is_written(tmp_path, target, write, error, reason):
    with pytest.raises(error, match=reason):
        unpack(write(tmp_path / "a.zip"), target, ArchiveLimits(members=2000))
    assert not target.exists() or not any(target.iterdir())


def test_a_list_that_claims_few_members_and_has_many_is_refused(tmp_path, target):
    entries = [Entry(b"%d" % i, b"", method=0) for i in range(300)]
    path = write_zip(tmp_path / "a.zip", entries)
    content = bytearray(path.read_bytes())
    struct.pack_into("<HH", content, len(content) - 14, 1, 1)
    path.write_bytes(content)
    with pytest.raises(TooLargeError, match="more than 200 files"):
        unpack(path, target, ArchiveLimits(members=200))


def test_total_and_single_size_are_bounded(tmp_path, target):
    entries = [Entry(b"%d" % i, os.urandom(700_000)) for i in range(4)]
    path = write_zip(tmp_path / "a.zip", entries)
    with pytest.raises(TooLargeError, match="unpacked it would take 2 MB"):
        unpack(path, target, ArchiveLimits(total_mb=2))
    entries.append(Entry(b"large", os.urandom(MIB + 1)))
    result = unpack(write_zip(path, entries), target, ArchiveLimits(member_mb=1))
    assert [(r.name, r.reason) for r in result.refused] == [("large", "larger than 1 MB")]


def test_the_disk_keeps_its_reserve(tmp_path, target, monkeypatch):
    path = write_zip(tmp_path / "a.zip", [Entry(b"t1.nii", bytes(3 * MIB))])
    usage = shutil.disk_usage(tmp_path)._replace(free=1024 * MIB + 3 * MIB - 1)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(TooLargeError, match="not enough room on the disk"):
        unpack(path, target)
    monkeypatch.setattr(
        archives.shutil, "disk_usage", lambda _: usage._replace(free=usage.free + 1)
    )
    assert unpack(path, target).members[0].size == 3 * MIB


def test_a_disk_that_fills_up_leaves_nothing_behind(tmp_path, target):
    path = write_zip(tmp_path / "a.zip", [Entry(b"a", b"small"), Entry(b"b", os.urandom(9 * MIB))])
    code = (
        "import resource, signal, sys\n"
        "from readerstudy.imaging.archives import unpack\n"
        "from readerstudy.imaging.errors import TooLargeError\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2**22, 2**22))\n"
        "try:\n    unpack(sys.argv[1], sys.argv[2])\n"
        "except TooLargeError as error:\n    print(error)\n"
    )
    told = subprocess.check_output([sys.executable, "-c", code, path, target], text=True)
    assert told.startswith("a.zip: there is not enough room on the disk")
    assert list(target.iterdir()) == []


def test_memory_does_not_grow_with_a_member(tmp_path, target):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as writer:
        writer.writestr("zeros.nii", bytes(200 * MIB))
    code = (
        "import resource, sys\nfrom readerstudy.imaging.archives import unpack\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = peak()\nunpack(sys.argv[1], sys.argv[2])\nprint(peak() - before)"
    )
    command = [sys.executable, "-c", code, tmp_path / "a.zip", target]
    assert int(subprocess.check_output(command)) < 16 * 1024  # kB
    assert (target / "zeros.nii").stat().st_size == 200 * MIB


def test_other_archives_are_refused_with_advice(tmp_path, target):
    tar = tmp_path / "a.bin"
    with tarfile.open(tar, "w") as writer:
        writer.addfile(tarfile.TarInfo("t1.nii"), io.BytesIO())
    written = {
        "a.7z": b"7z\xbc\xaf\x27\x1c" + bytes(30),
        "a.rar": b"Rar!\x1a\x07\x00" + bytes(30),
        "a.tar.gz": b"\x1f\x8b" + bytes(30),
        "a.tgz": b"\x1f\x8b" + bytes(30),
        "a.tar.xz": b"\xfd7zXZ\x00" + bytes(30),
    }
    for name, content in written.items():
        (tmp_path / name).write_bytes(content)
    for name in ("a.bin", *written):
        with pytest.raises(UnsupportedImageError, match=r"archive\. Pack the folder as \.zip"):
            unpack(tmp_path / name, target)
    assert archive_kind(tar) == ".tar"


def test_what_is_no_archive(tmp_path, target):
    image = tmp_path / "t1.nii.gz"
    image.write_bytes(b"\x1f\x8b" + bytes(30))
    assert archive_kind(image) is None
    with pytest.raises(UnsupportedImageError, match=r"not a \.zip archive"):
        unpack(image, target)
    letter = tmp_path / "a.zip"
    letter.write_text("This is a letter.")
    with pytest.raises(UnreadableError, match=r"named \.zip but is none"):
        unpack(letter, target)
    with pytest.raises(UnreadableError, match="does not exist"):
        unpack(tmp_path / "none.zip", target)


def test_every_cut_and_every_changed_byte_is_survived(tmp_path):
    entries = [Entry(b"case/t1.nii", b"voxels" * 9), Entry(b"case/t2.nii", b"other", method=0)]
    whole = write_zip(tmp_path / "a.zip", entries).read_bytes()
    mutants = [whole[:length] for length in range(len(whole))]
    for at in range(len(whole)):
        mutants += [whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :] for flip in (1, 0xFF)]
    for number, content in enumerate(mutants):
        (tmp_path / "b.zip").write_bytes(content)
        folder = tmp_path / "out" / str(number)
        try:
            result = unpack(tmp_path / "b.zip", folder)
        except (UnreadableError, TooLargeError, UnsupportedImageError):
            assert not folder.exists() or not any(folder.iterdir())
            continue
        assert files_below(folder) == {str(member.path) for member in result.members}
        assert {(folder / m.path).read_bytes() for m in result.members} <= {e.data for e in entries}
