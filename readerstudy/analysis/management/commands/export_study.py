"""``manage.py export_study STUDY --out DIR``: the files of the results page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.analysis import datasets, everything, export, running
from readerstudy.core.errors import ReaderStudyError
from readerstudy.studies.access import find_study


class Command(BaseCommand):
    help = "Write report, tables, figures, reads, scripts and papers of an unblinded study."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="identifier or name of the study")
        parser.add_argument("--out", type=Path, required=True, help="folder to write to")

    def handle(self, *args: Any, study: str, out: Path, **options: Any) -> None:
        del args, options
        try:
            row = find_study(study)
            found = running.here(row, actor=None)
            data = datasets.load(row, actor=None)
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        content = everything.everything(data, found)
        export.write_folder(content, out)
        self.stdout.write(f"{len(content)} files are in {out}.")
