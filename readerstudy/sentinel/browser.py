"""What a browser does for the robot: cookies, the protection code, and the time of each answer.

In-process requests run through Django's own WSGI handler with all its middleware; with an address
the same requests go to a running server.
"""

from __future__ import annotations

import http.client
import io
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from readerstudy.core.errors import ReaderStudyError
from readerstudy.sentinel.recorded import Headers

ENCODINGS = "gzip, deflate, br, zstd"
SECONDS = 120
_KINDS = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
AGENT = "Mozilla/5.0 (readerstudy leak sentinel)"


@dataclass(frozen=True)
class Answer:
    """One whole answer."""

    status: int
    headers: Headers
    body: bytes
    seconds: float

    def header(self, name: str) -> str:
        found = (value for key, value in self.headers if key.lower() == name.lower())
        return next(found, "")

    def json(self) -> Any:
        return json.loads(self.body)


class Transport(ABC):
    """Carries one request to the server."""

    origin: str

    @abstractmethod
    def send(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        """Return status, headers and the whole body as sent."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what the transport holds."""


class InProcess(Transport):
    """Django's handler in this process, as a web server calls it."""

    def __init__(self) -> None:
        self.handler = WSGIHandler()
        self.host = _allowed_host()
        self.scheme = "https" if settings.SECURE_SSL_REDIRECT else "http"
        self.origin = f"{self.scheme}://{self.host}"

    def send(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        begun: list[tuple[str, Headers]] = []

        def start(status: str, sent: list[tuple[str, str]], *_: Any) -> Any:
            begun.append((status, tuple(sent)))

        with _connection_kept():
            response = self.handler(self._environ(method, path, headers, body), start)
            try:
                content = b"".join(response)
            finally:
                response.close()
        status, sent = begun[-1]
        return int(status.split()[0]), sent, content

    def close(self) -> None:
        """Nothing is held: the handler lives as long as this object."""

    def _environ(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> dict[str, Any]:
        split = urlsplit(path)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": split.path,
            "QUERY_STRING": split.query,
            "SCRIPT_NAME": "",
            "SERVER_NAME": self.host,
            "SERVER_PORT": "443" if self.scheme == "https" else "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": headers.get("Content-Type", ""),
            "wsgi.url_scheme": self.scheme,
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "HTTP_HOST": self.host,
            "HTTP_X_FORWARDED_PROTO": self.scheme,
        }
        named = {f"HTTP_{name.upper().replace('-', '_')}": v for name, v in headers.items()}
        return environ | {key: v for key, v in named.items() if key != "HTTP_CONTENT_TYPE"}


@contextmanager
def _connection_kept() -> Iterator[None]:
    """Keep the database connection over a request: it belongs to whoever runs the robot."""
    watched = (request_started, request_finished)
    for signal in watched:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in watched:
            signal.connect(close_old_connections)


class Live(Transport):
    """A running server at an address, with whatever stands in front of it."""

    def __init__(self, address: str) -> None:
        split = urlsplit(address)
        if split.scheme not in _KINDS or not split.netloc:
            raise ReaderStudyError("Give the address of the server as http://host or https://host.")
        self.connection = _KINDS[split.scheme](split.netloc, timeout=SECONDS)
        self.origin = f"{split.scheme}://{split.netloc}"

    def send(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, Headers, bytes]:
        try:
            self.connection.request(method, path, body or None, headers)
            response = self.connection.getresponse()
            return response.status, tuple(response.getheaders()), response.read()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise ReaderStudyError(
                f"The server at {self.origin} does not answer: {error}"
            ) from error

    def close(self) -> None:
        self.connection.close()


class Browser:
    """Keeps cookies and sends what a browser sends."""

    def __init__(self, transport: Transport, session_key: str) -> None:
        self.transport = transport
        self.cookies = {settings.SESSION_COOKIE_NAME: session_key}
        self.count = 0

    def get(self, path: str, *, accept_encoding: str = ENCODINGS) -> Answer:
        """Fetch an address."""
        return self._send("GET", path, {"Accept-Encoding": accept_encoding}, b"")

    def send(self, method: str, path: str, data: Any) -> Answer:
        """Send JSON, with the protection code."""
        headers = {
            "Content-Type": "application/json",
            "X-CSRFToken": self.cookies.get(settings.CSRF_COOKIE_NAME, ""),
            "Origin": self.transport.origin,
            "Referer": f"{self.transport.origin}/",
        }
        return self._send(method, path, headers, json.dumps(data).encode())

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"User-Agent": AGENT, "Cookie": cookies, **headers}
        self.count += 1
        begun = time.perf_counter()
        status, received, content = self.transport.send(method, path, headers, body)
        answer = Answer(status, received, content, time.perf_counter() - begun)
        self._keep_cookies(answer)
        return answer

    def _keep_cookies(self, answer: Answer) -> None:
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                self.cookies |= {key: one.value for key, one in SimpleCookie(value).items()}


def _allowed_host() -> str:
    """Return a host name to which this installation answers."""
    named = next((host for host in settings.ALLOWED_HOSTS if host != "*"), "localhost")
    return f"robot{named}" if named.startswith(".") else named
