"""``manage.py progression RUN``: time to progression on acquired and on synthetic images."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.core.errors import ReaderStudyError
from readerstudy.stats import ProgressionRule
from readerstudy.stats.progression import GROWTH, MEASURABLE_ML, SHRINKAGE
from synthesis import progression
from synthesis.finding import find_run


class Command(BaseCommand):
    help = (
        "Read the time to progression of each patient from the volumes of a scored run, and "
        "compare acquired with synthetic. Score it with --segmentations first; cases need a day."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", help="identifier of the generation run, or its beginning")
        parser.add_argument("--segmentation", default="", help="which, if the run has several")
        parser.add_argument("--growth", type=float, default=GROWTH, help="share over the smallest")
        parser.add_argument("--shrinkage", type=float, default=SHRINKAGE, help="share of response")
        parser.add_argument("--measurable-ml", type=float, default=MEASURABLE_ML)
        parser.add_argument("--confirm-days", type=float, default=0.0, help="28 as RANO asks")
        parser.add_argument("--out", type=Path, help="CSV: patient, source, time, event")
        parser.add_argument("--json", action="store_true", help="print the comparison as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        names = ("growth", "shrinkage", "measurable_ml", "confirm_days")
        try:
            rule = ProgressionRule(**{name: options[name] for name in names})
            found = progression.read_out(find_run(options["run"]), options["segmentation"], rule)
        except (ReaderStudyError, ValueError) as error:
            raise CommandError(str(error)) from error
        if options["out"]:
            options["out"].write_text(progression.csv_of(found), encoding="utf-8", newline="")
        if options["json"]:
            told = found.compared.to_dict() if found.compared else None
            table = {"rows": found.rows, "compared": told, "reason": found.reason}
            self.stdout.write(json.dumps(table, indent=1))
            return
        self._tell(found)

    def _tell(self, found: progression.ReadOut) -> None:
        self.stdout.write(f"{found.segmentation}: {found.rule.words}")
        for row in found.rows:
            what = "progression" if row["event"] else "censored"
            self.stdout.write(f"{row['patient']:12} {row['source']:10} {row['time']:6g} d {what}")
        if found.without_day:
            self.stdout.write(f"{found.without_day} cases have no day and are left out")
        if found.compared is None:
            self.stdout.write(f"Nothing is compared: {found.reason}")
            return
        one = found.compared
        for estimate in (one.median_difference, one.same_status, one.times, one.times_concordance,
                         one.c_index, one.volumes, one.volumes_concordance):  # fmt: skip
            self.stdout.write(estimate.summary())
        self.stdout.write(one.summary())
