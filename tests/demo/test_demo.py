"""``make demo`` from the first start to the last stop, with crashes in between."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from demo.content import QUICK
from tests.demo.supervised import LOGIN, Demo, free_port, is_free
from tests.imaging.factories import write_nifti

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"
DATA = Path(os.environ.get("READERSTUDY_DATA", BESIDE)) / "nifti"
NAMES = {"t1": "t1n", "t2": "t2w", "flair": "t2f", "t1c": "t1c"}
JOBS = "SELECT id, kind, state, attempts, finished_at FROM core_job ORDER BY id"

pytestmark = pytest.mark.slow


@pytest.fixture
def started(tmp_path) -> Iterator[Callable[..., Demo]]:
    """Start demos; whatever happens, nothing of them lives on."""
    demos: list[Demo] = []

    def start(*options: str, before: Callable[[Demo], None] | None = None) -> Demo:
        demo = Demo(tmp_path, *options)
        demos.append(demo)
        if before:
            before(demo)
        demo.start()
        return demo

    yield start
    for demo in demos:
        demo.end()


def write_subjects(folder: Path, seeds: range) -> None:
    """Subjects such as the phantom writes them, but drawn in no time."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        grid = np.meshgrid(*(np.linspace(-1, 1, n) for n in (20, 64, 56)), indexing="ij")
        brain = grid[0] ** 2 + grid[1] ** 2 + grid[2] ** 2 < 0.85
        texture = ndimage.gaussian_filter(rng.standard_normal(brain.shape), 2.5) * 12
        lesion = texture > 1.3
        target = folder / f"phantom-{seed:04d}"
        target.mkdir(parents=True)
        for number, (role, name) in enumerate(NAMES.items()):
            bright = lesion if role != "t1" else 0
            values = (
                400 + 90 * (-1) ** number * texture + 250 * bright + rng.normal(0, 9, lesion.shape)
            )
            volume = np.where(brain, np.clip(values, 1, None), 0).astype(np.int16)
            write_nifti(target / f"{name}.nii.gz", volume.T, np.diag([3.0, 3.0, 6.0, 1.0]))
        write_nifti(target / "seg.nii.gz", lesion.T.astype(np.uint8), np.diag([3.0, 3.0, 6.0, 1.0]))
        (target / "description.json").write_text("{}")


def all_subjects(demo: Demo) -> None:
    """Put every subject in place: the demo leaves alone what is complete."""
    folder = demo.var / "work" / "demo"
    write_subjects(folder / "training", range(1, 1 + QUICK.training_subjects))
    write_subjects(folder / "shown", range(1001, 1001 + QUICK.shown_subjects))


def only_training(demo: Demo) -> None:
    folder = demo.var / "work" / "demo" / "training"
    write_subjects(folder, range(1, 1 + QUICK.training_subjects))


def logins_of(demo: Demo) -> list[tuple[str, str, str]]:
    return LOGIN.findall(demo.printed)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


def test_the_demo_from_the_first_start_to_the_last_stop(started):
    demo = started(before=all_subjects)
    demo.wait_for("Ready: ")
    logins = logins_of(demo)
    assert f"readerstudy runs at {demo.url}/" in demo.printed
    assert [role for role, _, _ in logins] == ["coordinator", "reader", "reader"]
    assert len({password for _, _, password in logins}) == 3
    assert f"can be read at {demo.url}/" in demo.printed
    check_the_study(demo)
    check_that_everybody_can_sign_in(demo, logins)
    check_that_a_second_one_is_refused(demo)
    check_that_what_dies_is_started_again(demo)
    done = demo.rows(JOBS)

    everything = demo.living()
    assert len(everything) >= 4
    assert demo.stop(signal.SIGTERM) == 0
    check_that_nothing_is_left(demo)

    demo.start()  # keeps what there is and does nothing twice
    demo.wait_for("Ready: ")
    assert logins_of(demo) == logins
    assert demo.rows(JOBS) == done
    check_that_everybody_can_sign_in(demo, logins)

    orphans = demo.living() - {demo.process.pid}
    demo.stop(signal.SIGKILL)
    assert demo.living() & orphans, "nobody was there to stop them"
    demo.start()  # ends what the killed one left, and takes its port
    demo.wait_for("Ready: ")
    assert not demo.living() & orphans
    assert demo.rows(JOBS) == done
    assert demo.answers()
    assert demo.stop(signal.SIGINT) == 0
    check_that_nothing_is_left(demo)


