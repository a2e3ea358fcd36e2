"""``manage.py manifest_template --out FILE``: an empty manifest, made for a study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.core.errors import ReaderStudyError
from readerstudy.intake.manifest_template import FORMS, template
from readerstudy.studies.access import find_study


class Command(BaseCommand):
    help = "Write an empty manifest (.csv or .xlsx), with the sequences and endpoints of a study."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True, help="file ending in .csv or .xlsx")
        parser.add_argument("--study", default="", help="identifier or name of a study")

    def handle(self, *args: Any, out: Path, study: str, **options: Any) -> None:
        del args, options
        form = out.suffix.lower().lstrip(".")
        if form not in FORMS:
            raise CommandError("Name a file that ends in .csv or .xlsx.")
        try:
            content = template(form, find_study(study) if study else None)
            with out.open("xb") as handle:
                handle.write(content)
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        except FileExistsError as error:
            raise CommandError(f"{out.name} exists already; choose another name.") from error
        except OSError as error:
            raise CommandError(f"{out.name} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"Written to {out}.")
