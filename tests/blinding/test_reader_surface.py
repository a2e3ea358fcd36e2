"""The contract of the blind: nothing that reaches a reader's browser goes with the classes.

A reader signs in, walks every address they can reach and reads the whole study. The classes
differ strongly in what compression sees (the synthetic brains are smaller), so that a leak of
length, header or order would show.
"""

from __future__ import annotations

import gzip
import json
import uuid
from collections import defaultdict

import numpy as np
import pytest
import zstandard
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from readerstudy.cases import storage
from readerstudy.cases.models import Case
from readerstudy.reading.models import EncodedSeries, Reading, ReadingImage
from readerstudy.truth.models import Origin
from tests import scenario

pytestmark = pytest.mark.django_db
ENCODINGS = ("zstd", "gzip")


@pytest.fixture
def made():
    return scenario.running(4, 4, small=True)


@pytest.fixture
def client(made):
    browser = Client()
    assert browser.login(username="reader1", password=scenario.PASSWORD)
    return browser


def kinds() -> dict[str, str]:
    return {o.case.code: o.kind for o in Origin.objects.select_related("case")}


def fetch(client: Client, token: str, index: int, encoding: str):
    response = client.get(f"/i/{token}/{index}", headers={"accept-encoding": encoding})
    assert response.status_code == 200
    return response, b"".join(response.streaming_content)


def decode(content: bytes, encoding: str) -> np.ndarray:
    if encoding == "gzip":
        raw = gzip.decompress(content)
    else:
        raw = zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True).read()
    return np.frombuffer(raw, dtype="<i2")


def walk(client: Client, made) -> list[dict]:
    """Read the whole study through the interface and note all that came for each case."""
    path = f"/api/read/{made.enrolment().token}"
    seen = []
    state = client.get(f"{path}/state").json()
    while state["reading"]:
        shown = state["reading"]
        reading = Reading.objects.get(token=shown["token"])
        note = {"code": reading.case.code, "shown": shown, "chunks": {}}
        note["upcoming"] = state["upcoming"]
        for encoding in ENCODINGS:
            for index in range(len(state["forms"][0]["layout"]["slots"][0]["chunks"])):
                token = shown["images"]["t1c"]
                note["chunks"][encoding, index] = fetch(client, token, index, encoding)
        seen.append(note)
        answer = {"key": str(uuid.uuid4()), **scenario.body("real")}
        url = f"{path}/readings/{shown['token']}/answers"
        posted = client.post(url, json.dumps(answer), content_type="application/json")
        assert posted.status_code == 201
        note["receipt"] = posted.json()["receipt"]
        state = posted.json()["state"]
    return seen


def test_every_image_comes_with_the_same_headers_length_type_and_range(client, made):
    seen = walk(client, made)
    assert len(seen) == 8
    assert set(kinds().values()) == {"real", "synthetic"}
    for encoding in ENCODINGS:
        for index in range(len(made.study.display_form.slots[0]["chunks"])):
            answers = [note["chunks"][encoding, index] for note in seen]
            headers = {json.dumps(sorted(r.headers.items())) for r, _ in answers}
            assert len(headers) == 1, f"headers differ between cases: {headers}"
            assert len({len(content) for _, content in answers}) == 1
            arrays = [decode(content, encoding) for _, content in answers]
            assert len({array.size for array in arrays}) == 1
            assert all(array.min() >= 0 and array.max() <= 4095 for array in arrays)


def test_image_headers_hold_no_name_date_or_tag(client, made):
    token = ReadingImage.objects.get(reading=scenario.offer(made.enrolment()), role="t1c").token
    response, _ = fetch(client, token, 0, "zstd")
    for name in ("Content-Disposition", "ETag", "Last-Modified", "Expires"):
        assert name not in response.headers
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Type"] == "application/octet-stream"


def test_without_padding_the_length_would_tell(made):
    """The classes do differ before padding: the equal lengths above are earned, not luck."""
    lengths = defaultdict(list)
    for encoded in EncodedSeries.objects.select_related("case"):
        pixels = b"".join(
            decode(storage.read(name), "zstd").tobytes()
            for name in encoded.objects_by_encoding["zstd"]
        )
        lengths[kinds()[encoded.case.code]].append(len(zstandard.compress(pixels)))
    assert max(lengths["synthetic"]) < min(lengths["real"])


def test_the_background_is_zero_and_of_the_same_shape_rule_for_all(made):
    for encoded in EncodedSeries.objects.all():
        pixels = np.concatenate(
            [decode(storage.read(n), "zstd") for n in encoded.objects_by_encoding["zstd"]]
        )
        assert (pixels == 0).any()
        assert pixels[pixels > 0].min() >= 1


