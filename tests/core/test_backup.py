"""A backup made under load is restored whole; a damaged one is refused and changes nothing."""

from __future__ import annotations

import hashlib
import io
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from readerstudy.core import verifying
from readerstudy.core.backup import archive, databases, making, restoring
from readerstudy.core.errors import Conflict
from readerstudy.core.models import AuditRecord
from readerstudy.reading import recording
from readerstudy.reading.models import Rating, Submission
from tests import scenario

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'sqlite'", reason="this file moves SQLite's own file"),
]


@contextmanager
def another_place(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation without any data."""
    from django.conf import settings

    folder.mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(settings, "MEDIA_ROOT", folder / "media")
        with databases.looking_at(folder / "there.sqlite3"):
            yield folder


def hashes(root: Path) -> dict[str, str]:
    return {
        str(file.relative_to(root)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in root.rglob("*")
        if file.is_file()
    }


class Writer(threading.Thread):
    """Answers case after case and notes each answer once it is acknowledged."""

    def __init__(self, enrolment) -> None:
        super().__init__()
        self.enrolment, self.acknowledged = enrolment, []

    def run(self) -> None:
        try:
            while scenario.state_of(self.enrolment)["reading"] is not None:
                reading = scenario.offer(self.enrolment)
                row, _ = recording.submit(
                    reading=reading, key=str(uuid.uuid4()), body=scenario.body()
                )
                self.acknowledged.append(str(row.pk))
        finally:
            connection.close()


def test_a_backup_under_load_is_restored_whole(tmp_path, monkeypatch, settings):
    made = scenario.running(6, 6, 1)
    writer = Writer(made.enrolment())
    writer.start()
    while not writer.acknowledged:
        writer.join(0.01)
    before = list(writer.acknowledged)
    file = tmp_path / "one.tar.zst"
    manifest = making.make(file)
    during = len(writer.acknowledged)
    writer.join()
    assert before
    assert len(writer.acknowledged) == 12
    stored = hashes(settings.MEDIA_ROOT)
    with another_place(tmp_path / "place", monkeypatch) as place:
        done = restoring.restore(file)
        assert done.verdict.faults == []
        assert hashes(place / "media") == stored
        kept = {str(pk) for pk in Submission.objects.values_list("pk", flat=True)}
        assert set(before) <= kept <= set(writer.acknowledged)
        assert Rating.objects.count() == 2 * len(kept)
        assert AuditRecord.objects.last().action == "server.restore"
        assert verifying.verify(since=manifest["head"]).faults == []
    assert during <= 12


def small(tmp_path: Path) -> Path:
    scenario.make_cases(1, 1)
    file = tmp_path / "small.tar.zst"
    call_command("backup", str(file), stdout=io.StringIO())
    return file


def test_damage_of_any_kind_is_refused_and_nothing_is_left(tmp_path, monkeypatch):
    file = small(tmp_path)
    whole = file.read_bytes()
    damaged = [whole[: len(whole) // 2], whole[:-1], whole + b"x", b""]
    for part in range(1, 20):
        at = part * len(whole) // 20
        damaged.append(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with another_place(tmp_path / "place", monkeypatch) as place:
        for number, content in enumerate(damaged):
            bad = tmp_path / f"bad-{number}.zst"
            bad.write_bytes(content)
            with pytest.raises((archive.DamagedArchive, Conflict)):
                restoring.restore(bad)
            assert hashes(place) == {}
        restoring.restore(file)


def test_a_place_with_data_is_not_overwritten(tmp_path, settings):
    file = small(tmp_path)
    with pytest.raises(CommandError, match="There are data in this place"):
        call_command("restore", str(file))
    assert AuditRecord.objects.last().action == "server.backup"
    with pytest.raises(CommandError, match="is there already"):
        call_command("backup", str(file))


def test_force_keeps_the_former_database_beside(tmp_path, monkeypatch):
    file = small(tmp_path)
    with another_place(tmp_path / "place", monkeypatch) as place:
        restoring.restore(file)
        scenario.person("later")
        done = restoring.restore(file, force=True)
        assert done.kept is not None
        assert done.kept.parent == place
        assert done.verdict.is_whole
        assert not AuditRecord.objects.filter(actor__username="later").exists()
        databases.check_sqlite(done.kept)


def test_a_newer_backup_is_refused_in_words(tmp_path, monkeypatch):
    applied = databases.applied
    newer = [*applied(), ["reading", "9999_from_the_future"]]
    monkeypatch.setattr(databases, "applied", lambda: newer)
    file = small(tmp_path)
    with (
        another_place(tmp_path / "place", monkeypatch) as place,
        pytest.raises(Conflict, match=r"newer version .* 9999_from_the_future"),
    ):
        restoring.restore(file)
    assert hashes(place) == {}


def test_a_wrong_hash_in_the_list_of_contents_is_found(tmp_path):
    folder = tmp_path / "object"
    folder.write_bytes(b"content")
    file = tmp_path / "made.tar.zst"
    with archive.writing(file) as writer:
        writer.add("media/one", folder)
        writer.members["media/one"]["sha256"] = "0" * 64
        writer.finish({})
    with pytest.raises(archive.DamagedArchive, match="media/one is not as it was stored"):
        archive.read(file)


def test_a_member_that_leaves_the_folder_is_refused(tmp_path):
    content = tmp_path / "content"
    content.write_bytes(b"x")
    file = tmp_path / "made.tar.zst"
    with archive.writing(file) as writer:
        writer.add("../outside", content)
        writer.finish({})
    with pytest.raises(archive.DamagedArchive, match="does not belong"):
        archive.read(file)


def test_an_older_backup_is_migrated_forward(tmp_path, monkeypatch):
    with another_place(tmp_path / "older", monkeypatch):
        call_command("migrate", verbosity=0)
        former = sorted(name for app, name in databases.applied() if app == "adjudication")[-2]
        call_command("migrate", "adjudication", former, verbosity=0)
        scenario.person("someone")
        file = tmp_path / "older.tar.zst"
        manifest = making.make(file)
    with another_place(tmp_path / "place", monkeypatch):
        done = restoring.restore(file)
        assert len(databases.applied()) > len(manifest["migrations"])
        assert done.verdict.faults == []
