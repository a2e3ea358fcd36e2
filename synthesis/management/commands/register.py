"""``manage.py register FOLDER --checkpoint NAME``: make cases of generated images."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.core.errors import ReaderStudyError
from synthesis.finding import find_checkpoint


class Command(BaseCommand):
    help = (
        "Register images that generate --out wrote as synthetic cases. Exit code 0 if all are in, "
        "2 if some were refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="with generation.json")
        parser.add_argument("--checkpoint", required=True, help="identifier, or name of its run")
        parser.add_argument("--json", action="store_true", help="print one entry for each image")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        from synthesis.registering import REFUSED, register_folder

        try:
            checkpoint = find_checkpoint(options["checkpoint"])
            found = register_folder(folder=options["folder"], checkpoint=checkpoint, actor=None)
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        if options["json"]:
            self.stdout.write(json.dumps([one.to_dict() for one in found]))
        else:
            for one in found:
                self.stdout.write(f"{one.subject}: {one.status} {one.case}{one.reason}")
        if any(one.status == REFUSED for one in found):
            sys.exit(2)
