"""``manage.py train PRESET --data DIR --run DIR``: train a generator by its preset."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from synthesis import follow
from synthesis.finding import find_checkpoint
from synthesis.folders import run_folder


class Command(BaseCommand):
    help = "Train a generator. Settings of the preset are changed by key=value at the end."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("preset", help="for example unet2d-t1c")
        parser.add_argument("--data", type=Path, required=True, help="<subject>/<sequence>.nii.gz")
        parser.add_argument("--run", required=True, help="name or folder of the run")
        parser.add_argument("--device", default="cpu", help="cpu, cuda, or auto")
        parser.add_argument("--processes", type=int, default=1, help="one for each GPU (torchrun)")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON alone")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--start-from", default="", help="run whose weights it starts from")
        parser.add_argument("--resume", action="store_true", help="go on with a stopped run")
        parser.add_argument("--queue", action="store_true", help="leave the work to a worker")
        parser.add_argument("overrides", nargs="*", metavar="key=value")

    def create_parser(self, *args: Any, **options: Any) -> CommandParser:
        """Let settings stand before, between or after the options."""
        parser = super().create_parser(*args, **options)
        parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        if run_folder(options["run"]).exists() and not options["resume"]:
            raise CommandError(
                f"Run {options['run']} exists. Add --resume to go on with it, or name another."
            )
        names = ("preset", "run", "seed", "device", "overrides", "processes")
        arguments = {name: options[name] for name in names}
        if options["start_from"]:
            arguments["start_from"] = str(find_checkpoint(options["start_from"]).pk)
        job = follow.do(
            "train",
            title=f"Train {options['preset']}",
            arguments={**arguments, "data": str(options["data"].resolve())},
            queue=options["queue"],
            say=follow.silent if options["json"] else self.stdout.write,
        )
        if options["json"]:
            self.stdout.write(json.dumps(job.result))
        elif job.result.get("stopped"):
            self.stdout.write("Stopped; go on with --resume")
        else:
            self.stdout.write(f"Checkpoint {job.result['checkpoint']}")
