"""The Van Dyke study in the designs of ``reference/mrmc.R``, and columns of golden studies."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.stats.golden import SHARED, reference

RANDOM = {"both": "readers and cases", "cases": "cases", "readers": "readers"}


def van_dyke() -> list[tuple[int, int, int, int, int]]:
    """Return (reader, test, case, truth, score) of the public Van Dyke study, 1140 reads."""
    study = reference("mrmc_vandyke")
    return [
        (int(reader), int(test), case, int(truth), int(rating))
        for test, readers in study["ratings"].items()
        for reader, ratings in readers.items()
        for case, (truth, rating) in enumerate(zip(study["truth"], ratings, strict=True), start=1)
    ]


def columns(rows: Any) -> dict[str, list[Any]]:
    """Return rows as the arguments of the analysis functions."""
    reader, test, case, truth, score = (list(column) for column in zip(*rows, strict=True))
    return {"reader": reader, "test": test, "case": case, "truth": truth, "score": score}


def designs() -> dict[str, list[tuple[int, int, int, int, int]]]:
    """Return the nested and split-plot designs that the R script makes of the study."""
    rows = van_dyke()
    return {
        "case_in_reader": [x for x in rows if x[2] % 5 + 1 == x[0]],
        "case_in_test": [x for x in rows if x[2] % 2 + 1 == x[1]],
        "reader_in_test": [x for x in rows if (x[0] <= 3) == (x[1] == 1)],
        "balanced_reader_in_test": [x for x in rows if x[0] != 3 and (x[0] < 3) == (x[1] == 1)],
        "split_plot": [
            x
            for x in rows
            if (x[0] <= 2) == (x[2] % 4 < 2) and (x[2] * 7 + x[0] * 3 + x[1]) % 13 != 0
        ],
    }


def golden_columns(golden: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a golden study, from its file or from the data folder beside it."""
    data = golden["data"]
    if "data_ref" in golden:
        folder = Path(os.environ.get("READERSTUDY_GOLDEN", SHARED))
        path = folder.parent / "data" / Path(golden["data_ref"]).name
        if not path.is_file():
            pytest.skip(f"no file {path.name} in the data folder beside READERSTUDY_GOLDEN")
        data = json.loads(path.read_text())["data"]
    names = {"reader": "reader", "test": "treatment", "case": "case"}
    found = {name: data[key] for name, key in names.items()}
    return found | {"truth": data["truth"], "score": data["rating"]}
