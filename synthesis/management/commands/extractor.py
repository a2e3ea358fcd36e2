"""``manage.py extractor list | add | train``: what turns images into features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from synthesis.folders import extractors_folder


class Command(BaseCommand):
    help = "Feature extractors for scores of sets, from weights on this machine alone."

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = parser.add_subparsers(dest="kind", required=True)
        kinds.add_parser("list", help="tell what is there")
        add = kinds.add_parser("add", help="keep a weights file as an extractor")
        add.add_argument("name")
        add.add_argument("--architecture", required=True)
        add.add_argument("--weights", type=Path, required=True)
        add.add_argument("--sha256", required=True)
        add.add_argument("--source", default="", help="where it comes from, its licence")
        train = kinds.add_parser("train", help="learn from the real training images of a run")
        train.add_argument("run", help="identifier of a generation run")
        train.add_argument("--name", default="self")
        train.add_argument("--training", type=Path, help="folder of the training subjects")
        train.add_argument("--steps", type=int, default=400)
        train.add_argument("--every", type=int, default=2)
        train.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        from synthesis.metrics.extractors import ExtractorError
        from synthesis.metrics.paired import UndefinedMetricError

        try:
            getattr(self, f"_{options['kind']}")(options)
        except (ExtractorError, UndefinedMetricError) as error:
            raise CommandError(str(error)) from error

    def _list(self, options: dict[str, Any]) -> None:
        del options
        from synthesis.metrics.extractors import RANDOM, installed, load_extractor

        for name in [RANDOM, *installed(extractors_folder())]:
            found = load_extractor(name, extractors_folder())
            self.stdout.write(f"{found.label}  {found.architecture}  {found.facts}")

    def _add(self, options: dict[str, Any]) -> None:
        from synthesis.metrics.extractors import add_extractor

        found = add_extractor(
            options["name"],
            options["architecture"],
            options["weights"],
            extractors_folder(),
            sha256=options["sha256"],
            facts={"source": options["source"]},
        )
        self.stdout.write(f"Extractor {found.label}")

    def _train(self, options: dict[str, Any]) -> None:
        from synthesis.metrics.encoder import EncoderSettings
        from synthesis.models import GenerationRun
        from synthesis.run_images import roles_of, training_volumes
        from synthesis.set_scoring import train_own

        run = GenerationRun.objects.filter(pk=options["run"]).first()
        if run is None:
            raise CommandError(f"There is no generation run {options['run']}.")
        volumes = list(training_volumes(run, roles_of(run)[0], options["training"]))
        if not volumes:
            raise CommandError("The training images are not at hand. Name their --training folder.")
        found = train_own(
            run,
            volumes,
            every=options["every"],
            name=options["name"],
            settings=EncoderSettings(steps=options["steps"], seed=options["seed"]),
            progress=self._progress,
        )
        self.stdout.write(f"Extractor {found.label}, {found.facts['images']} slices")

    def _progress(self, step: int, of: int, loss: float) -> None:
        if step % 50 == 0 or step == of:
            self.stdout.write(f"{step} of {of}  loss {loss:.3f}")
