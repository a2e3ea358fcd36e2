"""``manage.py import_dicomweb SERVER --study-uid UID``: retrieve series and bring them in."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.cases.ingest import ERROR, OK
from readerstudy.core import jobs
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.intake import closing, dicomweb_importing, folders
from readerstudy.intake.dicomweb import Client, SeriesEntry, server_called
from readerstudy.intake.dicomweb_importing import Pick, open_dicomweb, series_of
from readerstudy.intake.dicomweb_servers import Server
from readerstudy.intake.models import Import
from readerstudy.intake.options import FACES, ORIGINS, Options


class Command(BaseCommand):
    help = (
        "Retrieve an exam, or some of its series, from a configured DICOMweb server and import "
        "it. Exit code 0: all came in, 2: some did not, 1: wrong use or no answer."
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
        parser.add_argument("server", help="name of the server, as the environment has it")
        parser.add_argument("--study-uid", required=True, help="StudyInstanceUID of the exam")
        parser.add_argument("--series-uid", action="append", default=[], help="may be repeated")
        parser.add_argument("--label", default="", help="name of the source")
        parser.add_argument("--origin", choices=tuple(ORIGINS), default="real")
        parser.add_argument("--generator", default="", help="of synthetic images")
        parser.add_argument("--faces", choices=tuple(FACES), default=next(iter(FACES)))
        parser.add_argument("--json", action="store_true", help="print a JSON list, nothing else")

    def handle(self, *args: Any, server: str, **given: Any) -> None:
        del args
        try:
            outcomes = self._run(server_called(server), given)
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        if given["json"]:
            self.stdout.write(json.dumps(outcomes, indent=1))
        else:
            self._print(outcomes)
        found = {one["status"] for one in outcomes}
        if ERROR in found or OK not in found:
            sys.exit(2)

    def _run(self, server: Server, given: dict[str, Any]) -> list[dict[str, Any]]:
        picks = [Pick(one) for one in _chosen(server, given["study_uid"], given["series_uid"])]
        names = ("label", "origin", "generator", "faces")
        options = Options(**{name: given[name] for name in names})
        batch = open_dicomweb(server=server, picks=picks, options=options)
        try:
            tell = (lambda _: None) if given["json"] else self.stdout.write
            arguments = {"batch": str(batch.pk)}
            job = jobs.run_here(
                dicomweb_importing.KIND,
                title=dicomweb_importing.TITLE,
                arguments=arguments,
                tell=tell,
            )
            if job.state == Job.State.FAILED:
                raise ReaderStudyError(job.error)
            return json.loads(folders.place_of(batch).rows.read_text())
        finally:
            closing.close(batch=Import.objects.get(pk=batch.pk), actor=None)

    def _print(self, outcomes: list[dict[str, Any]]) -> None:
        for one in outcomes:
            where = f"case {one['case']} {one['series']}" if one["series"] else ""
            parts = (one["status"], one["path"], where, one["reason"])
            self.stdout.write("  ".join(part for part in parts if part))
        count = sum(one["status"] == OK for one in outcomes)
        self.stdout.write(f"{count} of {len(outcomes)} series are in.")


def _chosen(server: Server, study_uid: str, wanted: list[str]) -> list[SeriesEntry]:
    with Client(server) as client:
        found = series_of(client, study_uid)
    if missing := set(wanted) - {one.uid for one in found}:
        raise ReaderStudyError(f"The exam does not have {len(missing)} of these series.")
    return [one for one in found if not wanted or one.uid in wanted]
