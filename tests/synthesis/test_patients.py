"""Patients are held out whole, folds hold everybody out once, and a run may start from another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from synthesis.data.patients import patients_of
from synthesis.data.splits import draw_parts
from synthesis.data.subjects import DataError
from synthesis.training.checkpoints import CheckpointError, load_weights
from synthesis.training.config import ConfigError
from synthesis.training.loop import TrainingResult, train

from .conftest import tiny_config

NAMES = [f"sub-{p:02d}_ses-{s}" for p in range(13) for s in range(1 + p % 3)]


def test_names_say_the_patient(tmp_path: Path) -> None:
    names = ["sub-07_ses-2", "BraTS-GLI-00012-001", "BraTS2021_00012", "phantom-0001"]
    assert list(patients_of(tmp_path, names).values()) == [
        "sub-07",
        "BraTS-GLI-00012",
        "BraTS2021_00012",
        "phantom-0001",
    ]


def test_a_table_outweighs_names(tmp_path: Path) -> None:
    table = tmp_path / "patients.csv"
    table.write_text("examination,patient\na,P1\nb,P1\nc,P2\n")
    assert patients_of(tmp_path, ["a", "b", "c"]) == {"a": "P1", "b": "P1", "c": "P2"}
    with pytest.raises(DataError, match="no line for d"):
        patients_of(tmp_path, ["a", "d"])
    table.write_text("examination,patient\na,P1\na,P2\n")
    with pytest.raises(DataError, match="twice"):
        patients_of(tmp_path, ["a"])
    table.write_text("exam,patient\na,P1\n")
    with pytest.raises(DataError, match="columns"):
        patients_of(tmp_path, ["a"])


def test_no_patient_trains_and_is_held_out() -> None:
    owner = {name: name.split("_")[0] for name in NAMES}
    for seed in range(10):
        parts = draw_parts(NAMES, validation_fraction=0.3, seed=seed, patients=owner)
        per_patient = {p: {parts[n] for n in NAMES if owner[n] == p} for p in owner.values()}
        assert all(len(met) == 1 for met in per_patient.values())
        assert sum(met == {"validation"} for met in per_patient.values()) == 4


def test_folds_hold_every_patient_out_once() -> None:
    owner = {name: name.split("_")[0] for name in NAMES}
    held: list[str] = []
    for fold in range(10):
        parts = draw_parts(
            NAMES, validation_fraction=0.2, seed=5, patients=owner, folds=10, fold=fold
        )
        out = {owner[name] for name, part in parts.items() if part == "validation"}
        assert 1 <= len(out) <= 2
        held.extend(out)
    assert sorted(held) == sorted(set(owner.values()))
    with pytest.raises(DataError, match="at least 14 patients"):
        draw_parts(NAMES, validation_fraction=0.2, seed=5, patients=owner, folds=14)


def test_a_fold_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="below folds"):
        tiny_config(folds=3, fold=3)


def test_examinations_of_a_patient_stay_together_in_a_run(cohort: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    for name, source in {"sub-1_ses-1": 0, "sub-1_ses-2": 1, "sub-2_ses-1": 2}.items():
        shutil.copytree(cohort / f"case-{source}", data / name)
    for seed in range(3):
        run = tmp_path / f"run-{seed}"
        train(tiny_config(max_steps=1, seed=seed), data, run, resume=False)
        parts = {
            s["name"]: s["part"] for s in json.loads((run / "split.json").read_text())["subjects"]
        }
        assert parts["sub-1_ses-1"] == parts["sub-1_ses-2"] != parts["sub-2_ses-1"]


def test_fine_tuning_starts_from_the_weights_named(
    cohort: Path, finished: TrainingResult, tmp_path: Path
) -> None:
    config = tiny_config(max_steps=1, learning_rate=1e-9)
    train(config, cohort, tmp_path / "run", resume=False, start_from=finished.run_dir)
    before, _, digest = load_weights(finished.run_dir / "weights.safetensors")
    after, _, _ = load_weights(tmp_path / "run" / "weights.safetensors")
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, atol=1e-6, rtol=0)
    assert json.loads((tmp_path / "run" / "config.json").read_text())["parent"] == digest
    card = json.loads((tmp_path / "run" / "model_card.json").read_text())
    assert card["training"]["started_from_weights_sha256"] == digest
    longer = tiny_config(max_steps=2, learning_rate=1e-9)
    assert train(longer, cohort, tmp_path / "run", resume=True).step == 2


def test_weights_of_another_network_are_refused(
    cohort: Path, finished: TrainingResult, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match="other layers"):
        train(
            tiny_config(width=6), cohort, tmp_path / "run", resume=False,
            start_from=finished.run_dir,
        )  # fmt: skip
    with pytest.raises(CheckpointError, match="no weights to start from"):
        train(tiny_config(), cohort, tmp_path / "b", resume=False, start_from=tmp_path / "none")
