"""``manage.py verify_audit``: recompute every hash and compare every row with the audit log."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.core import verifying
from readerstudy.core.errors import ReaderStudyError


class Command(BaseCommand):
    help = (
        "Verify the audit log: its chain of hashes, the guards of the database, and that "
        "protocols, allocations, answers and truth still agree with it. "
        "Exit code 0: all agrees, 2: not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add = parser.add_argument
        add("--study", default="", metavar="ID", help="compare the rows of one study only")
        add("--files", action="store_true", help="read every stored image as well")
        add("--head", action="store_true", help="print the anchor of the log and do nothing else")
        add("--since", default="", metavar="HEAD", help="an anchor that was kept elsewhere")
        add("--no-record", action="store_true", help="do not note this verification in the log")
        add("--json", action="store_true", help="print one JSON object, nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        if options["head"]:
            self.stdout.write(verifying.head())
            return
        try:
            verdict = verifying.verify(
                study=options["study"], files=options["files"], since=options["since"]
            )
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        if not options["no_record"]:
            verifying.record_verification(verdict)
        self._tell(verdict, as_json=options["json"])
        if not verdict.is_whole:
            sys.exit(2)

    def _tell(self, verdict: verifying.Verdict, *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(verdict.as_document(), indent=1))
            return
        for part in verdict.parts:
            self.stdout.write(f"{'agrees' if not part.faults else 'FAULT ':6}  {part.name}")
            for fault in part.faults:
                self.stdout.write(f"        {fault}")
        number = len(verdict.faults)
        said = "everything agrees" if verdict.is_whole else f"{number} faults"
        self.stdout.write(f"{verdict.records} records, {said}. Head: {verdict.head}")
