"""The least a server can do: one body, kept in memory, for every address but /hello."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

BODY = Path(os.environ["BARE_BODY"]).read_bytes()
HELLO = b'{"hello": "world"}'


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    hello = environ["PATH_INFO"] == "/hello"
    body = HELLO if hello else BODY
    kind = "application/json" if hello else "application/octet-stream"
    start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
