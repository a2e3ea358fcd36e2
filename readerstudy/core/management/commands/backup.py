"""``manage.py backup FILE``: database and stored images in one verified archive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.core.backup import making
from readerstudy.core.errors import ReaderStudyError


class Command(BaseCommand):
    help = (
        "Write database and stored images to one archive while the server goes on, and read it "
        "back. Exit code 0 only if every hash agrees."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a new file, such as readerstudy.tar.zst")
        parser.add_argument("--json", action="store_true", help="print the manifest, nothing else")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        del args
        try:
            manifest = making.make(file.resolve())
        except (ReaderStudyError, OSError) as error:
            raise CommandError(getattr(error, "message", str(error))) from error
        if options["json"]:
            self.stdout.write(json.dumps(manifest, indent=1))
            return
        size = file.stat().st_size / 2**20
        self.stdout.write(
            f"{file}: {len(manifest['members'])} files, {size:.1f} MB, every hash agrees. "
            f"Head of the audit log: {manifest['head']}"
        )
