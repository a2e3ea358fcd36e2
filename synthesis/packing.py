"""Hand out a whole training run as one archive: weights, records, curves, sheets, model card."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from readerstudy.core import audit
from readerstudy.core.db import write_transaction
from readerstudy.core.errors import NotFound
from synthesis import courses, curves, following
from synthesis.data.hashing import json_sha256
from synthesis.folders import run_folder
from synthesis.models import Checkpoint, TrainingRun
from synthesis.score_tables import comparison_csv
from synthesis.training.places import SNAPSHOTS

WEIGHTS, SPLIT = "weights.safetensors", "split.json"
PLAIN = ("config.json", "metrics.jsonl", "model_card.json", "model_card.md", "samples.png")
_IN_MEMORY = 32 * 2**20
_README = """Training run {name}

For research only, never for diagnosis. Images in this archive are synthetic unless a sheet says
otherwise.

config.json       settings
metrics.jsonl     log: one line for each report and each validation
log.csv           the same as a table
subjects.json     who trained and who was held out: digests, never names
model_card.*      what the network is, for people (md) and programs (json)
weights.safetensors  the released network, in safetensors
samples.png, *.svg   sample sheet and curves
scores.csv        scores of the images that it made, means over images
snapshots/        networks of earlier validations
"""


def pack(*, name: str, actor: Any) -> IO[bytes]:
    """Return the archive of a run, open at its beginning; the act is recorded.

    Parameters
    ----------
    name : str
        Of the run.
    actor : User

    Raises
    ------
    NotFound
        If nothing of the run was kept yet.
    """
    folder = run_folder(name)
    if not (folder / "config.json").exists():
        raise NotFound("Nothing of this run is kept yet.")
    with write_transaction():
        audit.record(actor=actor, action="synthesis.export_run", target=f"run {name}", new={})
    stream: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - sent
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, content in _texts(name, actor):
            archive.writestr(place, content)
        for path in _files(folder):
            as_is = path.suffix in (".safetensors", ".png")
            archive.write(
                path,
                path.relative_to(folder).as_posix(),
                zipfile.ZIP_STORED if as_is else zipfile.ZIP_DEFLATED,
            )
    stream.seek(0)
    return stream


def _files(folder: Path) -> Iterator[Path]:
    for home in (folder, *sorted((folder / SNAPSHOTS).glob("*"))):
        yield from (path for part in (*PLAIN, WEIGHTS) if (path := home / part).is_file())


def _texts(name: str, actor: Any) -> Iterator[tuple[str, str]]:
    lines = following.journal(name)
    config = json.loads((run_folder(name) / "config.json").read_text())
    yield "README.txt", _README.format(name=name)
    yield "log.csv", log_csv(lines)
    if (run_folder(name) / SPLIT).exists():
        yield "subjects.json", json.dumps(_subjects(name), indent=1)
    yield from _figures(lines, config.get("max_steps"))
    run = TrainingRun.objects.filter(name=name).first()
    followed = following.follow(run) if run else None
    if followed is not None and courses.has_course(followed):
        yield "fid.svg", courses.course_svg(followed, "fid", actor=actor)
    if found := Checkpoint.objects.filter(run_folder=name).first():
        yield "scores.csv", comparison_csv([found])


def _figures(lines: list[dict[str, Any]], until: int | None) -> Iterator[tuple[str, str]]:
    followed = following.by_kind(lines)
    if followed["train"]:
        names = following.loss_names(followed["train"])
        yield "loss.svg", curves.losses_svg(followed["train"], names, until=until)
    if followed["validation"]:
        names = following.score_names(followed["validation"])
        yield "scores.svg", curves.scores_svg(followed["validation"], names, until=until)


def log_csv(lines: list[dict[str, Any]]) -> str:
    """Return the numbers of a log as a table: one row for each line, one column for each name."""
    flat = [{k: v for k, v in line.items() if not isinstance(v, dict)} for line in lines]
    names = list(dict.fromkeys(name for line in flat for name in line))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(flat)
    return stream.getvalue()


def _subjects(name: str) -> dict[str, Any]:
    """Return the split with digests in place of the names of folders."""
    split = json.loads((run_folder(name) / SPLIT).read_text())
    return {
        **split,
        "subjects": [
            {**{k: v for k, v in one.items() if k != "name"}, "digest": json_sha256(one["name"])}
            for one in split["subjects"]
        ],
    }
