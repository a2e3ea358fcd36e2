"""The table of speeds: every row runs at toy size, and the page of the docs has every row."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import gpu_table

ROOT = Path(__file__).parents[2]
TOY = gpu_table.Effort(warm=0, steps=1, toy=True)


@pytest.mark.parametrize("row", gpu_table.ROWS, ids=lambda row: f"{row.kind} {row.preset}")
def test_every_row_runs_at_toy_size(row: gpu_table.Row) -> None:
    figure = gpu_table.measured(row, "cpu", TOY)
    assert isinstance(figure, float), figure
    assert figure > 0


def test_the_table_names_the_machine_and_says_what_is_missing() -> None:
    rows = [
        (gpu_table.ROWS[0], 4.2173),
        (gpu_table.ROWS[1], None),
        (gpu_table.ROWS[2], "failed: X"),
    ]
    text = gpu_table.table(rows, gpu_table.machine("cpu"), toy=True)
    assert text.startswith("Measured on: ")
    assert "| 4.22 | 8 | 4.5 | s/kimg |" in text
    assert "| not yet measured | 15 | 9 |" in text
    assert "| failed: X |" in text


def test_a_processor_is_not_measured_in_earnest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        gpu_table.main(["--device", "cpu"])
    assert "add --toy" in capsys.readouterr().err


def test_the_page_has_every_row() -> None:
    page = (ROOT / "docs" / "speed-of-generators.md").read_text()
    for row in gpu_table.ROWS:
        assert row.task in page
