"""The table of speeds: every row runs at toy size, and the page of the docs has every row."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks import gpu_table

ROOT = Path(__file__).parents[2]
TOY = gpu_table.Effort(warm=0, rounds=1, seconds=1.0, toy=True, steps=1)


@pytest.mark.parametrize("row", gpu_table.ROWS, ids=lambda row: f"{row.kind} {row.preset}")
def test_every_row_runs_at_toy_size(row: gpu_table.Row) -> None:
    figure = gpu_table.measured(row, "cpu", TOY)
    assert figure.value > 0, figure
    assert figure.how == "float32"


def test_the_table_names_the_machine_and_says_what_is_missing() -> None:
    rows = [
        (gpu_table.ROWS[0], gpu_table.Figure(4.2173, "bfloat16")),
        (gpu_table.ROWS[1], gpu_table.NOT_MEASURED),
        (gpu_table.ROWS[2], gpu_table.Figure(math.nan, "failed: X")),
    ]
    text = gpu_table.table(rows, gpu_table.machine("cpu"), toy=True)
    assert text.startswith("Measured on: ")
    assert "| 4.22 | bfloat16 | 8 | 4.5 | s/kimg |" in text
    assert "| not yet measured |  | 15 | 9 |" in text
    assert "| failed: X |" in text


def test_what_cannot_be_compiled_is_measured_without(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[dict[str, Any]] = []

    def measure(_row: Any, _device: str, _effort: Any, how: dict[str, Any]) -> float:
        tried.append(how)
        if "compile" in how:
            raise RuntimeError("no compiler\nmore")
        return 3.0

    monkeypatch.setattr(gpu_table, "measure", measure)
    earnest = gpu_table.Effort(warm=0, rounds=1, seconds=1.0, toy=False)
    figure = gpu_table.measured(gpu_table.ROWS[0], "cpu", earnest)
    assert (figure.value, figure.how) == (3.0, "bfloat16")
    assert [how.get("cuda_graphs", False) for how in tried] == [True, False, False]
    late = gpu_table.measured(gpu_table.ROWS[0], "cpu", earnest, out_of_time=-math.inf)
    assert str(late) == "not measured: out of time"


def test_the_table_is_written_after_every_row(tmp_path: Path) -> None:
    out = tmp_path / "table.md"
    gpu_table.main(
        ["--device", "cpu", "--toy", "--out", str(out), "--only", "wang2023-ed", "--minutes", "0"]
    )
    assert "| not measured: out of time |" in out.read_text()


def test_a_processor_is_not_measured_in_earnest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        gpu_table.main(["--device", "cpu"])
    assert "add --toy" in capsys.readouterr().err


def test_the_page_has_every_row() -> None:
    page = (ROOT / "docs" / "speed-of-generators.md").read_text()
    for row in gpu_table.ROWS:
        assert row.task in page
