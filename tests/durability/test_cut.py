"""Cut answers of the server off in their middle: none is lost, none is stored twice.

The client follows the page's protocol without a browser: a draft, the answer under a key made
once, sent again until its receipt is whole. `make soak` runs the full dose.
"""

from __future__ import annotations

import os
import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests import two_steps
from tests.durability.cutting import CuttingProxy
from tests.durability.server import Server, environment, python, stored
from tests.scenario import PASSWORD

CUTS = int(os.environ.get("READERSTUDY_CUTS", "20"))
CASES = max(2, CUTS // 8)  # of each class
SHARE = 0.4
TWICE, TAKEN_BACK = 0.15, 0.1


@dataclass
class Page(threading.Thread):
    """One reader's page: what it queued, and which receipt each key was given."""

    port: int
    enrolment: str
    username: str
    receipts: dict[str, str] = field(default_factory=dict)
    sent: dict[str, dict[str, Any]] = field(default_factory=dict)
    corrected: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    failures: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.base = f"http://127.0.0.1:{self.port}"
        self.rng = random.Random(self.username)
        self.http = requests.Session()

    def __hash__(self) -> int:
        return id(self)

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """Send until a whole answer comes back, as the page does."""
        told = "nothing was asked"
        for _ in range(200):
            token = self.http.cookies.get("csrftoken", "")
            headers = {"X-CSRFToken": token, "Referer": self.base}
            try:
                answer = self.http.request(
                    method, self.base + path, headers=headers, timeout=20, **options
                )
            except requests.RequestException as error:
                self.failures += 1
                told = repr(error)
                continue
            if answer.status_code < 500:
                return answer
            told = f"{answer.status_code} {answer.text[:300]}"
            time.sleep(0.05)
        raise AssertionError(f"the server never answered {method} {path}: {told}")

    def run(self) -> None:
        try:
            self.read_all()
        except Exception as error:  # noqa: BLE001 told to the test, which fails with it
            self.wrong.append(repr(error))

    def read_all(self) -> None:
        self.call("GET", "/sign-in/")
        details = {"username": self.username, "password": PASSWORD, "enrolment": self.enrolment}
        assert self.call("POST", "/api/session", json=details).status_code == 204
        self.path = f"/api/read/{self.enrolment}"
        state = self.call("GET", f"{self.path}/state").json()
        while state["reading"] and not self.wrong:
            state = self.read(state)

    def read(self, state: dict[str, Any]) -> dict[str, Any]:
        reading = state["reading"]
        slot = state["forms"][reading["form"]]["layout"]["slots"][0]
        given = two_steps.answers(self.rng, slot["origin_mm"])
        half = dict(list(given.items())[:2])
        draft = {"answers": half, "viewer": {}}
        put = self.call("PUT", f"{self.path}/readings/{reading['token']}/draft", json=draft)
        assert put.status_code == 204
        shown = self.call("GET", f"{self.path}/state").json()["reading"]
        assert (shown["token"], shown["draft"]) == (reading["token"], draft)
        state = self.submit(reading["token"], given)
        undo = state["undo"]
        if undo and undo["token"] == reading["token"] and self.rng.random() < TAKEN_BACK:
            state = self.correct(reading["token"], slot)
        return state

    def submit(self, token: str, given: dict[str, Any]) -> dict[str, Any]:
        key = str(uuid.uuid4())
        body = {"key": key, "answers": given, "clock": {"look_ms": 9000}, "viewer": {}}
        url = f"{self.path}/readings/{token}/answers"
        answer = self.call("POST", url, json=body)
        assert answer.status_code in {200, 201}, answer.text
        receipt = answer.json()["receipt"]["id"]
        self.sent[key], self.receipts[key] = given, receipt
        if self.rng.random() < TWICE:
            again = self.call("POST", url, json=body)
            assert (again.status_code, again.json()["receipt"]["id"]) == (200, receipt)
            other = self.call("POST", url, json={**body, "answers": {**given, "sure": 7.5}})
            assert other.json()["error"]["code"] == "key_reused", other.text
        return answer.json()["state"]

    def correct(self, token: str, slot: dict[str, Any]) -> dict[str, Any]:
        """Take the answer back; a cut may hide that it worked, so the state decides."""
        self.call("POST", f"{self.path}/readings/{token}/undo", json={})
        state = self.call("GET", f"{self.path}/state").json()
        assert state["reading"]["token"] == token
        self.corrected.add(token)
        return self.submit(token, two_steps.answers(self.rng, slot["origin_mm"]))


@pytest.mark.slow
def test_no_answer_is_lost_or_doubled_by_cuts_in_the_middle_of_replies(tmp_path):
    told = environment(tmp_path)
    tokens = python(f"from tests import two_steps; two_steps.main({CASES})", told).split()
    server = Server(told)
    server.start()
    server.wait()
    proxy = CuttingProxy(server.port, cuts=CUTS, share=SHARE, seed=5)
    proxy.start()
    pages = [Page(proxy.port, token, f"reader{n}") for n, token in enumerate(tokens, start=1)]
    try:
        for page in pages:
            page.start()
        for page in pages:
            page.join(120 + 20 * CASES)
    finally:
        proxy.stop()
        server.kill()
    assert [page.wrong for page in pages] == [[], []]
    assert proxy.done == CUTS
    assert sum(page.failures for page in pages) >= CUTS // 2, "the cuts were felt"

    kept = stored(told)
    sent = {key: given for page in pages for key, given in page.sent.items()}
    receipts = {receipt for page in pages for receipt in page.receipts.values()}
    assert kept["accepted"] == sent, "each answer that has a receipt, and no other"
    assert receipts == set(kept["ids"])
    assert kept["outcomes"] == ["accepted"]
    assert len(kept["standing"]) == len(set(kept["standing"])) == kept["planned"] == 8 * CASES
    assert len(sent) == 8 * CASES + sum(len(page.corrected) for page in pages)
    assert kept["ratings"] == {key: len(given) for key, given in sent.items()}
    assert kept["broken"] == []
