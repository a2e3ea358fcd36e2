"""``manage.py phantom_courses FOLDER``: digital patients who are followed up over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = (
        "Write digital patients with several examinations each, whose tumours shrink and grow on a "
        "known curve. Import them: manage.py import_cases FOLDER --manifest FOLDER/manifest.csv"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--patients", type=int, default=12)
        parser.add_argument("--visits", type=int, default=6, help="of each, eight weeks apart")
        parser.add_argument("--seed", type=int, default=2001, help="of the first patient")
        parser.add_argument("--spacing", type=float, nargs=3, default=[2.0, 1.0, 1.0],
                            metavar=("Z", "Y", "X"), help="voxel size, mm")  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        from synthesis.phantom.follow_up import write_follow_ups

        if options["patients"] < 1 or options["visits"] < 2:
            raise CommandError("Ask for at least one patient with two visits.")
        first, (z, y, x) = options["seed"], options["spacing"]
        table = write_follow_ups(
            options["folder"],
            range(first, first + options["patients"]),
            visits=options["visits"],
            spacing_mm=(z, y, x),
            progress=lambda done, of, name: self.stdout.write(f"{done}/{of} {name}"),
        )
        self.stdout.write(f"Days and true volumes: {table}")
