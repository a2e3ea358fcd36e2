"""Identifiers planted in images do not come in: not into the database, nor beside the pixels."""

from __future__ import annotations

import contextlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from readerstudy.cases import storage
from readerstudy.cases.models import Series
from readerstudy.cases.thumbnails import SIZES, thumbnail
from readerstudy.core.models import AuditRecord, Job
from readerstudy.imaging.facts import FACT_NAMES
from readerstudy.intake import closing
from readerstudy.intake.models import Import

from . import identifiers

pytestmark = pytest.mark.django_db


def import_all(folder: Path, **options: object) -> str:
    """Import a folder as a coordinator does on the command line; return what is printed."""
    out = io.StringIO()
    with contextlib.suppress(SystemExit):  # files that are no images stand beside the others
        call_command("import_cases", folder, stdout=out, stderr=out, faces="keep", **options)
    return out.getvalue()


def every_row() -> Iterator[tuple[str, bytes]]:
    """Each row of each table as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            for row in cursor.fetchall():
                yield f"table {table}", repr(row).encode(errors="surrogateescape")


def every_file(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Each file with its path, as it is and unpacked."""
    for path in folder.rglob("*"):
        yield f"path {path}", str(path.relative_to(folder)).encode(errors="surrogateescape")
        if not path.is_file():
            continue
        content = path.read_bytes()
        yield str(path), content
        if content[:4] == b"\x28\xb5\x2f\xfd":
            yield f"{path} unpacked", zstandard.decompress(content)
        if content[:2] == b"\x1f\x8b":
            yield f"{path} unpacked", zlib.decompress(content, 31)


def left(planted: list[str], *places: Iterator[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """Planted values that are still found, with where."""
    return [
        (value, where)
        for place in places
        for where, content in place
        for value in planted
        for spelled in (value, value.swapcase())
        if spelled.encode() in content or spelled.encode("utf-16-le") in content
    ]


@pytest.fixture
def given(tmp_path):
    folder = tmp_path / "given"
    folder.mkdir()
    return folder


def test_the_planted_files_hold_what_they_should(given):
    planted, by_kind = identifiers.plant(given)
    assert len(planted) == len(set(planted)) >= 1000
    assert len(by_kind["dicom"]) >= 100
    contents = dict(every_file(given))
    everything = b"\n".join(contents.values())
    packed_in_png = len(identifiers.BRAIN)  # one text of each slice is deflated
    unseen = [value for value in planted if value.encode() not in everything]
    assert len(unseen) == packed_in_png
    assert all(value in by_kind["png"] for value in unseen)


def test_the_search_finds_what_is_there(given):
    identifiers.write_burned_in(given / "case1" / "t1")
    import_all(given)
    name = storage.put(zstandard.compress(b"pixels of Jane Doe"))
    found = left(["case.import", "Jane Doe", name], every_row(), every_file(settings.MEDIA_ROOT))
    assert {value for value, _ in found} == {"case.import", "Jane Doe", name}


def test_nothing_planted_is_left(given, caplog):
    planted, by_kind = identifiers.plant(given)
    printed = import_all(given)
    series = list(Series.objects.all())
    kinds = {one.source_kind for one in series}
    assert len(series) >= len(by_kind) - 1, printed  # all but the sidecars are images
    assert {"dicom", "nifti"} <= kinds
    for one in series:
        for size in SIZES:
            thumbnail(one, size)
    media = every_file(Path(settings.MEDIA_ROOT))
    assert left(planted, every_row(), media) == []
    assert left(planted, iter([("log", caplog.text.encode())])) == []
    assert AuditRecord.objects.exists()
    assert Job.objects.exists()


def test_names_of_the_source_go_with_the_import(given):
    planted, _ = identifiers.plant(given)
    import_all(given)
    for batch in Import.objects.all():
        closing.close(batch=batch, actor=None)
    kept = [every_file(Path(folder)) for folder in (settings.MEDIA_ROOT, settings.WORK_ROOT)]
    assert left(planted, every_row(), *kept) == []


def test_an_archive_leaves_no_name_either(given, tmp_path):
    planted, _ = identifiers.plant(given)
    archive = tmp_path / "QxArchive0.zip"
    with zipfile.ZipFile(archive, "w") as writer:
        writer.comment = b"QxComment0"
        for path in given.rglob("*"):
            writer.write(path, path.relative_to(given))
    import_all(archive)
    assert Series.objects.count() >= 5
    planted += ["QxArchive0", "QxComment0"]
    media = every_file(Path(settings.MEDIA_ROOT))
    assert left(planted, every_row(), media) == []
    for batch in Import.objects.all():
        closing.close(batch=batch, actor=None)
    assert left(planted, every_file(Path(settings.WORK_ROOT))) == []


def test_only_listed_facts_are_kept(given):
    identifiers.plant(given)
    import_all(given)
    for one in Series.objects.all():
        assert set(one.facts) <= FACT_NAMES
        assert all(isinstance(value, int | float | bool | str) for value in one.facts.values())


def test_no_dicom_is_stored(given):
    identifiers.plant(given)
    import_all(given)
    for where, content in every_file(Path(settings.MEDIA_ROOT)):
        assert content[128:132] != b"DICM", where
        assert b"1.2.840.10008" not in content, where


def test_text_in_the_pixels_is_flagged_for_a_person(given):
    identifiers.write_burned_in(given / "case1" / "t1")
    import_all(given)
    assert "burned_in" in Series.objects.get().flags
