"""The upload's programming interface: parts, resuming, limits, and what it refuses in words."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from readerstudy.intake import folders
from readerstudy.intake.models import Import, UploadedFile
from tests.factories import CoordinatorFactory, ReaderFactory

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}
PART = 4 * 2**20


@pytest.fixture
def person():
    return CoordinatorFactory()


@pytest.fixture
def client(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def upload(client) -> dict[str, Any]:
    answer = client.post(reverse("api-imports"), {}, **JSON)
    assert answer.status_code == 201
    return answer.json()


def announce(client: Client, upload: dict[str, Any], *files: dict[str, Any]) -> Any:
    body = [{"modified": 1, **one} for one in files]
    return client.post(upload["files_url"], json.dumps({"files": body}), **JSON)


def token_of(client: Client, upload: dict[str, Any], path: str, size: int) -> str:
    return announce(client, upload, {"path": path, "size": size}).json()["files"][0]["token"]


def send(client, upload, token: str, content: bytes, offset: int = 0, **headers: str) -> Any:
    address = reverse("api-import-file", args=[upload["id"], token])
    headers = {"Upload-Offset": str(offset), **headers}
    kind = "application/octet-stream"
    return client.put(address, content, content_type=kind, headers=headers)


def part_of(upload: dict[str, Any], token: str) -> Path:
    return folders.place_of(Import(pk=upload["id"])).parts / token


def test_a_file_comes_in_parts_and_is_what_was_sent(client, upload):
    content = bytes(range(256)) * 40
    token = token_of(client, upload, "case-1/t1.nii", len(content))
    assert send(client, upload, token, content[:6000]).json() == {"received": 6000}
    assert not UploadedFile.objects.get().received, "only a whole file is noted"
    digest = hashlib.sha256(content[6000:]).hexdigest()
    answer = send(client, upload, token, content[6000:], 6000, **{"Part-SHA256": digest})
    assert answer.json() == {"received": len(content)}
    assert part_of(upload, token).read_bytes() == content
    assert UploadedFile.objects.get().received == len(content)


def test_a_part_that_does_not_fit_is_told_where_to_go_on(client, upload):
    token = token_of(client, upload, "t1.nii", 10)
    send(client, upload, token, b"12345")
    answer = send(client, upload, token, b"12345", 0)
    assert answer.status_code == 409
    assert answer.json()["error"]["received"] == 5
    assert answer.json()["error"]["code"] == "offset"
    assert part_of(upload, token).read_bytes() == b"12345"
    address = reverse("api-import-file", args=[upload["id"], token])
    assert client.get(address).json() == {"received": 5, "size": 10}


def test_a_damaged_part_is_not_stored(client, upload):
    token = token_of(client, upload, "t1.nii", 5)
    digest = hashlib.sha256(b"12345").hexdigest()
    answer = send(client, upload, token, b"12x45", **{"Part-SHA256": digest})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "damaged")
    assert not part_of(upload, token).exists() or not part_of(upload, token).read_bytes()


def test_more_than_was_announced_is_refused(client, upload):
    token = token_of(client, upload, "t1.nii", 5)
    answer = send(client, upload, token, b"123456")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_long")


def test_a_part_larger_than_parts_are_is_refused(client, upload):
    token = token_of(client, upload, "t1.nii", 2 * PART)
    answer = send(client, upload, token, bytes(PART + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_much")
    assert send(client, upload, token, bytes(PART)).status_code == 200


@pytest.mark.parametrize("offset", ["", "x", "-1", "1e3", "²"])
def test_an_offset_that_is_no_number_is_refused(client, upload, offset):
    token = token_of(client, upload, "t1.nii", 5)
    answer = send(client, upload, token, b"12345", **{"Upload-Offset": offset})
    assert answer.status_code == 400
    assert "Upload-Offset" in answer.json()["error"]["message"]


def test_announcing_again_goes_on_and_a_changed_file_begins_anew(client, upload):
    token = token_of(client, upload, "t1.nii", 10)
    send(client, upload, token, b"12345")
    (again,) = announce(client, upload, {"path": "t1.nii", "size": 10}).json()["files"]
    assert (again["token"], again["received"]) == (token, 5)
    answer = announce(client, upload, {"path": "t1.nii", "size": 10, "modified": 2})
    (changed,) = answer.json()["files"]
    assert (changed["token"] != token, changed["received"]) == (True, 0)
    assert not part_of(upload, token).exists()
    assert UploadedFile.objects.count() == 1


def test_what_has_come_is_listed_for_a_page_that_was_loaded_again(client, upload):
    token = token_of(client, upload, "a/t1.nii", 10)
    send(client, upload, token, b"12345")
    answer = client.get(reverse("api-import", args=[upload["id"]]))
    assert answer.json()["files"] == [
        {"path": "a/t1.nii", "size": 10, "modified": 1, "token": token, "received": 5}
    ]
    assert answer["Cache-Control"] == "private, no-store"


HOSTILE = {
    "../../etc/cron.d/x": "leads out of the upload",
    "..\\..\\windows\\x": "leads out of the upload",
    "a/../../b": "leads out of the upload",
    "/etc/passwd": "root of a disk",
    "\\\\server\\share": "root of a disk",
    "C:\\t1.nii": "root of a disk",
    "a\x00.nii": "no file name may have",
    "a\nb.nii": "no file name may have",
    "\ud800.nii": "no file name may have",
    "": "has no name",
    "x" * 256: "too long",
    "/".join(["d"] * 30): "folders deep",
    "....//....//x": None,  # odd, but it stays below the upload
    "a b/ü é 漢.nii.gz": None,
}


@pytest.mark.parametrize("path", HOSTILE)
def test_a_name_leads_nowhere_but_below_the_upload(client, upload, path):
    answer = announce(client, upload, {"path": path, "size": 3}, {"path": "good", "size": 3})
    one, good = answer.json()["files"]
    assert good["token"]
    if (words := HOSTILE[path]) is not None:
        assert words in one["error"]
        assert "token" not in one
    else:
        send(client, upload, one["token"], b"123")
        names = [line["path"] for line in folders.read_lines(
            folders.place_of(Import(pk=upload["id"])).names)]  # fmt: skip
        root = Path("/upload")
        assert (root / names[0]).resolve().is_relative_to(root)


def test_a_file_cannot_stand_where_another_needs_a_folder(client, upload):
    answer = announce(client, upload, {"path": "a", "size": 1}, {"path": "a/b", "size": 1})
    assert "same name" in answer.json()["files"][1]["error"]
    answer = announce(client, upload, {"path": "c/d", "size": 1}, {"path": "c", "size": 1})
    assert "same name" in answer.json()["files"][1]["error"]
    answer = announce(client, upload, {"path": "e", "size": 1}, {"path": "e", "size": 1})
    assert "Another file of this upload has the same name" in answer.json()["files"][1]["error"]


@pytest.mark.parametrize("size", [-1, "5", None, 1.5])
def test_a_file_without_a_size_is_refused(client, upload, size):
    (one,) = announce(client, upload, {"path": "t1.nii", "size": size}).json()["files"]
    assert one["error"] == "The size of the file is not stated."


def test_too_large_a_file_is_refused_alone(client, upload, settings):
    settings.INTAKE_MAX_FILE_BYTES = 1000
    answer = announce(client, upload, {"path": "big", "size": 1001}, {"path": "ok", "size": 1000})
    big, ok = answer.json()["files"]
    assert big["error"] == "The file has 1001 bytes; at most 1000 bytes are taken."
    assert ok["token"]


def test_too_many_files_are_one_clear_line(client, upload, settings):
    settings.INTAKE_MAX_FILES = 2
    files = [{"path": f"f{number}", "size": 1} for number in range(3)]
    answer = announce(client, upload, *files)
    assert answer.status_code == 413
    assert "at most 2 files" in answer.json()["error"]["message"]
    assert UploadedFile.objects.count() == 0


def test_ten_thousand_files_are_taken_in_ten_calls(client, upload):
    for start in range(0, 10_000, 1000):
        files = [{"path": f"c/{start + number}.dcm", "size": 9} for number in range(1000)]
        assert announce(client, upload, *files).status_code == 200
    assert UploadedFile.objects.count() == 10_000
    files = [{"path": f"d/{number}.dcm", "size": 9} for number in range(1001)]
    assert announce(client, upload, *files).status_code == 400


def test_too_many_bytes_are_refused_before_they_are_sent(client, upload, settings):
    settings.INTAKE_MAX_TOTAL_BYTES = 1000
    assert announce(client, upload, {"path": "a", "size": 600}).status_code == 200
    answer = announce(client, upload, {"path": "b", "size": 600})
    assert answer.status_code == 413
    assert "1000 bytes" in answer.json()["error"]["message"]


def test_the_disk_keeps_its_floor(client, upload, settings, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, 10_000))
    settings.INTAKE_FREE_BYTES = 9_000
    assert announce(client, upload, {"path": "a", "size": 900}).status_code == 200
    answer = announce(client, upload, {"path": "b", "size": 200})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "disk_full")
    assert "has room for 1000 bytes more" in answer.json()["error"]["message"]


def test_a_person_has_few_unfinished_uploads(client, settings):
    settings.INTAKE_OPEN_UPLOADS = 2
    for _ in range(2):
        assert client.post(reverse("api-imports"), {}, **JSON).status_code == 201
    answer = client.post(reverse("api-imports"), {}, **JSON)
    assert answer.status_code == 413
    assert "Finish or cancel" in answer.json()["error"]["message"]
    mine = Import.objects.first()
    assert client.delete(reverse("api-import", args=[mine.pk])).status_code == 204
    assert client.post(reverse("api-imports"), {}, **JSON).status_code == 201


def test_a_cancelled_upload_leaves_nothing(client, upload):
    token = token_of(client, upload, "Planted_Name/t1.nii", 3)
    send(client, upload, token, b"123")
    client.delete(reverse("api-import", args=[upload["id"]]))
    assert not folders.place_of(Import(pk=upload["id"])).root.exists()
    assert UploadedFile.objects.count() == 0
    assert Import.objects.get().state == Import.State.CANCELLED
    assert send(client, upload, token, b"123").status_code == 404


def test_a_file_can_be_left_out(client, upload):
    token = token_of(client, upload, "t1.nii", 3)
    send(client, upload, token, b"123")
    address = reverse("api-import-file", args=[upload["id"], token])
    assert client.delete(address).status_code == 204
    assert client.get(address).status_code == 404
    assert not part_of(upload, token).exists()


def test_only_who_began_an_upload_may_add_to_it(client, upload):
    token = token_of(client, upload, "t1.nii", 3)
    for user, status in ((CoordinatorFactory(), 404), (ReaderFactory(), 403)):
        other = Client()
        other.force_login(user)
        assert announce(other, upload, {"path": "x", "size": 1}).status_code == status
        assert send(other, upload, token, b"123").status_code == status
        assert other.get(reverse("api-import", args=[upload["id"]])).status_code == status
    assert announce(Client(), upload, {"path": "x", "size": 1}).status_code == 401


def test_an_upload_without_the_protection_code_is_refused(person, upload):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person)
    assert announce(strict, upload, {"path": "x", "size": 1}).status_code == 403


@pytest.mark.parametrize("body", ["{}", "[]", '{"files": 5}', '{"files": ["x"]}', "no json"])
def test_what_is_no_list_of_files_is_refused_in_words(client, upload, body):
    answer = client.post(upload["files_url"], body, **JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_names_are_in_the_folder_of_the_upload_alone(client, upload):
    token_of(client, upload, "Planted_Marta_19580101/t1.nii", 3)
    place = folders.place_of(Import(pk=upload["id"]))
    assert "Planted_Marta" in place.names.read_text()
    assert place.root.stat().st_mode & 0o077 == 0
    assert all("Planted" not in str(row) for row in UploadedFile.objects.values())