def test_what_is_told_of_a_case_has_the_same_form_for_all_and_no_name(client, made):
    seen = walk(client, made)
    forms = {json.dumps(_form(note["shown"])) for note in seen}
    assert forms == {json.dumps(_form(seen[0]["shown"]))}
    assert set(seen[0]["shown"]) == {
        *("token", "form", "period", "position", "number", "stage", "stages", "training"),
        *("images", "draft", "sealed"),
    }
    assert set(seen[0]["receipt"]) == {
        *("id", "received_at", "position", "late", "reason", "feedback")
    }
    assert [note["shown"]["position"] for note in seen] == list(range(1, 9))


def _form(value):
    """The shape of a JSON value: keys, types and lengths of texts."""
    if isinstance(value, dict):
        return {key: _form(one) for key, one in sorted(value.items())}
    if isinstance(value, list):
        return [_form(one) for one in value]
    return f"text of {len(value)}" if isinstance(value, str) else type(value).__name__


def test_no_page_or_answer_names_a_case_subject_generator_or_the_study(client, made):
    secrets = {made.study.name, "toy", str(made.study.pk), made.study.protocol_hash}
    for case in Case.objects.select_related("subject"):
        secrets |= {f'"{case.code}"', case.subject.code, str(case.pk)}
        secrets |= {series.sha256 for series in case.series.all()}
    token = made.enrolment().token
    for path in ("/", f"/read/{token}/", f"/api/read/{token}/state"):
        response = client.get(path)
        assert response.status_code == 200
        text = response.content.decode() + str(response.headers)
        assert [secret for secret in secrets if secret in text] == []
    for note in walk(client, made):
        text = json.dumps([note["shown"], note["upcoming"], note["receipt"]])
        assert [secret for secret in secrets if secret in text] == []


def test_the_same_case_has_another_address_for_each_reader(made):
    tokens = ReadingImage.objects.values_list("token", flat=True)
    assert len(set(tokens)) == len(tokens) == 16


def test_only_the_present_and_the_next_two_images_can_be_fetched(client, made):
    walked = made.enrolment()
    state = client.get(f"/api/read/{walked.token}/state").json()
    shown = [state["reading"], *state["upcoming"]]
    told = {"token", "form", "period", "position", "number"}
    told |= {"stage", "stages", "training", "images"}
    assert [set(one) for one in state["upcoming"]] == 2 * [told]
    allowed = {one["images"]["t1c"] for one in shown}
    for image in ReadingImage.objects.filter(reading__enrolment=walked):
        response = client.get(f"/i/{image.token}/0")
        if response.status_code == 200:
            b"".join(response.streaming_content)
        assert response.status_code == (200 if image.token in allowed else 404)


def test_images_of_another_reader_and_of_nobody_are_refused_alike(client, made):
    other = scenario.offer(made.enrolment(1)).images.get().token
    answers = [client.get(f"/i/{token}/0") for token in (other, "x" * 22)]
    assert [a.status_code for a in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_after_answering_an_image_is_closed_again(client, made):
    seen = walk(client, made)
    assert client.get(f"/i/{seen[0]['shown']['images']['t1c']}/0").status_code == 404


def test_stored_objects_carry_one_date(made):
    dates = {
        storage.path_of(name).stat().st_mtime
        for encoded in EncodedSeries.objects.all()
        for names in encoded.objects_by_encoding.values()
        for name in names
    }
    assert dates == {0.0}


def test_no_staff_address_opens_for_a_reader(client, made):
    for path in _staff_paths(made):
        status = client.get(path).status_code
        assert status in {302, 403, 404, 405}, f"{path} answered {status} to a reader"


def _staff_paths(made) -> list[str]:
    """Every staff address of the resolver, filled with what exists."""
    values = {
        "uuid:pk": str(made.study.pk),
        "uuid:other": str(made.study.cases.first().pk),
        "uuid:series": str(made.study.cases.first().series.first().pk),
        "str:name": "reads_long.csv",
        "str:code": "R1",
        "str:form": "csv",
        "slug:code": "origin",
        "slug:entry": "turing_accuracy",
        "slug:kind": "made",
        "slug:measure": "memorisation",
        "slug:option": "real",
        "slug:preset": "flow-matching",
        "slug:role": "t1c",
        "slug:which": "before",
        "int:number": "1",
        "int:step": "1",
        "int:index": "0",
        "int:place": "0",
        "str:token": "x" * 22,
    }
    found = []
    for route in _routes(get_resolver()):
        if route.startswith("staff/"):
            path = route
            for key, value in values.items():
                path = path.replace(f"<{key}>", value)
            assert "<" not in path, f"say in this test how to fill {route}"
            found.append(f"/{path}")
    assert len(found) > 15
    return found


def _routes(resolver: URLResolver, prefix: str = "") -> list[str]:
    found = []
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            found.append(route)
        else:
            found += _routes(entry, route)
    return found
