"""A reader that looks at everything: it walks the whole reader's side of a study through HTTP.

It opens what a reader's browser opens, in the order in which it would, and also what a curious
reader tries: addresses of others, cases out of their order, raw answers, scripts. It notes what
came for each case and searches every text for words of truth.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import uuid
import zlib
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urljoin, urlsplit

import numpy as np
import zstandard

from readerstudy.core.errors import ReaderStudyError
from readerstudy.reading.models import Reading
from readerstudy.sentinel import pixels
from readerstudy.sentinel.browser import Answer, Browser
from readerstudy.sentinel.cues import OF_THE_MOMENT
from readerstudy.sentinel.filling import filled
from readerstudy.sentinel.grep import Search
from readerstudy.sentinel.recorded import Exchange, ImageSeen, Presentation, flattened
from readerstudy.studies.models import Enrolment

ENCODINGS = ("zstd", "gzip")
REPEATS = 2  # of each image each time it can be fetched: as the present case and the next two
UNDONE = 3
LINKS = re.compile(r'(?:href|src|action)="([^"#]+)"')
TIMES = re.compile(r"<time\b.*?</time>|<input[^>]*csrfmiddlewaretoken[^>]*>", re.S)
PAGES_AT_MOST = 60
STAFF = ("/staff/", "/sign-out")
WRONG = "x" * 22
# Parts of an answer that the protocol or the robot itself wrote; the forms are searched once.
SAID_BY_PROTOCOL = ("draft", "forms", "layout", "questions", "study")
Progress = Callable[[int, int, str], None]


class Robot:
    """One walk by one enrolment."""

    def __init__(
        self, enrolment: Enrolment, browser: Browser, search: Search, seed: int, progress: Progress
    ) -> None:
        self.enrolment = enrolment
        self.browser = browser
        self.search = search
        self.random = random.Random(seed)
        self.progress = progress
        self.path = f"/api/read/{enrolment.token}"
        self.readings = _readings_of(enrolment)
        self.seen: dict[str, Presentation] = {}
        self.forms: list[dict[str, Any]] = []

    def walk(self) -> list[Presentation]:
        """Open every page, then read the whole study; return what was shown, in order."""
        self.search.own |= {self.enrolment.token, *self.readings}
        self.search.own |= {image for one in self.readings.values() for image in one["images"]}
        self._pages()
        self._wrong_addresses()
        self._sitting()
        self._before_their_time()
        walk: list[Presentation] = []
        answer, state = self._state()
        while state["reading"]:
            shown = self._read(state, answer, len(walk) + 1)
            walk.append(shown)
            self.progress(len(walk), len(self.readings), f"Case {len(walk)}")
            answer, state = self._state()
        self._pages()
        return walk

    def _pages(self) -> None:
        """Open what can be reached by links from a reader's first page, scripts too."""
        waiting, known = ["/", "/read/", f"/read/{self.enrolment.token}/"], set[str]()
        while waiting and len(known) < PAGES_AT_MOST:
            path = waiting.pop(0)
            if path in known or path.startswith(STAFF):
                continue
            known.add(path)
            answer = self.browser.get(path)
            kind = answer.header("Content-Type").split(";")[0]
            text = _unpacked(answer).decode(errors="replace")
            if kind == "text/html":
                self._search_headers(answer, "headers of a page", of_case=False)
                self.search.text(TIMES.sub(" ", text), f"page {_general(path)}", of_case=False)
                waiting += _links(path, text)
            else:
                self.search.source(text, f"file {path}")
            waiting += _links(path, f'href="{answer.header("Location")}"')

    def _wrong_addresses(self) -> None:
        """Look at what is said of readings and images that are not there."""
        paths = (f"/i/{WRONG}/0", f"/api/read/{WRONG}/state", f"/read/{WRONG}/")
        for path in paths:
            self._said(self.browser.get(path), "a refusal", of_case=False)
        answer = self.browser.send("POST", f"{self.path}/readings/{WRONG}/answers", {})
        self._said(answer, "a refusal", of_case=False)

    def _sitting(self) -> None:
        """Begin, pause and go on, as a reader does."""
        for name in ("resume", "pause", "resume"):
            self._said(self.browser.send("POST", f"{self.path}/{name}", {}), name, of_case=False)

    def _before_their_time(self) -> None:
        """Ask for every case before it was offered: a refusal must not tell which case it is."""
        for token in self.random.sample(list(self.readings), len(self.readings)):
            shown = self._presentation(token)
            for image in shown.images:
                self._refusal(shown, "GET", f"/i/{image.token}/0", "an image before its time")
            path = f"{self.path}/readings/{token}/draft"
            self._refusal(shown, "PUT", path, "a draft before its time")

    def _state(self) -> tuple[Answer, dict[str, Any]]:
        answer = self.browser.get(f"{self.path}/state")
        if answer.status != 200:
            raise ReaderStudyError(
                f"The robot was refused ({answer.status}): {_message(answer)} "
                "Prepare the images of the study, then run the sentinel again."
            )
        state: dict[str, Any] = answer.json()
        if not self.forms:
            self.search.text(_words_of(state["forms"], ()), "the forms", of_case=False)
        self.forms = state["forms"]
        return answer, state

    def _read(self, state: dict[str, Any], answer: Answer, served: int) -> Presentation:
        """Look at one case and all that comes with it, answer, and go on."""
        told = state["reading"]
        shown = self._presentation(told["token"])
        shown.served = served
        shown.exchanges.append(self._noted(answer, "state", "state"))
        shown.fields = dict(flattened(state))
        self._said(answer, "the state", of_case=True, left_out=SAID_BY_PROTOCOL)
        for one in state["upcoming"]:
            self._presentation(one["token"])
        self._timed([told, *state["upcoming"]])
        for image in shown.images:
            self._whole(shown, image, self.forms[told["form"]]["layout"])
        self._refused(shown)
        self._answered(shown, self.forms[told["form"]], served)
        return shown

    def _presentation(self, token: str) -> Presentation:
        """Return the note of a reading; made when it is first heard of."""
        if token not in self.seen:
            images = [
                ImageSeen(token=image, **facts)
                for image, facts in self.readings[token]["images"].items()
            ]
            self.seen[token] = Presentation(token=token, served=0, images=images)
        return self.seen[token]

    def _timed(self, told: Iterable[dict[str, Any]]) -> None:
        """Fetch the first part of all images that can be fetched now, mixed and repeated."""
        images = [image for one in told for image in self.seen[one["token"]].images]
        for _ in range(REPEATS):
            for image in self.random.sample(images, len(images)):
                self._fetch(image, ENCODINGS[0], 0)

    def _fetch(self, image: ImageSeen, encoding: str, chunk: int) -> Answer:
        answer = self.browser.get(f"/i/{image.token}/{chunk}", accept_encoding=encoding)
        about = f"{image.slot} {encoding} {chunk}"
        image.exchanges.append(self._noted(answer, "image", about))
        self._search_headers(answer, "headers of an image", of_case=True)
        return answer

    def _whole(self, shown: Presentation, image: ImageSeen, layout: dict[str, Any]) -> None:
        """Fetch every part in every encoding, and measure what a browser then holds."""
        slot = next((s for s in layout["slots"] if s["role"] == image.slot), None)
        chunks = (slot or layout["slots"][0])["chunks"]
        for encoding in ENCODINGS:
            parts = {}
            for number, (first, _) in enumerate(chunks):
                answer = self._fetch(image, encoding, number)
                self.search.content(answer.body, "bytes of an image")
                parts[first] = decoded = _unpacked(answer)
                image.decoded[f"{encoding} {number}"] = len(decoded)
                image.frames[f"{encoding} {number}"] = _frame(answer)
        if slot is not None:
            image.facts = _facts(b"".join(parts[at] for at in sorted(parts)), slot["shape"])
        self._refusal(shown, "GET", f"/i/{image.token}/{len(chunks)}", "a part that is not there")

    def _refused(self, shown: Presentation) -> None:
        """Try what is not allowed: answers that make no sense, an undo, a mixed-up address."""
        path = f"{self.path}/readings/{shown.token}"
        nonsense = {"key": str(uuid.uuid4()), "answers": {"?": "?"}}
        self._refusal(shown, "POST", f"{path}/answers", "answers without sense", nonsense)
        self._refusal(shown, "GET", f"/i/{shown.token}/0", "an image under the case's address")

    def _refusal(
        self, shown: Presentation, method: str, path: str, about: str, data: Any = None
    ) -> None:
        if method == "GET":
            answer = self.browser.get(path, accept_encoding=ENCODINGS[0])
        else:
            answer = self.browser.send(method, path, data or {"answers": {}})
        shown.exchanges.append(self._noted(answer, "refused", about))
        self._said(answer, "a refusal", of_case=True, left_out=SAID_BY_PROTOCOL)

    def _answered(self, shown: Presentation, form: dict[str, Any], served: int) -> None:
        """Keep a draft, answer, and correct the first few answers."""
        path, body = f"{self.path}/readings/{shown.token}", {"answers": filled(form)}
        draft = self.browser.send("PUT", f"{path}/draft", body)
        shown.exchanges.append(self._noted(draft, "draft", "draft"))
        shown.fields = {**shown.fields, **self._post(shown, path, body)}
        if served <= UNDONE:
            undone = self.browser.send("POST", f"{path}/undo", {})
            self._said(undone, "an undo", of_case=True, left_out=SAID_BY_PROTOCOL)
            if undone.status == 200:
                self._post(shown, path, body)
        closed = f"/i/{shown.images[0].token}/0"
        self._refusal(shown, "GET", closed, "an image after the answer")

    def _post(self, shown: Presentation, path: str, body: dict[str, Any]) -> dict[str, Any]:
        clock = {"load_ms": 500, "look_ms": 1000, "idle_ms": 0, "away_ms": 0}
        sent = {"key": str(uuid.uuid4()), "clock": clock, "viewer": {}, **body}
        answer = self.browser.send("POST", f"{path}/answers", sent)
        if answer.status != 201:
            raise ReaderStudyError(
                f"The robot's answer was refused ({answer.status}): {_message(answer)}"
            )
        shown.exchanges.append(self._noted(answer, "answer", "answer"))
        self._said(answer, "a receipt", of_case=True, left_out=SAID_BY_PROTOCOL)
        return {f"receipt.{name}": value for name, value in flattened(answer.json()["receipt"])}

    def _noted(self, answer: Answer, kind: str, about: str) -> Exchange:
        return Exchange(
            kind=kind,
            about=about,
            number=self.browser.count,
            status=answer.status,
            headers=answer.headers,
            length=len(answer.body),
            seconds=answer.seconds,
        )

    def _said(
        self, answer: Answer, place: str, *, of_case: bool, left_out: tuple[str, ...] = ()
    ) -> None:
        """Search a whole answer: headers, and the texts of its JSON or page."""
        self._search_headers(answer, f"headers of {place}", of_case=of_case)
        body = _unpacked(answer).decode(errors="replace")
        if answer.header("Content-Type").startswith("application/json") and body:
            self.search.text(_words_of(json.loads(body), left_out), place, of_case=of_case)
        else:
            self.search.text(TIMES.sub(" ", body), place, of_case=of_case)

    def _search_headers(self, answer: Answer, place: str, *, of_case: bool) -> None:
        lines = (f"{n}: {v}" for n, v in answer.headers if n.lower() not in OF_THE_MOMENT)
        lasting = (line for line in lines if not line.lower().startswith("set-cookie"))
        self.search.text("\n".join(lasting), place, of_case=of_case)


