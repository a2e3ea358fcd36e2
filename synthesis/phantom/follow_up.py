"""Patients who are followed up: one anatomy, several examinations, a tumour that shrinks and grows.

The volume follows a curve in closed form, drawn by the seed; the label map of every examination is
what the images show. docs/algorithms/progression.md.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from synthesis.phantom import composition, growth, lesions
from synthesis.phantom.grid import Triple
from synthesis.phantom.subject import Scene, Subject, make_scene, scan_scene, streams
from synthesis.phantom.writer import IMAGE_NAMES, SEGMENTATION, segmentation, write_subject

VISITS_FILE = "visits.csv"
COLUMNS = ("case", "subject", "day", "curve_ml", "enhancing_ml")
MANIFEST_FILE = "manifest.csv"
MANIFEST_COLUMNS = ("path", "case", "subject", "day", "origin")
ENHANCING = 3
EVERY_DAYS, JITTER_DAYS = 56, 5
_RESISTANT, _STABLE = 0.2, 0.15
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True)
class Response:
    """How the volume of a tumour goes under treatment.

    ``V(t) / V(0) = (1 - resistant) exp(-kill t) + resistant exp(growth t)``, t in days: a part that
    regresses and one that grows (Stein 2008, Oncologist 13:1046).

    Attributes
    ----------
    resistant : float
        Share that does not respond, above 0 to 1.
    kill, growth : float
        Rates per day, at least 0.
    """

    resistant: float
    kill: float
    growth: float

    def __post_init__(self) -> None:
        if not 0 < self.resistant <= 1 or self.kill < 0 or self.growth < 0:
            raise ValueError("resistant must lie in (0, 1], kill and growth be at least 0.")

    def relative(self, day: float) -> float:
        """Return the volume on a day over that of day 0."""
        dying = (1 - self.resistant) * math.exp(-self.kill * day)
        return dying + self.resistant * math.exp(self.growth * day)

    @property
    def smallest_day(self) -> float:
        """The day of the smallest volume: ``ln(kill (1 - f) / (growth f)) / (kill + growth)``.

        0 for a tumour that only grows, infinite for one that never grows again.
        """
        gain, loss = self.growth * self.resistant, self.kill * (1 - self.resistant)
        if gain == 0:
            return math.inf if loss > 0 else 0.0
        return max(0.0, math.log(loss / gain) / (self.kill + self.growth)) if loss > 0 else 0.0


def draw_response(rng: np.random.Generator) -> Response:
    """Draw a response: most regress and come back, some only grow, some stay as they are."""
    kind = rng.random()
    halving, doubling = rng.uniform(25, 80), rng.uniform(50, 160)
    share = float(rng.uniform(0.15, 0.6))
    if kind < _RESISTANT:
        share = 1.0
    elif kind < _RESISTANT + _STABLE:
        doubling = 4000.0
    return Response(
        resistant=share, kill=math.log(2) / float(halving), growth=math.log(2) / float(doubling)
    )


def draw_days(rng: np.random.Generator, visits: int) -> tuple[int, ...]:
    """Draw days of visits: every eight weeks, give or take five days, from day 0 on."""
    moved = rng.integers(-JITTER_DAYS, JITTER_DAYS + 1, size=visits)
    return tuple(0 if k == 0 else int(k * EVERY_DAYS + moved[k]) for k in range(visits))


@dataclass(frozen=True)
class Exam:
    """One examination of a patient.

    Attributes
    ----------
    day : int
        Since the first.
    relative : float
        Volume over that of the first, by the curve.
    subject : Subject
    """

    day: int
    relative: float
    subject: Subject

    @property
    def enhancing_ml(self) -> float:
        """Volume of label 3 in the label map, mL."""
        voxel = abs(float(np.linalg.det(self.subject.affine[:3, :3]))) / 1000.0
        return int((segmentation(self.subject) == ENHANCING).sum()) * voxel


def make_follow_up(
    seed: int,
    days: Sequence[int],
    response: Response,
    *,
    spacing_mm: Triple = (2.0, 1.0, 1.0),
    lesion: str = "glioma",
) -> Iterator[Exam]:
    """Make the examinations of one patient, one after the other.

    The radius of every focus is scaled by ``(V(t) / V_max)^(1/3)``. Anatomy and mass effect are
    those of the largest tumour throughout; noise, receive field and scale are new at every visit.

    Parameters
    ----------
    seed : int
        Of the patient; the same seed, days and response give the same images.
    days : sequence of int
        Of the visits, rising.
    response : Response
    spacing_mm : tuple of float
        Voxel size (z, y, x).
    lesion : {"glioma", "metastases"}

    Raises
    ------
    ValueError
        If days do not rise or the lesion is not a tumour.
    """
    if not days or any(b <= a for a, b in pairwise(days)):
        raise ValueError("days must be given and rise")
    if lesion not in ("glioma", "metastases"):
        raise ValueError(f"lesion must be glioma or metastases, got {lesion!r}")
    scene = make_scene(seed, lesion)
    protocol = composition.draw_protocol(streams(seed)["protocol"])
    volumes = [response.relative(day) for day in days]
    for visit, (day, volume) in enumerate(zip(days, volumes, strict=True)):
        grown = _grown(scene, seed, (volume / max(volumes)) ** (1 / 3))
        rng = np.random.default_rng([seed, 1, visit])
        subject = scan_scene(grown, protocol, rng, seed=seed, spacing_mm=spacing_mm)
        told = {**subject.description, "day": day, "response": asdict(response)}
        yield Exam(day, volume / volumes[0], replace(subject, description=told))


def _grown(scene: Scene, seed: int, size: float) -> Scene:
    """Return the scene with every focus at a share of its size; the noise of its border stays."""
    foci = tuple(replace(focus, size=size) for focus in scene.plan.foci)
    plan = lesions.Plan(scene.plan.kind, foci)
    grown = growth.grow(streams(seed)["growth"], plan, scene.head, scene.fractions)
    return replace(scene, plan=plan, lesions=grown)


def write_follow_up(
    folder: Path | str, seed: int, *, visits: int = 6, spacing_mm: Triple = (2.0, 1.0, 1.0)
) -> list[dict[str, Any]]:
    """Write the examinations of one patient as ``sub-0007_ses-01`` and so on.

    Returns
    -------
    list of dict
        For each examination the columns of ``visits.csv``: case, subject, day, curve_ml (closed
        form from the first label map) and enhancing_ml (counted in the label map).
    """
    if visits < 2:
        raise ValueError(f"visits must be at least 2; got {visits}")
    rng = np.random.default_rng([seed, 2])
    response, days = draw_response(rng), draw_days(rng, visits)
    rows: list[dict[str, Any]] = []
    for number, exam in enumerate(
        make_follow_up(seed, days, response, spacing_mm=spacing_mm), start=1
    ):
        name = f"sub-{seed:04d}_ses-{number:02d}"
        write_subject(exam.subject, Path(folder) / name)
        measured = exam.enhancing_ml
        first = rows[0]["enhancing_ml"] if rows else measured
        rows.append(
            {
                "case": name,
                "subject": f"sub-{seed:04d}",
                "day": exam.day,
                "curve_ml": round(first * exam.relative, 4),
                "enhancing_ml": round(measured, 4),
            }
        )
    return rows


def write_follow_ups(
    folder: Path | str,
    seeds: Iterable[int],
    *,
    visits: int = 6,
    spacing_mm: Triple = (2.0, 1.0, 1.0),
    progress: Progress | None = None,
) -> Path:
    """Write patients, ``visits.csv`` and a manifest for the import; return the path of the first.

    Patients whose lines stand in ``visits.csv`` are kept, so that a cohort can grow.
    """
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    table, wanted = root / VISITS_FILE, list(seeds)
    done = _read(table)
    for number, seed in enumerate(wanted, start=1):
        if f"sub-{seed:04d}" not in {row["subject"] for row in done}:
            done += write_follow_up(root, seed, visits=visits, spacing_mm=spacing_mm)
            _write(table, COLUMNS, done)
            _write(root / MANIFEST_FILE, MANIFEST_COLUMNS, _manifest(done))
        if progress:
            progress(number, len(wanted), f"sub-{seed:04d}")
    return table


def _read(table: Path) -> list[dict[str, Any]]:
    if not table.exists():
        return []
    with table.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _manifest(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a line for every image: where it lies, of whom and of which day it is."""
    files = [f"{name}.nii.gz" for name in IMAGE_NAMES.values()]
    return [
        {**{name: row[name] for name in ("case", "subject", "day")},
         "path": f"{row['case']}/{file}", "origin": "real"}
        for row in rows
        for file in (*files, SEGMENTATION)
    ]  # fmt: skip


def _write(table: Path, columns: Sequence[str], rows: list[dict[str, Any]]) -> None:
    partial = table.with_name(f".{table.name}.partial")
    with partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns)
        writer.writeheader()
        writer.writerows(rows)
    partial.replace(table)
