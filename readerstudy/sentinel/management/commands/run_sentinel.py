"""``manage.py run_sentinel STUDY``: look for leaks; exit code 2 when something tells."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.core.errors import ReaderStudyError
from readerstudy.sentinel import running, standing
from readerstudy.sentinel.advice import ADVICE, LABELS
from readerstudy.sentinel.models import SentinelRun
from readerstudy.studies.access import find_study

FOUND = 2


class Command(BaseCommand):
    help = "Walk a locked or running study as a robot reader and judge every cue."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="identifier or name of the study")
        parser.add_argument("--json", action="store_true", help="print the whole result as JSON")
        parser.add_argument("--seed", type=int, help="of the robot's order and the tests")
        parser.add_argument(
            "--server",
            default="",
            help="address of the running server, with its proxies; without it the requests run "
            "through the same handler in this process",
        )

    def handle(self, *args: Any, study: str, **options: Any) -> None:
        del args
        try:
            run = running.run(
                study=find_study(study),
                actor=None,
                server=options["server"],
                seed=options["seed"],
            )
        except ReaderStudyError as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            json.dumps(document_of(run), indent=1) if options["json"] else text_of(run)
        )
        if run.verdict == SentinelRun.Verdict.FOUND:
            sys.exit(FOUND)


def document_of(run: SentinelRun) -> dict[str, Any]:
    """Return a run as JSON; it says nothing of which class a cue points to."""
    names = ("seed", "limits", "images_hash", "software", "requests", "presentations", "n_cases")
    return {
        "study": str(run.study_id),
        "at": run.at.isoformat(),
        "verdict": run.verdict,
        **{name: getattr(run, name) for name in names},
        "cues": run.results,
        "words": run.words,
    }


def text_of(run: SentinelRun) -> str:
    """Return a run as a few lines."""
    lines = [f"{run.get_verdict_display()}. {standing.highest(run)}."]
    for row in standing.with_verdict(run, "found"):
        label = LABELS[row["family"]]
        apart = " between generators" if standing.is_between(row) else ""
        interval = standing.interval_of(row)
        lines.append(f"{label}{apart}, {row['what']}: {interval}, p = {row['p']:.3f}")
        lines.append(f"  {ADVICE[row['family']]}")
    lines += [f"{word['kind']} in {word['place']}, {word['count']} times" for word in run.words]
    return "\n".join(lines)
