"""``manage.py train`` and ``manage.py generate``."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from readerstudy.core import jobs
from readerstudy.core.models import Job
from synthesis import follow
from synthesis.models import Checkpoint, GenerationRun
from tests.synthesis.bench_jobs import OVERRIDES

pytestmark = pytest.mark.django_db


def command(*arguments: Any) -> str:
    out = io.StringIO()
    call_command(*map(str, arguments), stdout=out)
    return out.getvalue()


def test_train_and_generate_on_the_command_line(cohort, sources):
    printed = command(
        "train", "unet2d-t1c", "--data", cohort, "--run", "by-hand", "--seed", 5, *OVERRIDES
    )
    stored = Checkpoint.objects.get()
    assert printed.splitlines()[-1] == f"Checkpoint {stored.pk}"
    assert stored.run_folder == "by-hand"
    assert any(re.match(r"\d+ of \d+  ", line) for line in printed.splitlines()), "it was told"
    code = sources[1].code
    printed = command("generate", "by-hand", "--cases", code, "--seed", 3)
    run = GenerationRun.objects.get()
    assert printed.splitlines()[-1] == f"Run {run.pk}: 1 images"
    assert [pair["source"] for pair in run.record["cases"].values()] == [code]
    assert run.seed == 3


def test_settings_may_stand_between_the_options(cohort):
    command("train", "unet2d-t1c", *OVERRIDES, "--run", "a", "--data", cohort)
    assert Checkpoint.objects.get().card["training"]["steps"] == 6


def test_a_run_may_lie_in_a_folder_of_its_own(cohort, tmp_path):
    folder = tmp_path / "elsewhere" / "run"
    command("train", "unet2d-t1c", "--data", cohort, "--run", folder, *OVERRIDES)
    assert (folder / "weights.safetensors").exists()


def test_a_run_of_that_name_is_not_overwritten_but_gone_on_with_if_asked(cohort):
    arguments = ("train", "unet2d-t1c", "--data", cohort, "--run", "a", *OVERRIDES)
    command(*arguments)
    with pytest.raises(CommandError, match="Add --resume to go on with it, or name another"):
        command(*arguments)
    command(*arguments, "--resume")
    assert Checkpoint.objects.count() == 1


def test_a_training_that_fails_ends_the_command_in_words(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="Train unet2d-t1c failed: No subject in 'empty' has"):
        command("train", "unet2d-t1c", "--data", tmp_path / "empty", "--run", "a")


def test_a_case_or_checkpoint_that_does_not_exist_ends_the_command_in_words(checkpoint, sources):
    with pytest.raises(CommandError, match="There is no case 99999"):
        command("generate", "toy", "--cases", sources[0].code, "99999")
    with pytest.raises(CommandError, match="There is no checkpoint x"):
        command("generate", "x", "--cases", sources[0].code)


def test_the_work_can_be_left_to_a_worker_and_followed(checkpoint, sources, monkeypatch):
    seen = []

    def worker_comes(_seconds: float) -> None:
        seen.append(Job.objects.get().state)
        jobs.work_through("gpu")

    monkeypatch.setattr(follow, "time", SimpleNamespace(sleep=worker_comes))
    printed = command("generate", checkpoint.pk, "--cases", sources[0].code, "--queue")
    assert seen == [Job.State.WAITING]
    assert "waiting 0/0" in printed
    assert printed.splitlines()[-1].endswith(": 1 images")
