"""The how-to page shows what the commands really print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.stats.golden_mrmc import van_dyke

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "statistics-from-a-csv.md"
BLOCK = re.compile(
    r"```console\n\$ readerstudy stats (?P<call>[^\n#]*?)\n(?P<out>.*?)```", re.DOTALL
)
FILE = re.compile(r"`(?P<name>\w+\.csv)`:\n```csv\n(?P<text>.*?)```", re.DOTALL)
# Freireich et al., Blood 1963;21:699: weeks of remission, negative where censored
MERCAPTOPURINE = (6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32,
                  -34, -35)  # fmt: skip
PLACEBO = (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)
# Hanley & McNeil 1982: how many normal and abnormal cases got each rating from 1 to 5
CT = {0: (33, 6, 6, 11, 2), 1: (3, 2, 2, 11, 33)}


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def numbered(rows):
    return [(i, *row) for i, row in enumerate(rows, start=1)]


@pytest.fixture
def files(make, tmp_path, monkeypatch):
    """Write the files that the page speaks of, and work among them."""
    monkeypatch.chdir(tmp_path)
    for found in FILE.finditer(page()):
        (tmp_path / found["name"]).write_text(found["text"], encoding="utf-8")
    cells = {("real", "real"): 26, ("real", "synthetic"): 24}
    cells |= {("synthetic", "real"): 6, ("synthetic", "synthetic"): 44}
    answers = [cell for cell, count in cells.items() for _ in range(count)]
    make("han.csv", ["case", "truth", "answer"], numbered(answers))
    ratings = [
        (truth, rating)
        for truth, counts in CT.items()
        for rating, count in enumerate(counts, start=1)
        for _ in range(count)
    ]
    make("ct.csv", ["case", "truth", "rating"], numbered(ratings))
    make("van_dyke.csv", ["reader", "treatment", "case", "truth", "rating"], van_dyke())
    counts = {("yes", "yes"): 20, ("no", "yes"): 10, ("yes", "no"): 5, ("no", "no"): 15}
    outcomes = [cell for cell, count in counts.items() for _ in range(count)]
    make("patients.csv", ["case", "outcome", "finding"], numbered(outcomes))
    arms = {"mercaptopurine": MERCAPTOPURINE, "placebo": PLACEBO}
    weeks = [(abs(w), int(w > 0), arm) for arm, group in arms.items() for w in group]
    make("leukaemia.csv", ["patient", "weeks", "event", "arm"], numbered(weeks))


def test_every_example_of_the_page_prints_what_the_page_shows(stats, files):
    examples = [found for found in BLOCK.finditer(page()) if found["out"].strip()]
    assert {shlex.split(found["call"])[0] for found in examples} == {
        "agreement", "turing", "roc", "mrmc", "reclassification", "logistic", "survival",
        "published", "check", "convert",
    }  # fmt: skip
    for found in examples:
        told = stats(*shlex.split(found["call"]))
        assert told.err == ""
        assert told.out.rstrip() == found["out"].rstrip(), found["call"]
