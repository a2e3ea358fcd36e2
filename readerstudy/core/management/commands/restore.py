"""``manage.py restore FILE``: put a backup in place, whole or not at all."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.core.backup import restoring
from readerstudy.core.errors import ReaderStudyError


class Command(BaseCommand):
    help = (
        "Check a backup and put it in place; older ones are migrated forward. Stop the server "
        "first. Exit code 0 only if every hash agrees, 2 if the audit log has faults."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="replace what is here")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        del args
        try:
            done = restoring.restore(file.resolve(), force=options["force"])
        except (ReaderStudyError, OSError) as error:
            raise CommandError(getattr(error, "message", str(error))) from error
        if done.kept:
            self.stdout.write(f"The former database is kept as {done.kept.name}.")
        for fault in done.verdict.faults:
            self.stdout.write(f"FAULT  {fault}")
        made_at, members = done.manifest["made_at"], len(done.manifest["members"])
        self.stdout.write(f"Restored the backup of {made_at}: {members} files.")
        if not done.verdict.is_whole:
            sys.exit(2)
