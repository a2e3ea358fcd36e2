"""``manage.py generate CHECKPOINT``: make synthetic images and register them as cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.cases.models import Case
from synthesis import follow
from synthesis.drawing_kinds import free_for_slices
from synthesis.folders import run_folder
from synthesis.models import Checkpoint, GenerationRun


class Command(BaseCommand):
    help = (
        "Make synthetic images; they can be chosen for a study at once. A generator that works "
        "from images makes a counterpart of each of --cases; one that draws makes --count images."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("checkpoint", help="identifier of the checkpoint, or name of its run")
        parser.add_argument("--cases", nargs="+", help="codes of source cases")
        parser.add_argument("--data", type=Path, help="a folder of subjects, in place of cases")
        parser.add_argument("--out", type=Path, help="where the images of --data are written")
        parser.add_argument("--count", type=int, help="images to draw")
        parser.add_argument(
            "--real-slices", type=int, help="real slices to cut as the training slices were"
        )
        parser.add_argument("--film", type=int, help="film a walk past this number of images")
        parser.add_argument("--truncation", type=float, default=1.0, help="0 to 1, for drawing")
        parser.add_argument(
            "--exclude-copies",
            action="store_true",
            help="leave out drawn images that are like training images; see --count",
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON alone")
        parser.add_argument("--queue", action="store_true", help="leave the work to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        if options["data"] or options["out"]:
            return self._to_folder(options)
        asked = [name for name in ("count", "real_slices", "film") if options[name] is not None]
        if len(asked) > 1 or (options["cases"] and set(asked) - {"real_slices"}):
            raise CommandError("Ask for one of --cases, --count, --real-slices and --film.")
        if not asked and not options["cases"]:
            raise CommandError("Say what to make: --cases, --count, --real-slices or --film.")
        if options["exclude_copies"] and options["count"] is None:
            raise CommandError("--exclude-copies goes with --count: images that are drawn.")
        known = set(Case.objects.available().values_list("code", flat=True))
        if unknown := sorted(set(options["cases"] or ()) - known):
            raise CommandError(f"There is no case {', '.join(unknown)}.")
        checkpoint = self._checkpoint(options["checkpoint"])
        {
            "count": self._draw,
            "real_slices": self._cut,
            "film": self._film,
        }.get(asked[0] if asked else "", self._counterparts)(checkpoint, options)

    def _to_folder(self, options: dict[str, Any]) -> None:
        """Write images to a folder; ``manage.py register`` makes cases of them later."""
        if not (options["data"] and options["out"]):
            raise CommandError("Name both: --data with the subjects, --out for the images.")
        from synthesis.generate import generate

        run = run_folder(self._checkpoint(options["checkpoint"]).run_folder)
        say = self._say(options)
        try:
            made = generate(
                run,
                options["data"],
                options["out"],
                seed=options["seed"],
                on_progress=lambda done, of, words, _: say(f"{done} of {of}  {words}"),
            )
        except ValueError as error:
            raise CommandError(str(error)) from error
        facts = {
            "folder": str(options["out"]),
            "files": {image: path.name for image, path in made.files.items()},
            "record": made.record.to_dict(),
        }
        words = f"{len(made.files)} images; register them: manage.py register"
        self._end(options, words, facts)

    def _counterparts(self, checkpoint: Checkpoint, options: dict[str, Any]) -> None:
        codes = sorted(set(options["cases"]))
        arguments = {"cases": codes, "seed": options["seed"]}
        title = f"Make {len(codes)} synthetic counterparts"
        result = self._do("generate", title, checkpoint, arguments, options)
        self._end_run(options, result)

    def _draw(self, checkpoint: Checkpoint, options: dict[str, Any]) -> None:
        names = ("count", "seed", "truncation", "exclude_copies")
        arguments = {name: options[name] for name in names}
        title = f"Draw {options['count']} images"
        result = self._do("draw", title, checkpoint, arguments, options)
        self._end_run(options, result)

    def _cut(self, checkpoint: Checkpoint, options: dict[str, Any]) -> None:
        arguments = {
            "cases": sorted(set(options["cases"] or free_for_slices(checkpoint))),
            "count": options["real_slices"],
            "seed": options["seed"],
        }
        title = f"Cut {options['real_slices']} real slices"
        result = self._do("cut_slices", title, checkpoint, arguments, options)
        self._end(options, f"Cases {' '.join(result['cases'])}", result)

    def _film(self, checkpoint: Checkpoint, options: dict[str, Any]) -> None:
        arguments = {"stops": options["film"]} | {
            name: options[name] for name in ("seed", "truncation")
        }
        title = f"Film a walk past {options['film']} images"
        result = self._do("film", title, checkpoint, arguments, options)
        words = f"{result['frames']} frames in film.mp4 of run {checkpoint.run_folder}"
        self._end(options, words, {**result, "run_folder": checkpoint.run_folder})

    def _do(
        self,
        kind: str,
        title: str,
        checkpoint: Checkpoint,
        arguments: dict[str, Any],
        options: dict[str, Any],
    ) -> dict[str, Any]:
        job = follow.do(
            kind,
            title=title,
            arguments={"checkpoint": str(checkpoint.pk), **arguments},
            queue=options["queue"],
            say=self._say(options),
        )
        result: dict[str, Any] = job.result
        return result

    def _say(self, options: dict[str, Any]) -> follow.Say:
        return follow.silent if options["json"] else self.stdout.write

    def _end_run(self, options: dict[str, Any], result: dict[str, Any]) -> None:
        run = GenerationRun.objects.select_related("checkpoint").get(pk=result["run"])
        cases = [{"image": key, **entry} for key, entry in run.record["cases"].items()]
        facts = {
            **result,
            "checkpoint": str(run.checkpoint_id),
            "weights_sha256": run.checkpoint.weights_sha256,
            "sequence": run.role,
            "seed": run.seed,
            "cases": cases,
        }
        self._end(options, f"Run {result['run']}: {result['images']} images", facts)

    def _end(self, options: dict[str, Any], words: str, facts: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(facts) if options["json"] else words)

    def _checkpoint(self, name: str) -> Checkpoint:
        for checkpoint in Checkpoint.objects.all():
            if name in (str(checkpoint.pk), checkpoint.run_folder):
                return checkpoint
        raise CommandError(f"There is no checkpoint {name}. Train one: manage.py train")
