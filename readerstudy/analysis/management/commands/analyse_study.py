"""``manage.py analyse_study STUDY``: the planned analysis as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.analysis import datasets, export, running
from readerstudy.core.errors import ReaderStudyError
from readerstudy.stats.results import json_safe
from readerstudy.studies.access import find_study


class Command(BaseCommand):
    help = "Print the results of an unblinded study as JSON at full precision."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="identifier or name of the study")

    def handle(self, *args: Any, study: str, **options: Any) -> None:
        del args, options
        try:
            row = find_study(study)
            found = running.here(row, actor=None)
            data = datasets.load(row, actor=None)
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        document = export.results_document(data, found)
        self.stdout.write(json.dumps(json_safe(document), indent=1, ensure_ascii=False))
