"""The archive: the same bytes again, hashes that agree, and scripts that find the same numbers."""

from __future__ import annotations

import ast
import csv
import hashlib
import io
import json
import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from readerstudy.analysis.writing import bundle, drawing, notebook
from readerstudy.analysis.writing.packing import to_zip
from readerstudy.analysis.writing.plain_data import data_files, reads_csv
from readerstudy.analysis.writing.table_csv import numbers_csv
from readerstudy.studies.analysis_plan import PlannedAnalysis
from tests.analysis.writing import making, studies

SCRIPTS = Path(bundle.SCRIPT).parent
TOLERANCE = 1e-8


@pytest.fixture(scope="module")
def archive():
    return bundle.files(making.document(), making.data(), making.papers(), raw={"x.json": b"{}"})


def test_the_same_document_and_data_give_the_same_bytes(archive):
    again = bundle.files(making.document(), making.data(), making.papers(), raw={"x.json": b"{}"})
    assert [name for name in archive if archive[name] != again[name]] == []
    assert to_zip(archive) == to_zip(again)


def test_the_manifest_lists_every_file_with_its_hash(archive):
    manifest = json.loads(archive["MANIFEST.json"])
    listed = {one["path"]: one for one in manifest["files"]}
    assert set(listed) == set(archive) - {"MANIFEST.json"}
    for path, one in listed.items():
        assert one["sha256"] == hashlib.sha256(archive[path]).hexdigest(), path
        assert one["bytes"] == len(archive[path]), path
    assert manifest["rests_on"]["data_sha256"] == "c" * 64


def test_every_table_and_figure_is_there_in_every_format(archive):
    for name in ("turing-readers", "turing-tests", "mrmc-areas", "flow-readings"):
        assert f"tables/csv/{name}.csv" in archive
        assert f"tables/latex/{name}.tex" in archive
    for name in ("turing-forest", "mrmc-roc", "flow-diagram"):
        for ending in ("svg", "pdf", "png", "vl.json"):
            assert f"figures/{name}.{ending}" in archive
    for name in ("text/methods.md", "text/methods.docx", "text/checklist_stard.csv", "README.txt"):
        assert archive[name]


def test_figures_are_what_their_names_say(archive):
    image = Image.open(io.BytesIO(archive["figures/mrmc-roc.png"]))
    assert [round(value) for value in image.info["dpi"]] == [300, 300]
    assert image.mode == "RGB"
    assert archive["figures/mrmc-roc.pdf"].startswith(b"%PDF")
    assert "Liberation Sans" in archive["figures/mrmc-roc.svg"].decode()
    assert drawing.png(making.forest_figure(), dpi=96) == drawing.png(
        making.forest_figure(), dpi=96
    )


def test_the_readme_names_what_is_there(archive):
    readme = archive["README.txt"].decode()
    assert "Rscript analysis.R" in readme
    assert "audit.csv" not in readme, "there is no audit log in an archive of pure data"


def test_the_notebook_is_a_valid_notebook_of_valid_python(archive):
    made = json.loads(archive["analysis.ipynb"])
    assert (made["nbformat"], made["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in made["cells"]]
    assert len(ids) == len(set(ids))
    for cell in made["cells"]:
        assert set(cell) >= {"id", "cell_type", "metadata", "source"}
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            ast.parse("".join(cell["source"]))


def test_answers_that_look_like_formulas_are_made_harmless():
    data = making.data()
    first = replace(data.reads[0], answers={"origin": making.FORMULA})
    rows = list(csv.DictReader(io.StringIO(reads_csv(replace(data, reads=[first])))))
    assert rows[0]["value"] == f"'{making.FORMULA}"


def unpacked(data, folder: Path) -> Path:
    """The files that the scripts read, of a study carried out by the real endpoints."""
    (folder / "tables").mkdir(parents=True)
    files = {**data_files(data), "reads_long.csv": reads_csv(data)}
    files["tables/numbers.csv"] = numbers_csv(studies.carried_out(data))
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def plain(**more):
    return replace(studies.arms_plan()[0], **more)


STUDIES = {
    "turing": (studies.turing_data, 59),
    "arms": (lambda: studies.arms_data(studies.arms_plan()), 258),
    "classes": (studies.classes_data, 92),
    "fixed readers": (
        lambda: studies.arms_data((plain(readers="fixed", methods=("obuchowski_rockette",)),)),
        16,
    ),
    "cut-offs": (
        lambda: studies.arms_data((plain(methods=("nri_categorical",), cutoffs=(0.3, 0.7)),)),
        48,
    ),
    "choices": (studies.choices_data, 20),
    "panel": (studies.panel_data, 100),
    "models": (studies.models_data, 20),
    "survival": (lambda: studies.arms_data(studies.survival_plan()), 100),
}


def run_r(folder: Path) -> subprocess.CompletedProcess[str]:
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed, so the script cannot be run")
    command = ["Rscript", "--vanilla", str(SCRIPTS / "analysis.R"), str(folder), str(TOLERANCE)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def run_notebook(folder: Path) -> subprocess.CompletedProcess[str]:
    """Execute the code cells one after the other, in the folder of the archive."""
    cells = json.loads(notebook.notebook())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    program = f"names = {{}}\nfor cell in {code!r}:\n    exec(cell, names)\n"
    (folder / "cells.py").write_text(program, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "cells.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )


@pytest.mark.parametrize("run", [run_r, run_notebook])
@pytest.mark.parametrize("name", STUDIES)
def test_the_scripts_find_every_main_number_again(name, run, tmp_path):
    make, least = STUDIES[name]
    done = run(unpacked(make(), tmp_path / "archive"))
    assert done.returncode == 0, done.stdout + done.stderr
    compared = int(done.stdout.split()[0])
    assert compared >= least, done.stdout
    assert "compared; 0 have no number" in done.stdout
    largest = float(done.stdout.split("Largest difference: ")[1].split()[0])
    assert largest < TOLERANCE


@pytest.mark.parametrize("run", [run_r, run_notebook])
def test_a_changed_number_is_found(run, tmp_path):
    folder = unpacked(studies.turing_data(), tmp_path / "archive")
    path = folder / "tables" / "numbers.csv"
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    value = rows[0].index("value")
    one = next(n for n, row in enumerate(rows) if row[0].endswith("readers") and row[5] == "p")
    rows[one][value] = repr(float(rows[one][value]) + 1e-6)
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(rows)
    done = run(folder)
    assert done.returncode == 1
    assert "differ by more than" in done.stdout + done.stderr


@pytest.mark.parametrize("run", [run_r, run_notebook])
def test_what_the_scripts_do_not_redo_they_say(run, tmp_path):
    plan = (
        *studies.arms_plan()[:1],
        PlannedAnalysis(code="s", title="Overall survival", question="grade", endpoint="survival"),
    )
    data = studies.arms_data(plan)
    kept = [read for n, read in enumerate(data.reads) if n != 5]  # one read is missing
    folder = unpacked(replace(data, reads=kept), tmp_path / "archive")
    done = run(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Not redone: Overall survival" in done.stdout
    assert "U-statistic" in done.stdout


def test_numbers_csv_holds_undefined_numbers_with_their_reason():
    rows = list(csv.DictReader(io.StringIO(numbers_csv(making.document()))))
    empty = [row for row in rows if not row["value"]]
    assert empty
    assert all(row["reason"] for row in empty)
    assert all(math.isfinite(float(row["value"])) for row in rows if row["value"])
