"""A reviewer verifies a certificate on another machine, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from readerstudy.cli import main
from readerstudy.reading.allocation import (
    ALGORITHM,
    Design,
    Item,
    design_document,
    draw,
    table,
    table_hash,
)


@pytest.fixture
def certificate(tmp_path):
    design = Design(("R1", "R2"), tuple(Item(f"c{i}", f"s{i}") for i in range(8)))
    rows = draw(design, "seed")
    document = {
        "algorithm": ALGORITHM,
        "seed": "seed",
        "design": design_document(design),
        "table": table(rows),
        "table_hash": table_hash(rows),
    }
    path = tmp_path / "allocation_certificate.json"
    path.write_text(json.dumps(document))
    return path


def test_a_true_certificate_agrees_without_django(certificate):
    code = (
        "import sys; from readerstudy.cli import main; "
        "code = main(['allocation', 'verify', sys.argv[1]]); "
        "assert 'django' not in sys.modules; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(certificate)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "16 rows" in done.stdout


def test_a_changed_table_is_found(certificate, capsys):
    document = json.loads(certificate.read_text())
    document["table"][0][3], document["table"][1][3] = (
        document["table"][1][3],
        document["table"][0][3],
    )
    certificate.write_text(json.dumps(document))
    assert main(["allocation", "verify", str(certificate)]) == 2
    assert "differs" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"table": []}'])
def test_what_is_no_certificate_is_refused_in_words(tmp_path, capsys, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    assert main(["allocation", "verify", str(path)]) == 1
    assert capsys.readouterr().err.startswith(str(path))


def test_a_missing_file_is_refused(tmp_path, capsys):
    assert main(["allocation", "verify", str(tmp_path / "none.json")]) == 1
    assert "cannot be read" in capsys.readouterr().err
