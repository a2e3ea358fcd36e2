"""A small DICOMweb server (QIDO-RS, WADO-RS) for tests, run as a process of its own.

    python -m tests.intake.dicomweb_server FOLDER [--token SECRET]

prints its port. It follows PS3.18 in what a client needs: search with wildcards, date ranges,
limit and offset, DICOM JSON, and instances as multipart/related in their stored transfer syntax.
``PUT /fault`` with ``{"kind", "times"}`` makes the next requests for images or searches go wrong.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pydicom

BOUNDARY = "a-boundary'with:odd.characters"
STUDY = ("StudyInstanceUID", "PatientID", "StudyDate", "AccessionNumber", "StudyDescription")
SERIES = ("SeriesInstanceUID", "StudyInstanceUID", "PatientID", "SeriesNumber", "Modality",
          "SeriesDescription")  # fmt: skip
INSTANCE = ("SOPInstanceUID", "SOPClassUID", "SeriesInstanceUID", "StudyInstanceUID")


class Store:
    """The instances of a folder."""

    def __init__(self, folder: Path) -> None:
        self.files = {}
        for path in sorted(folder.rglob("*.dcm")):
            header = pydicom.dcmread(path, stop_before_pixels=True)
            self.files[str(header.SOPInstanceUID)] = (path, header)

    def where(self, **uids: str) -> list[Any]:
        return [
            header
            for _, header in self.files.values()
            if all(str(header.get(name)) == uid for name, uid in uids.items())
        ]


def matches(header: Any, query: dict[str, str]) -> bool:
    for name, wanted in query.items():
        value = str(header.get(name, "") or "")
        if name == "StudyDate" and "-" in wanted:
            first, last = wanted.split("-")
            if not (first or "0") <= value <= (last or "9"):
                return False
        elif not fnmatch.fnmatchcase(value, wanted):
            return False
    return True


def as_json(header: Any, names: tuple[str, ...], **more: Any) -> dict[str, Any]:
    chosen = pydicom.Dataset()
    for name in names:
        setattr(chosen, name, header.get(name, ""))
    for name, value in more.items():
        setattr(chosen, name, value)
    return chosen.to_json_dict()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: Store
    token: str
    fault: dict[str, Any] = {"kind": "", "times": 0}
    asked: list[str] = []

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_PUT(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Handler.fault = body
        self._send(200, b"{}")

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/asked":
            self._send(200, json.dumps(Handler.asked).encode())
            return
        Handler.asked.append(self.path)
        if self.token and self.headers.get("Authorization") != f"Bearer {self.token}":
            self._send(401, b"")
            return
        if address.path.startswith("/moved/"):
            address = address._replace(path=address.path.replace("/moved/", "/dicom-web/", 1))
        fault = self._fault()
        if fault and self._go_wrong(fault):
            return
        self._answer(address.path.removeprefix("/dicom-web"), dict(parse_qsl(address.query)), fault)

    def _fault(self) -> str:
        if Handler.fault["times"] <= 0:
            return ""
        Handler.fault["times"] -= 1
        return Handler.fault["kind"]

    def _go_wrong(self, fault: str) -> bool:
        simple = {"403": 403, "404": 404, "406": 406, "500": 500, "503": 503}
        if fault in simple:
            self._send(simple[fault], b"no")
        elif fault == "slow":
            time.sleep(3)
            self._send(200, b"[]")
        elif fault == "drip":
            self._headers(200, "application/dicom+json", 1000)
            for _ in range(100):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.05)
        elif fault == "html":
            self._send(200, b"<html>Sign in</html>", "text/html")
        elif fault == "damaged":
            self._send(200, b'[{"0020000D"')
        elif fault == "object":
            self._send(200, b'{"a": 1}')
        elif fault == "endless":
            self._headers(200, "application/dicom+json", 2**40)
            while True:
                self.wfile.write(b" " * 2**20)
        elif fault == "away":
            self._redirect("http://192.0.2.1/dicom-web/studies")
        elif fault == "other port":
            port = self.server.server_address[1] + 1
            self._redirect(f"http://127.0.0.1:{port}/dicom-web/studies")
        elif fault == "file":
            self._redirect("file:///etc/passwd")
        elif fault == "moved":
            self._redirect(self.path.replace("/dicom-web/", "/moved/"))
        elif fault == "circle":
            Handler.fault = {"kind": "circle", "times": 1}
            self._redirect(self.path)
        elif fault == "close":
            self.close_connection = True
        else:
            return False
        return True

    def _redirect(self, to: str) -> None:
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, path: str, query: dict[str, str], fault: str) -> None:
        level = re.fullmatch(
            r"/studies(?:/([\d.]+)/series(?:/([\d.]+)/instances(?:/([\d.]+))?)?)?", path
        )
        if not level:
            self._send(404, b"")
            return
        study, series, instance = level.groups()
        if instance:
            self._instance(instance, fault)
            return
        limit, offset = int(query.pop("limit", 10**6)), int(query.pop("offset", 0))
        query.pop("includefield", None)
        found = self._search(study, series, query)[offset : offset + limit]
        if found:
            self._send(200, json.dumps(found).encode())
        else:
            self._send(204, b"")

    def _search(self, study: str, series: str, query: dict[str, str]) -> list[dict[str, Any]]:
        if series:
            here = self.store.where(StudyInstanceUID=study, SeriesInstanceUID=series)
            return [as_json(header, INSTANCE) for header in here]
        if study:
            groups = grouped(self.store.where(StudyInstanceUID=study), "SeriesInstanceUID")
            return [
                as_json(members[0], SERIES, NumberOfSeriesRelatedInstances=len(members))
                for members in groups.values()
            ]
        groups = grouped(self.store.where(), "StudyInstanceUID")
        return [
            as_json(
                members[0], STUDY,
                ModalitiesInStudy=sorted({one.Modality for one in members}),
                NumberOfStudyRelatedSeries=len(grouped(members, "SeriesInstanceUID")),
            )
            for members in groups.values()
            if matches(members[0], query)
        ]  # fmt: skip

    def _instance(self, uid: str, fault: str) -> None:
        if uid not in self.store.files:
            self._send(404, b"")
            return
        content = self.store.files[uid][0].read_bytes()
        if fault == "bare":
            self._send(200, content, "application/dicom")
            return
        kind = "image/jpeg" if fault == "jpeg" else "application/dicom"
        if fault == "no dicom":
            content = b"\xff\xd8" + content[2:140].replace(b"DICM", b"JPEG")
        part = f"--{BOUNDARY}\r\nContent-Type: {kind}\r\n\r\n".encode() + content + b"\r\n"
        body = (
            b"preamble\r\n" + part * (2 if fault == "two" else 1) + f"--{BOUNDARY}--\r\n".encode()
        )
        if fault == "empty":
            body = f"--{BOUNDARY}--\r\n".encode()
        self.send_response(200)
        self.send_header(
            "Content-Type", f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"'
        )
        if fault == "cut":
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        if fault == "ends":
            body = body[: len(body) // 2]
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for at in range(0, len(body), 777):  # boundaries and headers fall anywhere
            piece = body[at : at + 777]
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _headers(self, status: int, kind: str, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _send(self, status: int, body: bytes, kind: str = "application/dicom+json") -> None:
        self._headers(status, kind, len(body))
        self.wfile.write(body)


def grouped(headers: list[Any], name: str) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for header in headers:
        groups.setdefault(str(header.get(name)), []).append(header)
    return groups


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--token", default="")
    given = parser.parse_args()
    Handler.store, Handler.token = Store(given.folder), given.token
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
