"""A simulated reader at work, through the same addresses as the page in the browser.

It fetches the state, looks at the images, saves half-filled forms, answers under keys of its own,
sends some answers twice, takes some back, pauses, and keeps a ledger of what the server
acknowledged. What the page is not told it takes from the crib of the dry run.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from readerstudy.reading.regions import box_of
from readerstudy.rehearsal.http_session import Answer, HttpSession
from readerstudy.rehearsal.virtual_readers import Shown, Slot, VirtualReader
from readerstudy.studies.answers import QuestionSpec

DRAFTS, TWICE, TAKEN_BACK = 0.1, 0.05, 0.03
PATIENCE = 5
OK, CREATED, NO_CONTENT, FOUND = 200, 201, 204, 302
DISPLAY_CHECK = "/check-display/"


class ReadingFailed(RuntimeError):
    """The server refused something that a reader may do; the message says what and why."""


@dataclass
class Entry:
    """One answer that the server acknowledged."""

    token: str
    key: str
    receipt: str
    answers: dict[str, Any]
    clock: dict[str, int]
    period: int
    position: int
    corrected: bool = False


@dataclass
class Ledger:
    """What one reader did and what was acknowledged."""

    reader: str
    entries: dict[str, Entry] = field(default_factory=dict)
    sent_twice: int = 0
    taken_back: int = 0
    drafts: int = 0
    pauses: int = 0
    images: int = 0
    requests: int = 0
    received_bytes: int = 0
    days_waited: int = 0
    stopped: str = ""


@dataclass
class SimulatedReader:
    """One reader's way through a study.

    Attributes
    ----------
    wait : callable
        Called when a washout stands before the next period; returns the days that passed.
    told : callable
        Called after each acknowledged answer.
    """

    virtual: VirtualReader
    session: HttpSession
    enrolment: str
    shown: Mapping[str, Shown]
    fetch_images: bool = False
    wait: Callable[[], int] | None = None
    told: Callable[[], None] = lambda: None
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.virtual.code)

    def read_all(self) -> Ledger:
        """Read until the server has nothing more to show; return what was acknowledged."""
        self._open_page()
        state = self._state()
        while True:
            while state["reading"] is not None:
                state = self._read(state)
            if state["waiting"] is None:
                break
            if state["waiting"]["reason"] != "washout" or self.wait is None:
                self.ledger.stopped = state["waiting"]["reason"]
                break
            self.ledger.days_waited += self.wait()
            state = self._state()
        self.ledger.requests = self.session.requests
        self.ledger.received_bytes = self.session.received_bytes
        self.session.close()
        return self.ledger

    def _open_page(self) -> None:
        """Fetch the empty page and with it the protection code of the session.

        The server may want the display checked first. That guards eyes on a screen; a simulated
        reader has neither, and the code comes with this answer too.
        """
        page = self.session.get(f"/read/{self.enrolment}/")
        if not (page.status == FOUND and DISPLAY_CHECK in page.location):
            self._expect(page, OK)

    def _read(self, state: dict[str, Any]) -> dict[str, Any]:
        """Read the case on the page; return the state that the server gives afterwards."""
        reading = state["reading"]
        token, number = reading["token"], len(self.ledger.entries)
        form = state["forms"][reading["form"]]
        self._look(reading, form)
        answers = self._answers(token, form)
        if self.virtual.chance("draft", number) < DRAFTS:
            self._put_draft(token, answers)
        state = self._submit(reading, answers, self.virtual.clock(number))
        if state["undo"] and self.virtual.chance("undo", number) < TAKEN_BACK:
            state = self._correct(reading, answers, number)
        self._rest(number)
        self.told()
        return state

    def _answers(self, token: str, form: dict[str, Any]) -> dict[str, Any]:
        shown = self.shown[token]
        specs = [spec_from(one, places=len(shown.sides)) for one in form["questions"]]
        slots = [slot_from(one) for one in form["layout"]["slots"]]
        return self.virtual.answers(specs, shown, slots)

    def _look(self, reading: dict[str, Any], form: dict[str, Any]) -> None:
        """Fetch the images of the case: all chunks, or of each series the first paint."""
        chunks = {slot["role"]: len(slot["chunks"]) for slot in form["layout"]["slots"]}
        for role, token in reading["images"].items():
            count = chunks.get(role, 0) if self.fetch_images else min(1, chunks.get(role, 0))
            for index in range(count):
                self._expect(self.session.get(f"/i/{token}/{index}"), OK)
                self.ledger.images += 1

    def _put_draft(self, token: str, answers: dict[str, Any]) -> None:
        half = dict(list(answers.items())[: max(1, len(answers) // 2)])
        path = f"{self._api()}/readings/{token}/draft"
        self._expect(self.session.send("PUT", path, {"answers": half, "viewer": {}}), NO_CONTENT)
        self.ledger.drafts += 1

    def _submit(
        self, reading: dict[str, Any], answers: dict[str, Any], clock: dict[str, int]
    ) -> dict[str, Any]:
        token, key = reading["token"], str(uuid.uuid4())
        body = {"key": key, "answers": answers, "clock": clock, "viewer": {}}
        path = f"{self._api()}/readings/{token}/answers"
        answer = self._patiently("POST", path, body)
        told = self._expect(answer, CREATED, OK).json()
        before = self.ledger.entries.get(token)
        self.ledger.entries[token] = Entry(
            token=token,
            key=key,
            receipt=told["receipt"]["id"],
            answers=answers,
            clock=clock,
            period=reading["period"],
            position=reading["position"],
            corrected=before is not None,
        )
        if self.virtual.chance("twice", token) < TWICE:
            self._send_again(path, body, told["receipt"]["id"])
        return dict(told["state"])

    def _send_again(self, path: str, body: dict[str, Any], receipt: str) -> None:
        """Send the same answer under the same key: the server must give the same receipt."""
        again = self._expect(self._patiently("POST", path, body), OK).json()
        if again["receipt"]["id"] != receipt:
            raise ReadingFailed("The same answer, sent twice, was given two receipts.")
        self.ledger.sent_twice += 1

    def _correct(
        self, reading: dict[str, Any], answers: dict[str, Any], number: int
    ) -> dict[str, Any]:
        """Take an answer back within the grace time, look again and confirm it."""
        path = f"{self._api()}/readings/{reading['token']}/undo"
        state = self._expect(self.session.send("POST", path, {}), OK).json()["state"]
        if (state["reading"] or {}).get("token") != reading["token"]:
            raise ReadingFailed("An answer was taken back, but its case was not shown again.")
        self.ledger.taken_back += 1
        return self._submit(reading, answers, self.virtual.clock(number))

    def _rest(self, number: int) -> None:
        if (number + 1) % self.virtual.stated.break_every == 0:
            for step in ("pause", "resume"):
                self._expect(self.session.send("POST", f"{self._api()}/{step}", {}), NO_CONTENT)
            self.ledger.pauses += 1

    def _state(self) -> dict[str, Any]:
        return dict(self._expect(self.session.get(f"{self._api()}/state"), OK).json())

    def _api(self) -> str:
        return f"/api/read/{self.enrolment}"

    def _patiently(self, method: str, path: str, body: dict[str, Any]) -> Answer:
        """Send until the server takes it: a fault of the server never costs an answer."""
        for attempt in range(PATIENCE):
            answer = self.session.send(method, path, body)
            if answer.status < 500:
                break
            time.sleep(0.2 * 2**attempt)
        return answer

    def _expect(self, answer: Answer, *wanted: int) -> Answer:
        if answer.status not in wanted:
            said = answer.body[:300].decode(errors="replace")
            raise ReadingFailed(
                f"{self.virtual.code} was refused with status {answer.status}: "
                f"{said or answer.location}"
            )
        return answer


def spec_from(question: Mapping[str, Any], *, places: int) -> QuestionSpec:
    """Return the rule object of a question as the page is told it."""
    return QuestionSpec(
        code=question["code"],
        kind=question["kind"],
        options=tuple(option["code"] for option in question["options"]),
        required=question["required"],
        may_be_not_evaluable=question["may_be_not_evaluable"],
        bound_to=question["bound_to"],
        minimum=question["minimum"],
        maximum=question["maximum"],
        whole=question["whole"],
        places=places,
        equal=question["equal"],
        region=question.get("region") or {},
        show_if=question["show_if"],
    )


def slot_from(slot: Mapping[str, Any]) -> Slot:
    """Return where a region may be marked, from the layout that the page is told."""
    low, high = (corner.tolist() for corner in box_of(slot))
    return Slot(slot["role"], slot["plane"], (low, high))
