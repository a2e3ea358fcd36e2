"""``manage.py experiment KIND --data DIR --out DIR``: a series of runs and its table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from synthesis.folders import run_folder
from synthesis.training import experiments, tables
from synthesis.training.series import Cell, run_series

KINDS = {
    "wang-grid": "every choice of inputs x two algorithms (Wang 2023, Table 2)",
    "folds": "cross-validation by patient",
    "search": "random search of settings",
    "ablation": "the full model, and T1 with each other input",
    "compare": "different networks on one task",
}
CALABRESE = "calabrese2021-unet"


class Command(BaseCommand):
    help = (
        "Train a series of runs and write its table. Finished runs are skipped and stopped ones "
        "go on, so the same line may be given again. Kinds: "
        + "; ".join(f"{name}: {what}" for name, what in KINDS.items())
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=sorted(KINDS))
        parser.add_argument("--data", type=Path, required=True, help="<subject>/<sequence>.nii.gz")
        parser.add_argument("--out", required=True, help="name or folder of the series")
        parser.add_argument("--preset", default=CALABRESE, help="for folds, search and ablation")
        parser.add_argument("--folds", type=int, default=10)
        parser.add_argument("--draws", type=int, default=16, help="points of a search")
        parser.add_argument(
            "--by-examination",
            action="store_true",
            help="split as published by Wang: a patient can train and be tested",
        )
        parser.add_argument("--workers", type=int, default=1, help="runs at once at most")
        parser.add_argument("--device", default="cpu", help="cpu or cuda")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--start-from", default="", help="run whose weights each starts from")
        parser.add_argument(
            "overrides", nargs="*", metavar="key=value", help="or PRESET:key=value with compare"
        )

    def create_parser(self, *args: Any, **options: Any) -> CommandParser:
        """Let settings stand before, between or after the options."""
        parser = super().create_parser(*args, **options)
        parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        folder = run_folder(options["out"])
        if options["workers"] < 1:
            raise CommandError("--workers must be at least 1.")
        try:
            results = run_series(
                _cells(options),
                options["data"],
                folder,
                workers=options["workers"],
                start_from=run_folder(options["start_from"]) if options["start_from"] else None,
                tell=lambda done, of, message: self.stdout.write(f"{done}/{of} {message}"),
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        self._write_table(options, folder)
        failed = [result.cell.name for result in results if result.state == "failed"]
        if failed:
            raise CommandError(f"{len(failed)} runs failed: {', '.join(failed)}. Run it again.")

    def _write_table(self, options: dict[str, Any], folder: Path) -> None:
        if not tables.finished_cells(folder):
            return
        if options["kind"] == "wang-grid":
            table = tables.wang_table(folder, options["data"])
        else:
            table = tables.series_table(folder)
        table.write(folder, "table")
        self.stdout.write(table.markdown())


def _cells(options: dict[str, Any]) -> list[Cell]:
    common, own = _settings(options)
    kind, preset, seed = options["kind"], options["preset"], options["seed"]
    if kind == "wang-grid":
        return experiments.input_grid(common)
    if kind == "folds":
        return experiments.cross_validation(preset, options["folds"], common)
    if kind == "search":
        return experiments.random_search(preset, common, draws=options["draws"], seed=seed)
    if kind == "ablation":
        return experiments.input_ablation(preset, {"folds": options["folds"], **common})
    return experiments.comparison(common, own)


def _settings(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the settings for all runs, and those for the runs of one preset."""
    common: dict[str, Any] = {"seed": options["seed"], "device": options["device"]}
    if options["by_examination"]:
        common["split_by"] = "examination"
    own: dict[str, dict[str, Any]] = {}
    for assignment in options["overrides"]:
        key, equals, text = assignment.partition("=")
        if not equals or not key:
            raise CommandError(f"Write settings as key=value, got {assignment!r}.")
        preset, colon, name = key.rpartition(":")
        (own.setdefault(preset, {}) if colon else common)[name] = _value(text)
    return common, own


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
