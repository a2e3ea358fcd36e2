"""Run DICOMweb servers for tests: the small one of ours, and Orthanc where it is installed."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.uid import RLELossless

from readerstudy.intake.dicomweb_servers import Server
from tests.imaging.factories import SeriesOptions, brain_like, write_series

ROOT = Path(__file__).resolve().parents[2]
ORTHANC = shutil.which("Orthanc") or shutil.which("Orthanc", path="/usr/sbin")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
TOKEN, USER, PASSWORD = "a-token", "importer", "a long pass:word"
STUDY_A, STUDY_B = "1.2.826.0.1.3680043.10.1.1", "1.2.826.0.1.3680043.10.1.2"
T1, T2, FLAIR = (f"{STUDY_A}.{n}" for n in (1, 2, 3))
OTHER = f"{STUDY_B}.1"
SHAPE = (5, 14, 12)


def archive(folder: Path) -> Path:
    """Two exams of two persons: three series and one."""
    exams = (
        ("SEC^RET-17", STUDY_A, "20240131", "ACC 1", "MR Schädel, Kontrolle",
         ((T1, "Ax T1 FSE"), (T2, "Ax T2 TSE"), (FLAIR, "Ax FLAIR"))),
        ("OTHER-2", STUDY_B, "20250607", "ACC 2", "MR Brain", ((OTHER, "Ax T1 FSE"),)),
    )  # fmt: skip
    for patient, study, date, accession, description, all_series in exams:
        for seed, (uid, name) in enumerate(all_series):
            place = folder / uid
            options = SeriesOptions(uid=uid, description=name)
            write_series(place, brain_like(SHAPE, seed), options)
            for path in place.iterdir():
                dataset = pydicom.dcmread(path)
                dataset.SpecificCharacterSet = "ISO_IR 192"
                dataset.StudyInstanceUID = study
                dataset.PatientID, dataset.PatientName = patient, "Planted^Name"
                dataset.StudyDate, dataset.AccessionNumber = date, accession
                dataset.StudyDescription, dataset.SeriesNumber = description, str(seed + 1)
                if uid == T2:
                    dataset.compress(RLELossless)
                dataset.save_as(path)
    return folder


def pixels(folder: Path, uid: str) -> list[np.ndarray]:
    """Return the slices of a series of the archive, by position, as pydicom reads them."""
    slices = [pydicom.dcmread(path) for path in (folder / uid).iterdir()]
    return [one.pixel_array for one in sorted(slices, key=lambda d: d.ImagePositionPatient[2])]


@contextmanager
def small_server(folder: Path, token: str = "") -> Iterator[Server]:
    """Run our own server as a process."""
    command = [sys.executable, "-m", "tests.intake.dicomweb_server", str(folder)]
    process = subprocess.Popen(
        [*command, "--token", token], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        port = int(process.stdout.readline())
        yield Server(name="small", url=f"http://127.0.0.1:{port}/dicom-web", token=token)
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


def set_fault(server: Server, kind: str, times: int = 1) -> None:
    """Make the next answers of the small server go wrong."""
    base = server.url.removesuffix("/dicom-web")
    data = json.dumps({"kind": kind, "times": times}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{base}/fault", data, method="PUT")).close()


def asked(server: Server) -> list[str]:
    """Return the paths that the small server was asked for."""
    with urllib.request.urlopen(f"{server.url.removesuffix('/dicom-web')}/asked") as answer:
        return json.load(answer)


@contextmanager
def orthanc(folder: Path, archive: Path) -> Iterator[Server]:
    """Run Orthanc with its DICOMweb plugin over the files of an archive."""
    port = _free_port()
    settings = folder / "orthanc.json"
    settings.write_text(json.dumps(_settings(folder, port)))
    process = subprocess.Popen(
        [ORTHANC, str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port, process)
        for path in sorted(archive.rglob("*.dcm")):
            _call(port, "/instances", path.read_bytes())
        yield Server("orthanc", f"http://127.0.0.1:{port}/dicom-web", user=USER, password=PASSWORD)
    finally:
        process.terminate()
        process.wait(30)


def _settings(folder: Path, port: int) -> dict[str, Any]:
    return {
        "Name": "tests",
        "StorageDirectory": str(folder / "store"),
        "IndexDirectory": str(folder / "store"),
        "Plugins": [str(PLUGIN)],
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {USER: PASSWORD},
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, "Orthanc ended at its start"
        try:
            _call(port, "/system")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.2)
        else:
            return
    raise AssertionError("Orthanc did not start within a minute")


def _call(port: int, path: str, body: bytes | None = None) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body)
    pair = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    request.add_header("Authorization", f"Basic {pair}")
    urllib.request.urlopen(request, timeout=10).close()