def _readings_of(enrolment: Enrolment) -> dict[str, dict[str, Any]]:
    """Return by token of a reading the tokens of its images, each with slot, place and case."""
    places = {slot.code: slot.place for slot in enrolment.study.display.slots}
    readings = Reading.objects.filter(enrolment=enrolment).prefetch_related("images")
    return {
        reading.token: {
            "images": {
                image.token: {
                    "slot": image.slot,
                    "place": places.get(image.slot, 0),
                    "case": str(image.case_id),
                }
                for image in reading.images.all()
            }
        }
        for reading in readings
    }


def _words_of(document: Any, left_out: tuple[str, ...]) -> str:
    """Return names and texts of a JSON value; numbers are no words, and drafts are our own."""
    if isinstance(document, dict):
        kept = {name: value for name, value in document.items() if name not in left_out}
        return "\n".join(f"{name}\n{_words_of(value, left_out)}" for name, value in kept.items())
    if isinstance(document, list):
        return "\n".join(_words_of(value, left_out) for value in document)
    return document if isinstance(document, str) else ""


def _unpacked(answer: Answer) -> bytes:
    """Return a body as a browser holds it.

    Raises
    ------
    ReaderStudyError
        If the body is not what its header says.
    """
    encoding = answer.header("Content-Encoding")
    try:
        if encoding == "gzip":
            return gzip.decompress(answer.body)
        if encoding == "zstd":
            reader = zstandard.ZstdDecompressor().stream_reader(
                answer.body, read_across_frames=True
            )
            return bytes(reader.read())
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise ReaderStudyError(
            "A stored image cannot be decoded. Prepare the images again, then run the sentinel."
        ) from error
    return answer.body


def _frame(answer: Answer) -> str:
    """Return what the container says before any content: flags, names, dates, sizes."""
    if answer.header("Content-Encoding") == "gzip":
        return answer.body[:10].hex()
    if answer.header("Content-Encoding") == "zstd":
        found = zstandard.get_frame_parameters(answer.body)
        return f"{found.content_size} {found.window_size} {found.dict_id} {found.has_checksum}"
    return "plain"


def _facts(content: bytes, shape: list[int]) -> dict[str, float]:
    """Measure the levels; of something that is no block of this shape nothing can be said."""
    if len(content) != 2 * int(np.prod(shape)):
        return {}
    return pixels.facts_of(np.frombuffer(content, dtype="<i2").reshape(shape))


def _links(path: str, text: str) -> list[str]:
    """Return the addresses on this server that a page or a redirection leads to."""
    found = (urlsplit(urljoin(path, link)) for link in LINKS.findall(text))
    return [one.path for one in found if not one.netloc and one.scheme in ("", "http", "https")]


def _general(path: str) -> str:
    """Return an address without its tokens, so that the same page has one name."""
    return re.sub(r"[\w-]{20,}", "…", path)


def _message(answer: Answer) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return "no reason was given."
