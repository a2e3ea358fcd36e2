"""Which DICOMweb servers there are. They come from the environment alone, never from a person.

``READERSTUDY_DICOMWEB_PACS_URL`` names a server "pacs"; beside it stand ``_TOKEN``, or ``_USER``
and ``_PASSWORD`` (each also as ``…_FILE``), ``_CA_FILE`` for a certificate authority of its own,
and ``_ALLOW_HTTP=yes`` for a server without TLS that is not on this machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_URL = re.compile(r"READERSTUDY_DICOMWEB_([A-Z0-9]+(?:_[A-Z0-9]+)*)_URL")
LOCAL = {"localhost", "127.0.0.1", "::1"}


class ServerError(ValueError):
    """The settings of a server cannot be used."""


@dataclass(frozen=True)
class Server:
    """One DICOMweb server; ``url`` is the root of its QIDO-RS and WADO-RS services."""

    name: str
    url: str
    token: str = field(default="", repr=False)
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    ca_file: str = ""

    @property
    def host(self) -> str:
        """Host and port, to show."""
        return urlsplit(self.url).netloc


def servers_from(environment: Mapping[str, str]) -> dict[str, Server]:
    """Return the servers that the environment names, by name.

    Raises
    ------
    ServerError
        If a server's settings are incomplete or unsafe.
    """
    found = (_URL.fullmatch(key) for key in sorted(environment))
    servers = [_server(match[1], environment) for match in found if match]
    return {server.name: server for server in servers}


def _server(key: str, environment: Mapping[str, str]) -> Server:
    prefix = f"READERSTUDY_DICOMWEB_{key}_"

    def value(name: str) -> str:
        if file := environment.get(f"{prefix}{name}_FILE"):
            return Path(file).read_text().strip()
        return environment.get(prefix + name, "").strip()

    server = Server(
        name=key.lower().replace("_", "-"),
        url=environment[f"{prefix}URL"].strip().rstrip("/"),
        token=value("TOKEN"),
        user=value("USER"),
        password=value("PASSWORD"),
        ca_file=environment.get(f"{prefix}CA_FILE", "").strip(),
    )
    _check(server, prefix, plain_allowed=value("ALLOW_HTTP").lower() in {"yes", "true", "1"})
    return server


def _check(server: Server, prefix: str, *, plain_allowed: bool) -> None:
    parts = urlsplit(server.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ServerError(f"{prefix}URL must begin with https:// and name a host.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ServerError(f"{prefix}URL holds more than an address; use {prefix}USER and the like.")
    if parts.scheme == "http" and parts.hostname not in LOCAL and not plain_allowed:
        raise ServerError(
            f"{prefix}URL is not encrypted. Use https://, or set {prefix}ALLOW_HTTP=yes if the "
            "network between the two is trusted."
        )
    if server.token and server.user:
        raise ServerError(f"Set either {prefix}TOKEN or {prefix}USER, not both.")
    if bool(server.user) != bool(server.password):
        raise ServerError(f"{prefix}USER and {prefix}PASSWORD belong together.")
    if server.ca_file and not Path(server.ca_file).is_file():
        raise ServerError(f"{prefix}CA_FILE names no file.")
