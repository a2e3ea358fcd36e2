"""``manage.py import_cases PATH``: bring images in and put on record that they are real."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.cases.ingest import ERROR, OK, SKIPPED, Outcome, import_folder
from readerstudy.cases.models import Case
from readerstudy.core.errors import ReaderStudyError
from readerstudy.truth import register


class Command(BaseCommand):
    help = (
        "Import a folder of NIfTI files and DICOM series, laid out as <case>/<sequence>. "
        "Exit code 0: all came in, 2: some did not, 1: wrong use."
    )

    def create_parser(self, *args: Any, **options: Any) -> CommandParser:
        """End wrong use with 1: argparse would say 2, which has another meaning here."""
        parser = super().create_parser(*args, **options)
        leave = parser.exit

        def leave_with_one(status: int = 0, message: str | None = None) -> None:
            leave(min(status, 1), message)

        parser.exit = leave_with_one  # type: ignore[method-assign, assignment]
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--json", action="store_true", help="print a JSON list, nothing else")
        parser.add_argument(
            "--origin",
            choices=("real", "unknown"),
            default="real",
            help="what to put on record of the cases that come in (default: real)",
        )

    def handle(self, *args: Any, path: Path, origin: str, **options: Any) -> None:
        del args
        try:
            outcomes = import_folder(path)
            if origin == "real":
                codes = {outcome.case for outcome in outcomes if outcome.status == OK}
                register.declare_real(cases=Case.objects.filter(code__in=codes), actor=None)
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        if options["json"]:
            self.stdout.write(json.dumps([outcome.to_dict() for outcome in outcomes], indent=1))
        else:
            self._print(outcomes)
        found = {outcome.status for outcome in outcomes}
        if ERROR in found or OK not in found:
            sys.exit(2)

    def _print(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            where = f"case {outcome.case} {outcome.series}" if outcome.series else ""
            parts = (outcome.status, outcome.path, where, outcome.reason)
            self.stdout.write(_printable("  ".join(part for part in parts if part)))
        images = [outcome for outcome in outcomes if outcome.status != SKIPPED]
        count = sum(outcome.status == OK for outcome in images)
        self.stdout.write(f"{count} of {len(images)} series are in.")


def _printable(text: str) -> str:
    """Put question marks for what a file name holds that is no character."""
    return text.encode(errors="replace").decode()