def check_the_study(demo: Demo) -> None:
    assert demo.rows("SELECT name, state FROM studies_study") == [
        ("Demo: visual Turing test", "running")
    ]
    shown = "SELECT o.kind, count(*) FROM truth_origin o JOIN studies_studycase c USING (case_id)"
    half = QUICK.shown_subjects // 2
    assert demo.rows(f"{shown} GROUP BY o.kind ORDER BY 1") == [("real", half), ("synthetic", half)]
    assert {state for _, _, state, _, _ in demo.rows(JOBS)} == {"done"}
    assert {attempts for _, _, _, attempts, _ in demo.rows(JOBS)} == {1}
    for reader, reads in demo.rows(
        "SELECT enrolment_id, count(*) FROM reading_reading GROUP BY enrolment_id"
    ):
        assert reads == 2 * half, reader


def check_that_everybody_can_sign_in(demo: Demo, logins: list[tuple[str, str, str]]) -> None:
    for role, username, password in logins:
        page = demo.sign_in(username, password)
        assert "/sign-in/" not in page.url
        if role == "reader":
            assert "Brain MR reading A" in page.text
        else:
            assert "Demo: visual Turing test" in page.text


def check_that_a_second_one_is_refused(demo: Demo) -> None:
    assert demo.refused(free_port()) == (
        f"A demo is running already (process {demo.process.pid}). Stop it first.\n"
    )


def check_that_what_dies_is_started_again(demo: Demo) -> None:
    for name in ("worker", "worker-gpu", "web"):
        before = demo.service(name)
        os.kill(before, signal.SIGKILL)
        demo.wait_for(f"{name} stopped; it is started again.")
        wait_until(lambda name=name, before=before: demo.service(name) not in {0, before})
    wait_until(demo.answers)


def check_that_nothing_is_left(demo: Demo) -> None:
    assert demo.living() == set()
    assert is_free(demo.port)
    notes = [path.name for path in (demo.var / "run").glob("*.pid")]
    assert notes == ["demo.pid"], "its lock, which ended with it"


def test_a_port_in_use_is_told_and_the_way_out(started, tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    one, other = Demo(tmp_path / "first"), Demo(tmp_path / "second")
    one.start()
    try:
        one.wait_for("readerstudy runs at")
        assert other.refused(one.port) == (
            f"Port {one.port} is in use. Choose another: make demo PORT=8001\n"
        )
        # Stopped in the middle of its first steps, it leaves nothing either.
        assert one.stop(signal.SIGINT) == 0
        check_that_nothing_is_left(one)
    finally:
        one.end()


@pytest.mark.data
@pytest.mark.skipif(
    not (DATA / "gli-00001").is_dir(),
    reason="real cases are not here; set READERSTUDY_DATA to their folder",
)
def test_a_folder_of_real_cases_becomes_the_study(started, tmp_path):
    folder = tmp_path / "clinic"
    for name in ("gli-00001", "ms-19", "pyrad-brain1"):
        shutil.copytree(DATA / name, folder / name)
    (folder / "broken").mkdir()
    (folder / "broken" / "t1n.nii.gz").write_bytes(b"\x1f\x8b not at all")
    (folder / "README.md").write_text("Where these come from.")
    demo = started("--data", str(folder), before=only_training)
    demo.wait_for("Ready: ")
    assert "  not imported: broken/t1n.nii.gz: " in demo.printed
    assert demo.rows("SELECT name, state FROM studies_study") == [
        ("Demo: visual Turing test, clinic", "running")
    ]
    # Few cases: both that are complete are shown as acquired and as made.
    shown = "SELECT o.kind, count(*) FROM truth_origin o JOIN studies_studycase c USING (case_id)"
    assert demo.rows(f"{shown} GROUP BY o.kind ORDER BY 1") == [("real", 2), ("synthetic", 2)]
    (result,) = demo.rows("SELECT result FROM core_job WHERE kind = 'import_cases'")[0]
    assert json.loads(result)["counts"]["error"] == 1
    assert len(json.loads(result)["cases"]) == 3
    check_that_everybody_can_sign_in(demo, logins_of(demo))
    assert demo.stop(signal.SIGTERM) == 0
    check_that_nothing_is_left(demo)
