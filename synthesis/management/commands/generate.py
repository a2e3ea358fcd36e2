"""``manage.py generate CHECKPOINT``: make and register synthetic counterparts of cases."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.cases.models import Case
from synthesis import follow
from synthesis.models import Checkpoint


class Command(BaseCommand):
    help = "Make a synthetic counterpart of each case; they can be chosen for a study at once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("checkpoint", help="identifier of the checkpoint, or name of its run")
        parser.add_argument("--cases", nargs="+", required=True, help="codes of source cases")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--queue", action="store_true", help="leave the work to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        known = set(Case.objects.available().values_list("code", flat=True))
        if unknown := sorted(set(options["cases"]) - known):
            raise CommandError(f"There is no case {', '.join(unknown)}.")
        job = follow.do(
            "generate",
            title=f"Make {len(options['cases'])} synthetic counterparts",
            arguments={
                "checkpoint": str(self._checkpoint(options["checkpoint"]).pk),
                "cases": sorted(set(options["cases"])),
                "seed": options["seed"],
            },
            queue=options["queue"],
            say=self.stdout.write,
        )
        self.stdout.write(f"Run {job.result['run']}: {job.result['images']} images")

    def _checkpoint(self, name: str) -> Checkpoint:
        for checkpoint in Checkpoint.objects.all():
            if name in (str(checkpoint.pk), checkpoint.run_folder):
                return checkpoint
        raise CommandError(f"There is no checkpoint {name}. Train one: manage.py train")
