"""A person at a browser without scripts: opens pages, fills their forms, sends them, over HTTP."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import requests

SKIPPED = ("submit", "button", "file", "image", "reset")
Pairs = list[tuple[str, str]]


class Forms(HTMLParser):
    """Every form of a page, with what its fields hold when the page opens."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, Pairs]] = []
        self._open: Pairs | None = None
        self._select = self._textarea = ""
        self._text: list[str] = []
        self._first: str | None = None
        self._chosen: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = []
            self.found.append((given.get("action", ""), self._open))
        elif self._open is None or "disabled" in given:
            return
        elif tag == "input" and given.get("type", "text") not in SKIPPED:
            ticked = given.get("type") in ("checkbox", "radio")
            if not ticked or "checked" in given:
                self._open.append((given.get("name", ""), given.get("value", "on" * ticked)))
        elif tag == "select":
            self._select, self._first, self._chosen = given.get("name", ""), None, []
        elif tag == "option" and self._select:
            self._first = given.get("value", "") if self._first is None else self._first
            if "selected" in given:
                self._chosen.append(given.get("value", ""))
        elif tag == "textarea":
            self._textarea, self._text = given.get("name", ""), []

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif self._open is not None and tag == "select" and self._select:
            chosen = self._chosen or ([] if self._first is None else [self._first])
            self._open += [(self._select, value) for value in chosen]
            self._select = ""
        elif self._open is not None and tag == "textarea" and self._textarea:
            self._open.append((self._textarea, "".join(self._text).removeprefix("\n")))
            self._textarea = ""


def said(html: str) -> str:
    """Return the words of a page, without its head."""
    words = re.sub(r"<[^>]*>", " ", html[html.find("<main") :])
    return " ".join(words.split())[:4000]


@dataclass
class Person:
    """One browser session against a running server."""

    base: str
    http: requests.Session = field(default_factory=requests.Session)

    @property
    def cookies(self) -> dict[str, str]:
        return self.http.cookies.get_dict()

    def get(self, path: str, status: int = 200) -> requests.Response:
        answer = self.http.get(self.base + path, timeout=60)
        assert answer.status_code == status, f"{path}: {answer.status_code} {said(answer.text)}"
        return answer

    def post(self, path: str, data: Pairs | dict[str, Any]) -> requests.Response:
        """Send a form as it is, with the protection code; follow where the answer leads."""
        pairs = list(data.items()) if isinstance(data, dict) else data
        pairs = [pair for pair in pairs if pair[0] != "csrfmiddlewaretoken"]
        token = ("csrfmiddlewaretoken", self.cookies.get("csrftoken", ""))
        answer = self.http.post(
            self.base + path, [*pairs, token], headers={"Referer": self.base + path}, timeout=600
        )
        assert answer.status_code == 200, f"{path}: {answer.status_code} {said(answer.text)}"
        return answer

    def fill(self, path: str, **changed: Any) -> requests.Response:
        """Open a page and send its form with some fields changed, the rest as it was shown."""
        forms = Forms(self.get(path).text).found
        pairs = next(
            (fields for _, fields in forms if set(changed) & {name for name, _ in fields}),
            forms[-1][1],
        )
        kept = [pair for pair in pairs if pair[0] not in changed]
        return self.post(path, [*kept, *((name, str(value)) for name, value in changed.items())])

    def sign_in(self, username: str, password: str) -> None:
        self.get("/sign-in/")
        self.post("/sign-in/", {"username": username, "password": password})
