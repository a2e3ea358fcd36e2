"""Series of runs: which cells, resuming, skipping, memory, and the tables they end in."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from scipy import stats

from synthesis.networks.encoder_decoder import INPUTS
from synthesis.training import experiments, series, tables
from synthesis.training.checkpoints import CheckpointError
from synthesis.training.config import ConfigError
from synthesis.training.journal import Journal
from synthesis.training.loop import train
from synthesis.training.series import Footprint, run_series, workers_that_fit

from .test_training import stop_after, weights_of
from .volumes import write_cohort

SMALL: dict[str, Any] = {
    "threads": 1, "max_steps": 2, "validations": 1, "report_every": 1, "checkpoint_every": 1,
    "validation_fraction": 0.4,
}  # fmt: skip
TINY: dict[str, Any] = {**SMALL, "width": 4, "blocks": 0}
NETS = {
    "wang2023-ed": {"width": 4, "blocks": 0},
    "wang2023-fcgan": {"width": 4, "blocks": 0, "judge_width": 4, "judge_layers": 2},
}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ["sub-1_ses-1", "sub-1_ses-2", "sub-2_ses-1", "sub-2_ses-2", "sub-3_ses-1"]
    return write_cohort(
        tmp_path_factory.mktemp("cbv"), names, roles=("t1", "t2", "flair", "t1c", "adc", "cbv"),
        shape=(12, 24, 20),
    )  # fmt: skip


def test_the_grid_has_sixty_two_models_with_one_split() -> None:
    cells = experiments.input_grid(TINY)
    assert len(cells) == len({cell.name for cell in cells}) == 62
    assert {tuple(sorted(c.settings["inputs"])) for c in cells} == {
        tuple(sorted(i for i, bit in zip(INPUTS, f"{mask:05b}", strict=True) if bit == "1"))
        for mask in range(1, 32)
    }
    configs = [cell.config() for cell in cells]
    assert {(c.seed, c.validation_fraction, c.split_by) for c in configs} == {(0, 0.4, "patient")}


def test_ten_folds_are_ten_runs() -> None:
    cells = experiments.cross_validation("calabrese2021-unet", 10, SMALL)
    assert [(c.config().fold, c.config().folds) for c in cells] == [(k, 10) for k in range(10)]
    with pytest.raises(ConfigError, match="at least 2"):
        experiments.cross_validation("calabrese2021-unet", 1, SMALL)


def test_the_search_draws_different_points_of_the_published_space() -> None:
    cells = experiments.random_search("calabrese2021-unet", SMALL, draws=16, seed=4)
    points = {(c.settings["base"], c.settings["batch"], c.settings["dropout"]) for c in cells}
    assert len(points) == 16
    assert {p[0] for p in points} <= {8, 16, 32, 64}
    assert {p[2] for p in points} <= {0.2, 0.3, 0.4, 0.5}
    again = experiments.random_search("calabrese2021-unet", SMALL, draws=16, seed=4)
    assert [c.name for c in again] == [c.name for c in cells]
    everything = experiments.random_search("calabrese2021-unet", SMALL, draws=64)
    assert len({c.name for c in everything}) == 64
    with pytest.raises(ConfigError, match="64 points"):
        experiments.random_search("calabrese2021-unet", SMALL, draws=65)


def test_the_ablation_is_the_full_model_and_seven_pairs() -> None:
    cells = experiments.input_ablation("calabrese2021-unet", SMALL)
    assert [c.name for c in cells] == [
        "full", "t1+t2", "t1+flair", "t1+dwi", "t1+swi", "t1+asl", "t1+fa", "t1+md",
    ]  # fmt: skip
    assert cells[1].config().network_config().inputs == ("t1", "t2")


def test_networks_are_compared_on_one_task_only() -> None:
    cells = experiments.comparison(SMALL, {"wang2023-ed": {"width": 8}})
    assert len(cells) == 6
    assert cells[2].settings["width"] == 8
    assert "width" not in cells[1].settings
    with pytest.raises(ConfigError, match="different tasks"):
        experiments.comparison(SMALL, presets={"wang2023-ed": {}, "unet2d-t1c": {}})


def grid(algorithms: tuple[str, ...] = tuple(NETS), **changes: Any) -> list[series.Cell]:
    cells = experiments.input_grid(
        {**SMALL, **changes}, inputs=("t1", "adc"), algorithms=algorithms
    )
    return [
        series.Cell(c.name, c.preset, {**c.settings, **NETS[c.preset]}, c.labels) for c in cells
    ]


def test_a_series_skips_what_is_finished_and_resumes_what_is_not(
    cohort: Path, tmp_path: Path
) -> None:
    cells = grid(("wang2023-ed",))
    train(cells[1].config(), cohort, tmp_path / "s" / cells[1].name, resume=False,
          should_stop=stop_after(1))  # fmt: skip
    told: list[str] = []
    results = run_series(cells, cohort, tmp_path / "s", tell=lambda *call: told.append(call[2]))
    assert [r.state for r in results] == ["finished"] * 3
    straight = run_series(cells[1:2], cohort, tmp_path / "alone")
    assert straight[0].state == "finished"
    one, other = (weights_of(tmp_path / f / cells[1].name) for f in ("s", "alone"))
    assert all((one[name] == other[name]).all() for name in one)
    again = run_series(cells, cohort, tmp_path / "s")
    assert [r.state for r in again] == ["skipped"] * 3
    with pytest.raises(CheckpointError, match="another series"):
        run_series(grid(("wang2023-ed",), seed=1), cohort, tmp_path / "s")


def test_a_failed_run_does_not_stop_the_others(cohort: Path, tmp_path: Path) -> None:
    good = grid(("wang2023-ed",))[0]
    bad = series.Cell("bad", "wang2023-ed", {**good.settings, "target": "swi"})
    results = run_series([bad, good], cohort, tmp_path)
    assert [r.state for r in results] == ["failed", "finished"]
    assert "no swi" in results[0].reason


def test_two_workers_give_what_one_gives(cohort: Path, tmp_path: Path) -> None:
    cells = grid(("wang2023-ed",))[:2]
    run_series(cells, cohort, tmp_path / "one")
    results = run_series(cells, cohort, tmp_path / "two", workers=2)
    assert [r.state for r in results] == ["finished"] * 2
    for cell in cells:
        one, two = (weights_of(tmp_path / f / cell.name) for f in ("one", "two"))
        assert all((one[name] == two[name]).all() for name in one)


def test_memory_decides_how_many_run_at_once() -> None:
    gib = 2**30
    assert workers_that_fit(8, Footprint(2 * gib), Footprint(10 * gib)) == 4
    assert workers_that_fit(8, Footprint(20 * gib), Footprint(10 * gib)) == 1
    assert workers_that_fit(2, Footprint(gib), Footprint(100 * gib)) == 2
    assert workers_that_fit(8, Footprint(gib, 30 * gib), Footprint(100 * gib, 139 * gib)) == 4


def finished_run(folder: Path, cell: series.Cell, scores: dict[str, float], **card: Any) -> None:
    """Write what the tables read of a run."""
    run = folder / cell.name
    run.mkdir(parents=True)
    for name in ("weights.safetensors", "samples.png"):
        (run / name).touch()
    nothing = [{"metric": "ssim_wang", "do_nothing": 60.0}]
    card_of = {"validation": {"scores": nothing}, "training": {"steps": 7}}
    (run / "model_card.json").write_text(json.dumps(card_of))
    (run / "config.json").write_text(json.dumps(cell.config().to_dict()))
    subjects = {name: {"ssim_wang": value} for name, value in scores.items()}
    Journal(run / "metrics.jsonl").append(kind="validation", step=1, subjects=subjects)


@pytest.fixture
def table_two(tmp_path: Path) -> tuple[Path, dict[str, dict[str, float]]]:
    rng = np.random.default_rng(0)
    scans = ["sub-1_ses-1", "sub-1_ses-2", "sub-2_ses-1", "sub-3_ses-1", "sub-3_ses-2"]
    cells = grid()
    series._settle(cells, tmp_path)
    values = {c.name: dict(zip(scans, 85 + rng.normal(0, 2, 5), strict=True)) for c in cells}
    for cell in cells:
        finished_run(tmp_path, cell, values[cell.name])
    return tmp_path, values


def test_table_two_has_the_layout_and_the_tests_of_the_paper(
    table_two: tuple[Path, dict[str, dict[str, float]]],
) -> None:
    folder, values = table_two
    table = tables.wang_table(folder, folder)
    assert table.header[:3] == ("Sequence", "wang2023-ed (%)", "wang2023-fcgan (%)")
    first = [row[0] for row in table.rows]
    assert first == [
        "**One MRI sequence**", "T1", "ADC", "**Two MRI sequences**", "T1 with ADC",
    ]  # fmt: skip
    row = table.rows[1]
    ed, gan = values["wang2023-ed-t1"], values["wang2023-fcgan-t1"]
    sample = np.array(list(ed.values()))
    assert row[1] == f"{sample.mean():.2f} ± {sample.std(ddof=1):.2f}"  # as in the paper
    p = stats.ttest_rel(list(ed.values()), list(gan.values())).pvalue
    assert row[3] == f"{p:.3f}"
    means = [[np.mean([column[n] for n in names]) for names in _PATIENTS] for column in (ed, gan)]
    assert row[4] == f"{stats.ttest_rel(*means).pvalue:.3f}"
    best = max(values, key=lambda name: np.mean(list(values[name].values())))
    against = stats.ttest_rel(list(ed.values()), list(values[best].values())).pvalue
    assert row[5] in ("best", f"{against:.3f}")
    assert [cell for row in table.rows for cell in row].count("best") == 1
    assert "Split by patient." in table.note
    table.write(folder, "table")
    lines = list(csv.reader(io.StringIO((folder / "table.csv").read_text())))
    assert lines[2] == list(row)
    assert (folder / "table.md").read_text().startswith("| Sequence | wang2023-ed (%)")


_PATIENTS = (("sub-1_ses-1", "sub-1_ses-2"), ("sub-2_ses-1",), ("sub-3_ses-1", "sub-3_ses-2"))


def test_a_split_by_examination_is_labelled(tmp_path: Path) -> None:
    cells = grid(split_by="examination")
    series._settle(cells, tmp_path)
    for cell in cells:
        finished_run(tmp_path, cell, {"a": 80.0, "b": 81.0})
    assert "AS PUBLISHED" in tables.wang_table(tmp_path, tmp_path).note


def test_the_table_of_folds_pools_everybody_once(tmp_path: Path) -> None:
    cells = experiments.cross_validation("wang2023-ed", 3, TINY)
    series._settle(cells, tmp_path)
    shown = {f"s{k}": 80.0 + k for k in range(6)}
    for number, cell in enumerate(cells):
        finished_run(tmp_path, cell, dict(list(shown.items())[2 * number : 2 * number + 2]))
    table = tables.series_table(tmp_path)
    pooled = table.rows[-2]
    assert pooled[:2] == ("all folds", "6")
    values = np.array(list(shown.values()))
    assert pooled[2] == f"{values.mean():.2f} ± {values.std(ddof=1):.4f}"
    assert table.rows[-1][0] == "do nothing"
    assert table.rows[-1][2] == "60.00"
    steps = table.header.index("steps")
    assert [row[steps] for row in table.rows] == ["7", "7", "7", "", ""]


def test_runs_on_the_same_subjects_are_tested_against_the_best(
    table_two: tuple[Path, dict[str, dict[str, float]]],
) -> None:
    folder, values = table_two
    table = tables.series_table(folder)
    raw = []
    best = max(values, key=lambda name: np.mean(list(values[name].values())))
    for name, column in values.items():
        if name != best:
            p = stats.ttest_rel(list(column.values()), list(values[best].values())).pvalue
            raw.append(float(p))
    order = np.argsort(raw)
    smallest = min(1.0, raw[order[0]] * len(raw))
    told = [row[-1] for row in table.rows if row[-1]]
    assert "best" in told
    assert ("<.001" if smallest < 0.001 else f"{smallest:.3f}") in told


def test_undefined_tests_say_so() -> None:
    assert math.isnan(tables.paired({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.0}))


def test_the_command_trains_a_series_and_writes_its_table(
    cohort: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "folds"
    arguments = [
        "experiment", "folds", f"--data={cohort}", f"--out={out}", "--preset=wang2023-ed",
        "--folds=3", *(f"{key}={json.dumps(value)}" for key, value in TINY.items()),
    ]  # fmt: skip
    call_command(*arguments)
    printed = capsys.readouterr().out
    assert "3/3 fold-02: finished" in printed
    assert "| all folds | 5 |" in (out / "table.md").read_text()
    call_command(*arguments)
    assert "finished" not in capsys.readouterr().out
    with pytest.raises(CommandError, match="another series"):
        call_command(*arguments, "--seed=1")
    with pytest.raises(CommandError, match="key=value"):
        call_command(*arguments, "nonsense")
