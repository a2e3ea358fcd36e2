"""``manage.py score RUN``: score what a generation run made; or files against files."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.core.errors import ReaderStudyError
from synthesis import follow, score_tables
from synthesis.finding import find_run
from synthesis.models import GenerationRun, Score, Scoring
from synthesis.score_orders import DEFAULT_PRESETS, MOST_IMAGES, ScoreOrder, default_presets
from synthesis.training.journal import finite_or_none


class Command(BaseCommand):
    help = (
        "Score a generation run: each image against the acquired one, and with --extractor the "
        "whole set. The same order given twice scores nothing twice. With two files or folders "
        "in place of a run, files are scored against files and nothing is stored."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "run",
            nargs="+",
            metavar="RUN | PREDICTION TRUTH",
            help="identifier of the generation run, or its beginning; or two NIfTI files, or two "
            "folders with files of the same names",
        )
        parser.add_argument("--mask", type=Path, help="with files: voxels that count")
        parser.add_argument("--label-maps", type=Path, help="with files: label maps of regions")
        parser.add_argument("--zscores", action="store_true", help="with files: bring to z-scores")
        parser.add_argument("--csv", type=Path, metavar="FILE", help="with files: write the rows")
        parser.add_argument("--preset", nargs="*", metavar="NAME", help="scores of each image")
        parser.add_argument("--regions", nargs="+", default=["brain"], metavar="REGION")
        parser.add_argument("--labels", default="auto", help="numbers of the label maps")
        parser.add_argument(
            "--segmentations",
            default="",
            metavar="SOURCE",
            help="network:RUN (see the preset segment-3d), command, uploaded:NAME, or a folder of "
            "label maps by case code",
        )
        parser.add_argument("--unpaired", action="store_true", help="score the set, not images")
        parser.add_argument("--extractor", default="", help="for scores of the set, such as self")
        parser.add_argument("--training", default="", help="folder of the training subjects")
        parser.add_argument("--images", type=int, default=MOST_IMAGES, help="slices of a kind")
        parser.add_argument("--every", type=int, default=4, help="take every such slice")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", action="store_true", help="print scores as JSON")
        parser.add_argument("--queue", action="store_true", help="leave the work to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        if len(options["run"]) > 1:
            return self._files(options)
        try:
            run = find_run(options["run"][0])
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        if options["unpaired"] and not options["extractor"]:
            raise CommandError("Name the --extractor of unpaired scores: manage.py extractor list")
        try:
            order = ScoreOrder(
                presets=() if options["unpaired"] else _presets(options, run),
                regions=tuple(options["regions"]),
                scheme=options["labels"],
                segmenter=options["segmentations"],
                extractor=options["extractor"],
                training=options["training"],
                images=options["images"],
                every=options["every"],
                seed=options["seed"],
            ).checked()
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        job = follow.do(
            "score",
            title=f"Score run {str(run.pk)[:8]}",
            arguments={"run": str(run.pk), "order": order.to_dict()},
            queue=options["queue"],
            say=self.stderr.write if options["json"] else self.stdout.write,
        )
        scoring = Scoring.objects.get(pk=job.result["scoring"])
        if options["json"]:
            self.stdout.write(json.dumps(as_json(scoring), indent=1))
        else:
            self._tell(scoring)

    def _files(self, options: dict[str, Any]) -> None:
        """Score files against files; nothing is stored."""
        from synthesis import file_scores

        if len(options["run"]) > 2:
            raise CommandError("Name a run, or two files or folders.")
        prediction, truth = map(Path, options["run"])
        order = file_scores.FileOrder(
            prediction,
            truth,
            tuple(options["preset"] or DEFAULT_PRESETS),
            tuple(options["regions"]),
            options["mask"],
            options["label_maps"],
            options["labels"],
            options["zscores"],
        )
        try:
            rows = file_scores.score_files(order)
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        means = file_scores.means_of(rows)
        if options["csv"]:
            options["csv"].write_text(file_scores.as_csv(rows), encoding="utf-8", newline="")
        if options["json"]:
            found = finite_or_none({"scores": rows, "means": means})
            self.stdout.write(json.dumps(found, indent=1))
            return
        for one in means:
            self.stdout.write(
                f"{one['preset']:18} {one['region']:10} {one['metric']:16} {one['mean']:.4g} "
                f"({one['low']:.4g} to {one['high']:.4g}, n = {one['images']})"
            )

    def _tell(self, scoring: Scoring) -> None:
        for line in score_tables.lines_of([scoring.run]):
            one, base = line.synthetic, line.baseline
            beside = f"  {line.baseline_name} {base.value:.4g}" if base else ""
            words = f"  {line.undefined} undefined: {line.reason}" if line.undefined else ""
            self.stdout.write(
                f"{line.preset:18} {line.region:10} {line.metric:16} {one.value:.4g} "
                f"({one.low:.4g} to {one.high:.4g}, n = {one.images}){beside}{words}"
            )
        for score in Score.objects.filter(run=scoring.run, case_code="").order_by("pk"):
            value = "undefined" if score.value is None else f"{score.value:.4g}"
            between = "" if score.low is None else f" ({score.low:.4g} to {score.high:.4g})"
            self.stdout.write(
                f"{score.preset:18} {score.candidate:10} {score.metric:20} {value}{between} "
                f"{score.reason}"
            )
        self.stdout.write(f"Scoring {uuid.UUID(str(scoring.pk))}")


def _presets(options: dict[str, Any], run: GenerationRun) -> tuple[str, ...]:
    named = options["preset"]
    return default_presets(run) if named is None else tuple(named)


def as_json(scoring: Scoring) -> dict[str, Any]:
    """Return the scores of a run with what they were made with."""
    names = ("case_code", "candidate", "region", "preset", "metric", "value", "low", "high", "n",
             "reason")  # fmt: skip
    return {
        "run": str(scoring.run_id),
        "scoring": str(scoring.pk),
        "settings": scoring.settings,
        "record": scoring.record,
        "scores": list(Score.objects.filter(run=scoring.run).order_by("pk").values(*names)),
    }
