"""A browser's side of HTTP, as far as a simulated reader needs it: cookies, CSRF, JSON."""

from __future__ import annotations

import gzip
import http.client
import json
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 60
TRIES = 3


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    body: bytes
    location: str = ""

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


@dataclass
class HttpSession:
    """One connection that is kept, with the cookies of one reader.

    ``headers`` go with every request; a server behind a proxy wants to be told its public name.
    """

    url: str
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    received_bytes: int = 0
    _connection: http.client.HTTPConnection | None = None

    def get(self, path: str) -> Answer:
        """Fetch something."""
        return self.send("GET", path)

    def send(self, method: str, path: str, document: Any = None) -> Answer:
        """Send a request; a connection that the server closed meanwhile is opened again."""
        body = None if document is None else json.dumps(document).encode()
        for attempt in range(1, TRIES + 1):
            try:
                return self._exchange(method, path, body)
            except (OSError, http.client.HTTPException):
                self.close()
                if attempt == TRIES:
                    raise
        raise AssertionError("unreachable")

    def _exchange(self, method: str, path: str, body: bytes | None) -> Answer:
        if self._connection is None:
            self._connection = _connect(self.url)
        self._connection.request(method, path, body=body, headers=self._headers(body))
        response = self._connection.getresponse()
        content = response.read()
        self.requests += 1
        self.received_bytes += len(content)
        for line in response.headers.get_all("Set-Cookie") or ():
            self.cookies |= {name: one.value for name, one in SimpleCookie(line).items()}
        if response.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        return Answer(response.status, content, response.headers.get("Location", ""))

    def _headers(self, body: bytes | None) -> dict[str, str]:
        origin = urlsplit(self.url)
        scheme = self.headers.get("X-Forwarded-Proto", origin.scheme)
        host = self.headers.get("Host", origin.netloc)
        sent = {
            "Accept-Encoding": "gzip",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-CSRFToken": self.cookies.get("csrftoken", ""),
            "Referer": f"{scheme}://{host}/",
            "Origin": f"{scheme}://{host}",
            **self.headers,
        }
        return sent | ({"Content-Type": "application/json"} if body is not None else {})

    def close(self) -> None:
        """Close the connection; the next request opens another one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is no address of a server; write http://host:port")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
