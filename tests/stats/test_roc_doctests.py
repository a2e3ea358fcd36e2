"""The examples in the docstrings of the ROC and multi-reader modules."""

from __future__ import annotations

import doctest
import importlib

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
