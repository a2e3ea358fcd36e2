"""Encode cases for a study against one pass of the compressor over the same bytes.

    python benchmarks/bench_encoding.py [--cases 2] [FOLDER with t1n, t1c, t2w, t2f .nii.gz]

Without a folder, four made-up volumes of 240 x 240 x 155 voxels stand in for a case.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path

import numpy as np

ROLES = {"t1": "t1n", "t1c": "t1c", "t2": "t2w", "flair": "t2f"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--cases", type=int, default=2)
    arguments = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "readerstudy.settings.test")
    import django

    django.setup()
    from django.conf import settings
    from django.test.utils import setup_databases

    setup_databases(verbosity=0, interactive=False)
    with tempfile.TemporaryDirectory() as folder:
        settings.MEDIA_ROOT = Path(folder) / "media"
        settings.WORK_ROOT = Path(folder) / "work"
        print(json.dumps(measure(arguments.folder, arguments.cases), indent=1))


def volumes(folder: Path | None) -> dict:
    from readerstudy.imaging.orientation import to_lps
    from readerstudy.imaging.volumes import load_nifti

    if folder:
        files = {role: next(folder.glob(f"*{name}.nii.gz")) for role, name in ROLES.items()}
        return {role: to_lps(load_nifti(path)) for role, path in files.items()}
    return {role: made_up(seed) for seed, role in enumerate(ROLES)}


def made_up(seed: int):
    """A stripped head of smooth structure and noise, int16."""
    from scipy import ndimage

    from readerstudy.imaging.geometry import Volume

    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (155, 240, 240)), indexing="ij")
    inside = (z / 0.85) ** 2 + (y / 0.8) ** 2 + (x / 0.62) ** 2 < 1
    structure = ndimage.gaussian_filter(rng.normal(size=inside.shape).astype(np.float32), 3)
    values = 500 + 3000 * structure + rng.normal(0, 15, inside.shape)
    array = np.where(inside, np.clip(values, 1, 4000), 0).astype(np.int16)
    return Volume(array, np.diag([1.0, 1.0, 1.0, 1.0]), "nifti", {}, uuid.uuid4().hex * 2)


def measure(folder: Path | None, n_cases: int) -> dict:
    from readerstudy.cases import canonical
    from readerstudy.cases.models import Case, Series, Subject
    from readerstudy.imaging import encoding
    from readerstudy.readers.models import User
    from readerstudy.reading import display
    from readerstudy.reading.models import EncodedSeries
    from readerstudy.studies import design
    from readerstudy.studies.viewing import Preset, Slot, Viewing, document_of

    coordinator = User.objects.create(username="bench", may_coordinate=True)
    case_of = []
    for number in range(n_cases):
        subject = Subject.objects.create(code=f"S{number}", source_key=uuid.uuid4().hex)
        case_of.append(Case.objects.create(code=f"{number:04d}", subject=subject))
    for role, volume in volumes(folder).items():
        for number, case in enumerate(case_of):
            array = volume.array.copy()
            array[0, 0, 0] += number  # content of its own, so that nothing is found in a cache
            columns = canonical.store_volume(replace(volume, array=array))
            Series.objects.create(case=case, role=role, source_orientation="LPS", **columns)
    study = design.create_study(
        template="visual-turing-test", name="Bench", reader_title="Bench", actor=coordinator
    )
    shown = Viewing(tuple(Slot(r, r) for r in ROLES), presets=(Preset("Tissue", 2, 98),))
    study.viewing = document_of(shown)
    study.save()
    design.set_cases(study=study, cases=case_of, actor=coordinator)
    marks: list[tuple[str, float, float]] = []
    began = (time.perf_counter(), time.process_time())

    def note(_done: int, _of: int, text: str) -> None:
        now = (time.perf_counter() - began[0], time.process_time() - began[1])
        marks.append((text.split(maxsplit=1)[0], *now))

    display.prepare(study, note)
    wall, cpu = (
        b - a for a, b in zip(began, (time.perf_counter(), time.process_time()), strict=True)
    )
    raw = []
    for one in EncodedSeries.objects.filter(study=study):
        names = one.objects_by_encoding["zstd"]
        raw.append(b"".join(decoded(name) for name in names))
    start = (time.perf_counter(), time.process_time())
    for content in raw:
        encoding.compress(content, "zstd")
    one_pass, one_pass_cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    last = {name: (w, c) for name, w, c in marks}
    passes = [last["Measured"], last["Encoded"], last["Stored"]]
    return {
        "cases": n_cases,
        "megabytes_a_case": round(sum(map(len, raw)) / 1e6 / n_cases, 1),
        "encode_seconds_a_case": round(wall / n_cases, 3),
        "encode_cpu_seconds_a_case": round(cpu / n_cases, 3),
        "zstd9_seconds_a_case": round(one_pass / n_cases, 3),
        "ratio": round(wall / one_pass, 2),
        "ratio_cpu": round(cpu / one_pass_cpu, 2),
        "passes_wall_seconds_a_case": {
            name: round((b[0] - a[0]) / n_cases, 3)
            for name, a, b in zip(
                ("measure", "encode", "store"), [(0.0, 0.0), *passes], passes, strict=False
            )
        },
    }


def decoded(name: str) -> bytes:
    import zstandard

    from readerstudy.cases import storage

    reader = zstandard.ZstdDecompressor().stream_reader(storage.read(name))
    return reader.read()


if __name__ == "__main__":
    main()
