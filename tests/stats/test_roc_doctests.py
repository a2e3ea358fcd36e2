"""The examples in the docstrings and pages of the ROC and multi-reader modules."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

MODULES = (
    "roc",
    "roc_points",
    "roc_bootstrap",
    "mrmc",
    "mrmc_ustat",
    "mrmc_planning",
    "mrmc_files",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"readerstudy.stats.{name}"))
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("page", ["roc", "mrmc"])
def test_worked_example(page: str) -> None:
    path = Path(__file__).resolve().parents[2] / "docs" / "algorithms" / f"{page}.md"
    found = doctest.testfile(str(path), module_relative=False)
    assert found.attempted > 0
    assert found.failed == 0
