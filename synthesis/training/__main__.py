"""The engine alone, without the web project: ``python -m synthesis.training PRESET …``.

This is what ``torchrun`` starts for training on several devices:
``torchrun --nproc-per-node 4 -m synthesis.training PRESET --data DIR --run-dir DIR --device cuda``.
``manage.py train --processes 4`` calls it so and puts the checkpoint on record.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from synthesis.data.subjects import DataError
from synthesis.training import parallel
from synthesis.training.checkpoints import CheckpointError
from synthesis.training.config import ConfigError, TrainingConfig
from synthesis.training.learner import TrainingDivergedError
from synthesis.training.loop import train

STOP_FILE = "stop"
_REFUSED = (CheckpointError, ConfigError, DataError, TrainingDivergedError, ValueError)


def main(arguments: list[str] | None = None) -> int:
    """Train; print one JSON line per step of progress. Exit code 2 says what was refused."""
    asked = _parser().parse_intermixed_args(arguments)
    stop = asked.run_dir / STOP_FILE
    try:
        config = TrainingConfig.parse(
            asked.preset, asked.overrides, seed=asked.seed, device=asked.device
        )
        train(
            config,
            asked.data,
            asked.run_dir,
            resume=asked.resume,
            start_from=asked.start_from,
            on_progress=_tell,
            should_stop=stop.exists,
            extractors=asked.extractors,
        )
    except _REFUSED as error:
        _say(error=str(error))
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m synthesis.training", description=main.__doc__)
    parser.add_argument("preset")
    parser.add_argument("--data", type=Path, required=True, help="<subject>/<sequence>.nii.gz")
    parser.add_argument("--run-dir", type=Path, required=True, help="folder of the run")
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start-from", type=Path, help="run or weights file to begin with")
    parser.add_argument("--extractors", type=Path, help="folder of feature extractors")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    return parser


def _tell(step: int, of: int, message: str, _metrics: dict[str, float]) -> None:
    if parallel.leads():
        _say(step=step, of=of, message=message)


def _say(**line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
