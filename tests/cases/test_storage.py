"""Objects appear whole or not at all, and keep the content that their name states."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from readerstudy.cases import storage
from readerstudy.core import processes
from readerstudy.core.models import AuditRecord

pytestmark = pytest.mark.django_db  # for a media folder of its own


def objects() -> Path:
    return Path(settings.MEDIA_ROOT) / "objects"


def leftover(mark: str) -> Path:
    path = objects() / "ab" / f"{storage.TEMPORARY}{mark}-x7f3"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"half")
    return path


def test_an_object_is_named_by_its_content_and_stored_once():
    name = storage.put(b"pixels")
    assert name == hashlib.sha256(b"pixels").hexdigest()
    assert storage.put(b"pixels") == name
    assert storage.read(name) == b"pixels"
    assert [p.name for p in objects().glob("*/*")] == [name]


def test_a_changed_object_is_refused():
    name = storage.put(b"pixels")
    path = storage.path_of(name)
    path.chmod(0o600)
    path.write_bytes(b"others")
    with pytest.raises(storage.DamagedObject, match="Restore it from a backup"):
        storage.read(name)


def test_an_object_is_compared_with_its_name_each_time_it_is_opened_for_sending(caplog):
    name = storage.put(b"pixels")
    for _ in range(2):
        with storage.open_verified(name) as file:
            assert file.read() == b"pixels"
    before = storage.path_of(name).stat()
    flip_one_bit(name)
    after = storage.path_of(name).stat()
    assert (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
    for _ in range(2):
        with pytest.raises(storage.DamagedObject) as error:
            storage.open_verified(name)
        assert name[:6] not in error.value.message
        assert (error.value.status, error.value.code) == (500, "damaged")
    records = AuditRecord.objects.filter(action="storage.damage")
    assert [(r.target, r.new) for r in records] == [(f"object {name}", {"what": "changed"})]
    assert caplog.text.count(name) == 2


def test_a_lost_object_is_reported_like_a_damaged_one():
    name = storage.put(b"pixels")
    storage.path_of(name).unlink()
    with pytest.raises(storage.DamagedObject, match="tell the coordinator"):
        storage.open_verified(name)
    assert AuditRecord.objects.get(action="storage.damage").new == {"what": "gone"}


def flip_one_bit(name: str) -> None:
    """Change one bit as a failing disk does: no date and no size tells."""
    path = storage.path_of(name)
    content = bytearray(path.read_bytes())
    content[3] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    os.utime(path, storage.EPOCH)


def test_what_a_killed_process_left_is_removed_and_nothing_else():
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    machine, mine = processes.mark().split("-")
    of_dead = leftover(f"{machine}-{dead.pid}")
    kept = [leftover(f"{machine}-{mine}"), leftover(f"00000000-{dead.pid}"), leftover("odd")]
    name = storage.put(b"pixels")
    assert storage.remove_leftovers() == 1
    assert not of_dead.exists()
    assert all(path.exists() for path in kept)
    assert storage.read(name) == b"pixels"


def test_a_process_that_only_waits_to_be_buried_is_dead():
    child = subprocess.Popen([sys.executable, "-c", ""])
    for _ in range(500):
        if not processes.lives(child.pid):
            break
        time.sleep(0.01)
    assert not processes.lives(child.pid), "a zombie counts as dead before it is waited for"
    child.wait()
