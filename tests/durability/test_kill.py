"""Kill the web server between and during submissions: no acknowledged answer may be missing.

The client keeps a ledger of what the server acknowledged. `make soak` runs the full dose.
"""

from __future__ import annotations

import os
import random
import threading
import time
import uuid

import pytest
import requests

from tests.durability.server import Server, environment, python, stored
from tests.scenario import PASSWORD, body

KILLS = int(os.environ.get("READERSTUDY_KILLS", "6"))
CASES = int(os.environ.get("READERSTUDY_CASES", "60"))  # of each class
PREPARE = """
import django; django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from tests import scenario
made = scenario.running(CASES, CASES)
print(" ".join(made.enrolment(i).token for i in range(2)))
"""


class Reader(threading.Thread):
    """Reads case after case, sends each answer until it is acknowledged, some of them twice."""

    def __init__(self, port: int, enrolment: str, name: str, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.base = f"http://127.0.0.1:{port}"
        self.enrolment, self.username, self.stop = enrolment, name, stop
        self.rng = random.Random(name)
        self.session = requests.Session()
        self.ledger: dict[str, tuple[str, str]] = {}
        self.wrong: list[str] = []
        self.failures = 0

    def call(self, method: str, path: str, **options):
        while not self.stop.is_set():
            try:
                token = self.session.cookies.get("csrftoken", "")
                headers = {"X-CSRFToken": token, "Referer": self.base}
                answer = self.session.request(
                    method, self.base + path, headers=headers, timeout=10, **options
                )
            except requests.RequestException:
                self.failures += 1
                time.sleep(0.05)
                continue
            if answer.status_code < 500:
                return answer
            time.sleep(0.05)
        return None

    def run(self) -> None:
        self.call("GET", "/sign-in/")
        details = {"username": self.username, "password": PASSWORD}
        self.call("POST", "/api/session", json={**details, "enrolment": self.enrolment})
        path = f"/api/read/{self.enrolment}"
        state = self.call("GET", f"{path}/state")
        state = state.json() if state is not None else {"reading": None}
        while state["reading"] and not self.stop.is_set():
            said = self.rng.choice(["real", "synthetic"])
            key = str(uuid.uuid4())
            url = f"{path}/readings/{state['reading']['token']}/answers"
            answer = None
            for _ in range(2 if self.rng.random() < 0.1 else 1):
                answer = self.call("POST", url, json={"key": key, **body(said)})
            if answer is None:
                return
            if answer.status_code not in {200, 201}:
                self.wrong.append(answer.text)
                return
            self.ledger[key] = (answer.json()["receipt"]["id"], said)
            state = answer.json()["state"]


@pytest.mark.slow
def test_no_acknowledged_answer_is_lost_or_doubled(tmp_path):
    told = environment(tmp_path)
    tokens = python(PREPARE.replace("CASES", str(CASES)), told).split()
    server, stop, rng = Server(told), threading.Event(), random.Random(0)
    server.start()
    server.wait()
    readers = [
        Reader(server.port, token, f"reader{number}", stop)
        for number, token in enumerate(tokens, start=1)
    ]
    for reader in readers:
        reader.start()
    try:
        for number in range(1, KILLS + 1):
            server.wait()
            time.sleep(rng.uniform(0.02, 0.4))  # far less than all reading takes
            assert any(reader.is_alive() for reader in readers), f"all is read at kill {number}"
            server.kill()
            server.start()
        for reader in readers:
            reader.join(60 + 2 * CASES)
    finally:
        stop.set()
        server.kill()
    assert [reader.wrong for reader in readers] == [[], []]
    kept = stored(told)
    acknowledged = {key: said for r in readers for key, (_, said) in r.ledger.items()}
    assert len(acknowledged) == 4 * CASES
    assert min(reader.failures for reader in readers) >= KILLS // 2, "the kills were felt"
    assert {k: kept["accepted"].get(k, {}).get("origin") for k in acknowledged} == acknowledged
    assert {i for r in readers for i, _ in r.ledger.values()} <= set(kept["ids"])
    assert len(kept["readings"]) == len(set(kept["readings"])) == 4 * CASES
    assert kept["broken"] == []
