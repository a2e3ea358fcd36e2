"""``manage.py import_cases PATH``: bring images in and put on record where they come from."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.cases.ingest import ERROR, OK, SKIPPED, Outcome
from readerstudy.core import jobs
from readerstudy.core.errors import ReaderStudyError
from readerstudy.core.models import Job
from readerstudy.imaging.frames import PLANES
from readerstudy.intake import folders, importing, opening, results, resuming, starting
from readerstudy.intake.models import Import
from readerstudy.intake.options import FACES, FACES_WARNING, ORIGINS, Options


class Command(BaseCommand):
    help = (
        "Import a folder of NIfTI files and DICOM series, laid out as <case>/<sequence>, or a "
        "zip of it. Exit code 0: all came in, 2: some did not, 1: wrong use."
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
        add = parser.add_argument
        add("path", type=Path, help="a folder, an image file or a zip")
        add("--manifest", type=Path, metavar="FILE", help="CSV or XLSX: files to cases")
        add("--reason", default="", help="why a manifest corrects what is on record")
        add("--source", default="", metavar="LABEL", help="keeps equal names of two places apart")
        add("--origin", choices=tuple(ORIGINS), default="real", help="what goes on record")
        add("--generator", default="", metavar="NAME", help="what made synthetic images")
        add("--faces", choices=tuple(FACES), default="brain-only", help="what becomes of heads")
        add("--plane", choices=PLANES, default="axial", help="of PNG pictures, which cannot tell")
        add("--dry-run", action="store_true", help="say what would be done and change nothing")
        add("--resume", action="store_true", help="go on with the last import of this path")
        add("--json", action="store_true", help="print a JSON list, nothing else")

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        del args
        try:
            outcomes = self._carry_out(path, options)
        except ReaderStudyError as error:
            raise CommandError(_printable(error.message)) from error
        if options["json"]:
            self.stdout.write(json.dumps([outcome.to_dict() for outcome in outcomes], indent=1))
        else:
            self._print(outcomes, dry=options["dry_run"])
        found = {outcome.status for outcome in outcomes}
        if ERROR in found or OK not in found:
            sys.exit(2)

    def _carry_out(self, path: Path, options: dict[str, Any]) -> list[Outcome]:
        _require(path)
        chosen = Options(
            label=options["source"],
            origin=options["origin"],
            generator=options["generator"],
            faces=options["faces"],
            plane=options["plane"],
        )
        if chosen.faces == "keep" and not options["json"]:
            self.stderr.write(FACES_WARNING)
        if options["dry_run"]:
            return self._check(path, chosen, options)
        batch = resuming.last_of(path, chosen) if options["resume"] else None
        if batch is None:
            batch = opening.open_folder(path=path, options=chosen, reason=options["reason"])
        _keep_manifest(batch, options["manifest"])
        return self._run(batch, options)

    def _check(self, path: Path, chosen: Options, options: dict[str, Any]) -> list[Outcome]:
        draft = opening.draft_folder(path=path, options=chosen, reason=options["reason"])
        try:
            _keep_manifest(draft, options["manifest"])
            return importing.check(draft)
        finally:
            folders.place_of(draft).remove()

    def _run(self, batch: Import, options: dict[str, Any]) -> list[Outcome]:
        job = jobs.run_here(
            starting.KIND,
            title=starting.TITLE,
            arguments={"batch": str(batch.pk)},
            tell=lambda text: None if options["json"] else self.stderr.write(text),
        )
        if job.state != Job.State.DONE:
            raise ReaderStudyError(job.error or "The import was stopped. Go on with --resume.")
        return results.all_outcomes_of(batch)

    def _print(self, outcomes: list[Outcome], *, dry: bool) -> None:
        for outcome in outcomes:
            where = f"case {outcome.case} {outcome.series}" if outcome.series else ""
            parts = (outcome.status, outcome.path, where, outcome.reason)
            self.stdout.write(_printable("  ".join(part for part in parts if part)))
        images = [outcome for outcome in outcomes if outcome.status != SKIPPED]
        count = sum(outcome.status == OK for outcome in images)
        said = "would come in" if dry else "are in"
        self.stdout.write(f"{count} of {len(images)} series {said}.")


def _keep_manifest(batch: Import, file: Path | None) -> None:
    if file is not None:
        _require(file)
        with file.open("rb") as handle:
            starting.keep_manifest(batch=batch, file=File(handle, name=file.name))


def _require(path: Path) -> None:
    if not path.exists():
        raise ReaderStudyError(f"{path.name}: it does not exist. Check the path.")


def _printable(text: str) -> str:
    """Put question marks for what a file name holds that is no character."""
    return text.encode(errors="replace").decode()
