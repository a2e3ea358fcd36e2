"""Import images against nibabel or pydicom merely reading the same files.

    python benchmarks/bench_ingest.py [--repeats 3] [FOLDER]

The import reads each file in a guarded process of its own, looks at identifiers, faces and
burned-in text, checks the geometry and stores the values by content; the peers decode the pixels
and drop them. Both run as one process each, with their start; the start alone (an empty folder,
no file) is taken off. Without a folder, made-up NIfTI and DICOM heads are read.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PEER = """
import sys
from pathlib import Path
import nibabel, numpy, pydicom
for path in sorted(Path(sys.argv[1]).rglob("*")):
    if path.name.endswith((".nii", ".nii.gz")):
        numpy.asanyarray(nibabel.load(path).dataobj)
    elif path.is_file() and path.suffix in ("", ".dcm"):
        pydicom.dcmread(path).pixel_array
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        source = arguments.folder or made_up(work / "cases")
        (work / "empty").mkdir()
        size = sum(path.stat().st_size for path in source.rglob("*") if path.is_file()) / 2**20
        ours, peer = [], []
        for number in range(arguments.repeats):
            var = work / f"var{number}"
            ours.append(imported(source, var) - imported(work / "empty", var))
            peer.append(merely_read(source) - merely_read(work / "empty"))
    middle = statistics.median(ours), statistics.median(peer)
    print(f"{size:.0f} MB of files; import {middle[0]:.2f} s, merely read {middle[1]:.2f} s")
    print(f"ratio {middle[0] / middle[1]:.1f}")


def imported(source: Path, var: Path) -> float:
    """Return the seconds of `import_cases` into a database that is ready."""
    environment = {
        **os.environ,
        "READERSTUDY_VAR": str(var),
        "DJANGO_SETTINGS_MODULE": "readerstudy.settings.dev",
    }
    manage = [sys.executable, "manage.py"]
    if not var.exists():
        (var / "queue").mkdir(parents=True)
        run([*manage, "migrate", "-v", "0"], environment)
    return run([*manage, "import_cases", str(source), "--json"], environment)


def merely_read(source: Path) -> float:
    return run([sys.executable, "-c", PEER, str(source)], dict(os.environ))


def run(command: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 1, 2):
        raise SystemExit(done.stderr)
    return time.perf_counter() - start


def made_up(folder: Path) -> Path:
    """Write three cases of four stripped NIfTI volumes, and one of two DICOM series."""
    import nibabel
    from viewer_site import ROLES, head

    sys.path.insert(0, str(ROOT))
    from tests.imaging.factories import SeriesOptions, write_series

    for case in range(3):
        for place, role in enumerate(ROLES):
            path = folder / f"case{case}" / f"{role}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            image = head(10 * case + place).transpose(2, 1, 0)
            nibabel.save(nibabel.Nifti1Image(image, np.diag([-1, -1, 1, 1])), path)
    for place in range(2):
        options = SeriesOptions(description=f"series {place}")
        write_series(folder / "scanner" / ROLES[place], head(100 + place), options)
    return folder


if __name__ == "__main__":
    main()
