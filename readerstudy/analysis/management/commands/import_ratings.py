"""Import ratings that were collected elsewhere, as the pages do."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from readerstudy.analysis.importing import mapping as mappings
from readerstudy.analysis.importing.ratings_import import Examined, examine
from readerstudy.analysis.models import RatingsImport
from readerstudy.analysis.ratings import computing, storing, tables, uploading
from readerstudy.analysis.ratings.downloading import file_named, offered_files
from readerstudy.core.errors import NotFound, ReaderStudyError
from readerstudy.readers.models import User

FAULTY = 2


class Command(BaseCommand):
    """Exit 0 when stored (or nothing is wrong with --check), 2 on faults, 1 on a usage error."""

    help = "Import a CSV or XLSX table of ratings, with a mapping that says what its columns mean."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="table of ratings, CSV or XLSX")
        parser.add_argument("--mapping", type=Path, required=True, help="mapping.json")
        parser.add_argument("--cases", type=Path, help="table of cases, CSV or XLSX")
        parser.add_argument("--user", help="account that the import belongs to")
        parser.add_argument("--name", help="title; that of the mapping if it is left out")
        parser.add_argument("--check", action="store_true", help="tell the faults, store nothing")
        parser.add_argument("--leave-out", action="store_true", help="leave out what is faulty")
        parser.add_argument("--out", type=Path, help="folder for results, report and exports")

    def handle(self, **options: Any) -> None:
        try:
            mapping = json.loads(options["mapping"].read_text("utf-8"))
            ratings = _file(options["file"])
            cases = _file(options["cases"]) if options["cases"] else None
            found = _examined(ratings, cases, mapping)
        except (OSError, ValueError, ReaderStudyError) as error:
            raise CommandError(str(error)) from error
        self._tell(found)
        if options["check"] or (found.blocking and not options["leave_out"]):
            raise SystemExit(FAULTY if found.blocking else 0)
        row = self._store(ratings, cases, mapping, options)
        if options["out"]:
            self._write(row, options["out"])

    def _tell(self, found: Examined) -> None:
        for fault in found.faults:
            mark = "FAULT" if fault.blocks else "look "
            where = f"{fault.table} " if fault.table != "ratings" else ""
            self.stderr.write(f"{mark}  {where}{fault}")
        data = found.data
        self.stdout.write(
            f"{len(data.readers)} readers, {len(data.items)} cases, {len(data.reads)} readings, "
            f"{len(found.faults)} faults, {found.left_out} answers left out"
        )

    def _store(
        self,
        ratings: uploading.File,
        cases: uploading.File | None,
        mapping: dict[str, Any],
        options: dict[str, Any],
    ) -> RatingsImport:
        owner = User.objects.filter(username=options["user"], may_coordinate=True).first()
        if owner is None:
            raise CommandError("Name the coordinator whom the import belongs to with --user.")
        name = options["name"] or mapping["name"]
        try:
            row = uploading.upload(
                name=name, ratings=ratings, cases=cases, mapping=mapping, actor=owner
            )
            storing.store(row=row, leave_out=options["leave_out"], actor=owner)
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Stored as {row.pk}")
        return row

    def _write(self, row: RatingsImport, folder: Path) -> None:
        computing.compute(row)
        folder.mkdir(parents=True, exist_ok=True)
        for name, _ in offered_files(row):
            try:
                content = file_named(row, name)
            except NotFound as error:
                self.stderr.write(f"{name}: {error.message}")
                continue
            if content is not None:
                (folder / name).write_bytes(content)
                self.stdout.write(str(folder / name))


def _file(path: Path) -> uploading.File:
    return uploading.File(path.name, path.read_bytes())


def _examined(
    ratings: uploading.File, cases: uploading.File | None, mapping: dict[str, Any]
) -> Examined:
    of_cases = tables.table_of(cases.content, cases.name) if cases else None
    table = tables.table_of(ratings.content, ratings.name)
    return examine(table, mappings.parse(mapping), cases=of_cases)
