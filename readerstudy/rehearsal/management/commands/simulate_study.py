"""``manage.py simulate_study STUDY --readers N --seed S``: a dry run through HTTP."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.core.errors import ReaderStudyError
from readerstudy.rehearsal import running, starting, words
from readerstudy.rehearsal.models import Rehearsal
from readerstudy.studies.access import find_study


class Command(BaseCommand):
    help = "Let simulated readers read a copy of a study through HTTP and compare what comes out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="identifier or name of the study")
        parser.add_argument("--readers", type=int, default=4, help="simulated readers")
        parser.add_argument("--seed", default="", help="the same seed gives the same answers")
        parser.add_argument("--url", help="a running server of this installation")
        parser.add_argument("--images", action="store_true", help="fetch every image as well")
        parser.add_argument(
            "--assume",
            action="append",
            default=[],
            metavar="NAME=NUMBER",
            help="an assumption, such as dprime=0.5; may be given more than once",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, study: str, **options: Any) -> None:
        del args
        try:
            rehearsal = self._run(study, options)
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        result: dict[str, Any] = rehearsal.result or {}
        if options["json"]:
            self.stdout.write(json.dumps(result, indent=1, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(words.lines(rehearsal)))
        if not result["verification"]["is_whole"]:
            raise CommandError("The export does not hold what was sent; see verification.")

    def _run(self, study: str, options: dict[str, Any]) -> Rehearsal:
        rehearsal = starting.note_rehearsal(
            study=find_study(study),
            readers=options["readers"],
            seed=options["seed"],
            stated=dict(map(_assumption, options["assume"])),
            images=options["images"],
            actor=None,
        )
        done = running.run(rehearsal=rehearsal, url=options["url"], progress=self._tell)
        return done.rehearsal

    def _tell(self, step: int, of: int, message: str) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{step} of {of}  {message}   ", ending="")


def _assumption(text: str) -> tuple[str, float | int]:
    name, _, value = text.partition("=")
    try:
        number = float(value)
    except ValueError as error:
        raise CommandError(f"{text!r} is not NAME=NUMBER") from error
    return name.strip(), int(number) if number.is_integer() else number
