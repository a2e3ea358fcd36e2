"""The table of failures names tests that exist, and every test of this folder stands in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
NAMED = re.compile(r"`((?:tests|static/tests)/[\w/.-]+?)(?:::([^`]+))?`")


def named() -> list[tuple[str, str]]:
    """Return each file and test in the last column of the tables."""
    lines = (HERE / "README.md").read_text().splitlines()
    rows = [
        line for line in lines if line.startswith("|") and not line.startswith(("| else", "|-"))
    ]
    found = [NAMED.findall(row.rsplit("|", 2)[1]) for row in rows]
    assert len(rows) > 80
    assert [row for row, tests in zip(rows, found, strict=True) if not tests] == []
    return [test for tests in found for test in tests]


def names_in(path: Path) -> set[str]:
    if path.suffix == ".ts":
        return set(re.findall(r"\bit\(\s*[\"'`](.+?)[\"'`],", path.read_text()))
    tree = ast.parse(path.read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_the_table_names_exists():
    missing = [
        f"{file}::{test}"
        for file, test in named()
        if not (ROOT / file).is_file() or (test and test not in names_in(ROOT / file))
    ]
    assert missing == []


def test_every_test_of_this_folder_stands_in_the_table():
    told = set(named())
    own = {
        (f"tests/peers/{path.name}", test)
        for path in HERE.glob("test_*.py")
        if path.name != "test_map.py"
        for test in names_in(path)
        if test.startswith("test_")
    }
    assert own - told == set()
