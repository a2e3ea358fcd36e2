"""HTTP to a DICOMweb server: one connection, bounded answers, and errors that say what to do.

Redirects lead to the same server or nowhere, and nothing here tells what was searched for.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import time
from dataclasses import dataclass
from email.message import Message
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin, urlsplit

from readerstudy.core.errors import ReaderStudyError
from readerstudy.intake.dicomweb_servers import Server

BLOCK = 64 * 1024
MAX_JSON_BYTES = 20 * 2**20
MAX_REDIRECTS = 3
REDIRECTS = {301, 302, 303, 307, 308}
BUSY = {429, 502, 503, 504}


class DicomwebError(ReaderStudyError):
    """A DICOMweb server did not give what was asked for."""

    status = 502
    code = "dicomweb"


class TryAgain(DicomwebError):
    """What failed may well work a little later."""


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds: for the next bytes, and for a whole answer."""

    silence: float = 30.0
    answer: float = 900.0
    tries: int = 3
    pause: float = 1.0


class Answer:
    """The body of an answer, read in blocks until its end or its limit."""

    def __init__(self, response: http.client.HTTPResponse, server: Server, until: float) -> None:
        self.response = response
        self.server = server
        self.until = until
        self.left = response.length  # None: chunks, or until the connection ends

    @property
    def headers(self) -> Message:
        return self.response.headers

    def read(self, count: int = BLOCK) -> bytes:
        """Return the next bytes; none at the end.

        Raises
        ------
        TryAgain
            If the answer ends early or takes too long.
        """
        if time.monotonic() > self.until:
            raise TryAgain(f"{_name(self.server)} sends too slowly; the answer was given up.")
        if self.left == 0:
            self.response.close()
            return b""
        try:  # read1 returns what is there, so that a trickle cannot outlast the limit of time
            piece = self.response.read1(min(count, self.left or count))
        except (OSError, http.client.HTTPException) as error:
            raise _broken(self.server, error) from error
        if self.left is not None:
            if not piece:
                raise TryAgain(f"The answer of {_name(self.server)} ended early.")
            self.left -= len(piece)
        return piece

    def json(self) -> Any:
        """Return the body as JSON.

        Raises
        ------
        DicomwebError
            If it is none, or too long.
        """
        body = bytearray()
        while piece := self.read():
            body += piece
            if len(body) > MAX_JSON_BYTES:
                raise DicomwebError(f"{_name(self.server)} found too much. Narrow the search.")
        kind = self.headers.get_content_type()
        if body and "json" not in kind:
            raise DicomwebError(
                f"{_name(self.server)} answered with {kind} where DICOM JSON was asked for. Check "
                "that its address ends at the root of the DICOMweb service."
            )
        try:
            return json.loads(body) if body.strip() else []
        except ValueError as error:
            raise DicomwebError(f"The answer of {_name(self.server)} is damaged JSON.") from error


class Connection:
    """A connection to one server; opened when needed and again after it broke."""

    def __init__(self, server: Server, patience: Patience | None = None) -> None:
        self.server = server
        self.patience = patience or Patience()
        self.root = urlsplit(server.url)
        self._open: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def get(self, path: str, *, accept: str) -> Answer:
        """Ask for a path below the server's address.

        Raises
        ------
        DicomwebError
            With what the server refused or got wrong.
        """
        address = f"{self.root.path}/{path}"
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(address, accept)
            if response.status not in REDIRECTS:
                self._check(response)
                return Answer(response, self.server, time.monotonic() + self.patience.answer)
            address = self._redirected(address, response)
        raise DicomwebError(f"{_name(self.server)} redirects in a circle. Check its address.")

    def _send(self, address: str, accept: str) -> http.client.HTTPResponse:
        """Send a request; on a kept connection that the server closed, once more."""
        fresh = self._open is None
        try:
            return self._ask(address, accept)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if fresh or isinstance(error, TimeoutError):
                raise _broken(self.server, error) from error
        try:
            return self._ask(address, accept)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise _broken(self.server, error) from error

    def _ask(self, address: str, accept: str) -> http.client.HTTPResponse:
        if self._open is None:
            self._open = self._connect()
        self._open.request("GET", address, headers={"Accept": accept, **self._credentials()})
        return self._open.getresponse()

    def _connect(self) -> http.client.HTTPConnection:
        host, port, wait = self.root.hostname or "", self.root.port, self.patience.silence
        if self.root.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=wait)
        trust = ssl.create_default_context(cafile=self.server.ca_file or None)
        return http.client.HTTPSConnection(host, port, timeout=wait, context=trust)

    def _credentials(self) -> dict[str, str]:
        if self.server.token:
            return {"Authorization": f"Bearer {self.server.token}"}
        if self.server.user:
            pair = f"{self.server.user}:{self.server.password}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return {}

    def _redirected(self, address: str, response: http.client.HTTPResponse) -> str:
        response.read(BLOCK)
        self.close()
        here = f"{self.root.scheme}://{self.root.netloc}{address}"
        to = urlsplit(urljoin(here, response.headers.get("Location", "")))
        if (to.scheme, to.netloc) != (self.root.scheme, self.root.netloc):
            raise DicomwebError(
                f"{_name(self.server)} redirects to another server, which is not followed. Set "
                "its true address."
            )
        return to.path + (f"?{to.query}" if to.query else "")

    def _check(self, response: http.client.HTTPResponse) -> None:
        status = response.status
        if status in {200, 204, 206}:
            return
        self.close()
        name = _name(self.server)
        if status == 401:
            raise DicomwebError(f"{name} did not accept the credentials of this server (401).")
        if status == 403:
            raise DicomwebError(f"{name} does not allow this account to read that (403).")
        if status == 404:
            raise DicomwebError(f"{name} has no such images or no DICOMweb service there (404).")
        if status == 406:
            raise DicomwebError(f"{name} cannot send the images in their stored form (406).")
        if status in BUSY:
            raise TryAgain(f"{name} is busy or its store is away ({status}). Try again later.")
        raise DicomwebError(f"{name} answered with status {status}.")


def _broken(server: Server, error: Exception) -> DicomwebError:
    name = _name(server)
    if isinstance(error, ssl.SSLCertVerificationError):
        return DicomwebError(
            f"The certificate of {name} cannot be verified: {error.verify_message}. Set the file "
            "of its certificate authority."
        )
    if isinstance(error, TimeoutError):
        return TryAgain(f"{name} does not answer in time.")
    if isinstance(error, socket.gaierror):
        return DicomwebError(f"The address of {name} cannot be found.")
    if isinstance(error, ConnectionRefusedError):
        return TryAgain(f"{name} cannot be reached: nothing listens at its address.")
    if isinstance(error, http.client.IncompleteRead | http.client.RemoteDisconnected):
        return TryAgain(f"The answer of {name} ended early.")
    return TryAgain(f"The connection to {name} broke off.")


def _name(server: Server) -> str:
    return f"The DICOMweb server {server.name}"
