"""A launched study of four full-size sequences on a server of its own, for bench_viewer.

    python benchmarks/viewer_site.py FOLDER CASES REPEATS

writes the study into READERSTUDY_VAR. Imported, it starts and stops the server.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
SHAPE = (155, 240, 240)
ROLES = ("t1", "t1c", "t2", "flair")
PASSWORD = "correct horse battery"
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "readerstudy.settings.dev",
    "READERSTUDY_DISPLAY_CHECK": "off",
    "PYTHONPATH": str(ROOT),
}


def head(seed: int) -> np.ndarray:
    """A stripped head of several tissues with noise, which compresses like a real one."""
    z, y, x = np.indices(SHAPE, dtype=np.float32)
    centre = np.array(SHAPE, dtype=np.float32) / 2
    radius = np.sqrt(
        ((z - centre[0]) / 68) ** 2 + ((y - centre[1]) / 92) ** 2 + ((x - centre[2]) / 74) ** 2
    )
    folds = np.sin(x / (5 + seed % 3)) * np.cos(y / 6) * np.sin(z / 7)
    random = np.random.default_rng(seed)
    values = 900 - 350 * radius + 120 * folds + random.normal(0, 25, SHAPE)
    return np.where(radius < 1, np.clip(values, 1, 4000), 0).astype(np.int16)


def build(cases: int, repeats: int) -> None:
    """Make the study: every case has four sequences of its own noise."""
    import django

    django.setup()
    from django.core.management import call_command

    from readerstudy.cases import canonical
    from readerstudy.cases.ingest import new_case
    from readerstudy.cases.models import Series, Subject
    from readerstudy.imaging.geometry import Volume
    from readerstudy.readers.models import ReaderProfile, User
    from readerstudy.reading import display, scheduling
    from readerstudy.studies import design, lifecycle, viewing
    from readerstudy.studies.models import Study
    from readerstudy.studies.reading_design import ReadingDesign, document_of
    from readerstudy.truth import register

    call_command("migrate", verbosity=0)
    people = [User(username=name, email=f"{name}@example.org") for name in ("staff", "reader")]
    for user in people:
        user.set_password(PASSWORD)
        user.may_coordinate = user.username == "staff"
        user.save()
    staff, reader = people
    ReaderProfile.objects.create(user=reader, years_of_experience=9)
    made = []
    for number in range(cases):
        code = f"S-{number:04d}"
        case = new_case(Subject.objects.create(code=code, source_key=code))
        for place, role in enumerate(ROLES):
            volume = Volume(
                array=head(10 * number + place),
                affine_lps=np.eye(4),
                kind="nifti",
                facts={},
                source_sha256=uuid.uuid4().hex * 2,
            )
            columns = canonical.store_volume(volume)
            Series.objects.create(case=case, role=role, source_orientation="LPS", **columns)
        made.append(case)
    register.declare_real(cases=made, actor=None)
    study = design.create_study(
        template="visual-turing-test", name="Bench", reader_title="Bench", actor=staff
    )
    shown = viewing.Viewing(
        slots=tuple(viewing.Slot(role, role) for role in ROLES), initial="2x2", allowed=("2x2",)
    )
    design.set_viewing(study=study, document=viewing.document_of(shown), actor=staff)
    settings = document_of(ReadingDesign(repeats=repeats, lag=2))
    design.set_plan(study=study, document=settings, actor=staff)
    design.set_cases(study=study, cases=made, actor=staff)
    design.enrol(study=study, reader=reader, actor=staff)
    study.refresh_from_db()
    scheduling.lock_and_allocate(study=study, actor=staff, seed="bench")
    study.refresh_from_db()
    display.prepare(study, lambda *_: None)
    lifecycle.advance(study=study, to=Study.State.RUNNING, actor=staff)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    """Wait until a server answers."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("the server did not start")


class Site:
    """The study of `build` behind gunicorn."""

    def __init__(self, folder: Path, *, cases: int, repeats: int) -> None:
        self.environment = {**os.environ, **ENVIRONMENT, "READERSTUDY_VAR": str(folder)}
        script = [sys.executable, __file__, str(cases), str(repeats)]
        subprocess.run(script, check=True, env=self.environment, cwd=ROOT)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "readerstudy.wsgi"),
                *("--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "8"),
                *("--log-level", "error"),
            ],
            env=self.environment,
            cwd=ROOT,
        )
        wait_for(f"{self.url}/sign-in/")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


if __name__ == "__main__":
    build(int(sys.argv[1]), int(sys.argv[2]))
