"""The training loop: one for all ways of training.

It counts steps and seconds, writes the log, saves states, validates, stops when asked or when the
loss goes astray, and closes a finished run with weights, card and sample sheet. What a step is,
the `Learner` of the preset's objective knows.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from synthesis.data.splits import Split, SplitEntry
from synthesis.data.subjects import DataError, content_hashes, find_subjects, load_subject
from synthesis.generate import WEIGHTS_FORMAT, Progress, ShouldStop
from synthesis.networks.threads import spare_cores, using_threads
from synthesis.training import parallel
from synthesis.training.card import card_markdown, model_card
from synthesis.training.checkpoints import (
    CheckpointError,
    save_state,
    save_weights,
    write_atomically,
    write_json,
)
from synthesis.training.config import TrainingConfig
from synthesis.training.guard import DivergenceGuard
from synthesis.training.learner import TrainingDivergedError, Validation
from synthesis.training.runs import RunFolder, open_run, settle_split, stored_state
from synthesis.training.schedule import Clock, rate_factor
from synthesis.training.setting_up import check_device, new_learner, parts_of
from synthesis.training.speed import Pace
from synthesis.training.stopping import EarlyStop
from synthesis.training.transfer import parent_sha256
from synthesis.training.words import duration

_GIB = 2**30


@dataclass(frozen=True)
class TrainingResult:
    """How a session of training ended.

    Attributes
    ----------
    run_dir : Path
    finished : bool
        False if it was asked to stop; resume it then.
    step : int
        Steps done, over all sessions.
    seconds : float
        Wall clock, over all sessions.
    metrics, do_nothing : dict of str to float
        Last validation, and the same scores of the input passed off as prediction.
    weights_sha256 : str or None
        Of the weights file; None if not finished, and of the processes that do not lead.
    """

    run_dir: Path
    finished: bool
    step: int
    seconds: float
    metrics: dict[str, float]
    do_nothing: dict[str, float]
    weights_sha256: str | None


def train(
    config: TrainingConfig,
    data_dir: Path,
    run_dir: Path,
    *,
    resume: bool,
    start_from: Path | None = None,
    on_progress: Progress | None = None,
    should_stop: ShouldStop | None = None,
    extractors: Path | None = None,
) -> TrainingResult:
    """Train a generator.

    Parameters
    ----------
    config : TrainingConfig
    data_dir : Path
        ``<subject>/<sequence>.nii.gz``, skull-stripped and registered.
    run_dir : Path
        Gets config.json, split.json, metrics.jsonl, state.pt and, at the end,
        weights.safetensors, model_card.json, model_card.md and samples.png.
    resume : bool
        Go on with the run in ``run_dir`` from its last saved state. Bounded by steps on one CPU,
        the outcome equals that of an uninterrupted run bit for bit.
    start_from : Path, optional
        Run folder or weights file whose generator this run starts from: fine-tuning. Its
        fingerprint is kept as ``config.parent``.
    on_progress : callable, optional
        Called with (step, expected steps, message, metrics).
    should_stop : callable, optional
        Asked after every step; the state is saved when it returns True.
    extractors : Path, optional
        Folder of the feature extractors of this machine, for scores of sets of images.

    Notes
    -----
    Under torchrun the processes train together (`synthesis.training.parallel`); the first of them
    validates, writes the files, is asked to stop and tells its progress.

    Raises
    ------
    ValueError
        If settings, images or the run folder cannot be used.
    TrainingDivergedError
        If the loss goes astray. The last saved state stays.
    """
    with using_threads(config.threads or spare_cores()), parallel.together(config.device):
        config = replace(config, parent=parent_sha256(start_from))
        folder = RunFolder(run_dir)
        session = _Session(
            config,
            data_dir,
            folder,
            resume=resume,
            start_from=start_from,
            on_progress=on_progress or _silent,
            extractors=extractors,
        )
        return session.run(should_stop or _never)


def _in_words(losses: dict[str, float]) -> str:
    return "Training, " + ", ".join(f"{name} {value:.4f}" for name, value in losses.items())


def _silent(_step: int, _of: int, _message: str, _metrics: dict[str, float]) -> None:
    """Take no notice of progress."""


def _never() -> bool:
    return False


class _Session:
    """One call of `train`."""

    def __init__(
        self,
        config: TrainingConfig,
        data_dir: Path,
        folder: RunFolder,
        *,
        resume: bool,
        start_from: Path | None,
        on_progress: Progress,
        extractors: Path | None,
    ) -> None:
        check_device(config.device)
        self.folder = folder
        self.leads = parallel.leads()
        self.tell = on_progress if self.leads else _silent
        self.config = open_run(folder, config, resume=resume)
        self.clock = Clock(self.config.max_steps, self.config.max_minutes)
        self.guard = DivergenceGuard()
        state = stored_state(folder, resume=resume)
        if state is None and self.config.parent and start_from is None:
            raise CheckpointError("This run began from other weights: name them again to resume.")
        self.learner = new_learner(self.config, start_from)
        self.learner.extractors = extractors
        self.pace = Pace(self.learner.images_per_step)
        self.early = EarlyStop(self.config.stop_metric, self.config.stop_patience)
        self.split = self._read(data_dir)
        settle_split(folder, self.split)
        self.step = 0
        self.validated = 0
        self.last_validation: Validation | None = None
        self._restore(state)
        parallel.part_ways(self.config.seed, self.step)
        self._prepare()

    def run(self, should_stop: Callable[[], bool]) -> TrainingResult:
        """Step until the run is done or should stop."""
        while not self._agreed(self._stands_still) and (progress := self._progress()) < 1.0:
            self._one_step(progress)
            self._validate_if_due()
            if self._agreed(should_stop):
                self._save()
                return self._result(self.last_validation, weights_sha256=None)
            if self.step % self.config.checkpoint_every == 0:
                self._save()
        return self._finish()

    def _finish(self) -> TrainingResult:
        ended_early = self._agreed(self._stands_still)
        if not ended_early:
            self._validate()
        self._save()
        if not self.leads:
            return self._result(None, weights_sha256=None)
        if self.early.since:  # the weights of now are not the best
            self.early.put_back(self.learner.released())
            self.last_validation = self.learner.validate()
        return self._publish(ended_early=ended_early)

    def _stands_still(self) -> bool:
        return self.early.reached

    def _progress(self) -> float:
        return parallel.agreed(self.clock.progress(self.step))

    def _agreed(self, asked: Callable[[], bool]) -> bool:
        return bool(parallel.agreed(float(asked())))

    def _validate_if_due(self) -> None:
        due = int(self._progress() * self.config.validations)
        if self.validated < due < self.config.validations:
            self.validated = due
            self._validate()
            self._keep_snapshot()

    def _read(self, data_dir: Path) -> Split:
        shape = self.config.network_config()
        found = find_subjects(data_dir, self.config.sequences()).subjects
        parts = parts_of(self.config, data_dir, [files.name for files in found])
        entries = []
        for number, files in enumerate(found):
            self.tell(0, self.config.max_steps, f"Reading subject {number + 1} of {len(found)}", {})
            subject = load_subject(files, inputs=shape.mask_from)
            part = parts[files.name]
            entries.append(
                SplitEntry(files.name, part, subject.file_sha256, content_hashes(subject))
            )
            self.learner.take(subject, part)
            self._check_memory(number + 1, len(found))
        return Split(self.config.seed, self.config.validation_fraction, tuple(entries))

    def _prepare(self) -> None:
        started = time.monotonic()
        self._tell("Scoring the do-nothing prediction", {})
        self.learner.prepare()
        self.clock.expect_closing(max(self.clock.closing, time.monotonic() - started))

    def _check_memory(self, read: int, of: int) -> None:
        held = self.learner.held_bytes / _GIB
        if held > self.config.memory_gb:
            raise DataError(
                f"The training images need more than memory_gb={self.config.memory_gb:g} after "
                f"{read} of {of} subjects. Raise memory_gb if the machine has it, or use fewer."
            )

    def _one_step(self, progress: float) -> None:
        rate = rate_factor(progress, schedule=self.config.schedule, warmup=self.config.warmup)
        self.pace.begin()
        losses = self.learner.step(self.step, rate)
        self.pace.end()
        self.step += 1
        self._guard(losses)
        if self.step % self.config.report_every == 0:
            self._report({**losses, "learning_rate": rate * self.config.learning_rate})

    def _guard(self, losses: dict[str, float]) -> None:
        try:
            self.guard.check(self.step, losses)
        except TrainingDivergedError as error:
            self._log("diverged", {"reason": str(error)})
            raise

    def _report(self, values: dict[str, float]) -> None:
        self.pace.report()
        speed = self.pace.images_per_second
        left = self.clock.left(
            self.step,
            seconds_per_step=self.pace.seconds_per_step,
            validations=self.config.validations - self.validated,
        )
        told = {"images_per_second": round(speed, 3), "seconds_left": round(left, 3)}
        self._log("train", {**values, **told})
        losses = {name: value for name, value in values.items() if name != "learning_rate"}
        words = f"{_in_words(losses)}, {speed:.3g} images/s, about {duration(left)} left"
        self._tell(words, losses)

    def _validate(self) -> None:
        if not self.leads:
            return
        started = time.monotonic()
        self._tell("Validating", {})
        validation = self.learner.validate()
        self.early.take(self.step, validation.scores, self.learner.released())
        write_atomically(self.folder.sheet, self.learner.sheet())
        self.clock.expect_closing(time.monotonic() - started)
        about = {"about": validation.about} if validation.about else {}
        self._log("validation", {**validation.values(), "subjects": validation.subjects, **about})
        self._tell("Validated", validation.values())
        self.last_validation = validation

    def _tell(self, message: str, metrics: dict[str, float]) -> None:
        self.tell(self.step, self.clock.expected_steps(self.step), message, metrics)

    def _log(self, kind: str, values: dict[str, Any]) -> None:
        if not self.leads:
            return
        seconds = round(self.clock.elapsed(), 3)
        self.folder.journal.append(kind=kind, step=self.step, seconds=seconds, **values)

    def _save(self) -> None:
        if not self.leads:
            return
        save_state(
            self.folder.state,
            {
                "step": self.step,
                "validated": self.validated,
                "seconds": self.clock.elapsed(),
                "guard": vars(self.guard),
                "early": self.early.state(),
                "random": _random_state(self.config.device),
                "learner": self.learner.state(),
            },
        )

    def _restore(self, state: dict[str, Any] | None) -> None:
        if self.leads:
            self.folder.journal.rewind(state["step"] if state else -1)
        if state is None:
            return
        self.step, self.validated = state["step"], state["validated"]
        self.clock.spent = state["seconds"]
        vars(self.guard).update(state["guard"])
        self.early.restore(state.get("early", {}))
        self.learner.restore(state["learner"])
        _set_random_state(state["random"], self.config.device)

    def _keep_snapshot(self) -> None:
        """Write the network of now as a finished run would be, for whoever wants to use it."""
        if not (self.config.snapshots and self.leads):
            return
        folder = self.folder.snapshot(self.step)
        folder.path.mkdir(parents=True, exist_ok=True)
        write_json(folder.config, self.config.to_dict())
        write_json(folder.split, self.split.to_dict())
        self._release(folder, ended_early=False)

    def _publish(self, *, ended_early: bool) -> TrainingResult:
        validation, digest = self._release(self.folder, ended_early=ended_early)
        self._tell("Done", validation.values())
        return self._result(validation, digest)

    def _release(self, folder: RunFolder, *, ended_early: bool) -> tuple[Validation, str]:
        """Write weights, card and sheet of the network of now; return its scores and hash."""
        validation = self.last_validation
        assert validation is not None  # noqa: S101 - what is released was validated
        network = self.learner.released()
        facts = {
            "format": WEIGHTS_FORMAT,
            "preset": self.config.preset,
            "network": asdict(self.config.network_config()),
        }
        digest = save_weights(folder.weights, network.state_dict(), facts)
        card = model_card(
            config=self.config,
            network=network,
            split=self.split,
            validation=validation,
            step=self.step,
            seconds=self.clock.elapsed(),
            weights_sha256=digest,
            images_per_second=self.pace.images_per_second,
            stopping=self.early.facts(early=ended_early),
            more=self.learner.facts(),
            purpose=self.learner.purpose,
        )
        write_json(folder.card, card)
        write_atomically(folder.card.with_suffix(".md"), card_markdown(card).encode())
        write_atomically(folder.sheet, self.learner.sheet())
        return validation, digest

    def _result(self, validation: Validation | None, weights_sha256: str | None) -> TrainingResult:
        scores = validation.scores if validation else ()
        return TrainingResult(
            run_dir=self.folder.path,
            finished=weights_sha256 is not None,
            step=self.step,
            seconds=self.clock.elapsed(),
            metrics={score.metric: score.value for score in scores},
            do_nothing={score.metric: score.do_nothing for score in scores},
            weights_sha256=weights_sha256,
        )


def _random_state(device: str) -> dict[str, Any]:
    on_gpu = torch.device(device).type == "cuda"
    return {
        "cpu": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if on_gpu else None,
    }


def _set_random_state(state: dict[str, Any], device: str) -> None:
    torch.set_rng_state(state["cpu"])
    if state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], device)
